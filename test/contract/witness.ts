// Records what a socket tells its owner, in order, for tests that wait for facts.

import type { Socket, SocketEvents } from '../../src/runtime/host.ts'

/** A queue whose readers wait. */
export class Inbox<T> {
  readonly #items: T[] = []
  readonly #waiting: ((item: T) => void)[] = []

  push(item: T): void {
    const reader = this.#waiting.shift()
    if (reader) reader(item)
    else this.#items.push(item)
  }

  take(): Promise<T> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** What came and nobody took. */
  get left(): readonly T[] {
    return this.#items
  }
}

export type Fact =
  | { kind: 'open' }
  | { kind: 'text'; text: string }
  | { kind: 'binary'; bytes: number[] }
  | { kind: 'pong'; data: string }
  | { kind: 'close'; code: number; reason: string }

export interface Witness<S extends Socket> {
  readonly on: SocketEvents<S>
  /** Everything but drains, which are as many as the kernel likes. */
  readonly facts: Inbox<Fact>
  readonly drains: Inbox<'drain'>
  readonly socket: Promise<S>
}

/** `react` runs inside the text callback. */
export function witness<S extends Socket>(react?: (socket: S, text: string) => void): Witness<S> {
  const facts = new Inbox<Fact>()
  const drains = new Inbox<'drain'>()
  const { promise: socket, resolve } = Promise.withResolvers<S>()
  const on: SocketEvents<S> = {
    open(opened) {
      facts.push({ kind: 'open' })
      resolve(opened)
    },
    text(from, text) {
      react?.(from, text)
      facts.push({ kind: 'text', text })
    },
    binary: (_from, bytes) => facts.push({ kind: 'binary', bytes: [...bytes] }),
    drain: () => drains.push('drain'),
    pong: (_from, data) => facts.push({ kind: 'pong', data }),
    close: (_from, code, reason) => facts.push({ kind: 'close', code, reason }),
  }
  return { on, facts, drains, socket }
}
