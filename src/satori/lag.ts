// Since when a client may lack events of one bot although later ones of another have reached it: for when it comes back.

import type { Bot } from '../broker/bot.ts'

/** From the first event that had to wait until everything had been handed over; milliseconds, the journal's clock. */
interface Stretch {
  readonly since: number
  /** Infinite while it lasts. */
  readonly until: number
}

/** Of one bot on one connection; more become one, which only means that more is told twice. */
const MOST_STRETCHES = 8
/** Connections that have ended: each remembers a few numbers. */
const MOST_ENDED = 1_024

/** Of one connection. */
export class Lag {
  readonly #stretches = new WeakMap<Bot, Stretch[]>()
  #ended = false
  #empty = true

  /** Nothing was ever late on it. */
  get empty(): boolean {
    return this.#empty
  }

  /** From now on the bot's events of `since` and later may still have to be sent. */
  begin(bot: Bot, since: number): void {
    if (this.#ended) return
    this.#empty = false
    const stretches = this.#stretches.get(bot) ?? []
    if (stretches.at(-1)?.until === Number.POSITIVE_INFINITY) return
    stretches.push({ since, until: Number.POSITIVE_INFINITY })
    const [first, second] = stretches
    if (stretches.length > MOST_STRETCHES && first !== undefined && second !== undefined)
      stretches.splice(0, 2, { since: Math.min(first.since, second.since), until: second.until })
    this.#stretches.set(bot, stretches)
  }

  /** Everything so far has been handed to the socket. */
  finish(bot: Bot, now: number): void {
    const stretches = this.#stretches.get(bot)
    const last = stretches?.at(-1)
    if (this.#ended || last?.until !== Number.POSITIVE_INFINITY) return
    stretches?.splice(-1, 1, { since: last.since, until: now })
  }

  /** The socket is gone: what the bots do to their sessions now is no news of what it has carried. */
  end(): void {
    this.#ended = true
  }

  /** Who has got an event of `time`, of whichever bot, has got those of this one before the time that is returned. */
  since(bot: Bot, time: number): number {
    const waited = (this.#stretches.get(bot) ?? []).filter(({ until }) => until >= time)
    return Math.min(time, ...waited.map(({ since }) => since))
  }
}

/** Of all connections, by whose they are, also of those that have ended. */
export class Lags {
  readonly #of = new Map<string, Set<Lag>>()
  readonly #ended = new Map<Lag, string>()

  open(whose: string): Lag {
    const lag = new Lag()
    const lags = this.#of.get(whose) ?? new Set()
    this.#of.set(whose, lags.add(lag))
    return lag
  }

  end(whose: string, lag: Lag): void {
    lag.end()
    if (lag.empty) return this.#drop(whose, lag)
    this.#ended.set(lag, whose)
    if (this.#ended.size <= MOST_ENDED) return
    for (const [oldest, its] of this.#ended) return this.#drop(its, oldest)
  }

  /** The earliest that any of the client's connections says. */
  since(whose: string, bot: Bot, time: number): number {
    return Math.min(time, ...[...(this.#of.get(whose) ?? [])].map((lag) => lag.since(bot, time)))
  }

  #drop(whose: string, lag: Lag): void {
    this.#ended.delete(lag)
    const lags = this.#of.get(whose)
    lags?.delete(lag)
    if (lags?.size === 0) this.#of.delete(whose)
  }
}
