// Brings a bot's events to its sessions: journal, lane, and the pace of those that fall behind.

import type { Fields } from '../onebot/object.ts'
import { formOf, Lanes } from './lanes.ts'
import { LIMITS } from './limits.ts'
import { type PoolPlans, Pools } from './pools.ts'
import type { Cursor, Entry, Journal } from './ports.ts'
import type { Room } from './room.ts'
import type { Flow, Session } from './session.ts'
import type { Report } from './status.ts'
import { bytesOf, noTraffic, sent, type Traffic } from './traffic.ts'

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
  /** Counts what is sent. */
  readonly traffic?: Traffic | undefined
}

/** Who is left alone for a while is given nothing that another could take. */
const available = ({ link }: Session) => link.circuit?.state !== 'open'

export class Fanout {
  readonly #options: FanoutOptions
  readonly #journal: Journal
  readonly #lanes: Lanes
  readonly pools: Pools
  readonly #slow = new Set<Session>()
  readonly #paused = new Set<Session>()
  /** No cursor is before this one: a look at all of them is due only when the journal has moved past it. */
  #oldestCursor = Number.POSITIVE_INFINITY
  #looking = false
  readonly #traffic: Traffic
  /** Where the newest event stands. */
  #newest: Cursor

  constructor(options: FanoutOptions) {
    this.#options = options
    this.#journal = options.journal
    this.#newest = options.journal.head
    this.#traffic = options.traffic ?? noTraffic()
    const on = {
      slow: (session: Session) => this.#fallBehind(session, this.#journal.head),
      dropped: (topic: string) => options.report({ kind: 'publish-dropped', bot: options.bot, topic }),
    }
    this.#lanes = new Lanes(on, this.#traffic)
    const { bot, journal, report, behind: stuck, pools: plans = new Map(), poolsFrom: from } = options
    const given = (session: Session, text: string) => this.#count(session, text)
    this.pools = new Pools({ bot, journal, report, plans, from, stuck, available, given })
  }

  /** Sessions reading from the journal. */
  get catchingUp(): number {
    return this.#slow.size
  }

  /** Lanes with somebody in them. */
  get lanes(): number {
    return this.#lanes.size
  }

  /** What the session has got so far. */
  traffic(session: Session): Pick<Traffic, 'events' | 'bytes'> {
    const { events, bytes } = session.flow.state === 'live' ? this.#lanes.traffic(session) : noTraffic()
    return { events: session.traffic.events + events, bytes: session.traffic.bytes + bytes }
  }

