// One limit of the config: which calls it is for, whose bucket each takes from, and for how long one may wait.

import type { ActionClass, GovernedCall } from '../broker/policy.ts'
import { formatDuration } from '../lib/duration.ts'
import { own } from '../onebot/object.ts'
import { Buckets } from './bucket.ts'

/** As in the config; durations in milliseconds. */
export interface BucketSettings {
  /** Tokens per second, more than 0; absent: as many as anybody wants. */
  readonly rate?: number | undefined
  /** How many at once after a rest; absent: those of one second, and at least 1. */
  readonly burst?: number | undefined
  readonly 'min-interval'?: number | undefined
  readonly jitter?: number | undefined
  /** Whose buckets: all calls in one, or one for each client, group or user. Absent: as in `scope`. */
  readonly per?: 'bot' | 'client' | 'group' | 'user' | undefined
  /** Absent: queue. */
  readonly mode?: 'queue' | 'reject' | undefined
  /** Absent: 30 s. */
  readonly 'max-wait'?: number | undefined
}

/** By class of actions (`send`, `manage`, `read`, `file`, or `all`) or by an action's name. */
export type RateLimits = Readonly<Record<string, BucketSettings>>

/** Where a limit stands. */
export interface Scope {
  /** For messages: "rate-limit.bot", "the rate-limit of client worker-1". */
  readonly name: string
  readonly per: 'bot' | 'client'
}

const MAX_WAIT = 30_000
/** Nobody's id is that long; whatever is shares one bucket, so that no key takes more room than an id. */
const LONGEST_ID = 64
/** The bucket of all targets that are no ids. Not a number, so nobody's own. */
const ODD = '?'

export class Limit {
  readonly #on: string
  readonly #settings: BucketSettings
  readonly #scope: Scope
  readonly #buckets: Buckets

  constructor(on: string, settings: BucketSettings, scope: Scope, random: () => number) {
    this.#on = on
    this.#settings = settings
    this.#scope = scope
    this.#buckets = new Buckets(sizeOf(settings), random)
  }

  /** Equal: the same limit, and its buckets go on as they are. */
  get id(): string {
    return JSON.stringify([this.#scope.name, this.#on, Object.entries(this.#settings).sort()])
  }

  /** Keys whose buckets are not full. */
  get size(): number {
    return this.#buckets.size
  }

  /** Milliseconds for which a call may wait for a token; below 0: it must not. */
  get patience(): number {
    return this.#rejects ? -1 : this.#maxWait
  }

  /** Whose bucket the call takes from; undefined: it is none of this limit's business. */
  key(call: GovernedCall, kind: ActionClass): string | undefined {
    if (this.#on !== 'all' && this.#on !== kind && this.#on !== call.action) return undefined
    const per = this.#settings.per ?? this.#scope.per
    if (per === 'bot') return ''
    // A client of the config is one, however many links it has; others are told apart by who they are.
    const client = call.terms?.client || call.caller
    if (per === 'client') return client
    const target = targetOf(call, per)
    return target === undefined || this.#scope.per === 'bot' ? target : `${client} ${target}`
  }

  /** The earliest time for a call of this key. */
  ready(key: string, now: number): number {
    return this.#buckets.ready(key, now)
  }

  take(key: string, now: number): void {
    this.#buckets.take(key, now)
  }

  /** Why a call is not taken that would have to wait. */
  why(): string {
    const { rate, burst, 'min-interval': interval, per } = this.#settings
    const what = [
      ...(rate === undefined ? [] : [`${plain(rate)}/s`]),
      ...(burst === undefined ? [] : [`burst ${burst}`]),
      ...(interval ? [`min-interval ${formatDuration(interval)}`] : []),
      ...(per === undefined || per === this.#scope.per ? [] : [`per ${per}`]),
    ].join(', ')
    const patience = this.#rejects ? '' : `, and the wait would be longer than ${formatDuration(this.#maxWait)}`
    return `more than ${this.#scope.name} allows for ${this.#on} (${what})${patience}`
  }

  get #rejects(): boolean {
    return this.#settings.mode === 'reject'
  }

  get #maxWait(): number {
    return this.#settings['max-wait'] ?? MAX_WAIT
  }
}

/** What the limits of one scope are. */
export const limitsOf = (limits: RateLimits, scope: Scope, random: () => number): Limit[] =>
  Object.entries(limits).map(([on, settings]) => new Limit(on, settings, scope, random))

const plain = (rate: number) => String(Number(rate.toFixed(3)))

const sizeOf = ({ rate, burst, 'min-interval': interval = 0, jitter = 0 }: BucketSettings) => ({
  every: rate === undefined ? 0 : 1_000 / rate,
  burst: Math.max(1, burst ?? Math.floor(rate ?? 1)),
  interval,
  jitter,
})

/** The group or user that a call acts on, as text: one id has one text, however it was written. */
export function targetOf({ action, params }: GovernedCall, per: 'group' | 'user'): string | undefined {
  // These have one target, whatever else their params name. Others may mean either, or both.
  if (ELSEWHERE[per].test(action)) return undefined
  const id = own(params, `${per}_id`)
  if (id === undefined || id === null || id === '') return undefined
  if (typeof id === 'number') return id === 0 ? undefined : String(id)
  // An implementation may see an id in it all the same, so there is no way around the limit.
  if (typeof id !== 'string' || id.length > LONGEST_ID) return ODD
  const number = Number(id)
  // Beyond 2^53 numbers are no longer told apart, texts are.
  if (Number.isSafeInteger(number)) return number === 0 ? undefined : String(number)
  return id.trim().replace(/^0+(?=\d)/, '')
}

const ELSEWHERE = { group: /^send_private_/, user: /^send_group_/ } as const
