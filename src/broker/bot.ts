// One QQ account: what comes from its implementation, who its sessions are, and what each of them is told.

import { steady } from '../lib/clock.ts'
import type { Fields } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import type { BotOptions } from './bot-options.ts'
import type { Caller } from './caller.ts'
import { Calls } from './calls.ts'
import { CLOSING, type Closing } from './closing.ts'
import type { Failures } from './failures.ts'
import type { Held } from './flow.ts'
import { Members } from './members.ts'
import { type Claim, type Journal, type Link, type Seat, STRANGERS, type Terms, type Upstream } from './ports.ts'
import { Pulse } from './pulse.ts'
import type { Registry } from './registry.ts'
import { Restart } from './restart.ts'
import type { Session } from './session.ts'
import { Sources, type SourcesStatus } from './sources.ts'
import { called } from './traffic.ts'
import type { SlotWish } from './upstreams.ts'
import type { Rejoining, Wish } from './wish.ts'

const AWAY_FOR = 1_800_000
const ONE: readonly SlotWish[] = [{ key: '', spread: false }]

export class Bot {
  readonly name: string
  readonly #options: BotOptions
  /** Of the wall, for what clients read. */
  readonly #now: () => number
  /** For how long things take. */
  readonly #clock: () => number
  readonly #calls: Calls
  readonly #pulse = new Pulse(() => this.#beat())
  readonly members: Members
  readonly #restart: Restart
  readonly #callers = new WeakMap<Session, Caller>()
  readonly #sources: Sources
  /** The account that its implementations must have. */
  #account: string | undefined
  /** The account, as text, once anything told it. */
  #selfId: string | undefined
  /** It has been told in this run. */
  #announced = false
  /** The reason for which its sessions are being ended, and whether for good. */
  #ending: { readonly closing: Closing; readonly ever: boolean } | undefined

