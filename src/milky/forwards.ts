// Messages that are forwarded together, on their way up: made of nodes, or fetched and made again.

import type { Segment } from '../onebot/segment.ts'
import { segmentsOf } from '../onebot/segment.ts'
import { BAD_REQUEST, MilkyError } from './api.ts'
import { incoming, type Where } from './incoming.ts'
import { textOf } from './media.ts'
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

/** Where a message goes, and how deep in forwarded ones we are. */
export interface Target {
  /** Undefined: into a forwarded message. */
  readonly where: Where
  readonly depth: number
  /** How many messages may still be forwarded in it, at all depths together. Default: as many as there may be. */
  readonly room?: { left: number } | undefined
  /** How a forwarded message is to look. */
  readonly trimmings?: Trimmings | undefined
}

/** Turns what is in a forwarded message into Milky's segments; handed in, as it may find forwarded ones in there. @throws MilkyError */
export type Write = (segments: readonly Segment[], it: Stage, to: Target) => Promise<readonly Outgoing[]>

/** Forwarded messages hold others; beyond this depth nobody means it. */
const DEEPEST = 4

/** @throws MilkyError */
export async function nodesOf(nodes: readonly Segment[], it: Stage, to: Target, write: Write): Promise<Forward> {
  const messages: Node[] = []
  for (const { data } of nodes) {
    take(to)
    messages.push(await nodeOf(data, it, deeper(to), write))
  }
  return { messages, ...to.trimmings }
}

/** One that was received, to be sent on: Milky sends no reference, so that it is made again. @throws MilkyError */
export async function forwarded(id: string, it: Stage, to: Target, write: Write): Promise<Forward> {
  if (id === '') throw new MilkyError(BAD_REQUEST, 'forward: id: found nothing, wanted the id of a forwarded message')
  const inside = deeper(to)
  const { messages: found } = await it.call('get_forwarded_messages', { forward_id: id })
  const messages: Node[] = []
  for (const { sender_name, segments } of Array.isArray(found) ? found : []) {
    take(to)
    const content = await write(incoming(segments, undefined, it), it, inside)
    // Nobody tells whose they were.
    messages.push({ user_id: it.selfId, sender_name, segments: content })
  }
  if (messages.length === 0) throw new MilkyError(BAD_REQUEST, `forward ${id}: there is nothing in it`)
  return { messages }
}

/** A node names a message that was said, or brings its own. */
async function nodeOf(data: Segment['data'], it: Stage, to: Target, write: Write): Promise<Node> {
  const id = textOf(data, 'id')
  const content = given(data, 'content', 'message')
  if (content === undefined && id !== '') return said(await messageOf(Number(id), it), it, to, write)
  const segments = segmentsOf(content)
  if (segments === undefined || segments.length === 0)
    throw new MilkyError(BAD_REQUEST, 'node: content: wanted a message, or the id of one')
  return {
    user_id: wholeOr(data, it.selfId, 'user_id', 'uin'),
    sender_name: textOf(data, 'nickname') || textOf(data, 'name') || it.nickname,
    segments: await write(segments, it, to),
  }
}

async function said(message: IncomingMessage, it: Stage, to: Target, write: Write): Promise<Node> {
  const { message_scene: scene, peer_id: peer, sender_id: user_id } = message
  const segments = await write(incoming(message.segments, { scene, peer }, it), it, to)
  return { user_id, sender_name: senderOf(message).nickname || String(user_id), segments }
}

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
