// Who comes and goes too often, and how long it has to wait. Time is passed in.

import { Slots } from './slots.ts'

/** Connects of one key within `SPAN` that need no wait. */
const CONNECTS = 15
/** Milliseconds. */
const SPAN = 60_000
/** Keys remembered. More come only from an attack by numbers, against which a list of names is no help. */
const KEYS = 10_000

export class Flapping {
  readonly #comings = new Slots<number[]>(KEYS, (times, now) => isPast(times.at(-1), now))

  /** Keys remembered. */
  get size(): number {
    return this.#comings.size
  }

  /**
   * Milliseconds that this one is to wait before it may connect; 0: it may, and that is noted. `key` is whatever tells
   * one peer from another: an address, a name, a token's digest.
   */
  wait(key: string, now: number): number {
    const times = (this.#comings.get(key) ?? []).filter((time) => !isPast(time, now))
    const [oldest] = times
    if (oldest !== undefined && times.length >= CONNECTS) return oldest + SPAN - now
    times.push(now)
    this.#comings.keep(key, times, now)
    return 0
  }
}

/** Also of what a clock that was set back has put into the future. */
const isPast = (time: number | undefined, now: number) => time === undefined || time > now || time + SPAN <= now
