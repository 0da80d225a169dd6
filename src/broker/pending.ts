// Correlates actions sent upstream with their replies; owns tokens, deadlines and clean-up, never sockets.

import type { Call } from './call.ts'
import { LIMITS } from './limits.ts'

/** Between two looks for late calls (ms): thousands may be late one by one, and each look is at all of them. */
const LOOK = 100
/** Timers know no longer wait than this (ms): they fire at once instead. */
const LONGEST = 2 ** 31 - 1

export class Pending {
  // Unguessable across runs: a late reply to a token of an earlier run must not match one of ours.
  readonly #prefix = crypto.randomUUID().slice(0, 8)
  #count = 0
  readonly #calls = new Map<string, Call>()
  #characters = 0
  readonly #late: (call: Call) => void
  readonly #now: () => number
  #timer: ReturnType<typeof setTimeout> | undefined
  #due = Number.POSITIVE_INFINITY

  /** @param late is told of each call whose deadline passed; the call is closed already. */
  constructor(late: (call: Call) => void, now: () => number) {
    this.#late = late
    this.#now = now
  }

  get size(): number {
    return this.#calls.size
  }

  /** Characters of the frames of those that are short enough to be kept. */
  get characters(): number {
    return this.#characters
  }

  /** How many tokens there have been. */
  get count(): number {
    return this.#count
  }

  /** A token nobody else has: letters, digits and a dot, which no serialiser escapes. */
  token(): string {
    this.#count += 1
    return `${this.#prefix}.${this.#count.toString(36)}`
  }

  /** It waits for its reply from now on, under its token. */
  open(call: Call): void {
    this.#calls.set(call.token, call)
    this.#characters += keptOf(call)
    if (call.deadline < this.#due) this.#wake(call.deadline)
  }

  get(token: string): Call | undefined {
    return this.#calls.get(token)
  }

  has(token: string): boolean {
    return this.#calls.has(token)
  }

  /** The call, which is open no more. */
  settle(token: string): Call | undefined {
    const call = this.#calls.get(token)
    if (call === undefined) return undefined
    this.#calls.delete(token)
    this.#characters -= keptOf(call)
    return call
  }

  /** All open calls that are meant, by default all there are, oldest first; they are open no more. */
  take(meant: (call: Call) => boolean = () => true): Call[] {
    const calls = [...this.#calls.values()].filter(meant)
    for (const { token } of calls) this.settle(token)
    return calls
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#due = Number.POSITIVE_INFINITY
  }

  // One timer for all: most calls have long been answered when their deadline comes, so a look is rare.
  #wake(due: number): void {
    clearTimeout(this.#timer)
    this.#due = due
    const timer = setTimeout(() => this.#look(), Math.min(Math.max(0, due - this.#now()), LONGEST))
    timer.unref?.()
    this.#timer = timer
  }

  #look(): void {
    const now = this.#now()
    let next = Number.POSITIVE_INFINITY
    for (const [token, call] of this.#calls)
      if (call.deadline > now) next = Math.min(next, call.deadline)
      else {
        this.settle(token)
        this.#late(call)
      }
    this.#due = Number.POSITIVE_INFINITY
    if (next < Number.POSITIVE_INFINITY) this.#wake(Math.max(next, now + LOOK))
  }
}

const keptOf = ({ size }: Call) => (size <= LIMITS.failedFrame ? size : 0)
