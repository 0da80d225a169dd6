// The way of an action: ours or the implementation's, up and back, with exactly one reply whatever happens.

import { carriesFiles, FILE_DEADLINE, isRead, type Mode, streaming, suffix } from '../onebot/action.ts'
import { type ActionFrame, actionText, ownReply, readAction, replyText, type UpstreamFrame } from '../onebot/frame.ts'
import { own as field } from '../onebot/object.ts'
import { ActionError, RETCODE, refuse } from '../onebot/retcode.ts'
import { LIMITS } from './limits.ts'
import { Paced } from './paced.ts'
import { type Call, Pending } from './pending.ts'
import type { Caller, CallSettings, OwnAction, OwnActions, Upstream } from './ports.ts'
import type { Report } from './status.ts'

export interface CallsOptions {
  readonly bot: string
  readonly upstream: () => Upstream | undefined
  readonly own: OwnActions
  readonly settings: () => CallSettings
  readonly report: Report
  readonly now: () => number
}

type Reply = Extract<UpstreamFrame, { kind: 'reply' }>

const UNKNOWN_OUTCOME = 'the implementation was lost after the call was sent: whether it was carried out is unknown'
const AWAY = 'the implementation is not connected, or takes nothing any more; try again later'

export class Calls {
  readonly #options: CallsOptions
  readonly #pending: Pending
  readonly #paced: Paced
  #closed: string | undefined

  constructor(options: CallsOptions) {
    this.#options = options
    this.#pending = new Pending((call) => this.#late(call), options.now)
    this.#paced = new Paced(() => options.settings().rateLimitedInterval, options.now)
  }

