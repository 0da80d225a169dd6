// Actions that say something.

import type { Fields } from '../onebot/object.ts'
import { isObject, own } from '../onebot/object.ts'
import type { Segment } from '../onebot/segment.ts'
import { BAD_REQUEST, MilkyError } from './api.ts'
import type { Trimmings } from './forwards.ts'
import type { Action, Actions } from './mapping.ts'
import { outgoing } from './outgoing.ts'
import { given, message, textOr, whole } from './params.ts'
import type { Api } from './shapes.ts'
import type { Stage } from './stage.ts'

type To = { readonly scene: 'friend' | 'group'; readonly peer: number }
type Aim = (params: Fields) => To

const toGroup: Aim = (params) => ({ scene: 'group', peer: whole(params, 'group_id') })
const toFriend: Aim = (params) => ({ scene: 'friend', peer: whole(params, 'user_id') })
/** Without `message_type`, a group's number means the group. */
const toEither: Aim = (params) => {
  const type = own(params, 'message_type')
  if (type !== 'private' && given(params, 'group_id') !== undefined) return toGroup(params)
  return type === 'group' ? toGroup(params) : toFriend(params)
}

/** One after the other in each conversation: they are to be read in the order in which they were said. */
const sending = (
  aim: Aim,
  segments: (params: Fields) => Segment[],
  apis: readonly Api[],
  more: readonly 'res_id'[] = [],
): Action => ({
  apis,
  line: (params) => {
    const { scene, peer } = aim(params)
    return `${scene} ${peer}`
  },
  run: async (params, it) => {
    const sent = await send(aim(params), segments(params), it, trimmings(params))
    return more.length > 0 ? { ...sent, res_id: '', forward_id: '' } : sent
  },
})

const PRIVATE = ['send_private_message', 'upload_private_file'] as const
const GROUP = ['send_group_message', 'upload_group_file'] as const
const FORWARDED = { private: 'send_private_message', group: 'send_group_message' } as const

export const sendActions: Actions = {
  send_private_msg: sending(toFriend, message, PRIVATE),
  send_group_msg: sending(toGroup, message, GROUP),
  send_msg: sending(toEither, message, [...PRIVATE, ...GROUP]),
  send_private_forward_msg: sending(toFriend, nodes, [FORWARDED.private], ['res_id']),
  send_group_forward_msg: sending(toGroup, nodes, [FORWARDED.group], ['res_id']),
  send_forward_msg: sending(toEither, nodes, Object.values(FORWARDED), ['res_id']),
}

async function send(to: To, segments: readonly Segment[], it: Stage, looks: Trimmings) {
  const { message, files } = await outgoing(segments, it, { where: to, depth: 0, trimmings: looks })
  const fileIds: string[] = []
  for (const { uri, name } of files) fileIds.push(await upload(to, uri, name, it))
  const file = fileIds.length > 0 ? { file_id: fileIds[0] } : {}
  // Files have no number that anybody could be told.
  if (message.length === 0) return { message_id: 0, ...file }
  const { message_seq: seq } =
    to.scene === 'group'
      ? await it.call('send_group_message', { group_id: to.peer, message: [...message] as never })
      : await it.call('send_private_message', { user_id: to.peer, message: [...message] as never })
  return { message_id: Number.isSafeInteger(seq) ? it.idOf({ ...to, seq }) : 0, ...file }
}

async function upload({ scene, peer }: To, file_uri: string, file_name: string, it: Stage): Promise<string> {
  const { file_id } =
    scene === 'group'
      ? await it.call('upload_group_file', { group_id: peer, file_uri, file_name })
      : await it.call('upload_private_file', { user_id: peer, file_uri, file_name })
  return file_id
}

/** @throws MilkyError */
function nodes(params: Fields): Segment[] {
  const found = message(params, given(params, 'messages') === undefined ? 'message' : 'messages')
  if (found.every(({ type }) => type === 'node')) return found
  throw new MilkyError(BAD_REQUEST, 'params.messages: wanted segments of the kind node')
}

/** As NapCat has them. */
function trimmings(params: Fields): Trimmings {
  const [title, prompt, summary] = ['source', 'prompt', 'summary'].map((key) => textOr(params, '', key))
  const news = own(params, 'news')
  const preview = (Array.isArray(news) ? news : []).flatMap((one) => {
    const line = isObject(one) ? own(one, 'text') : one
    return typeof line === 'string' ? [line] : []
  })
  return {
    ...(title && { title }),
    ...(prompt && { prompt }),
    ...(summary && { summary }),
    ...(preview.length > 0 && { preview: preview.slice(0, MOST_PREVIEWS) }),
  }
}

const MOST_PREVIEWS = 4
