// The clients of one bot: how they come, are told of themselves and each other, come back, and go.

import { refuse } from '../onebot/retcode.ts'
import { CLOSING, type Closing } from './closing.ts'
import { Fanout } from './fanout.ts'
import { Greeting, type GreetingOptions } from './greeting.ts'
import { claimOf, FORGETFUL, keptOf, type Left, poolMark, poolsOf, sessionOf } from './kept.ts'
import { LIMITS } from './limits.ts'
import type { PoolPlans } from './pools.ts'
import {
  type Claim,
  type Cursor,
  type Journal,
  type KeptSession,
  type Link,
  OPEN_TERMS,
  type SessionStore,
  type Terms,
} from './ports.ts'
import { Registry } from './registry.ts'
import { Returns } from './returns.ts'
import type { Room } from './room.ts'
import { isOnline, type Session } from './session.ts'
import { noTraffic } from './traffic.ts'
import { viewFor } from './view.ts'
import type { Rejoining, Wish } from './wish.ts'

export interface MembersOptions extends GreetingOptions {
  readonly room: Room
  /** The reason for which all sessions are being ended. */
  readonly ending: () => Closing | undefined
  /** How long (ms) a session that may come back is waited for. */
  readonly awayFor: () => number
  /** How long (ms) a client may leave a PING unanswered; see Returns. */
  readonly silence?: number | undefined
  /** Default: there are none. */
  readonly pools?: (() => PoolPlans) | undefined
  /** Who keeps what outlives this run; default: nobody. */
  readonly store?: SessionStore | undefined
  /** What an earlier one has left, which goes with the journal of the beginning. */
  readonly left?: Left | undefined
  /** What governs somebody of the earlier run now; undefined: nobody waits for it any more. */
  readonly terms: (claim: Claim) => Terms | undefined
  /** For how long things take. */
  readonly clock: () => number
}

/** How often it is told where pools stand (ms): what they gave away since is given away again after a crash. */
const NOTE = 1_000

export class Members {
  readonly sessions = new Registry()
  readonly returns: Returns
  readonly #options: MembersOptions
  readonly #store: SessionStore
  readonly #greeting: Greeting
  readonly #callsOnly = new Set<Session>()
  /** Of all sessions together, those that are gone included. */
  readonly traffic = noTraffic()
  #journal: Journal
  #fanout: Fanout
  readonly #noting: ReturnType<typeof setInterval> | undefined

  constructor(journal: Journal, options: MembersOptions) {
    this.#options = options
    this.#store = options.store ?? FORGETFUL
    this.#greeting = new Greeting(options)
    this.#journal = journal
    this.#fanout = this.#newFanout(options.left)
    this.returns = new Returns({
      fanout: () => this.#fanout,
      silent: (session) => this.#end(session, CLOSING.silent),
      expired: (session) => this.forget(session),
      crowded: (session) => this.forget(session),
      moved: () => this.note(),
      acknowledged: (session, upTo, sent) => this.#fanout.pools.acknowledged(session, upTo, sent),
      silence: options.silence,
      now: options.clock,
    })
    for (const kept of options.left?.sessions ?? []) this.#restore(kept)
    // Pools that are no more let go of their events: should they come again, they begin anew.
    const pools = this.#fanout.pools.positions
    for (const pool of options.left === undefined ? [] : poolsOf(options.left).keys())
      if (!pools.has(pool)) this.#store.mark(poolMark(pool), undefined)
    this.#notePools()
    if (options.store === undefined) return
    this.#noting = setInterval(() => this.#notePools(), NOTE)
    this.#noting.unref?.()
  }

  get journal(): Journal {
    return this.#journal
  }
  /** When the implementation last beat (ms since 1970); undefined: not on this link. */
  get heardAt(): number | undefined {
    return this.#options.pulse.heardAt
  }
  get fanout(): Fanout {
    return this.#fanout
  }
  /** Everybody that has a link, or may come back to one. */
  *all(): Iterable<Session> {
    yield* this.sessions.all()
    yield* this.#callsOnly
  }

  /** A link opened. */
  join(link: Link, { events, calls, claim = {}, terms = OPEN_TERMS, from }: Wish): Session {
    const { bot, report, ending, selfId } = this.#options
    const session: Session = {
      appId: crypto.randomUUID(),
      claim,
      name: claim.name,
      link,
      terms,
      view: viewFor(link, terms),
      events,
      calls,
      since: this.#greeting.seconds,
      flow: { state: 'waiting' },
      returns: undefined,
      open: { calls: 0, bytes: 0 },
      repliesUnread: 0,
      paused: false,
      traffic: noTraffic(),
    }
    report({ kind: 'session-opened', bot, session })
    if (events && selfId() !== undefined && ending() === undefined) this.#admit(session, from)
    // After it was told of itself: nobody can speak to it before that.
    if (events) this.sessions.add(session)
    else this.#callsOnly.add(session)
    this.#endIfEnding(session)
    return session
  }

