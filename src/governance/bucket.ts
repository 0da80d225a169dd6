// Token buckets of one size, one for each key: they fill as time passes, and own no timer.

import { Slots } from '../lib/slots.ts'

export interface Size {
  /** Milliseconds in which one token comes; 0: any number at any time. */
  readonly every: number
  /** Tokens in a full bucket, at least 1. */
  readonly burst: number
  /** Milliseconds between two takes at least, however many tokens are left. */
  readonly interval: number
  /** Up to so many milliseconds are added to each interval, by chance. */
  readonly jitter: number
}

/** A bucket, told by the time at which it will be full: less to keep than tokens, and nothing to add up. */
interface Level {
  full: number
  /** The interval after the last take ends then. */
  next: number
}

/** Keys with a bucket of their own (each about 100 bytes). Those beyond share one: that never lets more through. */
const KEYS = 100_000

/** All times are milliseconds of one clock that never goes back. */
export class Buckets {
  readonly #size: Size
  readonly #random: () => number
  // A full bucket is like one that was never touched.
  readonly #levels = new Slots<Level>(KEYS, ({ full, next }, now) => full <= now && next <= now)
  readonly #rest: Level = { full: 0, next: 0 }

  /** @param random 0 (inclusive) to 1, for the jitter. */
  constructor(size: Size, random: () => number) {
    this.#size = size
    this.#random = random
  }

  /** Keys whose buckets are not full, and some that have just become so. */
  get size(): number {
    return this.#levels.size
  }

  /** The earliest time at which there is a token for this key; not after `now` when there is one. */
  ready(key: string, now: number): number {
    const level = this.#level(key, now)
    if (level === undefined) return now
    return Math.max(level.next, level.full - (this.#size.burst - 1) * this.#size.every)
  }

  /** Takes a token; `ready` must have said that there is one. */
  take(key: string, now: number): void {
    const known = this.#level(key, now)
    const level = known ?? { full: 0, next: 0 }
    level.full = Math.max(level.full, now) + this.#size.every
    level.next = now + this.#size.interval + this.#size.jitter * this.#random()
    if (known === undefined) this.#levels.keep(key, level, now)
    else this.#levels.tidy(now)
  }

  #level(key: string, now: number): Level | undefined {
    const known = this.#levels.get(key)
    if (known !== undefined || !this.#levels.full) return known
    this.#levels.tidy(now)
    return this.#levels.full ? this.#rest : undefined
  }
}
