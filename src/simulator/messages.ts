// Keeps what was said, so that messages can be looked up, recalled and listed, and what was forwarded.

import { formatCq, type Segment } from '../onebot/segment.ts'
import type { Role } from './people.ts'

export interface Sender {
  readonly user_id: number
  readonly nickname: string
  readonly sex: string
  readonly age: number
  readonly card?: string
  readonly area?: string
  readonly level?: string
  readonly role?: Role
  readonly title?: string
}

export interface Message {
  readonly message_id: number
  /** Seconds since 1970. */
  readonly time: number
  /** The conversation: a group's number, or the friend's. */
  readonly type: 'group' | 'private'
  readonly peer: number
  readonly sender: Sender
  readonly segments: readonly Segment[]
}

export interface Node {
  readonly user_id: number
  readonly nickname: string
  readonly time: number
  readonly segments: readonly Segment[]
}

export type Format = 'array' | 'string'

/** As many are kept of each; the oldest are forgotten. */
const KEPT = 10_000
const KEPT_FORWARDS = 1_000

/** Where ids begin: longer than anything mistaken for them. */
const FIRST_ID = 1_000_000

export class Messages {
  readonly #kept = new Map<number, Message>()
  readonly #forwards = new Map<string, readonly Node[]>()
  #last = FIRST_ID
  #lastForward = 0

  /** Ids only grow, within 31 bits. */
  nextId(): number {
    return ++this.#last
  }

  keep(message: Message): void {
    this.#kept.set(message.message_id, message)
    forgetBeyond(KEPT, this.#kept)
  }

  find(id: number): Message | undefined {
    return this.#kept.get(id)
  }

  /** Whether there was one. */
  recall(id: number): boolean {
    return this.#kept.delete(id)
  }

  /** The newest `count` of a conversation up to and including `until`, oldest first. */
  history(type: Message['type'], peer: number, count: number, until = Number.POSITIVE_INFINITY): Message[] {
    const all = [...this.#kept.values()]
    const said = all.filter((one) => one.type === type && one.peer === peer && one.message_id <= until)
    return count === 0 ? [] : said.slice(-count)
  }

  forward(nodes: readonly Node[]): string {
    const id = `forward-${++this.#lastForward}`
    this.#forwards.set(id, nodes)
    forgetBeyond(KEPT_FORWARDS, this.#forwards)
    return id
  }

  forwarded(id: string): readonly Node[] | undefined {
    return this.#forwards.get(id)
  }
}

/** A message's content as OneBot shows it, in the form that was chosen. */
export function shown(segments: readonly Segment[], format: Format) {
  const raw_message = formatCq(segments)
  return { message: format === 'array' ? segments : raw_message, raw_message }
}

function forgetBeyond(limit: number, kept: Map<unknown, unknown>): void {
  if (kept.size <= limit) return
  const [oldest] = kept.keys()
  kept.delete(oldest)
}
