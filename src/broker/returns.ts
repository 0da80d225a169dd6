// Sessions that come back: what proves that it is them, what has arrived there, and how long they are waited for.

import { newSecret, sameSecret, secretHash } from '../lib/secret.ts'
import type { Fanout } from './fanout.ts'
import { LIMITS } from './limits.ts'
import type { Cursor } from './ports.ts'
import { isOnline, type Session } from './session.ts'

export interface ReturnsOptions {
  /** The one of now: the account may change, and its journal with it. */
  readonly fanout: () => Fanout
  /** The session's link has not answered a PING in time. */
  readonly silent: (session: Session) => void
  /** The session has been away for too long. */
  readonly expired: (session: Session) => void
  /** More are away than may be; this one for the longest. */
  readonly crowded: (session: Session) => void
  /** The session has confirmed everything before `upTo`, and so many events of its pool. */
  readonly acknowledged: (session: Session, upTo: Cursor, sent: number) => void
  /** A second has passed in which positions may have changed. */
  readonly moved: (sessions: Iterable<Session>) => void
  /** After this (ms) without an answer a link counts as dead. Default: half a minute. */
  readonly silence?: number | undefined
  readonly now: () => number
}

/** How often positions are asked for (ms): what is not confirmed yet is sent again after a break. */
const ASK = 1_000
/** A link with nothing to confirm is asked all the same (ms), so that a dead one is noticed. */
const ASK_IDLE = 10_000
const SILENCE = 30_000

export class Returns {
  readonly #options: ReturnsOptions
  readonly #sessions = new Set<Session>()
  /** Those without a link, in the order in which they left. */
  readonly #away = new Set<Session>()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(options: ReturnsOptions) {
    this.#options = options
  }

  /** Sessions without a link that are waited for. */
  get away(): number {
    return this.#away.size
  }

  all(): Iterable<Session> {
    return this.#sessions
  }

  /** From now on the session may come back, everything before `from` being its own loss. Returns its secret. */
  begin(session: Session, from: Cursor): string {
    const secret = newSecret()
    this.restore(session, { secretHash: secretHash(secret), acknowledged: from })
    return secret
  }

  /** The same for a session of an earlier run. */
  restore(session: Session, known: { secretHash: string; acknowledged: Cursor }): void {
    session.returns = { ...known, asked: undefined, lastAsked: this.#options.now() }
    this.#sessions.add(session)
    if (session.flow.state === 'away') this.parted(session)
    this.#timer ??= setInterval(() => this.#look(), ASK)
    this.#timer.unref?.()
  }

  /** Its link is over; it is waited for. */
  parted(session: Session): void {
    this.#away.add(session)
    const [longest] = this.#away
    if (this.#away.size > LIMITS.away && longest !== undefined) this.#options.crowded(longest)
  }

  /** It has a link again. */
  met(session: Session): void {
    this.#away.delete(session)
    if (session.returns !== undefined) session.returns.asked = undefined
  }

  end(session: Session): void {
    session.returns = undefined
    this.#away.delete(session)
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Whether this secret is the one that the session was given. */
  proves({ returns }: Session, secret: string): boolean {
    return returns !== undefined && sameSecret(secretHash(secret), returns.secretHash)
  }

  /** Where the session goes on when it comes back. */
  position(session: Session): Cursor {
    const { link, returns } = session
    // One request, one event: its answer is the acknowledgement.
    if (link.transport === 'http-post' || returns === undefined) return this.#options.fanout().settled(session)
    return returns.acknowledged
  }

  pong(session: Session, data: string): void {
    const { returns } = session
    if (returns?.asked === undefined || data !== String(returns.asked.position)) return
    const { position, sent } = returns.asked
    returns.acknowledged = position
    returns.asked = undefined
    this.#options.acknowledged(session, position, sent)
  }

  #look(): void {
    const { now, silent, silence: dead = SILENCE, expired, moved } = this.#options
    const time = now()
    for (const session of [...this.#sessions]) {
      const { flow, returns } = session
      if (flow.state === 'away' && flow.until <= time) expired(session)
      else if (isOnline(session) && returns?.asked !== undefined && time - returns.asked.at >= dead) silent(session)
      else this.#ask(session, time)
    }
    moved(this.#sessions)
  }

  #ask(session: Session, time: number): void {
    const { flow, link, returns, terms } = session
    if (returns === undefined || returns.asked !== undefined || link.ping === undefined) return
    if (terms.resume !== 'ping' || !isOnline(session) || flow.state === 'waiting') return
    const fanout = this.#options.fanout()
    const position = fanout.position(session)
    if (position === returns.acknowledged && time - returns.lastAsked < ASK_IDLE) return
    returns.asked = { position, at: time, sent: fanout.pools.sent(session) }
    returns.lastAsked = time
    link.ping(String(position))
  }
}
