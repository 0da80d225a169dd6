// Actions about what was said.

import type { MessagePlace } from '../broker/ports.ts'
import { type Fields, own } from '../onebot/object.ts'
import { BAD_REQUEST, MilkyError, UNSUPPORTED } from './api.ts'
import { messageOf } from './forwards.ts'
import { incoming } from './incoming.ts'
import { type Actions, list, row, steps } from './mapping.ts'
import { textOf, uriOf } from './media.ts'
import { forwardedFields, messageFields } from './messages.ts'
import { flag, given, text, textOr, whole, wholeOr } from './params.ts'
import type { IncomingMessage } from './shapes.ts'
import type { Stage } from './stage.ts'

/** Messages of a history unless asked otherwise, of one page of it, and at most. */
const PAGE = 20
const MOST_PAGE = 30
const MOST_HISTORY = 300
const ESSENCE_PAGE = 50
const MOST_ESSENCE_PAGES = 20

export const messageActions: Actions = {
  delete_msg: steps(['recall_group_message', 'recall_private_message'], async (params, it) => {
    const { scene, peer, seq } = it.placeOf(whole(params, 'message_id'))
    if (scene === 'group') await it.call('recall_group_message', { group_id: peer, message_seq: seq })
    else await it.call('recall_private_message', { user_id: peer, message_seq: seq })
    return null
  }),
  get_msg: steps(['get_message'], async (params, it) => {
    const message = await messageOf(whole(params, 'message_id', 'id'), it)
    return messageFields(message, it)
  }),
  get_group_msg_history: steps(['get_history_messages'], (params, it) =>
    history('group', whole(params, 'group_id'), params, it),
  ),
  get_friend_msg_history: steps(['get_history_messages'], (params, it) =>
    history('friend', whole(params, 'user_id'), params, it),
  ),
  get_forward_msg: steps(['get_forwarded_messages', 'get_message'], async (params, it) => {
    const forward_id = await forwardIn(params, it)
    const { messages } = await it.call('get_forwarded_messages', { forward_id })
    const all = list(messages).map((one) => forwardedFields(one, it))
    const nodes = all.map(({ user_id, sender: { nickname }, time, content }) => ({
      type: 'node',
      data: { user_id, nickname, time, content },
    }))
    return { messages: all, message: nodes }
  }),
  mark_msg_as_read: steps(['mark_message_as_read'], (params, it) => read(it.placeOf(whole(params, 'message_id')), it)),
  mark_group_msg_as_read: steps(['mark_message_as_read', 'get_history_messages'], (params, it) =>
    readAll('group', params, it),
  ),
  mark_private_msg_as_read: steps(['mark_message_as_read', 'get_history_messages'], (params, it) =>
    readAll('friend', params, it),
  ),
  set_msg_emoji_like: row(
    'send_group_message_reaction',
    (params, it) => {
      const { peer: group_id, seq: message_seq } = inGroup(params, it)
      const reaction = text(params, 'emoji_id')
      return { group_id, message_seq, reaction, reaction_type: kindOf(reaction), is_add: flag(params, true, 'set') }
    },
    () => ({ result: 0, errMsg: '' }),
  ),
  set_essence_msg: row('set_group_essence_message', (params, it) => {
    const { peer: group_id, seq: message_seq } = inGroup(params, it)
    return { group_id, message_seq, is_set: true }
  }),
  delete_essence_msg: row('set_group_essence_message', (params, it) => {
    // It reads neither `is_set` nor anything else: what was to be taken away would be put there.
    if (it.isLagrange) throw new MilkyError(UNSUPPORTED, 'delete_essence_msg: Lagrange.Milky only ever sets')
    const { peer: group_id, seq: message_seq } = inGroup(params, it)
    return { group_id, message_seq, is_set: false }
  }),
  get_essence_msg_list: steps(['get_group_essence_messages'], async (params, it) => {
    const group_id = whole(params, 'group_id')
    const found: unknown[] = []
    for (let page_index = 0; page_index < MOST_ESSENCE_PAGES; page_index++) {
      const page = { group_id, page_index, page_size: ESSENCE_PAGE }
      const { messages, is_end } = await it.call('get_group_essence_messages', page)
      found.push(...list(messages).map((one) => essence(group_id, one, it)))
      if (is_end !== false || list(messages).length === 0) break
    }
    return found
  }),
  get_image: steps(['get_resource_temp_url'], fetched),
  get_record: steps(['get_resource_temp_url'], fetched),
  can_send_image: steps([], () => ({ yes: true })),
  can_send_record: steps([], () => ({ yes: true })),
}

