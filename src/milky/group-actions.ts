// Actions about groups and their members, and the requests to be one.

import { type Fields, own } from '../onebot/object.ts'
import { BAD_REQUEST, FAILED, MilkyError } from './api.ts'
import { type Flag, flagText, readFlag } from './flags.ts'
import { fresh } from './friend-actions.ts'
import { type Actions, list, row, steps } from './mapping.ts'
import { uriOf } from './media.ts'
import { flag, given, text, textOr, whole, wholeOr, words } from './params.ts'
import { groupInfo, memberInfo } from './people.ts'
import type { GroupNotification } from './shapes.ts'
import type { Stage } from './stage.ts'

/** Seconds; OneBot's default. Milky's would lift the ban. */
const BAN = 1_800
const NOTIFICATIONS = 50

const group = (params: Fields) => ({ group_id: whole(params, 'group_id') })
const member = (params: Fields) => ({ ...group(params), user_id: whole(params, 'user_id') })

export const groupActions: Actions = {
  get_group_list: row('get_group_list', fresh, ({ groups }) => list(groups).map(groupInfo)),
  get_group_info: row(
    'get_group_info',
    (params) => ({ ...group(params), ...fresh(params) }),
    ({ group: found }) => groupInfo(found),
  ),
  get_group_member_list: row(
    'get_group_member_list',
    (params) => ({ ...group(params), ...fresh(params) }),
    ({ members }) => list(members).map(memberInfo),
  ),
  get_group_member_info: row(
    'get_group_member_info',
    (params) => ({ ...member(params), ...fresh(params) }),
    ({ member: found }) => memberInfo(found),
  ),
  set_group_kick: steps(['kick_group_member', 'get_group_member_info'], kick),
  set_group_ban: row('set_group_member_mute', (params) => ({
    ...member(params),
    duration: wholeOr(params, BAN, 'duration'),
  })),
  set_group_whole_ban: row('set_group_whole_mute', (params) => ({
    ...group(params),
    is_mute: flag(params, true, 'enable'),
  })),
  set_group_admin: row('set_group_member_admin', (params) => ({
    ...member(params),
    is_set: flag(params, true, 'enable'),
  })),
  set_group_card: row('set_group_member_card', (params) => ({ ...member(params), card: words(params, 'card') })),
  set_group_name: row('set_group_name', (params) => ({
    ...group(params),
    new_group_name: text(params, 'group_name', 'name'),
  })),
  set_group_special_title: row('set_group_member_special_title', (params) => ({
    ...member(params),
    special_title: words(params, 'special_title'),
  })),
  set_group_leave: row('quit_group', group),
  set_group_portrait: row('set_group_avatar', async (params, it) => ({
    ...group(params),
    image_uri: await uriOf(params, it),
  })),
  set_group_add_request: steps(
    ['accept_group_request', 'reject_group_request', 'accept_group_invitation', 'reject_group_invitation'],
    answer,
  ),
  get_group_system_msg: steps(['get_group_notifications'], async (params, it) => {
    const limit = wholeOr(params, NOTIFICATIONS, 'count')
    const found: GroupNotification[] = []
    for (const is_filtered of [false, true]) {
      const { notifications } = await it.call('get_group_notifications', { is_filtered, limit })
      found.push(...list(notifications))
    }
    return systemMessages(found)
  }),
  _send_group_notice: row('send_group_announcement', async (params, it) => ({
    ...group(params),
    content: text(params, 'content'),
    ...(given(params, 'image') !== undefined && { image_uri: await uriOf(params, it, 'image') }),
  })),
  _get_group_notice: row('get_group_announcements', group, ({ announcements }) =>
    list(announcements).map(({ announcement_id, user_id, time, content, image_url }) => ({
      notice_id: announcement_id,
      sender_id: user_id,
      publish_time: time,
      message: { text: content, images: image_url ? [{ id: '', url: image_url, height: '', width: '' }] : [] },
    })),
  ),
  _del_group_notice: row('delete_group_announcement', (params) => ({
    ...group(params),
    announcement_id: text(params, 'notice_id'),
  })),
}

/** Lagrange says that it failed where it worked, and the other way round: whether the member is still there decides. */
async function kick(params: Fields, it: Stage): Promise<null> {
  const whom = member(params)
  const wish = { ...whom, reject_add_request: flag(params, false, 'reject_add_request') }
  if (!it.isLagrange) {
    await it.call('kick_group_member', wish)
    return null
  }
  const said = await it.call('kick_group_member', wish).catch(inWords)
  const left = await it.call('get_group_member_info', { ...whom, no_cache: true }).then(() => false, isGone)
  if (left) return null
  throw new MilkyError(FAILED, typeof said === 'string' ? said : 'kick_group_member: the member is still there')
}

function inWords(error: unknown): string {
  if (error instanceof MilkyError && error.retcode === FAILED) return error.message
  throw error
}

function isGone(error: unknown): true {
  if (error instanceof MilkyError && error.retcode === FAILED) return true
  throw error
}

/** @throws MilkyError */
async function answer(params: Fields, it: Stage): Promise<null> {
  const told = text(params, 'flag')
  const request = readFlag(told)
  if (request === undefined || request.kind === 'friend')
    throw new MilkyError(BAD_REQUEST, `params.flag: found ${told.slice(0, 60)}, wanted the flag of a group request`)
  const approve = flag(params, true, 'approve')
  const group_id = request.group
  if (request.kind === 'invitation') {
    const invitation = { group_id, invitation_seq: request.seq }
    await it.call(approve ? 'accept_group_invitation' : 'reject_group_invitation', invitation)
    return null
  }
  const about = {
    group_id,
    notification_seq: request.seq,
    notification_type: request.kind === 'joins' ? ('join_request' as const) : ('invited_join_request' as const),
    is_filtered: request.kind === 'joins' && request.filtered,
  }
  const reason = textOr(params, undefined, 'reason')
  if (approve) await it.call('accept_group_request', about)
  else await it.call('reject_group_request', { ...about, ...(reason !== undefined && { reason }) })
  return null
}

/** As go-cqhttp tells them. Milky does not tell of invitations of the account itself. */
function systemMessages(notifications: readonly GroupNotification[]) {
  const join_requests: object[] = []
  const invited_requests: object[] = []
  for (const one of notifications) {
    if (one.type !== 'join_request' && one.type !== 'invited_join_request') continue
    const joins = one.type === 'join_request'
    const flagged: Flag = joins
      ? { kind: 'joins', group: one.group_id, seq: one.notification_seq, filtered: one.is_filtered }
      : { kind: 'invited', group: one.group_id, seq: one.notification_seq }
    const requester = joins ? one.initiator_id : one.target_user_id
    join_requests.push({
      request_id: one.notification_seq,
      flag: flagText(flagged),
      requester_uin: requester,
      requester_nick: '',
      ...(!joins && { invitor_uin: one.initiator_id }),
      message: joins ? one.comment : '',
      group_id: one.group_id,
      group_name: '',
      checked: own(one, 'state') !== 'pending',
      actor: one.operator_id ?? 0,
    })
  }
  return { invited_requests, join_requests }
}
