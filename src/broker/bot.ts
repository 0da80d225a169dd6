// One QQ account: what comes from its implementation, who its sessions are, and what each of them is told.

import { accountOf } from '../onebot/account.ts'
import { readUpstream } from '../onebot/frame.ts'
import { type Fields, own } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import { Calls } from './calls.ts'
import { CLOSING, type Closing } from './closing.ts'
import { Members, type Wish } from './members.ts'
import type { PoolStatus } from './pool.ts'
import type { PoolPlans } from './pools.ts'
import type {
  Caller,
  CallPolicy,
  CallSettings,
  Claim,
  DurableStore,
  Journal,
  Link,
  OwnActions,
  Terms,
  Upstream,
} from './ports.ts'
import { Pulse } from './pulse.ts'
import type { Registry } from './registry.ts'
import { Restart } from './restart.ts'
import type { Room } from './room.ts'
import type { Session } from './session.ts'
import type { Report } from './status.ts'

export interface BotOptions {
  /** Names it in logs until, and after, its account is known. */
  readonly name: string
  /** A new, empty journal: the first, and one for each change of the account. */
  readonly journal: () => Journal
  readonly room: Room
  readonly own: (bot: Bot) => OwnActions
  readonly settings: () => CallSettings
  readonly report: Report
  /** Restarts an implementation that is ours to run; absent: it is asked to restart itself, and dialled anew. */
  readonly restart?: (() => Promise<void>) | undefined
  /** Whether no other bot has this account. */
  readonly free: (selfId: string, bot: Bot) => boolean
  /** How long (ms) a session that may come back is waited for. Default: half an hour. */
  readonly awayFor?: (() => number) | undefined
  /** Default: there are no pools. */
  readonly pools?: (() => PoolPlans) | undefined
  /** Default: every call may go. */
  readonly policy?: CallPolicy | undefined
  /** Default: no call is durable. */
  readonly durable?: DurableStore | undefined
  readonly now?: (() => number) | undefined
}

const AWAY_FOR = 1_800_000
/** Milliseconds since 1970 that do not jump when the system's clock is set: deadlines and ages hold. */
const steady = () => Math.round(performance.timeOrigin + performance.now())

export class Bot {
  readonly name: string
  readonly #options: BotOptions
  /** Of the wall, for what clients read. */
  readonly #now: () => number
  /** For how long things take. */
  readonly #clock: () => number
  readonly #calls: Calls
  readonly #pulse = new Pulse(() => this.#beat())
  readonly #members: Members
  readonly #restart: Restart
  readonly #callers = new WeakMap<Session, Caller>()
  #upstream: Upstream | undefined
  /** The account, as text, once anything told it. */
  #selfId: string | undefined
  /** Whether the link of now has told the account. */
  #told = false
  /** An account that this link has, and that is another bot's. */
  #conflict: string | undefined
  /** The reason for which its sessions are being ended, and whether for good. */
  #ending: { readonly closing: Closing; readonly ever: boolean } | undefined

