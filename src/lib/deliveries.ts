// Deliveries to one web hook: in order, one at a time; and what its answer to one of them means.

import { setTimeout as sleep } from 'node:timers/promises'
import { maskText } from './mask.ts'
import type { Posted } from './post-json.ts'

/** The longest pause between two tries (ms). */
export const LONGEST_PAUSE = 60_000
/** How long a request under way may take to finish when the end has come (ms). */
const GRACE = 1_000
/** Statuses by which a hook asks for the event again; the other 4xx are its way of not caring. */
const AGAIN = new Set([408, 425, 429])

export class Deliveries {
  readonly #ending = new AbortController()
  readonly #cut = new AbortController()
  /** Asked for and not over; the last of them. */
  #busy = 0
  #last: Promise<void>

  /** @param after deliveries of before to the same hook, which may still be under way. */
  constructor(after: Promise<void> = Promise.resolve()) {
    this.#last = after
  }

  get open(): boolean {
    return !this.#ending.signal.aborted
  }
  /** While one is on its way there is room for no other, nor is there after the end. */
  get buffered(): number {
    return this.#busy > 0 || !this.open ? Number.POSITIVE_INFINITY : 0
  }
  /** Resolves when nothing is on its way any more. */
  get quiet(): Promise<void> {
    return this.#last
  }
  /** Cuts a request that has had its moment after the end. */
  get cut(): AbortSignal {
    return this.#cut.signal
  }

  /** `deliver` runs once those before are over, and must not reject; `over` follows, with room again. False: it has ended. */
  add(deliver: () => Promise<void>, over: () => void): boolean {
    if (!this.open) return false
    this.#busy += 1
    this.#last = this.#last.then(async () => {
      await deliver()
      this.#busy -= 1
      over()
    })
    return true
  }

  /** Between two tries; the end cuts it short. */
  pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined)
  }

  /** Nothing more is added; whoever delivers is to look at `open`, and give up. */
  end(): void {
    if (!this.open) return
    this.#ending.abort()
    if (this.#busy === 0) return
    const timer = setTimeout(() => this.#cut.abort(), GRACE)
    void this.#last.then(() => clearTimeout(timer))
  }
}

/** Why the event must be sent again; undefined: it was taken, as far as we are concerned. */
export function whyAgain(posted: Posted): string | undefined {
  if (posted.kind === 'failed') return maskText(posted.reason)
  const { status } = posted
  if (status >= 300 && status < 400) return `HTTP ${status}: redirects are not followed; configure the final address`
  return status >= 500 || AGAIN.has(status) ? `HTTP ${status}` : undefined
}
