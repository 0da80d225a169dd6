// A message as OneBot shows it, in events as in answers.

import type { Fields } from '../onebot/object.ts'
import { formatCq } from '../onebot/segment.ts'
import { incoming } from './incoming.ts'
import { senderOf } from './people.ts'
import type { IncomingForwardedMessage, IncomingMessage } from './shapes.ts'
import type { Stage } from './stage.ts'

/** @param head what an event says of itself; `time` is the message's own. */
export function messageFields(said: IncomingMessage, it: Stage, head?: Fields) {
  const { message_scene: scene, peer_id: peer, message_seq: seq, sender_id, time } = said
  const message = incoming(said.segments, { scene, peer }, it)
  const message_id = it.idOf({ scene, peer, seq })
  // Nothing is spread that most messages have, and nothing twice: that costs more than all the rest.
  if (scene === 'group')
    return {
      ...head,
      message_type: 'group',
      sub_type: 'normal',
      message_id,
      real_id: seq,
      message_seq: seq,
      user_id: sender_id,
      group_id: peer,
      anonymous: null,
      time,
      message,
      message_format: 'array',
      raw_message: formatCq(message),
      font: 0,
      sender: senderOf(said),
    }
  const own = sender_id === it.selfId
  return {
    ...head,
    message_type: 'private',
    sub_type: scene === 'temp' ? 'group' : 'friend',
    message_id,
    real_id: seq,
    message_seq: seq,
    user_id: sender_id,
    ...(own && { target_id: peer }),
    time,
    message,
    message_format: 'array',
    raw_message: formatCq(message),
    font: 0,
    sender: own ? { ...senderOf(said), nickname: it.nickname } : senderOf(said),
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
    Number.isSafeInteger(peer_id) &&
    Number.isSafeInteger(message_seq) &&
    Number.isSafeInteger(sender_id) &&
    Array.isArray(segments)
  )
}