/** From the message named, or from the newest on, backwards; told oldest first. */
async function history(message_scene: 'friend' | 'group', peer_id: number, params: Fields, it: Stage) {
  const wanted = Math.min(wholeOr(params, PAGE, 'count'), MOST_HISTORY)
  let start = startOf({ scene: message_scene, peer: peer_id }, params, it)
  const found: IncomingMessage[] = []
  while (found.length < wanted) {
    const limit = Math.min(wanted - found.length, MOST_PAGE)
    const page = { message_scene, peer_id, limit, ...(start !== undefined && { start_message_seq: start }) }
    const { messages, next_message_seq: next } = await it.call('get_history_messages', page)
    // Some give one more than they were asked for.
    found.unshift(...list(messages).slice(-limit))
    // A page that leads nowhere new is the last one.
    if (list(messages).length === 0 || typeof next !== 'number' || next >= (start ?? Number.POSITIVE_INFINITY)) break
    start = next
  }
  return { messages: found.map((one) => messageFields(one, it)) }
}

/** As a message's number, or as its place in the conversation: clients give the one or the other. */
function startOf(of: Pick<MessagePlace, 'scene' | 'peer'>, params: Fields, it: Stage): number | undefined {
  const start = wholeOr(params, 0, 'message_seq', 'message_id')
  if (start === 0) return undefined
  const place = it.known(start)
  return place?.scene === of.scene && place.peer === of.peer ? place.seq : start
}

async function forwardIn(params: Fields, it: Stage): Promise<string> {
  const id = textOr(params, '', 'id', 'message_id')
  const known = /^\d{1,10}$/.test(id) && it.known(Number(id)) !== undefined
  if (!known) return id === '' ? text(params, 'id') : id
  const forward = (await messageOf(Number(id), it)).segments.find(({ type }) => type === 'forward')
  if (forward?.type === 'forward') return forward.data.forward_id
  throw new MilkyError(BAD_REQUEST, `message ${id}: nothing was forwarded in it`)
}

async function read({ scene: message_scene, peer: peer_id, seq: message_seq }: MessagePlace, it: Stage): Promise<null> {
  await it.call('mark_message_as_read', { message_scene, peer_id, message_seq })
  return null
}

/** Up to the message named, or all there is. */
async function readAll(scene: 'friend' | 'group', params: Fields, it: Stage): Promise<null> {
  const id = given(params, 'message_id')
  if (id !== undefined) return await read(it.placeOf(whole(params, 'message_id')), it)
  const peer = whole(params, scene === 'group' ? 'group_id' : 'user_id')
  const { messages } = await it.call('get_history_messages', { message_scene: scene, peer_id: peer, limit: 1 })
  const newest = list(messages).at(-1)
  return newest === undefined ? null : await read({ scene, peer, seq: newest.message_seq }, it)
}

/** @throws MilkyError */
function inGroup(params: Fields, it: Stage): MessagePlace {
  const id = whole(params, 'message_id')
  const place = it.placeOf(id)
  if (place.scene === 'group') return place
  throw new MilkyError(BAD_REQUEST, `message ${id}: wanted one that was said in a group`)
}

/** QQ's own faces have short numbers; longer ones are characters. */
const kindOf = (reaction: string) => (reaction.length > LONGEST_FACE ? 'emoji' : 'face')
const LONGEST_FACE = 3

type Essence = import('./shapes.ts').Output<'get_group_essence_messages'>['messages'][number]

const essence = (group_id: number, one: Essence, it: Stage) => ({
  message_id: it.idOf({ scene: 'group', peer: group_id, seq: one.message_seq }),
  message_seq: one.message_seq,
  sender_id: one.sender_id,
  sender_nick: one.sender_name,
  sender_time: one.message_time,
  operator_id: one.operator_id,
  operator_nick: one.operator_name,
  operator_time: one.operation_time,
  content: incoming(one.segments, { scene: 'group', peer: group_id }, it),
})

/** Nothing is kept here: the address is as good as the file. */
async function fetched(params: Fields, it: Stage) {
  const file = text(params, 'file', 'file_id', 'url')
  const url = await uriOf({ file, url: own(params, 'url') }, it)
  return { file: url, url, file_name: textOf(params, 'file') }
}
