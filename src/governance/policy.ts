// Whether a call may go up now: the limits of its bot and of its client, and the circuit of its class.

import type { ActionClass, CallPolicy, Failing, GovernedCall, Outcome, Verdict } from '../broker/policy.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import { type CircuitState, Circuits, type Turn } from './circuits.ts'
import { classOf } from './classes.ts'
import { Limit, limitsOf, type RateLimits } from './limits.ts'
import { PRESETS, type Preset } from './presets.ts'

export interface PolicySettings {
  /** Of the bot, whoever calls. */
  readonly bot: RateLimits
  /** What holds for classes of which `bot` says nothing. */
  readonly preset: Preset
  /** Of clients, by `Terms.client`, with the defaults worked in; ''  for everybody who is not named here. */
  readonly clients: ReadonlyMap<string, RateLimits>
  readonly breaker: BreakerSettings
}

/** Calls since the start: made to wait, refused for a limit, refused by a breaker. */
export interface Limited {
  readonly delayed: number
  readonly refused: number
  readonly broken: number
}

export interface PolicySnapshot {
  readonly breakers: Record<ActionClass, CircuitState>
  readonly limited: Limited
}

const GO: Verdict = { kind: 'go' }
const NONE: readonly Limit[] = []

/** A limit, and whose bucket of it a call takes from. */
interface Applied {
  readonly limit: Limit
  readonly key: string
}

/** A clock that was set back is taken to stand still for that moment, so a bucket or a pause never waits for hours. */
export class Policy implements CallPolicy {
  readonly #random: () => number
  readonly #turned: (turn: Turn) => void
  /** Of each implementation, by `GovernedCall.side`; made when they are needed. */
  readonly #circuits: Circuits[] = []
  #breaker: BreakerSettings
  #bot: readonly Limit[] = NONE
  #clients: ReadonlyMap<string, readonly Limit[]> = new Map()
  /** Nobody limits anything. */
  #free = true
  #last = Number.NEGATIVE_INFINITY
  /** Milliseconds that our clock is ahead of the caller's, which was set back by so much. */
  #ahead = 0
  /** Those that wait, so that each counts once. */
  readonly #delayed = new WeakSet<GovernedCall>()
  readonly #limited = { delayed: 0, refused: 0, broken: 0 }

  /** @param random 0 (inclusive) to 1, for the jitter. @param turned told as a circuit opens and as it closes. */
  constructor(settings: PolicySettings, random: () => number = Math.random, turned: (turn: Turn) => void = () => {}) {
    this.#random = random
    this.#turned = turned
    this.#breaker = settings.breaker
    this.configure(settings)
  }

