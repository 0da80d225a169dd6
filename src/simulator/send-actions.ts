// Actions that say, recall and look up messages.

import * as v from 'valibot'
import { messageEvent, notice } from './events.ts'
import { fail } from './failure.ts'
import { type Message, type Node, shown } from './messages.ts'
import { checked, count, id, message, name, segmentsIn, text } from './params.ts'
import { type Conversation, speak } from './speech.ts'
import { type Action, action, type Stage } from './stage.ts'
import { seconds } from './world.ts'

const BAD = 1400
/** How many messages a history has unless asked otherwise. */
const PAGE = 20

const inGroup = (peer: number): Conversation => ({ type: 'group', peer })
const inPrivate = (peer: number): Conversation => ({ type: 'private', peer })

const either = {
  message_type: v.optional(v.picklist(['private', 'group'], 'wanted private or group')),
  user_id: v.optional(id),
  group_id: v.optional(id),
}

/** Without `message_type`, a group's number means the group. */
function conversation({ message_type, user_id, group_id }: v.InferOutput<v.ObjectSchema<typeof either, undefined>>) {
  if (message_type !== 'private' && group_id !== undefined) return inGroup(group_id)
  if (message_type !== 'group' && user_id !== undefined) return inPrivate(user_id)
  return fail(`params.${message_type === 'group' ? 'group_id' : 'user_id'}: found nothing, wanted a whole number`, BAD)
}

const node = v.object({
  type: v.literal('node', 'wanted "node"'),
  data: v.looseObject(
    {
      id: v.optional(id),
      user_id: v.optional(id),
      uin: v.optional(id),
      nickname: v.optional(text),
      name: v.optional(text),
      content: v.optional(v.unknown()),
    },
    'wanted an object',
  ),
})
const nodes = v.pipe(v.array(node, 'wanted an array of nodes'), v.minLength(1, 'wanted at least one node'))

/** A node names a message that was said, or brings its own. */
function nodeOf({ data }: v.InferOutput<typeof node>, { world, messages }: Stage): Node {
  if (data.id !== undefined) {
    const { sender, time, segments } = messages.find(data.id) ?? fail(`message ${data.id}: not known`)
    return { user_id: sender.user_id, nickname: sender.nickname, time, segments }
  }
  const segments = segmentsIn({ message: data.content, auto_escape: false })
  const user_id = data.user_id ?? data.uin ?? world.self.user_id
  return { user_id, nickname: data.nickname ?? data.name ?? world.anybody(user_id).nickname, time: seconds(), segments }
}

function forward(stage: Stage, to: Conversation, given: v.InferOutput<typeof nodes>) {
  const forward_id = stage.messages.forward(given.map((one) => nodeOf(one, stage)))
  const said = speak(stage, to, [{ type: 'forward', data: { id: forward_id } }])
  return { ...said, forward_id, res_id: forward_id }
}

/** Both spellings of the list are in use. */
function forwarded(key: string, { messages, format }: Stage) {
  const found = messages.forwarded(key) ?? fail(`forward ${key}: not known`)
  return {
    message: found.map(({ user_id, nickname, time, segments }) => {
      const { message: content } = shown(segments, format)
      return { type: 'node', data: { user_id: String(user_id), nickname, time, content } }
    }),
    messages: found.map(({ user_id, nickname, time, segments }) => {
      const parts = shown(segments, format)
      return { sender: { user_id, nickname }, time, ...parts, content: parts.message }
    }),
  }
}

function lookUp(message_id: number, { messages, format }: Stage) {
  const { time, type, peer, sender, segments } = known(message_id, messages)
  const where = type === 'group' ? { group_id: peer } : {}
  const what = shown(segments, format)
  return { time, message_type: type, message_id, real_id: message_id, ...where, sender, ...what }
}

const known = (message_id: number, messages: Stage['messages']): Message =>
  messages.find(message_id) ?? fail(`message ${message_id}: not known`)

/** One's own, or in a group somebody's who stands below. */
function recall(message_id: number, { world, messages, tell }: Stage): null {
  const { type, peer, sender } = known(message_id, messages)
  const self = world.self.user_id
  if (sender.user_id !== self && type === 'private') fail(`message ${message_id}: only its sender may recall it`)
  if (sender.user_id !== self && world.group(peer).members.has(sender.user_id)) world.needAbove(peer, sender.user_id)
  messages.recall(message_id)
  if (type === 'private') tell(notice(self, 'friend_recall', { user_id: self, message_id }))
  else tell(notice(self, 'group_recall', { group_id: peer, user_id: sender.user_id, operator_id: self, message_id }))
  return null
}

const page = { message_id: v.optional(id), message_seq: v.optional(id), count: v.optional(count, PAGE) }

/** 0 as the last one means the newest, as clients that ask first do not know any. */
function history(
  stage: Stage,
  to: Conversation,
  wish: { message_id?: number | undefined; message_seq?: number | undefined; count: number },
) {
  const until = wish.message_id ?? wish.message_seq
  const said = stage.messages.history(to.type, to.peer, wish.count, until || undefined)
  const self = stage.world.self.user_id
  return {
    messages: said.map((one) => ({
      ...messageEvent(self, one, stage.format, one.sender.user_id === self),
      message_seq: one.message_id,
      real_id: one.message_id,
    })),
  }
}

export const sendActions: Readonly<Record<string, Action>> = {
  send_private_msg: action(v.object({ user_id: id, ...message }), (params, stage) =>
    speak(stage, inPrivate(params.user_id), segmentsIn(params)),
  ),
  send_group_msg: action(v.object({ group_id: id, ...message }), (params, stage) =>
    speak(stage, inGroup(params.group_id), segmentsIn(params)),
  ),
  send_msg: action(v.object({ ...either, ...message }), (params, stage) =>
    speak(stage, conversation(params), segmentsIn(params)),
  ),
  send_forward_msg: action(v.object({ ...either, messages: nodes }), (params, stage) =>
    forward(stage, conversation(params), params.messages),
  ),
  send_group_forward_msg: action(v.object({ group_id: id, messages: nodes }), ({ group_id, messages }, stage) =>
    forward(stage, inGroup(group_id), messages),
  ),
  send_private_forward_msg: action(v.object({ user_id: id, messages: nodes }), ({ user_id, messages }, stage) =>
    forward(stage, inPrivate(user_id), messages),
  ),
  get_forward_msg: action(
    v.object({ id: v.optional(name), message_id: v.optional(name) }),
    ({ id: key, message_id }, stage) => forwarded(key ?? message_id ?? checked(name, undefined, 'params.id'), stage),
  ),
  delete_msg: action(v.object({ message_id: id }), ({ message_id }, stage) => recall(message_id, stage)),
  get_msg: action(v.object({ message_id: id }), ({ message_id }, stage) => lookUp(message_id, stage)),
  get_group_msg_history: action(v.object({ group_id: id, ...page }), ({ group_id, ...wish }, stage) => {
    stage.world.group(group_id)
    return history(stage, inGroup(group_id), wish)
  }),
  get_friend_msg_history: action(v.object({ user_id: id, ...page }), ({ user_id, ...wish }, stage) => {
    stage.world.person(user_id)
    return history(stage, inPrivate(user_id), wish)
  }),
  mark_msg_as_read: action(v.object({ message_id: v.optional(id) }), () => null),
}