  constructor(options: BotOptions) {
    this.name = options.name
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#clock = options.now ?? steady
    const { name: bot, room, report, kept, awayFor = () => AWAY_FOR } = options
    const now = this.#clock
    this.#account = options.account
    this.#selfId = kept?.restored?.selfId
    this.#sources = new Sources({
      bot,
      slots: options.slots ?? ONE,
      pulse: this.#pulse,
      report,
      now,
      stable: options.patience?.failback,
      selfId: () => this.#selfId,
      wanted: () => this.#account,
      ended: () => this.#ending?.ever === true,
      claim: options.claim,
      lost: (upstream, active) => this.#calls.lost(upstream, active),
      changed: (from, to) => this.#changeAccount(from, to),
      told: (selfId) => this.#told(selfId),
      moved: (failing) => this.#moved(failing),
      renewed: (side) => options.policy?.renew?.(side),
      heartbeat: () => this.#sendHeartbeat(),
      event: (raw, event) => this.#event(raw, event),
      meta: (raw, event) => this.members.fanout.append(raw, undefined, event),
      reply: (frame, from) => this.#calls.replied(frame, from),
    })
    this.members = new Members(kept?.restored?.journal ?? options.journal(), {
      bot,
      room,
      pulse: this.#pulse,
      report,
      selfId: () => this.#selfId,
      ending: () => this.#ending?.closing,
      heartbeat: (selfId) => this.#heartbeatText(selfId),
      awayFor,
      silence: options.patience?.silence,
      pools: options.pools,
      store: kept,
      left: kept?.restored,
      terms: options.terms ?? STRANGERS.terms,
      wall: this.#now,
      clock: now,
    })
    this.#restart = new Restart({
      own: options.restart,
      ask: (within, ended) => this.#calls.send('set_restart', { within, ended }),
      redial: () => this.#sources.upstream()?.redial('restart asked for'),
    })
    this.#calls = new Calls({
      ...options,
      bot,
      upstream: (action) => this.#sources.upstream(action),
      sides: this.#sources,
      misplaced: (session) => this.#misplaced(session),
      known: () => this.online,
      account: () => this.#selfId,
      now,
    })
    if (this.#selfId !== undefined) this.#pulse.start()
  }

  get sessions(): Registry {
    return this.members.sessions
  }
  get selfId(): string | undefined {
    return this.#selfId
  }
  /** An implementation has told the account; otherwise it is only remembered from an earlier run. */
  get announced(): boolean {
    return this.#announced
  }
  /** An implementation is connected, and the account is known. */
  get online(): boolean {
    return this.#sources.online
  }
  get heartbeat(): number | undefined {
    return this.#pulse.interval
  }
  get journal(): Journal {
    return this.members.journal
  }
  get sources(): SourcesStatus {
    return this.#sources.status
  }
  /** Which of its implementations does the work, for its policy. */
  get side(): number {
    return this.#sources.active
  }
  /** The last calls that failed. */
  get failures(): Failures {
    return this.#calls.failures
  }
  /** Calls that wait to be sent. */
  held(): Iterable<Held> {
    return this.#calls.held()
  }
  get waiting() {
    const { fanout, returns } = this.members
    return { ...this.#calls.waiting, catchingUp: fanout.catchingUp, away: returns.away }
  }

  // From the implementations' side. What is said here is said of the first place; for others there is `seat`.

  /** The place of the implementation whose slot has this key. @throws RangeError where there is none. */
  seat(key: string): Seat {
    return this.#sources.seat(key)
  }
  /** These implementations from now on, in this order; those that stay keep their links. `account`: see BotOptions. */
  arrange(slots: readonly SlotWish[], account?: string): void {
    this.#account = account
    this.#sources.arrange(slots)
    this.#calls.reconsider()
  }
  connected(upstream: Upstream, peer: string): void {
    this.#sources.first.connected(upstream, peer)
  }
  lost(upstream: Upstream, code: number, reason: string): void {
    this.#sources.first.lost(upstream, code, reason)
  }
  received(raw: string): void {
    this.#sources.first.received(raw)
  }
  identify(selfId: string): boolean {
    return this.#sources.first.identify(selfId)
  }

  // From the clients' side.

  /** A link opened. */
  join(link: Link, wish: Wish): Session {
    return this.members.join(link, wish)
  }

  /** Who has come before with this claim and can prove it: by its entry, or by the secret that it was given. */
  known(claim: Claim, secret?: string): Session | undefined {
    return this.members.known(claim, secret)
  }

  /** A session that may come back goes on with this link; one that it still has is closed. */
  rejoin(session: Session, link: Link, has?: Rejoining): void {
    this.members.rejoin(session, link, has)
  }

  /** A newer link takes the place of this session, which does not go on; or it ends for another reason. */
  replace(session: Session, closing?: Closing): void {
    this.members.replace(session, closing)
    this.#calls.left(session)
  }

  /** The link ended. May be said more than once, and of a link that has been replaced. */
  leave(session: Session, code: number, reason: string, link?: Link): void {
    this.members.leave(session, code, reason, link)
    if (session.flow.state === 'gone') this.#calls.left(session)
  }

  drained(session: Session): void {
    this.members.drained(session)
  }

  /** The link answered a PING. */
  pong(session: Session, data: string): void {
    this.members.returns.pong(session, data)
  }

  /** Everything up to this position has arrived, as the client says. @throws ActionError where that cannot be. */
  acknowledge(session: Session, position: number): void {
    this.members.acknowledge(session, position)
  }

  /** It is not waited for any more. */
  forget(session: Session): void {
    this.members.forget(session)
    this.#calls.left(session)
  }

  /** What governs the session has changed. */
  settle(session: Session, terms: Terms): void {
    this.members.settle(session, terms)
  }

  #misplaced(session: Session): void {
    // Frames may still be on their way.
    if (session.flow.state === 'gone') return
    this.#options.report({ kind: 'implementation-misplaced', bot: this.name, session })
    this.replace(session, CLOSING.misplaced)
  }

  /** Connects to the implementation anew, if it is connected. */
  redial(reason: string): void {
    this.#sources.upstream()?.redial(reason)
  }

  /** One action frame; it ends in exactly one reply. */
  call(caller: Caller, raw: string): void {
    called(raw, this.members.traffic)
    if (caller.session !== undefined) called(raw, caller.session.traffic)
    this.#options.report({ kind: 'action', bot: this.name, session: caller.session, raw })
    this.#calls.call(caller, raw)
  }

  /** Replies go to the session's link, as long as it reads them. */
  callerOf(session: Session): Caller {
    const known = this.#callers.get(session)
    if (known !== undefined) return known
    const caller: Caller = { session, open: session.open, reply: (text) => this.members.reply(session, text) }
    this.#callers.set(session, caller)
    return caller
  }

  /** A call that waits is answered now, and not sent. False: no such call waits. */
  giveUp(id: string, reason: string): boolean {
    return this.#calls.giveUp(id, reason)
  }

  /** An event for these sessions only, in its place among all others. */
  tell(to: ReadonlySet<Session>, text: string): void {
    this.members.fanout.append(text, to)
  }

  /**
   * Restarts the implementation after `delay` milliseconds: by who runs it, or it is asked to and dialled anew.
   * @throws ActionError while another restart is under way.
   */
  restart(delay: number): void {
    if (this.#ending !== undefined) refuse('unavailable', this.#ending.closing.text)
    this.#restart.after(delay)
    this.#options.report({ kind: 'restart', bot: this.name, delay })
  }

  // Life.

  /** Pools are as configured now. */
  configurePools(): void {
    this.members.configurePools()
  }

  /** What limits calls has changed: those that wait may go on, or not. */
  reconsider(): void {
    this.#calls.reconsider()
  }

  /** Durable calls of an earlier run have come to light late. */
  foundDurable(): void {
    this.#calls.found()
  }

  limit(limits: { maxBytes: number; maxAge: number }): void {
    this.journal.limit(limits)
    this.members.fanout.expire()
  }

  /** The end is near: no new calls are taken, those open may still be answered. */
  windDown(): void {
    this.#calls.close(CLOSING.shutdown.text)
  }

  /** Closes every link; calls still open are answered first. */
  stop(closing: Closing = CLOSING.shutdown): void {
    this.#ending = { closing, ever: true }
    this.members.note()
    this.#pulse.stop()
    this.#restart.over()
    this.#sources.stop()
    this.#calls.close(closing.text)
    this.#endAll(closing)
    this.members.stop()
  }

  /** An implementation has told its account. */
  #told(selfId: string): void {
    const known = this.#selfId !== undefined
    this.#selfId = selfId
    this.#restart.back()
    if (!this.#announced) this.#options.report({ kind: 'bot-identified', bot: this.name, selfId })
    this.#announced = true
    if (known) this.#sendHeartbeat()
    else {
      this.#options.kept?.identified(selfId)
      this.members.admitAll()
      this.#pulse.start()
    }
    this.#calls.resume()
  }

  /** Another implementation does the work now, or none. */
  #moved(failing: Upstream | undefined): void {
    if (!this.online || this.#ending !== undefined) return
    this.#sendHeartbeat()
    if (failing !== undefined) this.#calls.leave(failing)
    this.#calls.resume()
  }

  #event(raw: string, event: Fields): void {
    this.#options.report({ kind: 'event', bot: this.name, raw, event })
    this.#calls.heard(event)
    this.members.fanout.append(raw, undefined, event)
  }

  #beat(): void {
    this.#sendHeartbeat()
    this.members.note()
    this.members.fanout.expire()
  }

  #sendHeartbeat(): void {
    if (this.#selfId !== undefined) this.members.fanout.passing(this.#heartbeatText(this.#selfId))
  }

  #heartbeatText(selfId: string): string {
    return this.#pulse.heartbeatText({ selfId, time: this.#seconds(), online: this.online })
  }

  #changeAccount(from: string, to: string): void {
    this.#options.report({ kind: 'bot-changed', bot: this.name, from, to })
    this.disown()
  }

  /** The account is not this bot's any more: nothing of it is left for the next one. */
  disown(): void {
    this.#ending = { closing: CLOSING.accountChanged, ever: false }
    this.#endAll(CLOSING.accountChanged)
    this.#ending = undefined
    this.#selfId = undefined
    this.#announced = false
    this.#sources.forget()
    this.#pulse.forget()
    this.members.renew(this.#options.journal())
  }

  /** Answers what is open, and closes every link: what was asked of one account is no business of the next. */
  #endAll(closing: Closing): void {
    this.#calls.abandon(closing.text)
    this.members.endAll(closing)
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}