  /** Calls waiting for a reply, and `_rate_limited` ones waiting to be sent. */
  get waiting(): { replies: number; paced: number } {
    return { replies: this.#pending.size, paced: this.#paced.size }
  }

  call(caller: Caller, raw: string): void {
    const frame = readAction(raw)
    if (frame.kind === 'bad') {
      this.#options.report({
        kind: 'frame-refused',
        bot: this.#options.bot,
        session: caller.session,
        why: frame.message,
      })
      caller.reply(failure(RETCODE['bad-request'].code, frame.message, frame.echo))
      return
    }
    try {
      this.#dispatch(caller, frame)
    } catch (error) {
      this.#fail(caller, frame, error)
    }
  }

  /** Sends an action of the gateway's own; its reply is of interest to nobody, its end may be. False: away. */
  send(action: string, { within, ended }: { within: number; ended: () => void }): boolean {
    const token = this.#pending.token()
    const raw = JSON.stringify({ action, params: {}, echo: token })
    const since = this.#options.now()
    const call = { caller: undefined, echo: undefined, action, since, size: raw.length, again: undefined }
    return this.#send(token, raw, { ...call, deadline: since + within, ended })
  }

  /** A reply came from the implementation. */
  replied({ raw, reply, token }: Reply): void {
    const call = token === undefined ? undefined : this.#pending.get(token)
    if (token === undefined || call === undefined) {
      this.#options.report({ kind: 'reply-unknown', bot: this.#options.bot })
      return
    }
    if (streaming(reply) === 'more') {
      // Asked again, it would begin anew.
      call.again = undefined
      // Over HTTP there is one answer: the last.
      if (call.caller?.session !== undefined) call.caller.reply(replyText(raw, token, call.echo))
      return
    }
    this.#pending.settle(token)
    const retcode = field(reply, 'retcode')
    this.#done(call, typeof retcode === 'number' ? retcode : 0)
    call.caller?.reply(replyText(raw, token, call.echo))
  }

  /** The implementation is gone: reads wait for its return, of writes nobody knows whether they were carried out. */
  lost(): void {
    for (const [token, call] of this.#pending.all())
      if (call.again !== undefined) call.lost = true
      else this.#end(token, RETCODE['outcome-unknown'].code, UNKNOWN_OUTCOME)
  }

  /** The implementation is back. */
  resume(): void {
    for (const [, call] of this.#pending.all())
      if (call.lost && call.again !== undefined && this.#options.upstream()?.send(call.again)) call.lost = false
    this.#paced.go()
  }

  /** From now on calls are refused, for this reason; those open go on. */
  close(reason: string): void {
    this.#closed = reason
  }

  /** Ends everything open, for the reason given: of writes nobody knows whether they were carried out. */
  abandon(reason: string): void {
    for (const [token, { again }] of this.#pending.all())
      if (again === undefined) this.#end(token, RETCODE['outcome-unknown'].code, `${reason}: the outcome is unknown`)
      else this.#end(token, RETCODE.unavailable.code, reason)
    this.#pending.stop()
    const actions = this.#paced.stop()
    if (actions > 0) this.#options.report({ kind: 'paced-abandoned', bot: this.#options.bot, actions })
  }

  #dispatch(caller: Caller, frame: ActionFrame): void {
    if (caller.session?.calls === false)
      refuse('forbidden', 'this link carries events only; send actions to /onebot/v11/ws or /onebot/v11/ws/api')
    if (this.#closed !== undefined) refuse('unavailable', this.#closed)
    if (caller.open.calls >= LIMITS.callsOpen || caller.open.bytes + frame.raw.length > LIMITS.callBytesOpen)
      refuse('too-large', `${caller.open.calls} calls of yours are unanswered; wait for replies before sending more`)
    const { base, mode } = suffix(frame.action)
    const own = this.#options.own(base)
    if (own !== undefined) void this.#answer(caller, frame, own, mode)
    else if (mode === 'plain') this.#forward(caller, frame)
    else this.#later(caller, frame, base, mode)
  }

  #forward(caller: Caller, frame: ActionFrame): void {
    const token = this.#pending.token()
    const text = actionText(frame, token)
    const again = isRead(frame.action) ? text : undefined
    const call = { ...this.#timed(frame.action, frame), caller, echo: frame.echo, again }
    if (!this.#send(token, text, call)) refuse('unavailable', AWAY)
  }

  /** False: nothing was sent, and the call is not open. */
  #send(token: string, text: string, call: Call): boolean {
    const upstream = this.#options.upstream()
    if (upstream === undefined) return false
    this.#pending.open(token, call)
    let sent = false
    try {
      sent = upstream.send(text)
    } finally {
      // Also when it throws: an open call would be answered a second time.
      if (!sent) this.#pending.settle(token)
    }
    return sent
  }

  /** `_async` and `_rate_limited`: the client is answered now, the implementation never hears of the suffix. */
  #later(caller: Caller, frame: ActionFrame, base: string, mode: Exclude<Mode, 'plain'>): void {
    const token = this.#pending.token()
    const text = actionText(frame, token, base)
    // Answered, but open all the same: it counts until the implementation is done with it.
    const quiet: Caller = { session: caller.session, open: caller.open, reply: () => undefined }
    const send = () =>
      this.#send(token, text, { ...this.#timed(base, frame), caller: quiet, echo: undefined, again: undefined })
    if (this.#options.upstream() === undefined) refuse('unavailable', AWAY)
    if (mode === 'rate-limited') this.#paced.add({ size: text.length, send })
    else if (!send()) refuse('unavailable', AWAY)
    caller.reply(ownReply({ status: 'async', retcode: 1, echo: frame.echo }))
  }

  async #answer(caller: Caller, frame: ActionFrame, own: OwnAction, mode: Mode): Promise<void> {
    const began = this.#options.now()
    const report = (retcode: number) =>
      this.#options.report({
        kind: 'call',
        bot: this.#options.bot,
        action: frame.action,
        retcode,
        ms: this.#options.now() - began,
      })
    try {
      const work = own({ session: caller.session, params: frame.params, raw: frame.raw, open: caller.open })
      const { data, async = mode !== 'plain' } = work instanceof Promise ? await work : work
      caller.reply(
        ownReply({
          status: async ? 'async' : 'ok',
          retcode: async ? 1 : 0,
          data: async ? null : data,
          echo: frame.echo,
        }),
      )
      report(async ? 1 : 0)
    } catch (error) {
      report(this.#fail(caller, frame, error))
    }
  }

  #fail(caller: Caller, frame: ActionFrame, error: unknown): number {
    // Anything else is a fault of ours: the client still gets its reply, and the log the reason.
    const [retcode, message] =
      error instanceof ActionError
        ? [error.retcode, error.message]
        : [RETCODE.unavailable.code, `internal error: ${error}`]
    this.#options.report({ kind: 'frame-refused', bot: this.#options.bot, session: caller.session, why: message })
    caller.reply(failure(retcode, message, frame.echo))
    return retcode
  }

  #timed(action: string, frame: ActionFrame): Pick<Call, 'action' | 'since' | 'deadline' | 'size'> {
    const { timeout, timeouts } = this.#options.settings()
    const since = this.#options.now()
    const usual = carriesFiles(action, frame.params) ? Math.max(timeout, FILE_DEADLINE) : timeout
    const allowed = Object.hasOwn(timeouts, action) ? (timeouts[action] ?? usual) : usual
    return { action, since, deadline: since + allowed, size: frame.raw.length }
  }

  #late(call: Call): void {
    const ms = this.#options.now() - call.since
    this.#options.report({ kind: 'call-timeout', bot: this.#options.bot, action: call.action, ms })
    this.#answerFor(
      call,
      RETCODE['outcome-unknown'].code,
      `no reply from the implementation in ${ms} ms: the outcome is unknown`,
    )
  }

  #end(token: string, retcode: number, message: string): void {
    const call = this.#pending.settle(token)
    if (call !== undefined) this.#answerFor(call, retcode, message)
  }

  #answerFor(call: Call, retcode: number, message: string): void {
    this.#done(call, retcode)
    call.caller?.reply(failure(retcode, message, call.echo))
  }

  #done(call: Call, retcode: number): void {
    const ms = this.#options.now() - call.since
    this.#options.report({ kind: 'call', bot: this.#options.bot, action: call.action, retcode, ms })
  }
}

const failure = (retcode: number, message: string, echo: string | undefined) =>
  ownReply({ status: 'failed', retcode, message, echo })
