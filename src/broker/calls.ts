// Calls on their way up and back: what becomes of each, with exactly one reply whatever happens.

import { isRead, outcomeOf, streaming } from '../onebot/action.ts'
import { replyText, type UpstreamFrame } from '../onebot/frame.ts'
import type { Fields } from '../onebot/object.ts'
import { type ActionError, RETCODE } from '../onebot/retcode.ts'
import { type Call, type CallParts, callOf, partsOfOurs, probeOf, remember, takers } from './call.ts'
import type { Caller } from './caller.ts'
import type { CallsOptions } from './calls-options.ts'
import { Durables } from './durable.ts'
import { Endings } from './endings.ts'
import { Failures, failureIn, retcodeIn } from './failures.ts'
import { Flow, type Held } from './flow.ts'
import { Intake } from './intake.ts'
import { Pending } from './pending.ts'
import type { Outcome } from './policy.ts'
import type { Upstream } from './ports.ts'
import { Reads } from './reads.ts'
import type { Session } from './session.ts'

type Reply = Extract<UpstreamFrame, { kind: 'reply' }>

const UNKNOWN_OUTCOME = 'the implementation was lost after the call was sent: whether it was carried out is unknown'
/** How long (ms) it may take the implementation to say whether it works. */
const PROBE = 10_000

export class Calls {
  readonly #options: CallsOptions
  /** The last ones that failed. */
  readonly failures: Failures
  readonly #pending: Pending
  readonly #reads: Reads
  readonly #durables: Durables
  readonly #endings: Endings
  readonly #flow: Flow
  readonly #intake: Intake

