// Topics of one listener on Node, which has none of its own: who is subscribed, and one frame to all of them.

import type { WebSocket } from 'ws'
import type { AcceptedSocket, SocketEvents } from './host.ts'
import { bind, NodeSocket } from './node-socket.ts'

/** Bytes waiting in a socket that count as pressure; fewer may be just what was written in this turn of the loop. */
const PRESSURE = 64 * 1024

export type Topics = Map<string, Set<Accepted>>

export class Accepted extends NodeSocket implements AcceptedSocket {
  readonly #topics: Topics
  readonly #mine = new Set<string>()
  readonly #limit: number

  constructor(raw: WebSocket, on: SocketEvents<AcceptedSocket>, topics: Topics, limit: number) {
    super(raw, on.drain && (() => on.drain?.(this)))
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

  override write(frame: string | Buffer): boolean {
    return this.buffered <= this.#limit && super.write(frame)
  }
}

/** As Bun's: the frame's bytes; -1 when a member was under pressure; 0 when one was passed over, or there is none. */
export function publish(members: Set<Accepted> | undefined, text: string): number {
  if (!members) return 0
  const frame = Buffer.from(text)
  let dropped = false
  let pressed = false
  for (const member of members) {
    // Asked before the write: what was written in this turn of the loop counts until the next.
    pressed ||= member.buffered > PRESSURE
    dropped = !member.write(frame) || dropped
  }
  if (dropped) return 0
  return pressed ? -1 : Math.max(frame.length, 1)
}