  /** The session of this entry, or the one so named that was given this secret; online or away. */
  known({ entry, name }: Claim, secret?: string): Session | undefined {
    if (entry !== undefined) return this.sessions.byEntry(entry)
    const named = name === undefined || secret === undefined ? undefined : this.sessions.byName(name)
    return named !== undefined && secret !== undefined && this.returns.proves(named, secret) ? named : undefined
  }

  /** The session goes on with a new link, which takes the place of the one it may still have. */
  rejoin(session: Session, link: Link, { terms = session.terms, calls = session.calls }: Rejoining = {}): void {
    const { bot, report, selfId } = this.#options
    if (isOnline(session)) this.#part(session, CLOSING.replaced.code, CLOSING.replaced.text)
    session.link.close(CLOSING.replaced)
    session.link = link
    session.calls = calls
    session.repliesUnread = 0
    session.terms = terms
    session.view = viewFor(link, terms)
    report({ kind: 'session-opened', bot, session })
    const position = this.returns.position(session)
    this.returns.met(session)
    session.flow = { state: 'waiting' }
    if (selfId() !== undefined) this.#admit(session, position)
    this.#endIfEnding(session)
  }

  /** The account has become known: everybody is told of it. */
  admitAll(): void {
    for (const session of this.sessions.all()) if (session.flow.state === 'waiting') this.#admit(session)
  }

  /** A link ended; a session that has another by now is not concerned. May be said more than once. */
  leave(session: Session, code: number, reason: string, link: Link = session.link): void {
    if (session.link !== link || !isOnline(session) || !this.#has(session)) return
    const { ending, clock, awayFor } = this.#options
    const stays = session.returns !== undefined && session.flow.state !== 'waiting' && ending() === undefined
    if (stays) this.#part(session, code, reason, clock() + awayFor())
    else this.#depart(session, code, reason)
  }

  drained(session: Session): void {
    if (session.link.buffered === 0) session.repliesUnread = 0
    this.#fanout.drained(session)
  }

  /** Replies go to the session's link, as long as it reads them. */
  reply(session: Session, text: string): void {
    const { bot, report } = this.#options
    if (!isOnline(session)) return report({ kind: 'reply-orphaned', bot, session })
    const { link } = session
    if (link.buffered === 0) session.repliesUnread = 0
    // Both: what is unread may be a big event, and then it is no fault of the replies.
    if (session.repliesUnread > LIMITS.repliesUnread && link.buffered > LIMITS.repliesUnread)
      return this.#end(session, CLOSING.repliesUnread)
    session.repliesUnread += text.length
    link.send(text)
  }

  /** Everything up to `position` has arrived, as the client says. @throws ActionError where that cannot be. */
  acknowledge(session: Session, position: number): void {
    const { returns, terms } = session
    if (returns === undefined || terms.resume !== 'explicit')
      return refuse('bad-request', 'ack_event: this client is not set to acknowledge; it needs resume: {ack: explicit}')
    const next = this.#journal.after(position)
    if (next === undefined)
      return refuse('bad-request', `ack_event: params.seq: found ${position}, wanted a seq of an event that was sent`)
    if (next > returns.acknowledged) returns.acknowledged = next
    this.#fanout.pools.acknowledged(session, next)
  }

  /** Its link is closed and it will not come back; by default since a newer link takes its place. */
  replace(session: Session, closing: Closing = CLOSING.replaced): void {
    if (!isOnline(session)) return this.forget(session)
    session.link.close(closing)
    this.#depart(session, closing.code, closing.text)
  }

  /** Other terms from now on: because the configuration changed, or because it has a name now. */
  settle(session: Session, terms: Terms): void {
    const retunes = () => {
      session.terms = terms
      session.view = viewFor(session.link, terms)
    }
    this.#fanout.retune(session, terms.pool, retunes)
    // Away and not waited for any more, it would keep its name for ever.
    if (!mayReturn(session)) return isOnline(session) ? this.#noMore(session) : this.forget(session)
    if (session.returns === undefined && session.flow.state !== 'waiting') this.#tellReturn(session)
  }

  /** Closes every link. */
  endAll(closing: Closing): void {
    for (const session of [...this.all()])
      if (isOnline(session)) this.#end(session, closing)
      else this.#drop(session)
  }

  /** Pools are as the configuration says now. */
  configurePools(): void {
    const { pools } = this.#fanout
    const before = pools.positions.keys()
    pools.configure(this.#options.pools?.() ?? new Map())
    const after = pools.positions
    for (const pool of before) if (!after.has(pool)) this.#store.mark(poolMark(pool), undefined)
    this.#notePools()
  }

  /** Tells whoever keeps it where everybody stands. */
  note(): void {
    for (const session of this.returns.all()) this.#noteOf(session)
    this.#notePools()
  }

  /** Another account's events from now on. */
  renew(journal: Journal): void {
    this.#fanout.pools.stop()
    this.#journal = journal
    this.#fanout = this.#newFanout()
    this.#notePools()
  }

  stop(): void {
    clearInterval(this.#noting)
    this.#fanout.pools.stop()
    this.returns.stop()
  }

  /** Also those that have just begun: after a crash they are not to begin anew, with what waited for them lost. */
  #notePools(): void {
    for (const [pool, position] of this.#fanout.pools.positions) this.#store.mark(poolMark(pool), position)
  }

  #noteOf(session: Session): void {
    const kept = keptOf(session, this.returns.position(session))
    if (kept !== undefined) this.#store.remember(kept)
  }

  #restore(kept: KeptSession): void {
    const { clock, awayFor, terms: governing } = this.#options
    const claim = claimOf(kept)
    const terms = governing(claim)
    // Its entry has gone, or is not to come back any more.
    if (terms?.resume === undefined) return this.#store.forget(kept.appId)
    const session = sessionOf(kept, { claim, terms, until: clock() + awayFor() })
    this.sessions.add(session)
    this.returns.restore(session, { secretHash: kept.secretHash, acknowledged: kept.cursor })
  }

  #newFanout(left?: Left): Fanout {
    const { bot, room, report, clock, pools } = this.#options
    const behind = (session: Session) => this.#end(session, CLOSING.behind)
    return new Fanout({
      bot,
      journal: this.#journal,
      room,
      report,
      behind,
      now: clock,
      pools: pools?.(),
      poolsFrom: left && poolsOf(left),
      traffic: this.traffic,
    })
  }

