// Lets somebody say something: in a group or to the account, or the account itself.

import type { Segment } from '../onebot/segment.ts'
import { groupSender, messageEvent, privateSender } from './events.ts'
import { fail } from './failure.ts'
import type { Message } from './messages.ts'
import type { Stage } from './stage.ts'
import { seconds } from './world.ts'

export interface Conversation {
  readonly type: Message['type']
  /** The group's number, or the other person's. */
  readonly peer: number
}

/** The account speaks. @throws Failure when it may not. */
export function speak(stage: Stage, to: Conversation, segments: readonly Segment[]): { message_id: number } {
  const { world, messages } = stage
  if (to.type === 'group') needVoice(stage, to.peer)
  else world.person(to.peer)
  const said = record(stage, to, world.self.user_id, segments.map(uploaded))
  messages.keep(said)
  stage.happened({ kind: 'message', self: true, ...said, segments })
  if (stage.reportSelf) stage.tell(messageEvent(world.self.user_id, said, stage.format, true))
  return { message_id: said.message_id }
}

/** Somebody else speaks; the event that tells of it. @throws Failure when nobody is there. */
export function hear(stage: Stage, to: Conversation, from: number, segments: readonly Segment[]) {
  const said = record(stage, to, from, segments)
  stage.messages.keep(said)
  stage.happened({ kind: 'message', self: false, ...said })
  return messageEvent(stage.world.self.user_id, said, stage.format)
}

function record({ world, messages }: Stage, to: Conversation, from: number, segments: readonly Segment[]): Message {
  const time = seconds()
  const common = { message_id: messages.nextId(), time, ...to, segments }
  if (to.type === 'private') return { ...common, sender: privateSender(world.person(from)) }
  const member = world.member(to.peer, from)
  member.last_sent_time = time
  return { ...common, sender: groupSender(member) }
}

function needVoice({ world }: Stage, groupId: number): void {
  const me = world.me(groupId)
  if (me.shut_up_timestamp > seconds()) fail(`group ${groupId}: the account is muted there`)
  if (world.group(groupId).muted && me.role === 'member') fail(`group ${groupId}: everybody is muted there`)
}

/** What was sent inline would fill the memory: like QQ, we keep a name for it. */
function uploaded({ type, data }: Segment): Segment {
  const { file } = data
  if (typeof file !== 'string' || !file.startsWith('base64://')) return { type, data }
  const bytes = Math.floor((file.length - 'base64://'.length) * 0.75)
  return { type, data: { ...data, file: `${type}-${bytes}`, file_size: String(bytes) } }
}
