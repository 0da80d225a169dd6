// The way past the policy: whether a call may go now, how long it waits otherwise, and what the policy hears of its end.

import { ActionError } from '../onebot/retcode.ts'
import { type Call, keyOf, termsOf } from './call.ts'
import type { CallPolicy, Outcome } from './policy.ts'

export interface GateOptions {
  /** Absent: every call may go. */
  readonly policy: CallPolicy | undefined
  readonly now: () => number
  /** `probeAt` is another now. */
  readonly changed: () => void
}

export interface Wait {
  /** Not before then (ms). */
  readonly until: number
  /** Not for longer than this (ms) in all. */
  readonly most?: number | undefined
}

export class Gate {
  readonly #options: GateOptions
  #probeAt = Number.POSITIVE_INFINITY

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** When the policy may want a probe (ms). */
  get probeAt(): number {
    return this.#probeAt
  }

  /**
   * Undefined: the policy lets it go, and is to hear how it ends. `promised`: its client was told that it will be done.
   * @throws ActionError where it is neither to go nor to wait.
   */
  ask(call: Call, now: number, promised: () => boolean): Wait | undefined {
    const { policy } = this.#options
    if (policy === undefined || call.admitted) return undefined
    const { action, params, mode, caller } = call
    const terms = caller === undefined ? undefined : termsOf(caller)
    call.governed ??= { caller: keyOf(call), terms, action, params, paced: mode === 'rate-limited' }
    const verdict = policy.admit(call.governed, now, now - call.since)
    switch (verdict.kind) {
      case 'go':
        call.admitted = true
        return undefined
      case 'wait':
        return { until: Math.max(verdict.until, now + 1), most: verdict.most }
      case 'full': {
        const retryAfter = Math.max(1, Math.ceil(verdict.retryAfter))
        if (call.durable !== undefined) return { until: now + retryAfter }
        throw limited(verdict.why, retryAfter)
      }
      case 'open': {
        const until = Math.max(verdict.until, now + 1)
        if (policy.probe !== undefined) this.#probeBy(until)
        if (call.durable !== undefined || promised()) return { until }
        throw later('unavailable', `${verdict.why}; tried again in`, until - now)
      }
      default:
        return verdict satisfies never
    }
  }

  /** How a call has ended that the policy let go; others are none of its business. */
  over(call: Call, outcome: Outcome): void {
    if (!call.admitted || call.governed === undefined) return
    call.admitted = false
    this.#options.policy?.ended(call.governed, outcome, this.#options.now())
  }

  /** Whether a probe is due, and still wanted. `able`: one could be sent. */
  probe(now: number, able: () => boolean): boolean {
    if (now < this.#probeAt) return false
    this.#probeAt = Number.POSITIVE_INFINITY
    return able() && this.#options.policy?.probe?.(now) === true
  }

  stop(): void {
    this.#probeAt = Number.POSITIVE_INFINITY
  }

  #probeBy(time: number): void {
    if (time >= this.#probeAt) return
    this.#probeAt = time
    this.#options.changed()
  }
}

export const limited = (why: string, retryAfter: number) => later('rate-limited', `${why}; try again in`, retryAfter)

/** Its words and its `retry_after` say the same, and not so exactly that many would come back in one moment that is too early. */
function later(refusal: 'rate-limited' | 'unavailable', why: string, ms: number): ActionError {
  const after = seconds(ms)
  return new ActionError(refusal, `${why} ${after} s`, { retryAfter: after * 1_000 })
}

export const seconds = (ms: number) => Math.ceil(ms / 100) / 10
