// Calls as they come: may their caller, are they the gateway's own, and in which way does it go on; each refusal is a reply.

import { isRead, type Mode, suffix } from '../onebot/action.ts'
import { type ActionFrame, actionText, ownReply, readAction, replyText } from '../onebot/frame.ts'
import { RETCODE, refuse } from '../onebot/retcode.ts'
import { type Call, type CallParts, close, failure, open, termsOf } from './call.ts'
import type { Caller } from './caller.ts'
import type { CallsOptions } from './calls-options.ts'
import { type Durables, sendable, wantsDurable } from './durable.ts'
import type { Endings } from './endings.ts'
import type { Failures } from './failures.ts'
import type { Flow } from './flow.ts'
import { asRefusal } from './gate.ts'
import { LIMITS } from './limits.ts'
import { answerOwn, type OwnAction } from './own.ts'
import type { Pending } from './pending.ts'
import { type Reads, sharing } from './reads.ts'
import type { Session } from './session.ts'

export interface IntakeOptions extends Pick<CallsOptions, 'bot' | 'own' | 'report' | 'now'> {
  readonly pending: Pending
  readonly reads: Reads
  readonly durables: Durables
  readonly endings: Endings
  readonly failures: Failures
  readonly flow: Flow
  /** Whoever is there is no client, but an implementation. */
  readonly misplaced: (session: Session) => void
  /** A call of now, under the settings of now. */
  readonly made: (parts: CallParts) => Call
}

export class Intake {
  readonly #options: IntakeOptions
  #closed: string | undefined

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** From now on calls are refused, for this reason. */
  close(reason: string): void {
    this.#closed = reason
  }

  /** Ends in exactly one reply. */
  call(caller: Caller, raw: string): void {
    const frame = readAction(raw)
    if (frame.kind === 'bad') {
      this.#refused(caller, frame.message)
      if (frame.misplaced && caller.session !== undefined) return this.#options.misplaced(caller.session)
      caller.reply(failure(RETCODE['bad-request'].code, frame.message, frame.echo))
      return
    }
    try {
      this.#dispatch(caller, frame)
    } catch (error) {
      this.#fail(caller, frame, error)
    }
  }

  #dispatch(caller: Caller, frame: ActionFrame): void {
    if (caller.session?.calls === false)
      refuse('forbidden', 'this link carries events only; send actions to /onebot/v11/ws or /onebot/v11/ws/api')
    const { base, mode } = suffix(frame.action)
    const forbidden = termsOf(caller)?.forbids(base, frame.params, frame.raw)
    if (forbidden !== undefined) refuse('forbidden', forbidden)
    if (this.#closed !== undefined) refuse('unavailable', this.#closed)
    if (caller.open.calls >= LIMITS.callsOpen || caller.open.bytes + frame.raw.length > LIMITS.callBytesOpen)
      refuse('too-large', `${caller.open.calls} calls of yours are unanswered; wait for replies before sending more`)
    const own = this.#options.own(base)
    const durable = wantsDurable(frame.params, mode)
    if (durable && (own !== undefined || isRead(base)))
      refuse('bad-request', `params.durable: found it with ${base}; only what the implementation is to do is kept`)
    if (own !== undefined) void this.#answer(caller, frame, own, mode)
    else if (durable) this.#keep(caller, frame, base)
    else if (mode === 'plain') this.#forward(caller, frame)
    else this.#later(caller, frame, base, mode)
  }

  #forward(caller: Caller, frame: ActionFrame): void {
    const { action, echo, raw, params } = frame
    const read = isRead(action)
    const shared = read ? sharing(frame) : undefined
    const kept = shared === undefined ? undefined : this.#options.reads.find(action, shared)
    const since = this.#options.now()
    if (kept !== undefined) {
      this.#options.report({ kind: 'call-shared', bot: this.#options.bot, action, kept: true })
      this.#options.endings.done(action, since, 0)
      return caller.reply(replyText(kept.raw, kept.token, echo))
    }
    const token = this.#options.pending.token()
    const text = actionText(frame, token)
    this.#start(
      this.#options.made({ caller, token, action, text, since, read, shared, echo, size: raw.length, params }),
    )
  }

  /** `_async` and `_rate_limited`: the client is answered now, the implementation never hears of the suffix. */
  #later(caller: Caller, frame: ActionFrame, base: string, mode: Exclude<Mode, 'plain'>): void {
    const token = this.#options.pending.token()
    const text = actionText(frame, token, base)
    const since = this.#options.now()
    // Answered, but open all the same: it counts until the implementation is done with it.
    const size = frame.raw.length
    this.#start(this.#options.made({ caller, token, action: base, text, since, size, params: frame.params, mode }))
    caller.reply(ownReply({ status: 'async', retcode: 1, echo: frame.echo }))
  }

  /** The client is answered once its call is on disk. */
  #keep(caller: Caller, frame: ActionFrame, action: string): void {
    const token = this.#options.pending.token()
    const since = this.#options.now()
    const common = { caller, token, action, since, size: frame.raw.length, mode: 'async' } as const
    this.#options.flow.room(this.#options.made({ ...common, text: '', params: frame.params }))
    const { id, text } = this.#options.durables.keep(frame, action, since)
    caller.reply(ownReply({ status: 'async', retcode: 1, data: { id }, echo: frame.echo }))
    const sent = sendable(text, token)
    // It was read once already.
    if (sent === undefined) return
    const call = this.#options.made({ ...common, ...sent, durable: id })
    try {
      this.#start(call)
    } catch (error) {
      // The client was answered; what is left is to say it in the log, and to who looks for it.
      const { retcode, message } = asRefusal(error)
      this.#options.durables.unknown(id, message)
      this.#options.endings.failed(call, { retcode, message, outcome: 'not-sent' })
    }
  }

  #start(call: Call): void {
    open(call)
    try {
      this.#options.flow.go(call)
    } catch (error) {
      close(call)
      this.#options.flow.over(call, 'lost')
      throw error
    }
  }

  async #answer(caller: Caller, frame: ActionFrame, own: OwnAction, mode: Mode): Promise<void> {
    const began = this.#options.now()
    const { era } = this.#options.failures
    let retcode: number
    try {
      const answer = answerOwn(own, caller, frame, mode)
      retcode = answer instanceof Promise ? await answer : answer
    } catch (error) {
      retcode = this.#fail(caller, frame, error, { began, era })
    }
    this.#options.endings.done(frame.action, began, retcode)
  }

  #fail(caller: Caller, frame: ActionFrame, error: unknown, since?: { began: number; era: number }): number {
    // Anything else is a fault of ours: the client still gets its reply, and the log the reason.
    const why = asRefusal(error)
    // It was asked of another account, which has gone since.
    if (since === undefined || since.era === this.#options.failures.era)
      this.#options.failures.refused(caller, frame, why, since?.began ?? this.#options.now())
    this.#refused(caller, why.message)
    this.#options.endings.limited(frame.action, why)
    caller.reply(failure(why.retcode, why.message, frame.echo, why.retryAfter))
    return why.retcode
  }

  #refused({ session }: Caller, why: string): void {
    this.#options.report({ kind: 'frame-refused', bot: this.#options.bot, session, why })
  }
}