  /** @param from the position of an earlier link: what came since follows, and who returns is told how much it is. */
  #admit(session: Session, from?: Cursor): void {
    const arrived = this.#greeting.presence(session, { online: true, selfClient: false })
    // Before it is told what it missed: what this pushes out of the journal is part of that.
    if (from !== undefined) this.#fanout.append(arrived)
    const start = from !== undefined && this.#journal.missed(from) > 0 ? this.#journal.first : from
    this.#greet(session, from)
    if (from === undefined) this.#fanout.append(arrived)
    this.#fanout.add(session, start)
    this.#fanout.append(this.#greeting.presence(session, { online: true, selfClient: true }), new Set([session]))
  }

  #greet(session: Session, from: Cursor | undefined): void {
    this.#greeting.lifecycle(session)
    if (from !== undefined) this.#greeting.missed(session, from, this.#journal)
    else if (session.returns === undefined && mayReturn(session)) this.#tellReturn(session)
    this.#greeting.heartbeat(session)
  }

  /** The way back is open from now on. */
  #tellReturn(session: Session): void {
    const from = this.#fanout.position(session)
    const secret = this.returns.begin(session, from)
    this.#noteOf(session)
    this.#greeting.wayBack(session, secret, from)
  }

  /** Its link is over, but it may come back. */
  #part(session: Session, code: number, reason: string, until = Number.POSITIVE_INFINITY): void {
    this.#fanout.remove(session, { state: 'away', cursor: this.returns.position(session), until })
    this.#noteOf(session)
    this.#options.report({ kind: 'session-away', bot: this.#options.bot, session, code, reason })
    this.#tellGone(session)
    this.returns.parted(session)
  }

  #depart(session: Session, code: number, reason: string): void {
    if (!this.sessions.remove(session) && !this.#callsOnly.delete(session)) return
    const admitted = session.events && session.flow.state !== 'waiting'
    this.#noMore(session)
    this.#fanout.remove(session)
    this.#options.report({ kind: 'session-closed', bot: this.#options.bot, session, code, reason })
    if (admitted) this.#tellGone(session)
  }

  /** It was away for too long, or is not waited for any more. */
  forget(session: Session): void {
    this.#drop(session)
    this.#options.report({ kind: 'session-expired', bot: this.#options.bot, session })
  }

  #drop(session: Session): void {
    this.sessions.remove(session)
    this.#noMore(session)
    this.#fanout.remove(session)
  }

  #has(session: Session): boolean {
    return this.sessions.byId(session.appId) === session || this.#callsOnly.has(session)
  }

  /** It cannot come back any more; where all end, that is for the next run to find out. */
  #noMore(session: Session): void {
    if (session.returns !== undefined && this.#options.ending() === undefined) this.#store.forget(session.appId)
    this.returns.end(session)
  }

  #tellGone(session: Session): void {
    // Where all must leave, nobody is told of each other's leaving.
    if (this.#options.ending() === undefined)
      this.#fanout.append(this.#greeting.presence(session, { online: false, selfClient: false }))
  }

  #end(session: Session, closing: Closing): void {
    session.link.close(closing)
    this.leave(session, closing.code, closing.text)
  }

  /** The handshake was under way when the bot went. */
  #endIfEnding(session: Session): void {
    const closing = this.#options.ending()
    if (closing !== undefined) this.#end(session, closing)
  }
}

/** Who has a name, or whom its edge knows, can be known again. */
const mayReturn = ({ terms, name, claim, events, link }: Session) =>
  events &&
  link.ownReturn === undefined &&
  terms.resume !== undefined &&
  (name !== undefined || claim.entry !== undefined)
