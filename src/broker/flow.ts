// The way up: whether a call may go now, whose turn it is, and what becomes of those that wait. Owns the one timer for it.

import { ActionError, refuse } from '../onebot/retcode.ts'
import { Absence } from './absence.ts'
import { type Call, forgetParams, isGone, judgeAnew } from './call.ts'
import { asRefusal, Gate, limited, type Sides, seconds } from './gate.ts'
import { LIMITS } from './limits.ts'
import { Lines, type Reason, type Wait } from './lines.ts'
import type { Pending } from './pending.ts'
import type { CallPolicy, Outcome } from './policy.ts'
import type { CallSettings, Upstream } from './ports.ts'
import type { Reads } from './reads.ts'
import type { Report } from './status.ts'

export interface FlowOptions {
  readonly bot: string
  /** Where an action goes; without one, where most do. */
  readonly upstream: (action?: string) => Upstream | undefined
  readonly settings: () => CallSettings
  readonly policy: CallPolicy | undefined
  readonly sides: Sides | undefined
  readonly pending: Pending
  readonly reads: Reads
  readonly report: Report
  readonly now: () => number
  /** Notes on disk that a durable call is about to be sent. False: it cannot be noted now. */
  readonly mark: (id: string) => boolean
  /** A call that waited will not be sent, for this reason; it waits no more. */
  readonly refused: (call: Call, why: ActionError) => void
  /** The same, since nobody is there to read its reply. */
  readonly cancelled: (call: Call) => void
  /** The deadline of a call has passed that was sent, lost, and waited to be sent again. */
  readonly late: (call: Call) => void
  /** Asks this implementation whether it works, in the gateway's own name. */
  readonly probe: (side: number) => void
}

/** A call that waits, for whoever looks at it. */
export interface Held {
  readonly call: Call
  /** `away`: for the implementation; `stalled`: it takes nothing; `turn`: behind others of its conversation, or until the next slice leaves. */
  readonly why: Reason | 'away' | 'stalled' | 'turn'
  /** Not before then (ms), as far as anybody knows. */
  readonly next: number | undefined
  /** Given up then (ms); undefined: it waits as long as it takes. */
  readonly until: number | undefined
}

/** Between two looks for calls that have waited too long (ms): each look is at all of them. */
const LOOK = 100
/** A disk that takes nothing is tried again after this (ms). */
const DISK = 5_000
/** Timers know no longer wait than this (ms): they fire at once instead. */
const LONGEST = 2 ** 31 - 1
const AWAY = 'the implementation is not connected, or takes nothing any more; try again later'

export class Flow {
  readonly #options: FlowOptions
  readonly #gate: Gate
  readonly #lines = new Lines()
  readonly #absence: Absence
  /** When the last `_rate_limited` call was sent (ms). */
  #pacedAt = 0
  /** When somebody will have waited too long (ms). */
  #expiry = Number.POSITIVE_INFINITY
  #timer: ReturnType<typeof setTimeout> | undefined
  #due = Number.POSITIVE_INFINITY
  #flowing = false

  constructor(options: FlowOptions) {
    this.#options = options
    const { policy, now, sides } = options
    this.#absence = new Absence(options)
    this.#gate = new Gate({ policy, now, sides, changed: () => this.#schedule() })
  }

