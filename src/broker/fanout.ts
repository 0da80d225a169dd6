// Brings a bot's events to its sessions: journal, lane, and the pace of those that fall behind.

import { Lane } from './lane.ts'
import { LIMITS } from './limits.ts'
import type { Cursor, Journal } from './ports.ts'
import type { Room } from './room.ts'
import type { Flow, Session } from './session.ts'
import type { Report } from './status.ts'

type CatchingUp = Extract<Flow, { state: 'catching-up' }>

export interface FanoutOptions {
  readonly bot: string
  readonly journal: Journal
  readonly room: Room
  readonly report: Report
  /** Ends a session that lost events and wants to be told by its close code; must `remove` it. */
  readonly behind: (session: Session) => void
  readonly now: () => number
}

export class Fanout {
  readonly #options: FanoutOptions
  readonly #journal: Journal
  readonly #lane: Lane
  readonly #slow = new Set<Session>()
  /** No cursor is before this one: a look at all of them is due only when the journal has moved past it. */
  #oldestCursor = Number.POSITIVE_INFINITY
  #looking = false

  constructor(options: FanoutOptions) {
    this.#options = options
    this.#journal = options.journal
    this.#lane = new Lane(`${crypto.randomUUID()}/all`, {
      slow: (session) => this.#fallBehind(session, this.#journal.head),
      dropped: () => options.report({ kind: 'publish-dropped', bot: options.bot, topic: this.#lane.topic }),
    })
  }

  /** Sessions reading from the journal. */
  get catchingUp(): number {
    return this.#slow.size
  }

  /** One event for everybody, or for the sessions named. */
  append(raw: string, to?: ReadonlySet<Session>): void {
    // The journal outlives its sessions: it keeps their names, not them.
    const names = to && new Set(Array.from(to, ({ appId }) => appId))
    const at = this.#journal.append(raw, this.#options.now(), names)
    // Nobody else catches up meanwhile: room that is given back here was taken here, when nobody waited for any.
    if (to !== undefined) this.#sendTo(to, raw, at)
    else if (raw.length > LIMITS.bigFrame) this.#sendBig(at)
    else this.#lane.publish(raw)
    // Last, since it makes sessions leave, which is an event again.
    this.#tellLost()
  }

  /** A frame that is worth nothing later. Sessions behind do without it, but for those to whom nothing else is on its way. */
  passing(text: string): void {
    this.#lane.publish(text)
    for (const { link } of this.#slow) if (link.buffered === 0) link.send(text)
  }

  /** From here on the session gets every event. */
  add(session: Session): void {
    session.flow = { state: 'live' }
    this.#lane.add(session)
  }

  remove(session: Session): void {
    const { flow } = session
    session.flow = { state: 'gone' }
    if (flow.state === 'live') this.#lane.remove(session)
    // Whoever closes for its losses has been told of them already.
    if (flow.state === 'catching-up' && session.link.whenBehind === 'skip')
      this.#reportLoss(session, this.#journal.missed(flow.cursor))
    this.#slow.delete(session)
    this.#options.room.release(session)
  }

  /** The session's socket has taken bytes, or room has become free. */
  drained(session: Session): void {
    if (session.flow.state === 'catching-up') this.#catchUp(session, session.flow)
  }

  /** Drops what is too old, telling those who had yet to read it. */
  expire(): void {
    this.#journal.expire(this.#options.now())
    this.#tellLost()
  }

  #sendTo(to: ReadonlySet<Session>, raw: string, at: Cursor): void {
    for (const session of to) {
      // Who catches up finds it in the journal.
      if (session.flow.state !== 'live') continue
      if (raw.length > LIMITS.bigFrame) this.#fallBehind(session, at)
      else {
        session.link.send(raw)
        if (session.link.buffered >= LIMITS.highWater) this.#fallBehind(session, this.#journal.head)
      }
    }
  }

  #sendBig(at: Cursor): void {
    for (const session of [...this.#lane.members()]) this.#fallBehind(session, at)
  }

  #fallBehind(session: Session, cursor: Cursor): void {
    this.#lane.remove(session)
    const { buffered } = session.link
    // Web hooks take one event at a time: being in the middle of one is nothing to tell.
    const told = buffered >= LIMITS.highWater && Number.isFinite(buffered)
    const flow: CatchingUp = { state: 'catching-up', cursor, room: 0, told }
    session.flow = flow
    this.#slow.add(session)
    this.#oldestCursor = Math.min(this.#oldestCursor, cursor)
    if (told) this.#options.report({ kind: 'session-slow', bot: this.#options.bot, session, buffered })
    this.#catchUp(session, flow)
  }

  #catchUp(session: Session, flow: CatchingUp): void {
    const { link } = session
    while (session.flow === flow && link.buffered < LIMITS.highWater) {
      if (flow.room > 0) {
        flow.room = 0
        this.#options.room.release(session)
        // Releasing serves others, which may have come back to us.
        continue
      }
      const missed = this.#journal.missed(flow.cursor)
      if (missed > 0) {
        this.#lost(session, flow, missed)
        // Closed, or moved on.
        continue
      }
      const entry = this.#journal.at(flow.cursor)
      if (entry === undefined) return this.#inStep(session, flow)
      if (entry.to === undefined || entry.to.has(session.appId)) {
        if (entry.raw.length > LIMITS.bigFrame && !this.#roomFor(session, flow, entry.raw.length)) return
        if (!link.send(entry.raw)) return
      }
      flow.cursor = entry.next
    }
  }

  #roomFor(session: Session, flow: CatchingUp, size: number): boolean {
    // A web hook holds one event and no copy of it: room is for what piles up in sockets.
    if (session.link.transport === 'http-post') return true
    if (!this.#options.room.take(session, size, () => this.drained(session))) return false
    flow.room = size
    return true
  }

  #inStep(session: Session, { told }: CatchingUp): void {
    this.#slow.delete(session)
    this.add(session)
    if (told) this.#options.report({ kind: 'session-in-step', bot: this.#options.bot, session })
  }

  #tellLost(): void {
    // Who leaves here is an event, and that ends here again: a loop, since thousands may leave together.
    if (this.#looking) return
    this.#looking = true
    while (this.#journal.first > this.#oldestCursor) this.#lookForLosses()
    this.#looking = false
  }

  #lookForLosses(): void {
    this.#oldestCursor = Number.POSITIVE_INFINITY
    for (const session of [...this.#slow]) {
      // Who moves on hears of all its losses together, when it reads on.
      if (session.flow.state !== 'catching-up' || session.link.whenBehind === 'skip') continue
      const missed = this.#journal.missed(session.flow.cursor)
      if (missed > 0) this.#lost(session, session.flow, missed)
      else this.#oldestCursor = Math.min(this.#oldestCursor, session.flow.cursor)
    }
  }

  #lost(session: Session, flow: CatchingUp, missed: number): void {
    this.#reportLoss(session, missed)
    if (session.link.whenBehind === 'close') this.#options.behind(session)
    else flow.cursor = this.#journal.first
  }

  #reportLoss(session: Session, missed: number): void {
    if (missed > 0) this.#options.report({ kind: 'session-behind', bot: this.#options.bot, session, missed })
  }
}