  constructor(options: CallsOptions) {
    const { bot, upstream, settings, policy, sides, durable, report, now, account = () => undefined } = options
    this.#options = options
    this.#pending = new Pending((call) => this.#late(call), now)
    this.#reads = new Reads(settings, now)
    this.failures = new Failures(now)
    this.#durables = new Durables({
      bot,
      store: durable,
      account,
      report,
      lost: (call, why) => this.failures.lost(call, why),
    })
    const [reads, durables, failures] = [this.#reads, this.#durables, this.failures]
    this.#endings = new Endings({ bot, reads, durables, failures, report, now })
    this.#flow = new Flow({
      bot,
      upstream,
      settings,
      policy,
      sides,
      pending: this.#pending,
      reads,
      report,
      now,
      mark: (id) => this.#durables.mark(id),
      refused: (call, why) => this.#refuse(call, why),
      cancelled: (call) => this.#cancel(call),
      late: (call) => this.#late(call),
      probe: (side) => this.#probe(side),
    })
    this.#intake = new Intake({
      bot,
      own: options.own,
      report,
      now,
      pending: this.#pending,
      ...{ reads, durables, failures },
      endings: this.#endings,
      flow: this.#flow,
      misplaced: (session) => options.misplaced?.(session),
      made: (parts) => this.#made(parts),
    })
  }

  /** Calls waiting for a reply, and calls waiting to be sent: all, `_rate_limited` ones, and whether nothing can go up. */
  get waiting(): { replies: number; waiting: number; paced: number; held: boolean } {
    return { replies: this.#pending.size, ...this.#flow.waiting }
  }

  /** Those that wait to be sent. */
  held(): Iterable<Held> {
    return this.#flow.held()
  }

  /** One that waits is answered now, and not sent. False: no such call waits. */
  giveUp(id: string, reason: string): boolean {
    const [call] = this.#flow.take(({ token }) => token === id)
    if (call === undefined) return false
    if (call.answered && call.durable === undefined)
      this.#options.report({ kind: 'call-dropped', bot: this.#options.bot, action: call.action, why: reason })
    this.#cut(call, reason)
    this.#flow.reconsider()
    return true
  }

  /** It ends in exactly one reply. */
  call(caller: Caller, raw: string): void {
    this.#intake.call(caller, raw)
  }

  /** Sends an action of the gateway's own; its reply is of interest to nobody, its end may be. False: away. */
  send(action: string, { within, ended }: { within: number; ended: () => void }): boolean {
    return this.#flow.force(this.#ours(action, within, ended))
  }

  /** A reply came from an implementation: only whom a call went to last can answer it. */
  replied(frame: Reply, from: Upstream | undefined): void {
    const { raw, reply, token } = frame
    const call = token === undefined ? undefined : this.#pending.get(token)
    if (token === undefined || call === undefined || call.via !== from) {
      this.#options.report({ kind: 'reply-unknown', bot: this.#options.bot })
      return
    }
    if (streaming(reply) === 'more') return this.#piece(call, raw)
    this.#pending.settle(token)
    const outcome = outcomeOf(reply)
    if (outcome === 'ok') this.#flow.over(call, outcome)
    else this.#over(call, outcome)
    if (outcome !== 'ok') this.#endings.failed(call, failureIn(reply))
    // One that got stuck may have been carried out.
    if (outcome !== 'refused' && call.shared === undefined) this.#reads.wrote(call.action)
    this.#endings.finish(call, retcodeIn(reply), ({ echo }) => replyText(raw, token, echo), frame)
  }

  /** The implementation told an event: what it changes is not answered from memory any more. */
  heard(event: Fields): void {
    this.#reads.heard(event)
  }

  /**
   * An implementation is gone: reads wait, of writes nobody knows whether they were carried out. `active`: it did the work,
   * and who does so now may have another account.
   */
  lost(upstream: Upstream, active: boolean): void {
    const away = this.#options.upstream() === undefined || (active && this.#options.known?.() === false)
    if (away) this.#reads.clear()
    const again: Call[] = []
    for (const call of this.#pending.take(({ via }) => via === upstream)) {
      this.#flow.over(call, 'lost')
      const untouched = call.via?.release?.(call.token)
      if (untouched === undefined) call.begun = true
      else remember(call, untouched)
      if (call.again || untouched !== undefined) again.push(call)
      else this.#endings.unanswered(call, RETCODE['outcome-unknown'].code, UNKNOWN_OUTCOME)
    }
    this.#flow.lost(again, away)
    if (!away) this.#flow.reconsider()
  }

  /** Another one does the work now instead of this one, which fails: what only reads need not wait for its answers. */
  leave(upstream: Upstream): void {
    const reads = this.#pending.take(({ via, to, again, action }) => via === upstream && !to && again && isRead(action))
    if (reads.length === 0) return
    for (const call of reads) {
      this.#flow.over(call, 'dropped')
      upstream.forget?.(call.token)
    }
    this.#flow.lost(reads, false)
  }

  /** The implementation is back, with its account known. */
  resume(): void {
    this.#recall()
    this.#flow.resume()
  }

  /** Durable calls of an earlier run have come to light late. */
  found(): void {
    this.#durables.again()
    this.#recall()
    this.#flow.reconsider()
  }

  /** What limits calls has changed: those that wait may go on, or not. */
  reconsider(): void {
    this.#flow.reconsider()
  }

  /** A session is gone: what it asked for and was not sent yet is not sent any more. */
  left(session: Session): void {
    const meant = (call: Call) => call.caller?.session === session && !call.answered && call.others === undefined
    for (const call of this.#flow.take(meant, session.appId)) this.#cancel(call)
  }

  /** From now on calls are refused, for this reason, and so are those that wait to be sent; those in flight go on. */
  close(reason: string): void {
    this.#intake.close(reason)
    for (const call of this.#flow.take(({ answered }) => !answered)) this.#cut(call, reason)
  }

  /** Ends everything open, for the reason given: of writes nobody knows whether they were carried out. */
  abandon(reason: string): void {
    this.#reads.clear()
    // On disk they stay as they are, for the account that they were asked of.
    this.#durables.forget()
    for (const call of this.#pending.take()) this.#cut(call, reason)
    const waiting = this.#flow.take(() => true)
    for (const call of waiting) this.#cut(call, reason)
    this.#pending.stop()
    this.#flow.stop()
    const actions = waiting.filter(({ answered, durable }) => answered && durable === undefined).length
    if (actions > 0) this.#options.report({ kind: 'paced-abandoned', bot: this.#options.bot, actions })
    // Nothing that was asked of one account is to be sent to the next.
    this.failures.clear()
  }

  #recall(): void {
    const always = this.#options.settings().resend === 'always'
    const calls = this.#durables.recall(always, () => this.#pending.token()).map((parts) => this.#made(parts))
    if (calls.length > 0) this.#flow.recall(calls)
  }

  /** A call of ours, which nothing holds up. */
  #ours(action: string, within: number, ended: (() => void) | undefined): Call {
    const parts = partsOfOurs(action, this.#pending.token(), this.#options.now())
    return { ...this.#made(parts), within, ended, again: false }
  }

  #probe(side: number): void {
    const { sides } = this.#options
    const to = sides?.several ? sides.link(side) : undefined
    const call = probeOf(this.#ours('get_status', PROBE, undefined), side, to)
    if (!this.#flow.force(call)) this.#flow.over(call, 'lost')
  }

  #made(parts: CallParts): Call {
    return callOf(parts, this.#pending.count, this.#options.settings())
  }

  #piece(call: Call, raw: string): void {
    // Asked again, it would begin anew.
    call.again = false
    call.text = ''
    if (call.answered) return
    // Over HTTP there is one answer: the last.
    for (const { caller, echo } of takers(call))
      if (caller?.session !== undefined) caller.reply(replyText(raw, call.token, echo))
  }

  #late(call: Call): void {
    const ms = this.#options.now() - call.sent
    this.#options.report({ kind: 'call-timeout', bot: this.#options.bot, action: call.action, ms })
    this.#over(call, 'timeout')
    call.via?.forget?.(call.token)
    const why = `no reply from the implementation in ${ms} ms: the outcome is unknown`
    this.#endings.unanswered(call, RETCODE['outcome-unknown'].code, why)
  }

  /** A call that waited will not be sent. */
  #refuse(call: Call, why: ActionError): void {
    this.#over(call, 'lost')
    this.#endings.refused(call, why)
  }

  #cancel(call: Call): void {
    this.#over(call, 'dropped')
    this.#options.report({ kind: 'call-cancelled', bot: this.#options.bot, action: call.action })
    this.#endings.cut(call, 'its client has left')
  }

  #cut(call: Call, reason: string): void {
    this.#over(call, 'dropped')
    this.#endings.cut(call, reason)
  }

  /** It ends without a reply that is of use to others: what goes on by that must not join it. */
  #over(call: Call, outcome: Outcome): void {
    if (call.shared !== undefined) this.#reads.ended(call)
    this.#flow.over(call, outcome)
  }
}
