// What happened in each second of the last hour, and in each minute, for charts: rings of plain numbers.

import { FINE, percentile } from './buckets.ts'
import type { Tallies } from './tallies.ts'

export const SERIES = ['events', 'calls', 'errors', 'sent', 'p50', 'p99', 'lag'] as const
type Series = (typeof SERIES)[number]

/** Per second, but for `p50` and `p99` (milliseconds, null: no call ended) and `lag` (milliseconds of the event loop). */
export type Point = { readonly time: number } & Readonly<Record<Series, number | null>>

/** Oldest first; `from` is when the first one began (ms since 1970). */
export type Chart = { readonly step: number; readonly from: number } & Readonly<Record<Series, (number | null)[]>>

const SECOND = 1_000
/** Of seconds, and of minutes. */
const KEPT = { 1: 3_600, 60: 60 } as const
export type Step = keyof typeof KEPT

export interface HistoryOptions {
  readonly tallies: Tallies
  /** Events that went to clients so far. */
  readonly sent: () => number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export class History {
  readonly #options: HistoryOptions
  readonly #now: () => number
  readonly #seconds = new Ring(KEPT[1])
  readonly #minutes = new Ring(KEPT[60])
  readonly #watchers = new Set<(point: Point) => void>()
  #second: Mark
  #minute: Mark
  #timer: ReturnType<typeof setInterval> | undefined
  #due = 0
  /** How late the last second's timer came (ms). */
  lag = 0
  #worst = 0

  constructor(options: HistoryOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#second = this.#mark()
    this.#minute = this.#mark()
  }

  start(): void {
    this.#due = performance.now() + SECOND
    this.#timer = setInterval(() => {
      const late = Math.max(0, performance.now() - this.#due)
      this.#due = performance.now() + SECOND
      this.tick(late)
    }, SECOND)
    this.#timer.unref?.()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#watchers.clear()
  }

  /** Is told each second that is over; returns what ends that. */
  watch(watcher: (point: Point) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** A second is over. @param late how long (ms) the event loop kept its timer waiting. */
  tick(late: number): void {
    this.lag = late
    this.#worst = Math.max(this.#worst, late)
    const next = this.#mark()
    const point = grown(this.#second, next, late)
    this.#seconds.add(point)
    this.#second = next
    if (next.time - this.#minute.time >= 60 * SECOND) {
      this.#minutes.add(grown(this.#minute, next, this.#worst))
      this.#minute = next
      this.#worst = 0
    }
    for (const watcher of [...this.#watchers]) watcher(point)
  }

  chart(step: Step): Chart {
    return (step === 1 ? this.#seconds : this.#minutes).chart(step)
  }

  #mark(): Mark {
    const { tallies, sent } = this.#options
    const { eventsTotal: events, callsTotal: calls, errorsTotal: errors, seconds } = tallies
    return { time: this.#now(), events, calls, errors, sent: sent(), took: seconds.counts.slice() }
  }
}

/** What was counted so far, at one time. */
interface Mark {
  readonly time: number
  readonly events: number
  readonly calls: number
  readonly errors: number
  readonly sent: number
  readonly took: Float64Array
}

function grown(before: Mark, now: Mark, lag: number): Point {
  // A machine that slept had a long second: a rate is what happened in the time that it took.
  const seconds = Math.max(0.001, (now.time - before.time) / SECOND)
  const rate = (of: 'events' | 'calls' | 'errors' | 'sent') => Math.max(0, round((now[of] - before[of]) / seconds))
  const within = (share: number) => {
    const found = percentile(FINE, now.took, before.took, share)
    return Number.isNaN(found) ? null : round(found * 1_000)
  }
  return {
    time: before.time,
    events: rate('events'),
    calls: rate('calls'),
    errors: rate('errors'),
    sent: rate('sent'),
    p50: within(0.5),
    p99: within(0.99),
    lag: round(lag),
  }
}

const round = (value: number) => Math.round(value * 100) / 100

class Ring {
  readonly #length: number
  readonly #times: Float64Array
  readonly #values: Record<Series, Float32Array>
  #next = 0

  constructor(length: number) {
    this.#length = length
    this.#times = new Float64Array(length)
    const empty = () => new Float32Array(length)
    this.#values = {
      events: empty(),
      calls: empty(),
      errors: empty(),
      sent: empty(),
      p50: empty(),
      p99: empty(),
      lag: empty(),
    }
  }

  add(point: Point): void {
    const slot = this.#next++ % this.#length
    this.#times[slot] = point.time
    for (const name of SERIES) this.#values[name][slot] = point[name] ?? Number.NaN
  }

  chart(step: Step): Chart {
    const first = Math.max(0, this.#next - this.#length)
    const slots = Array.from({ length: this.#next - first }, (_, at) => (first + at) % this.#length)
    const read = (name: Series) =>
      slots.map((slot) => {
        const value = this.#values[name][slot] ?? Number.NaN
        return Number.isNaN(value) ? null : round(value)
      })
    const [events, calls, errors, sent] = [read('events'), read('calls'), read('errors'), read('sent')]
    const from = this.#times[slots[0] ?? 0] ?? 0
    return { step, from, events, calls, errors, sent, p50: read('p50'), p99: read('p99'), lag: read('lag') }
  }
}
