// Topics of one listener on Node, which has none of its own: who is subscribed, and one frame to all of them.

import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { AcceptedSocket, SocketEvents } from './host.ts'
import { bind, NodeSocket } from './node-socket.ts'

/** Bytes waiting in a socket that count as pressure; fewer may be just what was written in this turn of the loop. */
const PRESSURE = 64 * 1024

export type Topics = Map<string, Set<Accepted>>

/** Its frames are made here, once for many sockets, and leave in one write for each turn of the loop. */
export class Accepted extends NodeSocket implements AcceptedSocket {
  readonly #stream: Duplex
  readonly #topics: Topics
  readonly #mine = new Set<string>()
  readonly #limit: number
  #corked = false

  /** `stream`: what `raw` writes to. */
  constructor(raw: WebSocket, stream: Duplex, on: SocketEvents<AcceptedSocket>, topics: Topics, limit: number) {
    super(raw, on.drain && (() => on.drain?.(this)))
    this.#stream = stream
    this.#topics = topics
    this.#limit = limit
    raw.on('close', () => {
      for (const topic of this.#mine) this.unsubscribe(topic)
    })
    bind(raw, this, on)
  }

  subscribe(topic: string): void {
    if (!this.open) return
    this.#mine.add(topic)
    const members = this.#topics.get(topic)
    if (members) members.add(this)
    else this.#topics.set(topic, new Set([this]))
  }

  unsubscribe(topic: string): void {
    this.#mine.delete(topic)
    const members = this.#topics.get(topic)
    if (members?.delete(this) && members.size === 0) this.#topics.delete(topic)
  }

  override send(text: string): boolean {
    return this.write(frameOf(text))
  }

  write(frame: Buffer): boolean {
    if (!this.open || this.buffered > this.#limit) return false
    if (!this.#corked) {
      this.#corked = true
      this.#stream.cork()
      process.nextTick(this.#uncork)
    }
    this.#stream.write(frame, this.leaving())
    return true
  }

  readonly #uncork = () => {
    this.#corked = false
    this.#stream.uncork()
  }
}

/** A whole text frame as servers send it: unmasked, in one piece (RFC 6455, 5.2). */
function frameOf(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = 0x81
  if (head === 2) frame[1] = length
  else if (head === 4) frame.writeUInt16BE(length, 2)
  else frame.writeBigUInt64BE(BigInt(length), 2)
  if (head > 2) frame[1] = head === 4 ? 126 : 127
  frame.write(text, head)
  return frame
}

/** As Bun's: the frame's bytes; -1 when a member was under pressure; 0 when one was passed over, or there is none. */
export function publish(members: Set<Accepted> | undefined, text: string): number {
  if (!members) return 0
  const frame = frameOf(text)
  let dropped = false
  let pressed = false
  for (const member of members) {
    // Asked before the write: what was written in this turn of the loop counts until the next.
    pressed ||= member.buffered > PRESSURE
    dropped = !member.write(frame) || dropped
  }
  if (dropped) return 0
  return pressed ? -1 : frame.length
}
