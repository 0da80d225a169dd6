// What is told of a session as it comes and goes: on its own link first of all, and to the others.

import { clientStatus, resume } from '../onebot/event.ts'
import { formOf } from './lanes.ts'
import type { Cursor, Journal } from './ports.ts'
import type { Pulse } from './pulse.ts'
import { clientOf, type Session } from './session.ts'
import type { Report } from './status.ts'

export interface GreetingOptions {
  readonly bot: string
  readonly pulse: Pulse
  readonly report: Report
  /** The account, once it is known. */
  readonly selfId: () => string | undefined
  readonly heartbeat: (selfId: string) => string
  /** Milliseconds since 1970, of the wall. */
  readonly wall: () => number
}

export class Greeting {
  readonly #options: GreetingOptions

  constructor(options: GreetingOptions) {
    this.#options = options
  }

  /** Seconds since 1970, as clients read them. */
  get seconds(): number {
    return Math.floor(this.#options.wall() / 1000)
  }

  lifecycle(session: Session): void {
    this.#send(session, this.#options.pulse.lifecycleText(this.#selfId, this.seconds))
  }

  heartbeat(session: Session): void {
    this.#send(session, this.#options.heartbeat(this.#selfId))
  }

  /** It may come back with this secret, from this position on. */
  wayBack(session: Session, secret: string, from: Cursor): void {
    const nothing = { recovered: false, missed: 0, lost: 0, from, to: from }
    this.#send(session, resume({ selfId: this.#selfId, time: this.seconds, ...nothing, secret }))
  }

  /** What it has missed since this position. */
  missed(session: Session, from: Cursor, journal: Journal): void {
    const { bot, report } = this.#options
    const lost = journal.missed(from)
    const where = { recovered: lost === 0, missed: journal.pending(from, session.appId), lost, from, to: journal.head }
    // Who just asks for what came since a position has a protocol of its own for that.
    if (session.returns !== undefined) {
      this.#send(session, resume({ selfId: this.#selfId, time: this.seconds, ...where }))
      report({ kind: 'session-resumed', bot, session, missed: where.missed, lost })
    }
    if (lost > 0) report({ kind: 'session-behind', bot, session, missed: lost })
  }

  /** The notice that it has come or gone; `selfClient`: as it is told itself. */
  presence(session: Session, { online, selfClient }: { online: boolean; selfClient: boolean }): string {
    const client = clientOf(session, this.#options.selfId())
    return clientStatus({ selfId: this.#selfId, time: this.seconds, client, online, selfClient })
  }

  get #selfId(): string {
    return this.#options.selfId() ?? '0'
  }

  #send({ link, view }: Session, text: string): void {
    // A web hook has no connection whose beginning could be told.
    if (link.transport === 'http-post') return
    const formed = formOf(view, text, undefined)
    if (formed !== undefined) link.send(formed)
  }
}
