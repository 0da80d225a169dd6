// When a client that we go to is tried again after it has failed: after pauses that grow, longer ones once it keeps failing.

import { Backoff, PATIENCE, type Patience } from './backoff.ts'
import { Breaker, type BreakerSettings } from './breaker.ts'
import { steady } from './clock.ts'

/** `failures`: in a row. `open`: it is left alone until then (ms, our clock). `half-open`: the next one tells how things stand. */
export interface CircuitStatus {
  readonly state: 'closed' | 'open' | 'half-open'
  readonly failures: number
  readonly until?: number
}

export type CircuitFact =
  /** What is sent to it has failed so many times in a row. */
  | { readonly kind: 'circuit-opened'; target: string; reason: string; failures: number; inMs: number }
  | { readonly kind: 'circuit-closed'; target: string }

export interface CircuitOptions {
  /** What it is called in the log. */
  readonly target: string
  readonly patience?: Patience | undefined
  /** Asked anew each time: they may change. */
  readonly breaker: () => BreakerSettings
  readonly report: (fact: CircuitFact) => void
}

/**
 * One pause for both: each failure makes the next one longer; with so many in a row the circuit opens, and no pause is
 * shorter than its cool-down from then on. After it one is let through, and tells how things stand.
 */
export class Circuit {
  readonly #options: CircuitOptions
  readonly #stable: number
  readonly #backoff: Backoff
  readonly #breaker: Breaker
  #settled: ReturnType<typeof setTimeout> | undefined

  constructor(options: CircuitOptions) {
    const { patience = PATIENCE, breaker } = options
    this.#options = options
    this.#stable = patience.stable
    this.#backoff = new Backoff(patience)
    this.#breaker = new Breaker(breaker())
  }

  get closed(): boolean {
    return this.#breaker.state.kind === 'closed'
  }

  get status(): CircuitStatus {
    const { state } = this.#breaker
    const failures = this.#backoff.tries
    const now = steady()
    if (state.kind === 'open' && state.until > now) return { state: 'open', failures, until: state.until }
    return { state: state.kind === 'closed' ? 'closed' : 'half-open', failures }
  }

  /** Milliseconds until something may be tried; 0: now, and what comes of it is to be reported. */
  begin(): number {
    const now = steady()
    return this.#breaker.admits(now) ? 0 : Math.max(1, this.#breaker.until(now) - now)
  }

  /** It took what was sent. */
  worked(): void {
    clearTimeout(this.#settled)
    this.#backoff.reset()
    const { closed } = this
    this.#breaker.ended(true, steady())
    if (!closed) this.#options.report({ kind: 'circuit-closed', target: this.#options.target })
  }

  /** A link to it is open, which is no success before it has lasted: some accept, and then close. */
  opened(): void {
    clearTimeout(this.#settled)
    this.#settled = setTimeout(() => this.worked(), this.#stable)
    this.#settled.unref?.()
  }

  /** It failed, or a link to it has ended. Returns how long (ms) it is to be left alone. */
  failed(reason: string): number {
    const { breaker, report, target } = this.#options
    clearTimeout(this.#settled)
    this.#breaker.configure(breaker())
    const { closed } = this
    const now = steady()
    const pause = this.#backoff.next()
    this.#breaker.ended(false, now, pause)
    const inMs = Math.max(pause, this.#breaker.until(now) - now)
    if (closed && !this.closed) report({ kind: 'circuit-opened', target, reason, failures: this.#backoff.tries, inMs })
    return inMs
  }

  stop(): void {
    clearTimeout(this.#settled)
  }
}
