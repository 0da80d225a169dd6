// Actions about people: friends, those who want to be, and strangers.

import type { Fields } from '../onebot/object.ts'
import { BAD_REQUEST, MilkyError } from './api.ts'
import { flagText, readFlag } from './flags.ts'
import { type Actions, list, row, steps } from './mapping.ts'
import { flag, given, text, textOr, whole, wholeOr } from './params.ts'
import { friendInfo, strangerInfo } from './people.ts'
import type { FriendRequest } from './shapes.ts'
import type { Stage } from './stage.ts'

const MOST_REQUESTS = 50

export const friendActions: Actions = {
  get_friend_list: row('get_friend_list', fresh, ({ friends }) => list(friends).map(friendInfo)),
  get_stranger_info: row(
    'get_user_profile',
    (params) => ({ user_id: whole(params, 'user_id') }),
    (profile, _it, params) => strangerInfo(whole(params, 'user_id'), profile),
  ),
  send_like: row('send_profile_like', (params) => ({
    user_id: whole(params, 'user_id'),
    count: wholeOr(params, 1, 'times'),
  })),
  friend_poke: row('send_friend_nudge', poked),
  group_poke: row('send_group_nudge', pokedInGroup),
  send_poke: steps(['send_friend_nudge', 'send_group_nudge'], async (params, it) => {
    if (given(params, 'group_id') === undefined) await it.call('send_friend_nudge', poked(params, it))
    else await it.call('send_group_nudge', pokedInGroup(params))
    return null
  }),
  delete_friend: row('delete_friend', (params) => ({ user_id: whole(params, 'user_id', 'friend_id') })),
  set_friend_add_request: steps(['accept_friend_request', 'reject_friend_request'], answer),
  set_doubt_friends_add_request: steps(['accept_friend_request', 'reject_friend_request'], answer),
  get_doubt_friends_add_request: row(
    'get_friend_requests',
    (params) => ({ limit: wholeOr(params, MOST_REQUESTS, 'count'), is_filtered: true }),
    ({ requests }) => list(requests).map(doubtful),
  ),
}

export function fresh(params: Fields): { no_cache: boolean } {
  return { no_cache: flag(params, false, 'no_cache') }
}

function poked(params: Fields, it: Stage) {
  const user_id = whole(params, 'user_id')
  const target = wholeOr(params, undefined, 'target_id')
  return { user_id, is_self: target === it.selfId }
}

function pokedInGroup(params: Fields) {
  return { group_id: whole(params, 'group_id'), user_id: whole(params, 'user_id', 'target_id') }
}

/** @throws MilkyError */
async function answer(params: Fields, it: Stage): Promise<null> {
  const told = text(params, 'flag')
  const request = readFlag(told)
  if (request?.kind !== 'friend')
    throw new MilkyError(BAD_REQUEST, `params.flag: found ${told.slice(0, 60)}, wanted the flag of a friend request`)
  const { uid: initiator_uid, filtered: is_filtered } = request
  if (initiator_uid === '')
    throw new MilkyError(BAD_REQUEST, 'params.flag: the implementation did not tell whose request it is')
  const reason = textOr(params, undefined, 'reason')
  if (flag(params, true, 'approve')) await it.call('accept_friend_request', { initiator_uid, is_filtered })
  else await it.call('reject_friend_request', { initiator_uid, is_filtered, ...(reason !== undefined && { reason }) })
  return null
}

const doubtful = (one: FriendRequest) => ({
  flag: flagText({ kind: 'friend', uid: one.initiator_uid, filtered: one.is_filtered }),
  uin: String(one.initiator_id),
  nick: '',
  source: one.via,
  msg: one.comment,
  time: String(one.time),
  state: one.state,
  type: 'doubt',
})
