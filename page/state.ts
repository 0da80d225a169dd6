// What the dashboard knows of the gateway: the last status, rates between statuses, the last hour, log.

import type { Chart, Point } from '../src/observe/history.ts'
import type { Overview } from '../src/observe/overview.ts'
import type { Line } from '../src/observe/recent.ts'

/** As it comes over the wire. */
export type Status = Overview & { readonly sandbox: boolean }
export type BotStatus = Status['bots'][number]
export type ClientStatus = BotStatus['sessions'][number]

export interface Rates {
  readonly events: number
  readonly bytes: number
  readonly calls: number
}

const HOUR = 3_600
const MOST_LINES = 1_000
/** Rates are means over so long (ms): a single second jumps about. */
const SPAN = 5_000

interface Sample {
  readonly time: number
  readonly counts: Map<string, Rates>
}

const keyOf = ({ time, text }: Line) => `${time} ${text}`

/** One for each page; `changed` is called once for many changes. */
export class State {
  status: Status | undefined
  readonly chart: Record<'time' | 'events' | 'calls' | 'errors' | 'p50' | 'p99', (number | null)[]> = {
    time: [],
    events: [],
    calls: [],
    errors: [],
    p50: [],
    p99: [],
  }
  lines: readonly Line[] = []
  #filled = new Set<string>()
  #samples: Sample[] = []
  #due = false
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  take(event: string, data: unknown): void {
    // The casts: what each event holds stands in the description of the admin API.
    if (event === 'status') this.#takeStatus(data as Status)
    else if (event === 'second') this.#takeSecond(data as Point)
    else if (event === 'log') this.#takeLine(data as Line)
    else return
    this.redraw()
  }

  /** What was before we looked. */
  fill({ from, step, events, calls, errors, p50, p99 }: Chart, lines: readonly Line[]): void {
    const time = events.map((_, at) => from / 1000 + at * step)
    Object.assign(this.chart, { time, events, calls, errors, p50, p99 })
    this.#filled = new Set(lines.map(keyOf))
    // What the stream brought meanwhile may be newer than the answer.
    const since = lines.at(-1)?.time ?? Number.NEGATIVE_INFINITY
    const newer = this.lines.filter((line) => line.time >= since && !this.#filled.has(keyOf(line)))
    this.lines = [...lines, ...newer].slice(-MOST_LINES)
    this.redraw()
  }

  rates(bot: string, client: string): Rates | undefined {
    const key = `${bot} ${client}`
    // It may have come since the oldest one.
    const [first, last] = [this.#samples.find(({ counts }) => counts.has(key)), this.#samples.at(-1)]
    const [before, now] = [first?.counts.get(key), last?.counts.get(key)]
    if (!first || !last || !before || !now || last.time <= first.time) return undefined
    const seconds = (last.time - first.time) / 1000
    const rate = (of: keyof Rates) => Math.max(0, (now[of] - before[of]) / seconds)
    return { events: rate('events'), bytes: rate('bytes'), calls: rate('calls') }
  }

  /** Many things come at once; drawing each would be a waste. */
  redraw(): void {
    if (this.#due) return
    this.#due = true
    setTimeout(() => {
      this.#due = false
      this.#changed()
    }, 100)
  }

  #takeStatus(status: Status): void {
    this.status = status
    const counts = new Map<string, Rates>()
    for (const { name, sessions, callers } of status.bots)
      for (const { app_id, sent, called } of [...sessions, ...callers])
        counts.set(`${name} ${app_id}`, { events: sent.events, bytes: sent.bytes, calls: called.calls })
    const time = performance.now()
    this.#samples = [...this.#samples.filter((sample) => time - sample.time <= SPAN), { time, counts }]
  }

  /** What was in the answer may come by the stream as well, some time later. */
  #takeLine(line: Line): void {
    if (!this.#filled.delete(keyOf(line))) this.lines = [...this.lines.slice(-MOST_LINES + 1), line]
  }

  #takeSecond({ time, ...values }: Point): void {
    const { chart } = this
    chart.time.push(time / 1000)
    for (const name of ['events', 'calls', 'errors', 'p50', 'p99'] as const) chart[name].push(values[name])
    // Cut seldom: moving an hour of numbers each second is work for nobody.
    if (chart.time.length > HOUR + 120) for (const series of Object.values(chart)) series.splice(0, 120)
  }
}
