// One event that arrives through two implementations of an account is delivered once; what the active one misses, all the same.

import { Queue } from '../lib/queue.ts'
import { likeness } from '../onebot/likeness.ts'
import { type Fields, own } from '../onebot/object.ts'
import { LIMITS } from './limits.ts'
import type { Report } from './status.ts'
import type { Slot } from './upstreams.ts'

export interface TwinsOptions {
  readonly bot: string
  readonly report: Report
  /** Delivers an event late: the active implementation has not sent it. */
  readonly deliver: (raw: string, event: Fields) => void
  /** Milliseconds, of a clock that does not jump. */
  readonly now: () => number
  /** How long (ms) an event of an implementation that stands by waits for its twin from the active one. */
  readonly hold?: number | undefined
}

/** An event, whoever sent it. */
interface Known {
  /** When it was first heard (ms, our clock), and its own time (s), NaN where it tells none. */
  readonly at: number
  readonly time: number
  readonly keys: readonly string[]
  /** The sides that have sent it, as bits. */
  sides: number
  /** Not delivered yet. */
  held: Held | undefined
}

interface Held {
  readonly raw: string
  readonly event: Fields
  readonly peer: string
}

const HOLD = 1_000
/** How long (ms) an event is remembered. */
const WINDOW = 60_000
/** Clocks of implementations differ, and so do the ways of an event: twins are at most so far apart (ms), on one clock or the other. */
const APART = 2_000

/** Chains up to this length are searched from their beginning. */
const SHORT = 8

/** Events with one key in common, oldest first. */
class Chain {
  readonly #events = new Queue<Known>()
  /** How many were dropped before the first of `#events`. */
  #gone = 0
  /** For each side, as a bit: how many from the beginning on it has surely sent, those dropped included. Most chains are short and need none. */
  #sent: Map<number, number> | undefined

  push(known: Known): void {
    this.#events.push(known)
  }

  /** Drops the first; returns how many are left. */
  shift(): number {
    this.#events.shift()
    this.#gone += 1
    return this.#events.size
  }