  /** What the session has yet to get from the journal, and when the first of that came (ms); undefined: nothing. */
  lag({ flow, appId }: Session): { events: number; since: number } | undefined {
    if (!('cursor' in flow)) return undefined
    const since = this.#journal.at(flow.cursor)?.time ?? this.#journal.at(this.#journal.first)?.time
    const events = this.#journal.pending(flow.cursor, appId)
    return events === 0 || since === undefined ? undefined : { events, since }
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
    for (const sessions of [this.#slow, this.#paused])
      for (const { link, view } of sessions) {
        // Also for who is busy: forms may make something of it for others.
        const formed = formOf(view, text, undefined)
        if (formed !== undefined && link.buffered === 0) link.send(formed)
      }
  }

  /** From here on the session gets every event; with `from` also those since that position. */
  add(session: Session, from?: Cursor): void {
    if (session.paused) return this.#hold(session, from ?? this.#journal.head, from ?? this.#newest)
    if (from !== undefined)
      return this.#begin(session, { state: 'catching-up', cursor: from, sent: from, room: 0, told: false })
    this.#live(session)
  }

  /** The session is sent to no more: it is `gone`, or `away` and may be added again. */
  remove(session: Session, flow: Extract<Flow, { state: 'gone' | 'away' }> = { state: 'gone' }): void {
    const before = session.flow
    session.flow = flow
    if (before.state === 'live') this.#lanes.remove(session)
    this.#paused.delete(session)
    this.pools.leave(session)
    // Whoever closes for its losses has been told of them already, and whoever comes back will be.
    const behind = before.state === 'catching-up' || before.state === 'paused'
    if (behind && session.link.whenBehind === 'skip' && flow.state === 'gone')
      this.#reportLoss(session, this.#journal.missed(before.cursor))
    this.#slow.delete(session)
    this.#options.room.release(session)
  }

  /** The session's terms have changed, which make it one of this pool: `settle` sets them, in between two events. */
  retune(session: Session, pool: string | undefined, settle: () => void): void {
    const live = session.flow.state === 'live'
    const before = session.terms.pool
    if (session.returns !== undefined) session.returns.handed = this.#newestOf(session)
    if (live) this.#lanes.remove(session)
    // Out of a pool and into the same again would hand its share to others.
    if (before !== undefined && pool !== before) this.pools.leave(session)
    settle()
    if (live) this.#lanes.add(session)
    if (live || session.flow.state === 'catching-up') this.pools.join(session)
  }

  /** Holds back the session's events from now on, and whatever its next link would get; heartbeats go on. */
  pause(session: Session): void {
    const { flow } = session
    session.paused = true
    if (flow.state === 'live') {
      this.#lanes.remove(session)
      this.#hold(session, this.#journal.head, this.#newest)
    } else if (flow.state === 'catching-up') {
      this.#slow.delete(session)
      this.#options.room.release(session)
      this.#hold(session, flow.cursor, flow.sent)
    }
  }

  /** The session goes on where it was held: it reads from the journal until it is in step. */
  unpause(session: Session): void {
    const { flow } = session
    session.paused = false
    if (flow.state !== 'paused') return
    this.#paused.delete(session)
    this.#begin(session, { state: 'catching-up', cursor: flow.cursor, sent: flow.sent, room: 0, told: true })
  }

  /** What the session has yet to get from the journal is not sent to it any more. Returns how many events that is. */
  skip(session: Session): number {
    const { flow } = session
    if (!('cursor' in flow)) return 0
    const { head } = this.#journal
    const dropped = this.#journal.pending(flow.cursor, session.appId)
    if (session.returns !== undefined) {
      session.returns.acknowledged = head
      // An answer on its way would tell of a position before this one.
      session.returns.asked = undefined
    }
    if (flow.state !== 'catching-up') session.flow = { ...flow, cursor: head }
    else {
      this.#options.room.release(session)
      flow.room = 0
      flow.cursor = head
      this.#catchUp(session, flow)
    }
    return dropped
  }

  /** Everything before it has been handed to the session's link. */
  position({ flow }: Session): Cursor {
    return 'cursor' in flow ? flow.cursor : this.#journal.head
  }

  /** Everything before it has arrived, as far as a link can tell that hands on one event after the other. */
  settled(session: Session): Cursor {
    const { flow, link } = session
    return 'sent' in flow && (link.unsettled ?? link.buffered > 0) ? flow.sent : this.position(session)
  }

  /** It is in step, and no event from `from` on was handed to it. */
  hasAll(session: Session, from: Cursor): boolean {
    const newest = this.#newestOf(session)
    return session.flow.state === 'live' && (newest === undefined || newest < from)
  }

  #newestOf(session: Session): Cursor | undefined {
    const [alone, together] = [session.returns?.handed, this.#lanes.newestOf(session)]
    return alone === undefined || (together !== undefined && together > alone) ? together : alone
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
        if (formed !== undefined && session.link.send(formed)) this.#count(session, formed)
        if (session.returns !== undefined) session.returns.handed = at
        if (session.link.buffered >= LIMITS.highWater) this.#fallBehind(session, this.#journal.head)
      }
    }
  }

  #sendBig(raw: string, at: Cursor, event: Fields | undefined): void {
    for (const session of this.#lanes.wanting(raw, at, event)) this.#fallBehind(session, at)
  }

  #fallBehind(session: Session, cursor: Cursor): void {
    if (session.returns !== undefined) session.returns.handed = this.#newest
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
        if (session.returns !== undefined) session.returns.handed = flow.cursor
        if (!link.send(text)) return
        this.#count(session, text)
      }
      flow.cursor = entry.next
    }
  }

  #hold(session: Session, cursor: Cursor, last: Cursor): void {
    session.flow = { state: 'paused', cursor, sent: last }
    this.#paused.add(session)
  }

  #count(session: Session, text: string): void {
    const bytes = bytesOf(text)
    sent(session.traffic, bytes)
    sent(this.#traffic, bytes)
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
