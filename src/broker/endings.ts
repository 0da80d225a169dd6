// How calls end: each of those who share one gets its reply, nothing counts for them any more, and who keeps count is told.

import { isRead } from '../onebot/action.ts'
import type { UpstreamFrame } from '../onebot/frame.ts'
import { type ActionError, RETCODE } from '../onebot/retcode.ts'
import { type Call, close, failure, refusal, type Taker, takers, wasSent } from './call.ts'
import type { Durables } from './durable.ts'
import type { Failed, Failures } from './failures.ts'
import type { Reads } from './reads.ts'
import type { Report } from './status.ts'

type Reply = Extract<UpstreamFrame, { kind: 'reply' }>

export interface EndingsOptions {
  readonly bot: string
  readonly reads: Reads
  readonly durables: Durables
  readonly failures: Failures
  readonly report: Report
  readonly now: () => number
}

export class Endings {
  readonly #options: EndingsOptions

  constructor(options: EndingsOptions) {
    this.#options = options
  }

  /** In whichever way. @param text the reply for each of those who share it. @param reply the implementation's, if there is one. */
  finish(call: Call, retcode: number, text: (taker: Taker) => string, reply?: Reply): void {
    const { reads, durables } = this.#options
    // However it ends: nobody may join what is answered already.
    if (call.shared !== undefined) reads.ended(call, reply)
    close(call)
    if (call.others !== undefined) for (const taker of call.others) close(taker)
    call.ended?.()
    if (call.durable !== undefined) durables.done(call.durable, retcode)
    this.#answer(call, call, retcode, text)
    if (call.others !== undefined) for (const taker of call.others) this.#answer(call, taker, retcode, text)
  }

  /** It was sent, and nobody knows what became of it. */
  unanswered(call: Call, retcode: number, message: string): void {
    const { reads, durables } = this.#options
    if (call.shared === undefined) reads.wrote(call.action)
    if (call.durable !== undefined) durables.unknown(call.durable, message)
    this.failed(call, { retcode, message, outcome: 'unknown' })
    this.finish(call, retcode, refusal(retcode, message))
  }

  /** It was not sent, and will not be. */
  unsent(call: Call, why: string): void {
    const { code } = RETCODE.unavailable
    this.failed(call, { retcode: code, message: why, outcome: 'not-sent' })
    this.finish(call, code, refusal(code, why))
  }

  /** It waited, to be sent or to be sent again, or was in flight, when it was cut short for this reason. */
  cut(call: Call, reason: string): void {
    if (!wasSent(call)) this.unsent(call, `${reason}; the call was not sent`)
    else if (call.again && isRead(call.action)) this.unanswered(call, RETCODE.unavailable.code, reason)
    else this.unanswered(call, RETCODE['outcome-unknown'].code, `${reason}: the outcome is unknown`)
  }

  /** It waited, and will not be sent, for this reason. */
  refused(call: Call, why: ActionError): void {
    const { bot, report } = this.#options
    if (call.answered && call.durable === undefined)
      report({ kind: 'call-dropped', bot, action: call.action, why: why.message })
    // Whoever is told that it may try again would do it twice.
    if (wasSent(call) && !isRead(call.action))
      return this.unanswered(
        call,
        RETCODE['outcome-unknown'].code,
        `${why.message}; it was sent before, and lost: the outcome is unknown`,
      )
    this.limited(call.action, why)
    this.failed(call, { retcode: why.retcode, message: why.message, outcome: wasSent(call) ? 'failed' : 'not-sent' })
    this.finish(call, why.retcode, ({ echo }) => failure(why.retcode, why.message, echo, why.retryAfter))
  }

  /** It is kept for who is to find out why, for each of those who share it. */
  failed(call: Call, failed: Failed): void {
    for (const taker of takers(call)) this.#options.failures.add(call, taker, failed)
  }

  /** Somebody's call has ended that was asked then (ms). */
  done(action: string, since: number, retcode: number): void {
    const { bot, report, now } = this.#options
    report({ kind: 'call', bot, action, retcode, ms: now() - since })
  }

  /** It was refused, where it may work later. */
  limited(action: string, { retcode, retryAfter, message: why }: ActionError): void {
    const { bot, report } = this.#options
    if (retryAfter !== undefined) report({ kind: 'call-limited', bot, action, retcode, why })
  }

  #answer({ action, answered }: Call, taker: Taker, retcode: number, text: (taker: Taker) => string): void {
    this.done(action, taker.since, retcode)
    if (!answered) taker.caller?.reply(text(taker))
  }
}
