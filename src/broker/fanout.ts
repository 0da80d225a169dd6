// Brings a bot's events to its sessions: journal, lane, and the pace of those that fall behind.

import type { Fields } from '../onebot/object.ts'
import { formOf, Lanes } from './lanes.ts'
import { LIMITS } from './limits.ts'
import { type PoolPlans, Pools } from './pools.ts'
import type { Cursor, Entry, Journal } from './ports.ts'
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
  /** Default: none. */
  readonly pools?: PoolPlans | undefined
  /** Where the pools of an earlier run stood. */
  readonly poolsFrom?: ReadonlyMap<string, Cursor> | undefined
}

/** Who is left alone for a while is given nothing that another could take. */
const available = ({ link }: Session) => link.circuit?.state !== 'open'

export class Fanout {
  readonly #options: FanoutOptions
  readonly #journal: Journal
  readonly #lanes: Lanes
  readonly pools: Pools
  readonly #slow = new Set<Session>()
  /** No cursor is before this one: a look at all of them is due only when the journal has moved past it. */
  #oldestCursor = Number.POSITIVE_INFINITY
  #looking = false
  /** Where the newest event stands. */
  #newest: Cursor

  constructor(options: FanoutOptions) {
    this.#options = options
    this.#journal = options.journal
    this.#newest = options.journal.head
    this.#lanes = new Lanes({
      slow: (session) => this.#fallBehind(session, this.#journal.head),
      dropped: (topic) => options.report({ kind: 'publish-dropped', bot: options.bot, topic }),
    })
    const { bot, journal, report, behind: stuck, pools: plans = new Map(), poolsFrom: from } = options
    this.pools = new Pools({ bot, journal, report, plans, from, stuck, available })
  }

  /** Sessions reading from the journal. */
  get catchingUp(): number {
    return this.#slow.size
  }

  /** One event for everybody, or for the sessions named. `event`: what `raw` says, where somebody has read it already. */
  append(raw: string, to?: ReadonlySet<Session>, event?: Fields): void {
    // The journal outlives its sessions: it keeps their names, not them.
    const names = to && new Set(Array.from(to, ({ appId }) => appId))
    const at = this.#journal.append(raw, this.#options.now(), names)
    this.#newest = at
    // Nobody else catches up meanwhile: room that is given back here was taken here, when nobody waited for any.
    if (to !== undefined) this.#sendTo(to, raw, at)
    else if (raw.length > LIMITS.bigFrame) this.#sendBig(raw, at, event)
    else this.#lanes.publish(raw, at, event)
    if (to === undefined) this.pools.publish(raw, at, event)
    // Last, since it makes sessions leave, which is an event again.
    this.#tellLost()
  }

  /** A frame that is worth nothing later. Sessions behind do without it, but for those to whom nothing else is on its way. */
  passing(text: string): void {
    this.#lanes.passing(text)
    for (const { link, view } of this.#slow) {
      const formed = link.buffered === 0 ? formOf(view, text, undefined) : undefined
      if (formed !== undefined) link.send(formed)
    }
  }

  /** From here on the session gets every event; with `from` also those since that position. */
  add(session: Session, from?: Cursor): void {
    if (from !== undefined)
      return this.#begin(session, { state: 'catching-up', cursor: from, sent: from, room: 0, told: false })
    this.#live(session)
  }

  /** The session is sent to no more: it is `gone`, or `away` and may be added again. */
  remove(session: Session, flow: Extract<Flow, { state: 'gone' | 'away' }> = { state: 'gone' }): void {
    const before = session.flow
    session.flow = flow
    if (before.state === 'live') this.#lanes.remove(session)
    this.pools.leave(session)
    // Whoever closes for its losses has been told of them already, and whoever comes back will be.
    if (before.state === 'catching-up' && session.link.whenBehind === 'skip' && flow.state === 'gone')
      this.#reportLoss(session, this.#journal.missed(before.cursor))
    this.#slow.delete(session)
    this.#options.room.release(session)
  }

  /** The session's terms have changed, which make it one of this pool: `settle` sets them, in between two events. */
  retune(session: Session, pool: string | undefined, settle: () => void): void {
    const live = session.flow.state === 'live'
    const before = session.terms.pool
    if (live) this.#lanes.remove(session)
    // Out of a pool and into the same again would hand its share to others.
    if (before !== undefined && pool !== before) this.pools.leave(session)
    settle()
    if (live) this.#lanes.add(session)
    if (live || session.flow.state === 'catching-up') this.pools.join(session)
  }

  /** Everything before it has been handed to the session's link. */
  position({ flow }: Session): Cursor {
    return flow.state === 'catching-up' || flow.state === 'away' ? flow.cursor : this.#journal.head
  }

  /** Everything before it has arrived, as far as a link can tell that hands on one event after the other. */
  settled(session: Session): Cursor {
    const { flow, link } = session
    return flow.state === 'catching-up' && link.buffered > 0 ? flow.sent : this.position(session)
  }

  /** The session's socket has taken bytes, or room has become free. */
  drained(session: Session): void {
    if (session.flow.state === 'catching-up') this.#catchUp(session, session.flow)
    this.pools.drained(session)
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
        const formed = formOf(session.view, raw, at)
        if (formed !== undefined) session.link.send(formed)
        if (session.link.buffered >= LIMITS.highWater) this.#fallBehind(session, this.#journal.head)
      }
    }
  }

  #sendBig(raw: string, at: Cursor, event: Fields | undefined): void {
    for (const session of this.#lanes.wanting(raw, at, event)) this.#fallBehind(session, at)
  }

  #fallBehind(session: Session, cursor: Cursor): void {
    this.#lanes.remove(session)
    const { buffered } = session.link
    // Web hooks take one event at a time: being in the middle of one is nothing to tell.
    const told = buffered >= LIMITS.highWater && Number.isFinite(buffered)
    const flow: CatchingUp = { state: 'catching-up', cursor, sent: this.#newest, room: 0, told }
    if (told) this.#options.report({ kind: 'session-slow', bot: this.#options.bot, session, buffered })
    this.#begin(session, flow)
  }

  #begin(session: Session, flow: CatchingUp): void {
    session.flow = flow
    this.#slow.add(session)
    this.#oldestCursor = Math.min(this.#oldestCursor, flow.cursor)
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
      const text = this.#textOf(session, flow.cursor, entry)
      if (text !== undefined) {
        if (text.length > LIMITS.bigFrame && !this.#roomFor(session, flow, text.length)) return
        flow.sent = flow.cursor
        if (!link.send(text)) return
      }
      flow.cursor = entry.next
    }
  }

  #textOf(session: Session, at: Cursor, { raw, to }: Entry): string | undefined {
    if (to === undefined) return this.#lanes.textFor(session, raw, at)
    return to.has(session.appId) ? formOf(session.view, raw, at) : undefined
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
    this.#live(session)
    if (told) this.#options.report({ kind: 'session-in-step', bot: this.#options.bot, session })
  }

  #live(session: Session): void {
    session.flow = { state: 'live' }
    this.#lanes.add(session)
    this.pools.join(session)
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