  /** `held`: some wait because the implementation is away. */
  get waiting(): { waiting: number; paced: number; held: boolean } {
    const { size, paced } = this.#lines
    return { waiting: size, paced, held: size > 0 && this.#away(this.#options.now()) }
  }

  /** Those that wait, each as it stands now. */
  *held(): Generator<Held> {
    const now = this.#options.now()
    const away = this.#absence.why(now)
    for (const call of this.#lines.each()) {
      const { until, why } = this.#lines.patience(call)
      const expires = this.#expires(call)
      yield {
        call,
        why: away ?? why ?? 'turn',
        next: away === undefined && until > now ? until : undefined,
        until: Number.isFinite(expires) ? expires : undefined,
      }
    }
  }

  /** Sends it, or lets it wait. @throws ActionError when it can do neither, or whatever sending throws. */
  go(call: Call): void {
    if (this.#lines.size > 0) {
      this.#flow()
      if (this.#lines.ready || this.#lines.behind(call)) return this.#wait(call)
    }
    // It has just come.
    const now = call.since
    const may = this.#may(call, now)
    if (may === 'joined' || (may === 'go' && this.#send(call, now))) return
    this.#wait(call, typeof may === 'string' ? undefined : may)
  }

  /** Sends a call of the gateway's own, past all that waits. False: away. */
  force(call: Call): boolean {
    return (call.to ?? this.#options.upstream()) !== undefined && this.#send(call, this.#options.now())
  }

  /** @throws ActionError where so much waits that this call must not wait, too. */
  room(call: Call): void {
    const { size, bytes } = this.#lines
    if (this.#lines.bytesOf(call) + call.size > LIMITS.waitingBytes)
      refuse('too-large', 'too much of yours waits to be sent; wait for replies before sending more')
    if (size >= LIMITS.waitingInAll || bytes + call.size > LIMITS.waitingBytesInAll)
      refuse('too-large', `${size} calls wait to be sent; try again later`)
  }

  /** Calls of an earlier run wait for their turn. */
  recall(calls: readonly Call[]): void {
    this.#lines.restore(calls)
  }

  /** An implementation is gone, with these calls, which are to be sent again. `away`: it was the one that does the work. */
  lost(calls: readonly Call[], away: boolean): void {
    if (away) this.#absence.lost(this.#options.now())
    if (calls.length > 0) this.#lines.restore(calls)
    this.#look()
    this.#schedule()
  }

  /** It is back. */
  resume(): void {
    this.#absence.over()
    this.reconsider()
  }

  /** The policy, or the settings, may think otherwise now. */
  reconsider(): void {
    this.#gate.review()
    if (this.#lines.size === 0) return
    this.#lines.wake()
    this.#flow()
    this.#look()
    this.#schedule()
  }

  /** How a call has ended that the policy let go; others are none of its business. */
  over(call: Call, outcome: Outcome): void {
    this.#gate.over(call, outcome)
  }

  /** Takes out those that wait and are meant: of one caller, where it is named. */
  take(meant: (call: Call) => boolean, key?: string): Call[] {
    if (this.#lines.size === 0) return []
    const taken = (key === undefined ? this.#lines.all() : this.#lines.of(key)).filter(meant)
    for (const call of taken) this.#lines.drop(call)
    this.#schedule()
    return taken
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#due = Number.POSITIVE_INFINITY
    this.#expiry = Number.POSITIVE_INFINITY
    this.#gate.stop()
  }

  #away(now: number): boolean {
    return this.#absence.why(now) !== undefined
  }

  #may(call: Call, now: number): 'go' | 'joined' | 'away' | Wait {
    const { reads, settings, mark } = this.#options
    if (call.shared !== undefined && reads.join(call)) {
      this.#options.report({ kind: 'call-shared', bot: this.#options.bot, action: call.action, kept: false })
      return 'joined'
    }
    if (this.#absence.shut(now)) return 'away'
    const paced = call.mode === 'rate-limited' ? this.#pacedAt + settings().rateLimitedInterval : 0
    if (now < paced) return { until: paced, why: 'paced' }
    const wait = this.#gate.ask(call, now, () => call.answered && this.#lines.has(call))
    if (wait !== undefined) return wait
    return call.durable === undefined || mark(call.durable) ? 'go' : { until: now + DISK, why: 'disk' }
  }

  /** False: it was not taken, and is not open. */
  #send(call: Call, now: number): boolean {
    const { pending, reads } = this.#options
    const { sent, deadline } = call
    call.sent = now
    // What is sent again keeps its deadline.
    if (deadline === 0) call.deadline = now + call.within
    pending.open(call)
    let taken = false
    try {
      taken = this.#hand(call)
    } finally {
      // Also when it throws: an open call would be answered a second time. Not open: it was lost, and was seen to there.
      if (!taken && pending.settle(call.token) === undefined) taken = true
      // That one which is only asked takes nothing says nothing about the one that does the work.
      else if (!taken && call.to === undefined) this.#stall()
    }
    if (!taken) {
      Object.assign(call, { sent, deadline })
      return false
    }
    if (!pending.has(call.token)) return true
    this.#absence.took()
    if (call.mode === 'rate-limited') this.#pacedAt = call.sent
    forgetParams(call, pending.characters <= LIMITS.failedInFlight)
    if (call.shared !== undefined) reads.sent(call)
    return true
  }

  /** Reads may go to one that stands by: what that one does not take is no reason to stand still. */
  #hand(call: Call): boolean {
    const { pending, upstream } = this.#options
    const first = call.to ?? upstream(call.action)
    if (this.#give(call, first)) return true
    // Its link broke over this, and it has gone to another one since.
    if (call.via !== first) return true
    const active = upstream()
    if (active === first || call.to !== undefined || !pending.has(call.token)) return false
    return this.#give(call, active)
  }

  #give(call: Call, to: Upstream | undefined): boolean {
    call.via = to
    this.#gate.moved(call)
    return to?.send(call.text) ?? false
  }

  #stall(): void {
    const now = this.#options.now()
    this.#absence.stall(now)
    this.#expiry = Math.min(this.#expiry, (this.#absence.since ?? now) + this.#absence.hold)
  }

  #wait(call: Call, wait?: Wait): void {
    const now = this.#options.now()
    const away = this.#away(now)
    if (call.durable === undefined) {
      if (away && this.#absence.hold === 0) refuse('unavailable', AWAY)
      this.room(call)
    }
    this.#absence.noticed(now)
    this.#lines.add(call, wait)
    this.#options.report({ kind: 'call-held', bot: this.#options.bot, action: call.action, away })
    this.#expiry = Math.min(this.#expiry, this.#expires(call))
    this.#schedule()
  }

  /** Those whose turn it is, but not so many that the loop stands still. */
  #flow(): void {
    if (this.#flowing) return
    this.#flowing = true
    this.#lines.wakeDue(this.#options.now())
    for (let left = LIMITS.sentAtOnce; left > 0 && !this.#away(this.#options.now()); left--) {
      const call = this.#lines.next()
      if (call === undefined || !this.#turn(call)) break
    }
    this.#flowing = false
  }

  /** False: nothing goes any more. */
  #turn(call: Call): boolean {
    if (!call.answered && call.others === undefined && isGone(call)) {
      this.#lines.went(call)
      this.#options.cancelled(call)
      return true
    }
    try {
      judgeAnew(call)
      const now = this.#options.now()
      if (call.deadline > 0 && call.deadline <= now) {
        this.#lines.went(call)
        this.#expire(call, now)
        return true
      }
      const may = this.#may(call, now)
      if (may === 'away') this.#lines.stays(call)
      else if (typeof may !== 'string') this.#lines.blocked(call, may)
      else {
        this.#lines.went(call)
        if (may === 'joined') this.over(call, 'dropped')
        else if (!this.#send(call, now)) {
          this.#lines.restore([call])
          return false
        }
        return true
      }
      // It may wait less long now than it would have as one of many.
      this.#expiry = Math.min(this.#expiry, this.#expires(call))
      return may !== 'away'
    } catch (error) {
      this.#lines.went(call)
      this.#options.refused(call, asRefusal(error))
      return true
    }
  }

  /** When it will have waited too long (ms). */
  #expires(call: Call): number {
    if (call.deadline > 0) return call.deadline
    if (call.durable !== undefined) return Number.POSITIVE_INFINITY
    return Math.min(this.#fullAt(call), this.#absence.until(call))
  }

  #fullAt(call: Call): number {
    const { most } = this.#lines.patience(call)
    return most === undefined ? Number.POSITIVE_INFINITY : call.since + most
  }

  #look(): void {
    const now = this.#options.now()
    let next = Number.POSITIVE_INFINITY
    for (const call of this.#lines.all()) {
      // The end of one may have moved others.
      const expires = this.#lines.has(call) ? this.#expires(call) : Number.POSITIVE_INFINITY
      if (expires > now) next = Math.min(next, expires)
      else this.#expire(call, now)
    }
    this.#expiry = next === Number.POSITIVE_INFINITY ? next : Math.max(next, now + LOOK)
  }

  #expire(call: Call, now: number): void {
    const { since } = this.#absence
    const held = since !== undefined && (call.deadline > 0 || this.#absence.until(call) <= now)
    const { until } = this.#lines.patience(call)
    this.#lines.drop(call)
    if (call.sent > 0) return this.#options.late(call)
    const away = `the implementation has not been connected for ${seconds(now - (since ?? now))} s`
    const why = held
      ? new ActionError('unavailable', `${away}; the call was not sent`)
      : limited('it has waited as long as such calls may; it was not sent', Math.max(1, until - now))
    this.#options.refused(call, why)
  }

  // One timer: for whoever may go first, or has waited too long first.
  #schedule(): void {
    const now = this.#options.now()
    if (this.#lines.size === 0) this.#expiry = Number.POSITIVE_INFINITY
    let due = Math.min(this.#expiry, this.#gate.probeAt)
    if (this.#lines.size > 0) {
      const { stalled } = this.#absence
      if (now < stalled) due = Math.min(due, stalled)
      else if (!this.#away(now)) due = Math.min(due, this.#lines.ready ? now : this.#lines.due)
    }
    if (due === this.#due) return
    clearTimeout(this.#timer)
    this.#due = due
    if (due === Number.POSITIVE_INFINITY) return
    const timer = setTimeout(() => this.#tick(), Math.min(Math.max(0, due - now), LONGEST))
    timer.unref?.()
    this.#timer = timer
  }

  #tick(): void {
    this.#due = Number.POSITIVE_INFINITY
    const now = this.#options.now()
    for (const side of this.#gate.probes(now, () => !this.#away(now))) this.#options.probe(side)
    this.#flow()
    if (now >= this.#expiry) this.#look()
    this.#schedule()
  }
}