  /** The oldest that this side has not sent, and that can be the same as `mine`. */
  find(bit: number, mine: Pick<Known, 'at' | 'time'>): Known | undefined {
    let at = Math.max(0, (this.#sent?.get(bit) ?? 0) - this.#gone)
    while (((this.#events.at(at)?.sides ?? 0) & bit) !== 0) at += 1
    if (at > SHORT) this.#sent = (this.#sent ?? new Map()).set(bit, this.#gone + at)
    for (; at < this.#events.size; at++) {
      const known = this.#events.at(at)
      if (known !== undefined && (known.sides & bit) === 0 && isNear(known, mine)) return known
    }
    return undefined
  }
}

/**
 * Each event that a side sends is the twin of at most one of another side, and of the oldest that it can be: two equal
 * messages in a row stay two. Bots with one implementation need none of this.
 */
export class Twins {
  readonly #options: TwinsOptions
  /** Everything remembered, oldest first. */
  readonly #known = new Queue<Known>()
  readonly #byKey = new Map<string, Chain>()
  /** Those that were not delivered at once, oldest first; some have been since. */
  readonly #held = new Queue<Known>()
  #heldCount = 0
  #heldSize = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #dropped = 0
  #rescued = 0

  constructor(options: TwinsOptions) {
    this.#options = options
  }

  /** Events that came once more, and events that only an implementation standing by has sent. */
  get counts(): { dropped: number; rescued: number } {
    return { dropped: this.#dropped, rescued: this.#rescued }
  }
  /** Events remembered. */
  get size(): number {
    return this.#known.size
  }
  /** Events that wait for their twins. */
  get held(): number {
    return this.#heldCount
  }

  /** An event came through `slot`. True: it is to be delivered now. False: it was already, or waits for its twin. */
  heard({ side, peer }: Pick<Slot, 'side' | 'peer'>, active: boolean, raw: string, event: Fields): boolean {
    const now = this.#options.now()
    this.#forget(now)
    const time = timeOf(event)
    const keys = likeness(raw, event)
    const bit = 1 << side
    const twin = this.#twin(keys, bit, { at: now, time })
    if (twin !== undefined) {
      twin.sides |= bit
      this.#dropped += 1
      if (!active || twin.held === undefined) return false
      this.#letGo(twin)
      return true
    }
    const known: Known = { at: now, time, keys, sides: bit, held: active ? undefined : { raw, event, peer } }
    this.#remember(known)
    if (!active) this.#hold(known, raw.length)
    return active
  }

  /** Another implementation is active, or none: what waits for the one of before is delivered, in order. */
  release(): void {
    for (let known = this.#held.shift(); known !== undefined; known = this.#held.shift()) this.#rescue(known)
    this.#wake()
  }

  /** Another account: nothing of before is of interest. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#known.clear()
    this.#byKey.clear()
    this.#held.clear()
    this.#heldCount = 0
    this.#heldSize = 0
  }

  #twin(keys: readonly string[], bit: number, mine: Pick<Known, 'at' | 'time'>): Known | undefined {
    for (const key of keys) {
      const found = this.#byKey.get(key)?.find(bit, mine)
      if (found !== undefined) return found
    }
    return undefined
  }

  #remember(known: Known): void {
    this.#known.push(known)
    for (const key of known.keys) {
      const chain = this.#byKey.get(key) ?? new Chain()
      this.#byKey.set(key, chain)
      chain.push(known)
    }
    if (this.#known.size > LIMITS.twinsKnown) this.#drop()
  }

  #forget(now: number): void {
    while ((this.#known.first?.at ?? now) <= now - WINDOW) this.#drop()
  }

  /** Forgets the oldest, which is the first of its chains as well. */
  #drop(): void {
    const known = this.#known.shift()
    if (known === undefined) return
    this.#rescue(known)
    for (const key of known.keys) if (this.#byKey.get(key)?.shift() === 0) this.#byKey.delete(key)
  }

  #hold(known: Known, size: number): void {
    this.#held.push(known)
    this.#heldCount += 1
    this.#heldSize += size
    while (this.#heldSize > LIMITS.twinsHeld) this.#rescue(this.#held.shift())
    if (this.#timer === undefined) this.#wake()
  }

  /** It waits no longer. */
  #letGo(known: Known): Held | undefined {
    const { held } = known
    if (held === undefined) return undefined
    known.held = undefined
    this.#heldCount -= 1
    this.#heldSize -= held.raw.length
    return held
  }

  #rescue(known: Known | undefined): void {
    const held = known && this.#letGo(known)
    if (held === undefined) return
    const { bot, report, deliver } = this.#options
    this.#rescued += 1
    report({ kind: 'event-rescued', bot, peer: held.peer })
    deliver(held.raw, held.event)
  }

  #look(): void {
    const due = this.#options.now() - this.#holdFor
    while ((this.#held.first?.at ?? Number.POSITIVE_INFINITY) <= due) this.#rescue(this.#held.shift())
    this.#wake()
  }

  /** Looks again when the oldest has waited for long enough. */
  #wake(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#held.first !== undefined && this.#held.first.held === undefined) this.#held.shift()
    const { first } = this.#held
    if (first === undefined) return
    const wait = first.at + this.#holdFor - this.#options.now()
    this.#timer = setTimeout(() => this.#look(), Math.max(1, wait))
    this.#timer.unref?.()
  }

  get #holdFor(): number {
    return this.#options.hold ?? HOLD
  }
}

const isNear = (one: Pick<Known, 'at' | 'time'>, other: Pick<Known, 'at' | 'time'>) =>
  Math.abs(one.at - other.at) <= APART || Math.abs(one.time - other.time) * 1000 <= APART

function timeOf(event: Fields): number {
  const time = own(event, 'time')
  return typeof time === 'number' ? time : Number.NaN
}
