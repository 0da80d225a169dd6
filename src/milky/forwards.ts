// Messages that are forwarded together, on their way up: made of nodes, or fetched and made again.

import type { Segment } from '../onebot/segment.ts'
import { segmentsOf } from '../onebot/segment.ts'
import { BAD_REQUEST, MilkyError } from './api.ts'
import { incoming } from './incoming.ts'
import { textOf } from './media.ts'
import { outgoing, type Target } from './outgoing.ts'
import { given, wholeOr } from './params.ts'
import { senderOf } from './people.ts'
import type { Forward, IncomingMessage, Node, Outgoing } from './shapes.ts'
import type { Stage } from './stage.ts'

/** How a forwarded message is shown before it is opened. */
export interface Trimmings {
  readonly title?: string
  readonly preview?: string[]
  readonly summary?: string
  readonly prompt?: string
}

/** Forwarded messages hold others; beyond this depth nobody means it. */
const DEEPEST = 4

/** @throws MilkyError */
export async function nodesOf(nodes: readonly Segment[], it: Stage, to: Target): Promise<Forward> {
  const messages: Node[] = []
  for (const { data } of nodes) {
    take(to)
    messages.push(await nodeOf(data, it, deeper(to)))
  }
  return { messages, ...to.trimmings }
}

/** One that was received, to be sent on: Milky sends no reference, so that it is made again. @throws MilkyError */
export async function forwarded(id: string, it: Stage, to: Target): Promise<Forward> {
  if (id === '') throw new MilkyError(BAD_REQUEST, 'forward: id: found nothing, wanted the id of a forwarded message')
  const inside = deeper(to)
  const { messages: found } = await it.call('get_forwarded_messages', { forward_id: id })
  const messages: Node[] = []
  for (const { sender_name, segments } of Array.isArray(found) ? found : []) {
    take(to)
    const content = await outgoing(incoming(segments, undefined, it), it, inside)
    // Nobody tells whose they were.
    messages.push({ user_id: it.selfId, sender_name, segments: content.message })
  }
  if (messages.length === 0) throw new MilkyError(BAD_REQUEST, `forward ${id}: there is nothing in it`)
  return { messages }
}

/** A node names a message that was said, or brings its own. */
async function nodeOf(data: Segment['data'], it: Stage, to: Target): Promise<Node> {
  const id = textOf(data, 'id')
  const content = given(data, 'content', 'message')
  if (content === undefined && id !== '') return said(await messageOf(Number(id), it), it, to)
  const segments = segmentsOf(content)
  if (segments === undefined || segments.length === 0)
    throw new MilkyError(BAD_REQUEST, 'node: content: wanted a message, or the id of one')
  return {
    user_id: wholeOr(data, it.selfId, 'user_id', 'uin'),
    sender_name: textOf(data, 'nickname') || textOf(data, 'name') || it.nickname,
    segments: await inside(segments, it, to),
  }
}

async function said(message: IncomingMessage, it: Stage, to: Target): Promise<Node> {
  const { message_scene: scene, peer_id: peer, sender_id: user_id } = message
  const segments = await inside(incoming(message.segments, { scene, peer }, it), it, to)
  return { user_id, sender_name: senderOf(message).nickname || String(user_id), segments }
}

const inside = async (segments: readonly Segment[], it: Stage, to: Target): Promise<readonly Outgoing[]> =>
  (await outgoing(segments, it, to)).message

/** What was said, asked of the implementation. @throws MilkyError */
export async function messageOf(id: number, it: Stage): Promise<IncomingMessage> {
  const { scene, peer, seq } = it.placeOf(id)
  const { message } = await it.call('get_message', { message_scene: scene, peer_id: peer, message_seq: seq })
  return message
}

/** What others have nested could otherwise make us ask for millions of messages. @throws MilkyError */
function take({ room }: Target): void {
  if (room === undefined || room.left-- > 0) return
  throw new MilkyError(BAD_REQUEST, 'node: found too many messages to be forwarded at a time; send several')
}

function deeper({ depth, room }: Target): Target {
  if (depth >= DEEPEST)
    throw new MilkyError(BAD_REQUEST, `node: found messages forwarded ${depth + 1} deep, wanted at most ${DEEPEST}`)
  return { where: undefined, depth: depth + 1, room }
}
