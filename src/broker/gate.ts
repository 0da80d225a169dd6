// The way past the policy: whether a call may go now, how long it waits otherwise, and what the policy hears of its end.

import { ActionError } from '../onebot/retcode.ts'
import { type Call, keyOf, termsOf } from './call.ts'
import type { Wait } from './lines.ts'
import type { CallPolicy, GovernedCall, Outcome } from './policy.ts'
import type { Upstream } from './ports.ts'

/** The account's implementations, as far as calls tell them apart. */
export interface Sides {
  /** There is another one to go to: what keeps failing is left alone, and asked now and then whether it works again. */
  readonly several: boolean
  /** Of the one that does the work; of the first while none does. */
  readonly active: number
  all(): readonly number[]
  /** Of whoever has this link, or had it. */
  of(upstream: Upstream): number
  /** The link of this one, if it has one. */
  link(side: number): Upstream | undefined
  /** Calls that go there keep failing, for this reason; undefined: they do not. */
  judge(side: number, why: string | undefined): void
}

export interface GateOptions {
  /** Absent: every call may go. */
  readonly policy: CallPolicy | undefined
  readonly now: () => number
  /** Absent: there is one, and nothing else to go to. */
  readonly sides?: Sides | undefined
  /** `probeAt` is another now. */
  readonly changed: () => void
}

const NONE: readonly number[] = []

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
    const { policy, sides } = this.#options
    if (policy === undefined) return undefined
    if (call.admitted) {
      if (!sides?.several || call.governed === undefined || call.governed.side === sides.active) return undefined
      // It was let go to another one, which never took it.
      this.over(call, 'dropped')
    }
    if (policy.idle && !sides?.several) {
      call.admitted = true
      if (call.governed !== undefined) call.governed.side = sides?.active
      return undefined
    }
    if (call.governed === undefined) call.governed = governedOf(call, sides?.active)
    else call.governed.side = sides?.active
    const verdict = policy.admit(call.governed, now, now - call.since)
    switch (verdict.kind) {
      case 'go':
        call.admitted = true
        return undefined
      case 'wait':
        return { until: Math.max(verdict.until, now + 1), most: verdict.most, why: 'limit' }
      case 'full': {
        const retryAfter = Math.max(1, Math.ceil(verdict.retryAfter))
        if (call.durable !== undefined) return { until: now + retryAfter, why: 'limit' }
        throw limited(verdict.why, retryAfter)
      }
      case 'open': {
        const until = Math.max(verdict.until, now + 1)
        if (policy.probe !== undefined) this.#probeBy(until)
        if (call.durable !== undefined || promised()) return { until, why: 'circuit' }
        throw later('unavailable', `${verdict.why}; tried again in`, until - now)
      }
      default:
        return verdict satisfies never
    }
  }

  /** How a call has ended that the policy let go; others are none of its business. */
  over(call: Call, outcome: Outcome): void {
    const { policy, sides, now } = this.#options
    if (!call.admitted || policy === undefined) return
    call.admitted = false
    const faultless = outcome === 'ok' || outcome === 'refused' || outcome === 'dropped'
    if (faultless && policy.idle && !sides?.several) return
    call.governed ??= governedOf(call, call.via === undefined ? sides?.active : sides?.of(call.via))
    policy.ended(call.governed, outcome, now())
    if (sides?.several) this.#judge(sides, call.governed.side ?? 0)
  }

  /** The call is not that one's after all: it was sent to another. */
  moved(call: Call): void {
    const { sides } = this.#options
    if (sides?.several && call.governed !== undefined && call.via !== undefined) call.governed.side = sides.of(call.via)
  }

  /** What the policy thinks of each of several may have changed without a call. */
  review(): void {
    const { sides } = this.#options
    if (sides?.several) for (const side of sides.all()) this.#judge(sides, side)
  }

  /** Those of which the policy wants a probe now. `able`: one could be sent. */
  probes(now: number, able: () => boolean): readonly number[] {
    if (now < this.#probeAt) return NONE
    this.#probeAt = Number.POSITIVE_INFINITY
    const { policy, sides } = this.#options
    if (!sides?.several) return able() && policy?.probe?.(now, sides?.active) === true ? [sides?.active ?? 0] : NONE
    return sides.all().filter((side) => {
      if (sides.link(side) === undefined) return false
      const wanted = policy?.probe?.(now, side) === true
      // Another one's was due: this one's is yet to come.
      if (!wanted) this.#judge(sides, side)
      return wanted
    })
  }

  stop(): void {
    this.#probeAt = Number.POSITIVE_INFINITY
  }

  /** One that others stand by for is asked whether it works again, whether somebody calls or not. */
  #judge(sides: Sides, side: number): void {
    const { policy, now } = this.#options
    const at = now()
    const failing = policy?.failing?.(side, at)
    if (failing?.probeAt !== undefined) this.#probeBy(Math.max(failing.probeAt, at + 1))
    sides.judge(side, failing?.why)
  }

  #probeBy(time: number): void {
    if (time >= this.#probeAt) return
    this.#probeAt = time
    this.#options.changed()
  }
}

/** The same object from the first question to the end. */
function governedOf(call: Call, side: number | undefined): GovernedCall {
  const { action, params, mode, caller } = call
  const terms = caller === undefined ? undefined : termsOf(caller)
  return { caller: keyOf(call), terms, action, params, paced: mode === 'rate-limited', side }
}

export const limited = (why: string, retryAfter: number) => later('rate-limited', `${why}; try again in`, retryAfter)

/** Its words and its `retry_after` say the same, and not so exactly that many would come back in one moment that is too early. */
function later(refusal: 'rate-limited' | 'unavailable', why: string, ms: number): ActionError {
  const after = seconds(ms)
  return new ActionError(refusal, `${why} ${after} s`, { retryAfter: after * 1_000 })
}

export const seconds = (ms: number) => Math.ceil(ms / 100) / 10

/** Anything else is a fault of ours. */
export const asRefusal = (error: unknown): ActionError =>
  error instanceof ActionError ? error : new ActionError('unavailable', `internal error: ${error}`, { cause: error })