  /** From now on these hold. Buckets of limits that stay the same keep their fill, and breakers their state. */
  configure(settings: PolicySettings): void {
    const before = new Map([...this.#bot, ...[...this.#clients.values()].flat()].map((limit) => [limit.id, limit]))
    const kept = (limits: Limit[]) => limits.map((limit) => before.get(limit.id) ?? limit)
    this.#bot = kept(this.#botLimits(settings))
    this.#clients = new Map(
      [...settings.clients].map(([client, limits]) => {
        const name = client === '' ? 'rate-limit of clients' : `rate-limit of the client ${client}`
        return [client, kept(limitsOf(limits, { name, per: 'client' }, this.#random))]
      }),
    )
    this.#free = this.#bot.length === 0 && [...this.#clients.values()].every((limits) => limits.length === 0)
    this.#breaker = settings.breaker
    for (const circuits of this.#circuits) circuits?.configure(settings.breaker)
  }

  get idle(): boolean {
    if (!this.#free) return false
    for (const circuits of this.#circuits) if (circuits?.calm === false) return false
    return true
  }

  admit(call: GovernedCall, now: number, waited: number): Verdict {
    const circuits = this.#of(call.side)
    if (this.#free && circuits.closed) return GO
    const time = this.#time(now)
    const kind = classOf(call.action)
    const broken = circuits.until(kind, time)
    if (broken > time) return this.#open(call, broken, circuits.why(kind))
    const applied = this.#applied(call, kind)
    const held = this.#held(call, applied, time, waited)
    if (held !== undefined) return held
    for (const { limit, key } of applied) limit.take(key, time)
    circuits.began(call, kind, time)
    return GO
  }

  ended(call: GovernedCall, outcome: Outcome, now: number): void {
    this.#of(call.side).ended(call, outcome, this.#time(now))
  }

  probe(now: number, side?: number): boolean {
    const circuits = this.#of(side)
    return !circuits.closed && circuits.probe(this.#time(now))
  }

  failing(side: number, now: number): Failing | undefined {
    const circuits = this.#of(side)
    if (circuits.closed) return undefined
    const found = circuits.failing(this.#time(now))
    return found?.probeAt === undefined ? found : { ...found, probeAt: found.probeAt - this.#ahead }
  }

  renew(side: number): void {
    delete this.#circuits[side]
  }

  /** @param side whose breakers are told. */
  snapshot(now: number, side?: number): PolicySnapshot {
    const breakers = this.#of(side).snapshot(this.#time(now))
    const inTheirs = (state: CircuitState): CircuitState =>
      state.state === 'open' ? { state: 'open', until: state.until - this.#ahead } : state
    return {
      breakers: {
        send: inTheirs(breakers.send),
        manage: inTheirs(breakers.manage),
        read: inTheirs(breakers.read),
        file: inTheirs(breakers.file),
      },
      limited: { ...this.#limited },
    }
  }

  #botLimits({ bot, preset }: PolicySettings): Limit[] {
    const name = `rate-limit.preset ${preset}`
    return [
      ...limitsOf(bot, { name: 'rate-limit.bot', per: 'bot' }, this.#random),
      ...PRESETS[preset]
        .filter(({ on }) => !Object.hasOwn(bot, on))
        .map(({ on, ...settings }) => new Limit(on, settings, { name, per: 'bot' }, this.#random)),
    ]
  }

  #of(side = 0): Circuits {
    const known = this.#circuits[side]
    if (known !== undefined) return known
    const circuits = new Circuits(this.#breaker, this.#turned)
    this.#circuits[side] = circuits
    return circuits
  }

  #time(now: number): number {
    if (now < this.#last) this.#ahead += this.#last - now
    this.#last = now
    return now + this.#ahead
  }

  /** A `_rate_limited` call has been answered already: it is never dropped, it waits. */
  #open(call: GovernedCall, until: number, why: string): Verdict {
    if (call.paced) return { kind: 'wait', until: until - this.#ahead }
    this.#limited.broken += 1
    return { kind: 'open', until: until - this.#ahead, why }
  }

  #applied(call: GovernedCall, kind: ActionClass): Applied[] {
    if (this.#free) return []
    const client = this.#clients.get(call.terms?.client ?? '') ?? this.#clients.get('') ?? NONE
    const applied: Applied[] = []
    for (const limits of [this.#bot, client])
      for (const limit of limits) {
        const key = limit.key(call, kind)
        if (key !== undefined) applied.push({ limit, key })
      }
    return applied
  }

  /** Undefined: all its buckets have a token. */
  #held(call: GovernedCall, applied: readonly Applied[], now: number, waited: number): Verdict | undefined {
    const lacking = applied.filter(({ limit, key }) => limit.ready(key, now) > now)
    if (lacking.length === 0) return undefined
    const until = Math.max(...lacking.map(({ limit, key }) => limit.ready(key, now)))
    const wait: Verdict = { kind: 'wait', until: until - this.#ahead }
    // It has been answered already: it waits as long as it takes.
    if (call.paced) return this.#delays(call, wait)
    const strict = lacking.reduce((least, next) => (next.limit.patience < least.limit.patience ? next : least))
    const most = strict.limit.patience
    if (waited + until - now <= most) return this.#delays(call, { ...wait, most })
    this.#limited.refused += 1
    return { kind: 'full', retryAfter: Math.ceil(until - now), why: strict.limit.why() }
  }

  #delays(call: GovernedCall, verdict: Verdict): Verdict {
    if (!this.#delayed.has(call)) this.#limited.delayed += 1
    this.#delayed.add(call)
    return verdict
  }
}
