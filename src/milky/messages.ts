// A message as OneBot shows it, in events as in answers.

import { formatCq } from '../onebot/segment.ts'
import { incoming } from './incoming.ts'
import { senderOf } from './people.ts'
import type { IncomingForwardedMessage, IncomingMessage } from './shapes.ts'
import type { Stage } from './stage.ts'

/** Everything but what an event says of itself. */
export function messageFields(said: IncomingMessage, it: Stage) {
  const { message_scene: scene, peer_id: peer, message_seq: seq, sender_id, time } = said
  const message = incoming(said.segments, { scene, peer }, it)
  const own = sender_id === it.selfId
  return {
    message_type: scene === 'group' ? 'group' : 'private',
    sub_type: scene === 'group' ? 'normal' : scene === 'temp' ? 'group' : 'friend',
    message_id: it.idOf({ scene, peer, seq }),
    real_id: seq,
    message_seq: seq,
    user_id: sender_id,
    ...(scene === 'group' && { group_id: peer, anonymous: null }),
    ...(scene !== 'group' && own && { target_id: peer }),
    time,
    message,
    message_format: 'array',
    raw_message: formatCq(message),
    font: 0,
    sender: own && scene !== 'group' ? { ...senderOf(said), nickname: it.nickname } : senderOf(said),
  }
}

/** One of those that were forwarded together. Nobody tells whose they are: only how they called themselves. */
export function forwardedFields(said: IncomingForwardedMessage, it: Stage) {
  const message = incoming(said.segments, undefined, it)
  return {
    time: said.time,
    message_type: 'group',
    user_id: 0,
    sender: { user_id: 0, nickname: said.sender_name, avatar: said.avatar_url },
    message,
    message_format: 'array',
    content: message,
    raw_message: formatCq(message),
  }
}

/** Whether it has what no message is without. */
export function isMessage(value: Partial<IncomingMessage>): value is IncomingMessage {
  const { message_scene: scene, peer_id, message_seq, sender_id, segments } = value
  return (
    (scene === 'group' || scene === 'friend' || scene === 'temp') &&
    [peer_id, message_seq, sender_id].every((number) => Number.isSafeInteger(number)) &&
    Array.isArray(segments)
  )
}
