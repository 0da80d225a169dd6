// Carries out the calls that go up: in order where that matters, each with exactly one reply.

import { setTimeout as sleep } from 'node:timers/promises'
import { isRead } from '../onebot/action.ts'
import { type ActionFrame, ownReply } from '../onebot/frame.ts'
import { actionOf } from './actions.ts'
import { FAILED, MilkyError } from './api.ts'
import type { Stage } from './stage.ts'

export interface CallsOptions {
  readonly stage: Stage
  /** Takes the reply's text. */
  readonly reply: (text: string) => void
  /** Something was wrong with us or with what the implementation answered. */
  readonly odd: (action: string, error: unknown) => void
}

/** Characters of frames that may be under way: all clients together must not fill our memory through one that hangs. */
const MOST_UNDER_WAY = 64 * 1024 * 1024
/** Where the connection of a call breaks, the link may be about to: for this long (ms) that is waited for. */
const GRACE = 500

/** A call under way. */
interface Ticket {
  readonly frame: ActionFrame
  /** It has had its turn. */
  begun: boolean
  /** Nobody waits for its reply. */
  forgotten: boolean
  /** Lets those behind it go on. */
  leave: () => void
}

export class Calls {
  readonly #options: CallsOptions
  /** The last call of each line. */
  readonly #lines = new Map<string, Promise<void>>()
  /** By the echo's text. */
  readonly #tickets = new Map<string | undefined, Ticket>()
  #underWay = 0

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** False: too much is under way. */
  take(frame: ActionFrame): boolean {
    const size = frame.raw.length
    if (this.#underWay > 0 && this.#underWay + size > MOST_UNDER_WAY) return false
    this.#underWay += size
    const ticket: Ticket = { frame, begun: false, forgotten: false, leave: () => undefined }
    this.#tickets.set(frame.echo, ticket)
    void this.#answer(ticket).then((text) => {
      this.#underWay -= size
      // Asked again after it was forgotten, it has another ticket.
      if (this.#tickets.get(frame.echo) === ticket) this.#tickets.delete(frame.echo)
      if (!ticket.forgotten) this.#options.reply(text)
    })
    return true
  }

  /** Nobody waits for the reply to this any more: it holds up nobody, and is not carried out if it waits itself. */
  forget(echo: string): void {
    const ticket = this.#tickets.get(echo)
    if (ticket === undefined) return
    ticket.forgotten = true
    ticket.leave()
  }

  /** The text of a call that waits for its turn, which it will not get any more; undefined: it has had it. */
  release(echo: string): string | undefined {
    const ticket = this.#tickets.get(echo)
    if (ticket === undefined || ticket.begun || ticket.forgotten) return undefined
    ticket.forgotten = true
    return ticket.frame.raw
  }

  async #answer(ticket: Ticket): Promise<string> {
    const { action, echo } = ticket.frame
    try {
      return ownReply({ status: 'ok', retcode: 0, data: await this.#done(ticket), echo })
    } catch (error) {
      if (error instanceof MilkyError)
        return ownReply({ status: 'failed', retcode: error.retcode, message: error.message, echo })
      // An answer that is not what its API promises is nothing that anybody can work with.
      this.#options.odd(action, error)
      const message = `${action}: the implementation's answer was not understood`
      return ownReply({ status: 'failed', retcode: FAILED, message, echo })
    }
  }

  async #done(ticket: Ticket): Promise<unknown> {
    const { action, params } = ticket.frame
    const { line, run } = actionOf(action)
    const work = () => {
      ticket.begun = true
      return this.#settled(action, async () => run(params, this.#options.stage))
    }
    return await (line === undefined ? work() : this.#inLine(line(params), work, ticket))
  }

  /**
   * That a connection broke is no answer: with the link lost, the core knows what to do, and whatever is behind it in
   * its conversation waits for that, too. Otherwise a read is asked again.
   */
  async #settled(action: string, work: () => Promise<unknown>): Promise<unknown> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof MilkyError && error.broken)) throw error
      await sleep(GRACE)
      if (!isRead(action)) throw error
      return await work()
    }
  }

  async #inLine<T>(name: string, work: () => Promise<T>, ticket: Ticket): Promise<T> {
    const before = this.#lines.get(name)
    const turn = Promise.withResolvers<void>()
    this.#lines.set(name, turn.promise)
    try {
      await before
      if (ticket.forgotten) throw new MilkyError(FAILED, 'nobody waits for it any more; it was not carried out')
      ticket.leave = turn.resolve
      return await work()
    } finally {
      turn.resolve()
      if (this.#lines.get(name) === turn.promise) this.#lines.delete(name)
    }
  }
}
