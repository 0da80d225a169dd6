// Whether anything can go up: the implementation is away, or takes nothing; since when, and how long a call waits for it.

import type { Call } from './call.ts'
import type { CallSettings, Upstream } from './ports.ts'

/** How long (ms) a call waits for an implementation that is away, where the settings do not say. */
const HOLD = 30_000
/** An upstream that takes nothing is tried again after this (ms): nobody tells when it has room. */
const STALL = 100

export interface AbsenceOptions {
  /** Who does the work, as far as it is connected. */
  readonly upstream: () => Upstream | undefined
  readonly settings: () => CallSettings
}

export class Absence {
  readonly #options: AbsenceOptions
  /** Lost, and not yet known to be back with the same account: those that wait go on waiting. */
  #standing = false
  #stalled = 0
  #since: number | undefined

  constructor(options: AbsenceOptions) {
    this.#options = options
  }

  /** It took nothing: not before then (ms) it is tried again. */
  get stalled(): number {
    return this.#stalled
  }
  /** Since when (ms) nothing can go up, as far as it has mattered to anybody. */
  get since(): number | undefined {
    return this.#since
  }
  get hold(): number {
    return this.#options.settings().hold ?? HOLD
  }

  /** Why those that wait go on waiting; undefined: they need not. */
  why(now: number): 'away' | 'stalled' | undefined {
    if (this.#standing || this.#options.upstream() === undefined) return 'away'
    return now < this.#stalled ? 'stalled' : undefined
  }

  /** Nothing can be handed over. What has just come need not wait until an account is known. */
  shut(now: number): boolean {
    return this.#options.upstream() === undefined || now < this.#stalled
  }

  /** Until when (ms) a call waits for it. Who was answered already waits as long as it takes. */
  until({ answered, since }: Pick<Call, 'answered' | 'since'>): number {
    if (answered || this.#since === undefined) return Number.POSITIVE_INFINITY
    return Math.max(since, this.#since) + this.hold
  }

  /** A call waits. */
  noticed(now: number): void {
    if (this.why(now) !== undefined) this.#since ??= now
    // Whoever comes must first say whose implementation it is.
    if (this.#options.upstream() === undefined) this.#standing = true
  }

  /** The one that does the work is gone. */
  lost(now: number): void {
    this.#standing = true
    this.#stalled = 0
    this.#since ??= now
  }

  /** It took nothing. */
  stall(now: number): void {
    this.#stalled = now + STALL
    this.#since ??= now
  }

  /** It took a call. */
  took(): void {
    this.#since = undefined
  }

  /** It is back. */
  over(): void {
    this.#standing = false
    this.#stalled = 0
    this.#since = undefined
  }
}
