// One pool's events on their way, each to one member and in order; what nobody can take waits in the journal.

import type { Fields } from '../onebot/object.ts'
import { Backlog } from './backlog.ts'
import { Crew, type PoolMember } from './crew.ts'
import { LIMITS } from './limits.ts'
import type { Strategy } from './policy.ts'
import type { Cursor, Journal, Rules } from './ports.ts'
import type { Room } from './room.ts'
import type { Session } from './session.ts'
import type { Report } from './status.ts'

export interface PoolSettings {
  /** One of its own: strategies keep notes about members. */
  readonly strategy: Strategy
  /** What the pool wants of events, before its members' own rules. */
  readonly rules?: Rules | undefined
  /** `acked`: what a member had not acknowledged when it left goes to another. */
  readonly dispatch: 'plain' | 'acked'
}

export interface PoolOptions {
  readonly name: string
  readonly bot: string
  readonly journal: Journal
  /** For the big frames of pools, and not the room of the fan-out: there, each session has a place of its own as well. */
  readonly room: Room
  readonly report: Report
  /** Whether the session may be given something, as far as others can tell. */
  readonly available?: ((session: Session) => boolean) | undefined
  /** An event was given to a session. */
  readonly given?: ((session: Session, text: string) => void) | undefined
  /** Where it begins; default: with the next event. */
  readonly from?: Cursor | undefined
}

export interface PoolStatus {
  readonly name: string
  readonly strategy: string
  readonly members: number
  /** Events that are yet to be given to somebody, or to be found of no interest to anybody. */
  readonly waiting: number
  readonly dispatched: number
  readonly redelivered: number
}

/**
 * Each event goes to one member that wants it and can take it: whose link is open, in step and not slow. While there is
 * none the pool stands still, and goes on in order when `drained`, `join` or `leave` tell of a change.
 */
export class Pool {
  readonly #options: PoolOptions
  #settings: PoolSettings
  readonly #crew = new Crew((member) => this.#usable(member))
  readonly #backlog: Backlog
  /** The member for which a big frame waits for room, and the frame's position. */
  #waiter: { readonly member: PoolMember; readonly at: Cursor } | undefined
  #moving = false
  #asked = false
  #dispatched = 0
  #redelivered = 0
  #emptyTold = false

  constructor(options: PoolOptions, settings: PoolSettings) {
    const { bot, name, journal, report, from = journal.head } = options
    this.#options = options
    this.#settings = settings
    this.#backlog = new Backlog(journal, from, (missed) => report({ kind: 'pool-behind', bot, pool: name, missed }))
  }

  get status(): PoolStatus {
    return {
      name: this.#options.name,
      strategy: this.#settings.strategy.name,
      members: this.#crew.size,
      waiting: this.#backlog.size,
      dispatched: this.#dispatched,
      redelivered: this.#redelivered,
    }
  }