  constructor(options: BotOptions) {
    this.name = options.name
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#clock = options.now ?? steady
    const { room, report, awayFor = () => AWAY_FOR } = options
    this.#members = new Members(options.journal(), {
      bot: options.name,
      room,
      pulse: this.#pulse,
      report,
      selfId: () => this.#selfId,
      ending: () => this.#ending?.closing,
      heartbeat: (selfId) => this.#heartbeatText(selfId),
      awayFor,
      pools: options.pools,
      wall: this.#now,
      clock: this.#clock,
    })
    this.#restart = new Restart({
      own: options.restart,
      ask: (within, ended) => this.#calls.send('set_restart', { within, ended }),
      redial: () => this.#upstream?.redial('restart asked for'),
    })
    // What is asked of this account is not asked of another.
    const upstream = () => (this.#conflict === undefined ? this.#upstream : undefined)
    const account = () => this.#selfId
    this.#calls = new Calls({
      ...options,
      bot: options.name,
      own: options.own(this),
      upstream,
      account,
      now: this.#clock,
    })
  }

  get sessions(): Registry {
    return this.#members.sessions
  }
  get selfId(): string | undefined {
    return this.#selfId
  }
  /** Connected, and the account is known. */
  get online(): boolean {
    return this.#upstream !== undefined && this.#told
  }
  /** The implementation's own interval in milliseconds, once one was seen on this link. */
  get heartbeat(): number | undefined {
    return this.#pulse.interval
  }
  get journal(): Journal {
    return this.#members.journal
  }
  get pools(): PoolStatus[] {
    return this.#members.fanout.pools.status
  }
  get waiting() {
    const { fanout, returns } = this.#members
    return { ...this.#calls.waiting, catchingUp: fanout.catchingUp, away: returns.away }
  }

  // From the implementation's side.

  /** A link to the implementation opened; it takes the place of the one before. */
  connected(upstream: Upstream, peer: string): void {
    if (this.#ending?.ever) return
    const replaced = this.#upstream !== undefined
    this.#disconnected()
    if (replaced) this.#calls.lost()
    this.#upstream = upstream
    this.#options.report({ kind: 'upstream-connected', bot: this.name, peer })
  }

  /** That link ended; ignored when it is not the one of now. */
  lost(upstream: Upstream, code: number, reason: string): void {
    if (this.#upstream !== upstream) return
    this.#disconnected()
    this.#options.report({ kind: 'upstream-lost', bot: this.name, code, reason })
    this.#calls.lost()
    this.#sendHeartbeat()
  }

  /** One text frame; whatever it holds, nothing is thrown. */
  received(raw: string): void {
    if (this.#ending?.ever) return
    const frame = readUpstream(raw)
    switch (frame.kind) {
      case 'event':
        return this.#event(raw, frame.event)
      case 'meta':
        return this.#meta(raw, frame.event)
      case 'reply':
        return this.#calls.replied(frame)
      case 'garbage':
        return this.#options.report({ kind: 'upstream-garbage', bot: this.name, why: frame.why, text: raw })
      default:
        return frame satisfies never
    }
  }

  /** The account is this one, as said by a frame or by the handshake. False: another bot has it. */
  identify(selfId: string): boolean {
    if (this.#told && selfId === this.#selfId) return true
    if (this.#ending?.ever) return false
    if (!this.#options.free(selfId, this)) return this.#conflicts(selfId)
    if (this.#selfId !== undefined && this.#selfId !== selfId) this.#changeAccount(this.#selfId, selfId)
    this.#told = true
    this.#conflict = undefined
    this.#restart.back()
    if (this.#selfId === undefined) {
      this.#selfId = selfId
      this.#options.report({ kind: 'bot-identified', bot: this.name, selfId })
      this.#members.admitAll(selfId)
      this.#pulse.start()
    } else this.#sendHeartbeat()
    this.#calls.resume()
    return true
  }

  // From the clients' side.

  /** A link opened. */
  join(link: Link, wish: Wish): Session {
    return this.#members.join(link, wish)
  }

  /** Who has come before with this claim and can prove it: by its entry, or by the secret that it was given. */
  known(claim: Claim, secret?: string): Session | undefined {
    return this.#members.known(claim, secret)
  }

  /** A session that may come back goes on with this link; one that it still has is closed. */
  rejoin(session: Session, link: Link, terms?: Terms): void {
    this.#members.rejoin(session, link, terms)
  }

  /** A newer link takes the place of this session, which does not go on. */
  replace(session: Session): void {
    this.#members.replace(session)
  }

  /** The link ended. May be said more than once, and of a link that has been replaced. */
  leave(session: Session, code: number, reason: string, link?: Link): void {
    this.#members.leave(session, code, reason, link)
    if (session.flow.state === 'gone') this.#calls.left(session)
  }

  drained(session: Session): void {
    this.#members.drained(session)
  }

  /** The link answered a PING. */
  pong(session: Session, data: string): void {
    this.#members.returns.pong(session, data)
  }

  /** Everything up to this position has arrived, as the client says. @throws ActionError where that cannot be. */
  acknowledge(session: Session, position: number): void {
    this.#members.acknowledge(session, position)
  }

  /** It is not waited for any more. */
  forget(session: Session): void {
    this.#members.forget(session)
  }

  /** What governs the session has changed. */
  settle(session: Session, terms: Terms): void {
    this.#members.settle(session, terms)
  }

  /** One action frame; it ends in exactly one reply. */
  call(caller: Caller, raw: string): void {
    this.#options.report({ kind: 'action', bot: this.name, session: caller.session, raw })
    this.#calls.call(caller, raw)
  }

  /** Replies go to the session's link, as long as it reads them. */
  callerOf(session: Session): Caller {
    const known = this.#callers.get(session)
    if (known !== undefined) return known
    const caller: Caller = { session, open: session.open, reply: (text) => this.#members.reply(session, text) }
    this.#callers.set(session, caller)
    return caller
  }

  /** An event for these sessions only, in its place among all others. */
  tell(to: ReadonlySet<Session>, text: string): void {
    this.#members.fanout.append(text, to)
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
    this.#members.fanout.pools.configure(this.#options.pools?.() ?? new Map())
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
    this.#members.fanout.expire()
  }

  /** The end is near: no new calls are taken, those open may still be answered. */
  windDown(): void {
    this.#calls.close(CLOSING.shutdown.text)
  }

  /** Closes every link; calls still open are answered first. */
  stop(closing: Closing = CLOSING.shutdown): void {
    this.#ending = { closing, ever: true }
    this.#pulse.stop()
    this.#restart.over()
    this.#disconnected()
    this.#calls.close(closing.text)
    this.#endAll(closing)
    this.#members.stop()
  }

  #disconnected(): void {
    this.#upstream = undefined
    this.#told = false
    this.#conflict = undefined
    this.#pulse.lost()
  }

  #conflicts(selfId: string): false {
    const wasOurs = this.#told
    this.#told = false
    if (this.#conflict !== selfId) this.#options.report({ kind: 'bot-conflict', bot: this.name, selfId })
    this.#conflict = selfId
    if (wasOurs) this.#sendHeartbeat()
    return false
  }

  #event(raw: string, event: Fields): void {
    if (!this.#told && !this.#learn(raw, event)) return
    this.#options.report({ kind: 'event', bot: this.name, raw })
    this.#calls.heard(event)
    this.#members.fanout.append(raw, undefined, event)
  }

  #meta(raw: string, event: Fields): void {
    const type = own(event, 'meta_event_type')
    const before = this.#pulse.lifecycle
    if (type === 'lifecycle') this.#pulse.lifecycle = raw
    // A link's account does not change without a new lifecycle; one that does not say is what it was.
    if ((type === 'lifecycle' || !this.#told) && !this.#learn(raw, event)) {
      this.#pulse.lifecycle = before
      return
    }
    if (type === 'heartbeat') {
      // What is new need not wait for the next beat.
      if (this.#pulse.heard(raw, event)) this.#sendHeartbeat()
    } else if (type !== 'lifecycle') this.#members.fanout.append(raw, undefined, event)
  }

  /** False: we do not know whose event this is, or another bot's upstream delivers it. */
  #learn(raw: string, event: Fields): boolean {
    const selfId = accountOf(raw, event)
    if (selfId !== undefined) return this.identify(selfId)
    if (!this.#told && own(event, 'post_type') !== 'meta_event')
      this.#options.report({
        kind: 'upstream-garbage',
        bot: this.name,
        why: 'an event of an unknown account',
        text: raw,
      })
    return this.#told
  }

  #beat(): void {
    this.#sendHeartbeat()
    this.#members.fanout.expire()
  }

  #sendHeartbeat(): void {
    if (this.#selfId !== undefined) this.#members.fanout.passing(this.#heartbeatText(this.#selfId))
  }

  #heartbeatText(selfId: string): string {
    return this.#pulse.heartbeatText({ selfId, time: this.#seconds(), online: this.online })
  }

  #changeAccount(from: string, to: string): void {
    this.#options.report({ kind: 'bot-changed', bot: this.name, from, to })
    this.#ending = { closing: CLOSING.accountChanged, ever: false }
    this.#endAll(CLOSING.accountChanged)
    this.#ending = undefined
    this.#selfId = undefined
    this.#pulse.forget()
    this.#members.renew(this.#options.journal())
  }

  /** Answers what is open, and closes every link: what was asked of one account is no business of the next. */
  #endAll(closing: Closing): void {
    this.#calls.abandon(closing.text)
    this.#members.endAll(closing)
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}