  /** Everything before it is dealt with, and acknowledged where that is asked for: a later run goes on from here. */
  get position(): Cursor {
    let oldest = this.#backlog.oldest ?? this.#options.journal.head
    for (const { unacked } of this.#crew.all())
      if (unacked.oldest !== undefined && unacked.oldest < oldest) oldest = unacked.oldest
    return oldest
  }

  /** Other settings from now on; what waits is judged by these. */
  configure(settings: PoolSettings): void {
    this.#settings = settings
    for (const member of this.#crew.all()) {
      member.note = 0
      if (settings.dispatch === 'plain') member.unacked.clear()
    }
    this.#move()
  }

  /** The session takes part from now on; or, if it did already, its name or its terms have changed. */
  join(session: Session): void {
    this.#crew.put(session)
    this.#emptyTold = false
    this.#move()
  }

  /** The session's link has ended, or it takes part no more. */
  leave(session: Session): void {
    const member = this.#crew.get(session)
    if (member === undefined) return
    this.#crew.remove(session)
    if (this.#waiter?.member === member) this.#waiter = undefined
    this.#backlog.return(member.unacked.positions(), member.unacked.forgotten)
    this.#options.room.release(session)
    this.#move()
    // What came after the end of its link, and before the news of that, waits already. Not now: who comes back may come
    // in its place at once, and at the end all leave.
    queueMicrotask(() => this.#lookEmpty())
  }

  /** The session can take something again, or has become available in another way. */
  drained(session: Session): void {
    const member = this.#crew.get(session)
    if (member === undefined) return
    const { link } = session
    member.stuck = false
    // One request, one event: its answer is the acknowledgement.
    if (link.transport === 'http-post' && !(link.unsettled ?? link.buffered > 0)) member.unacked.clear()
    this.#giveBack(member)
    this.#crew.takeBack([member])
    this.#move()
  }

  /**
   * One event that a pool shares out, right after it was appended. `event`: what `raw` says. What has to wait is read
   * from the journal later.
   */
  publish(at: Cursor, raw: string, event: Fields): void {
    // Somebody has left or drained on the way of this very event, and we went on up to the journal's head.
    if (at < this.#backlog.readTo) return
    if (this.#moving || !this.#backlog.empty) this.#backlog.add(at)
    else {
      this.#moving = true
      if (!this.#dispatch({ at, raw, event })) this.#backlog.add(at)
      this.#moving = false
      if (this.#asked) this.#move()
    }
    this.#lookEmpty()
  }

  /** What was given to the session so far, as a mark: to be noted with a PING, and handed in with its answer. */
  sent(session: Session): number {
    return this.#crew.get(session)?.unacked.mark ?? 0
  }

  /** How many events were given to the session and are not acknowledged. */
  unacked(session: Session): number {
    return this.#crew.get(session)?.unacked.size ?? 0
  }

  /**
   * The session has got everything before `upTo`; or exactly what was given to it when `sent` told this mark. Without
   * that, what it got from the journal, after others, counts as soon as it is sure that this is meant, too.
   */
  acknowledged(session: Session, upTo: Cursor, sent?: number): void {
    const unacked = this.#crew.get(session)?.unacked
    if (unacked === undefined || unacked.size === 0) return
    const { journal } = this.#options
    const names = (at: Cursor) => session.terms.resume === 'explicit' && journal.after(at) === upTo
    if (sent === undefined) unacked.acknowledged(upTo, names)
    else unacked.received(sent)
  }

  /** Ends it: nothing is given to anybody any more. */
  stop(): void {
    for (const { session } of [...this.#crew.all()]) {
      this.#crew.remove(session)
      this.#options.room.release(session)
    }
    this.#waiter = undefined
    this.#backlog.clear()
  }

  /** Goes on with what waits. */
  #move(): void {
    // Who is sent to or given room may come back to us: its turn is after what is being done.
    this.#asked = true
    if (this.#moving) return
    this.#moving = true
    while (this.#asked) {
      this.#asked = false
      while (this.#step());
    }
    this.#moving = false
  }

  /** Deals with the oldest event that waits. False: there is none, or nobody can take it. */
  #step(): boolean {
    const waiting = this.#backlog.next()
    if (waiting === undefined) return false
    const { at, raw, event, again } = waiting
    if (event !== undefined) {
      const before = this.#dispatched
      if (!this.#dispatch({ at, raw, event, late: this.#options.journal.head })) return false
      if (again) this.#redelivered += this.#dispatched - before
    }
    this.#backlog.done(waiting)
    return true
  }

  /** Gives an event to a member, unless nobody wants it. False: it must wait. `late`: the head, if it was read there. */
  #dispatch(given: { at: Cursor; raw: string; event: Fields; late?: Cursor }): boolean {
    const { at, raw } = given
    const { rules } = this.#settings
    const wanted = rules === undefined ? raw : rules.apply(raw, given.event, at)
    if (wanted === undefined || !this.#crew.judge(wanted, at, given)) return true
    for (;;) {
      const member = this.#choose(given)
      const text = member?.kind.text
      if (member === undefined || text === undefined || !this.#roomFor(member, at, text)) return false
      if (member.session.link.send(text)) {
        this.#options.given?.(member.session, text)
        this.#handed(member, at, given.late)
        return true
      }
      member.stuck = true
    }
  }

  #choose({ at, raw, event }: { at: Cursor; raw: string; event: Fields }): PoolMember | undefined {
    for (let looked = false; ; ) {
      const member = this.#whoWaits(at) ?? this.#settings.strategy.choose(this.#crew.candidates(), event, raw)
      if (member === undefined) {
        if (looked || !this.#crew.takeBack()) return undefined
        looked = true
      } else if (this.#usable(member)) return member
      else this.#crew.setAside(member)
    }
  }

  /** For whom room was asked for: it is given to nobody else. */
  #whoWaits(at: Cursor): PoolMember | undefined {
    if (this.#waiter?.at !== at) return undefined
    const { member } = this.#waiter
    this.#waiter = undefined
    if (member.kind.text !== undefined && this.#usable(member)) return member
    this.#options.room.release(member.session)
    return undefined
  }

  #usable({ session, stuck }: PoolMember): boolean {
    const { link, flow } = session
    // In step only: who catches up has yet to get what is older.
    if (stuck || flow.state !== 'live' || !link.open || link.buffered >= LIMITS.highWater) return false
    return this.#options.available?.(session) !== false
  }

  #handed(member: PoolMember, at: Cursor, late: Cursor | undefined): void {
    const { session, unacked } = member
    this.#dispatched += 1
    if (this.#settings.dispatch === 'acked' && acknowledges(session)) {
      // By what it was given it may have come to leave.
      if (this.#crew.get(session) !== member) this.#backlog.return([at])
      unacked.forget(this.#options.journal.first)
      unacked.add(at, late)
    }
    if (session.link.buffered >= LIMITS.highWater) this.#crew.setAside(member)
    else this.#giveBack(member)
  }

  #roomFor(member: PoolMember, at: Cursor, text: string): boolean {
    const { session } = member
    // A web hook holds one event and no copy of it: room is for what piles up in sockets.
    if (text.length <= LIMITS.bigFrame || session.link.transport === 'http-post') return true
    this.#giveBack(member)
    member.holds = this.#options.room.take(session, text.length, () => this.#move())
    if (!member.holds) this.#waiter = { member, at }
    return member.holds
  }

  /** Its socket has taken most of its big frame. */
  #giveBack(member: PoolMember): void {
    if (!member.holds || member.session.link.buffered >= LIMITS.highWater) return
    member.holds = false
    this.#options.room.release(member.session)
  }

  /** Events wait, and there is nobody: said once, until somebody comes. */
  #lookEmpty(): void {
    if (this.#crew.size > 0 || this.#backlog.empty || this.#emptyTold) return
    const { bot, name, report } = this.#options
    report({ kind: 'pool-empty', bot, pool: name })
    this.#emptyTold = true
  }
}

/** Whether it can tell what it has got. */
function acknowledges({ link, returns, terms }: Session): boolean {
  if (link.transport === 'http-post') return true
  return returns !== undefined && (terms.resume === 'explicit' || link.ping !== undefined)
}
