// One QQ account: what comes from its implementation, who its sessions are, and what each of them is told.

import { clientStatus } from '../onebot/event.ts'
import { readUpstream } from '../onebot/frame.ts'
import { locate } from '../onebot/json-text.ts'
import { type Fields, own } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import { Calls } from './calls.ts'
import { CLOSING, type Closing } from './closing.ts'
import { Fanout } from './fanout.ts'
import { LIMITS } from './limits.ts'
import type { Caller, CallSettings, Journal, Link, OwnActions, Upstream } from './ports.ts'
import { Pulse } from './pulse.ts'
import { Registry } from './registry.ts'
import type { Room } from './room.ts'
import { clientOf, type Session } from './session.ts'
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
  readonly now?: (() => number) | undefined
}

/** How long a restarting implementation may take to answer, and to come back (ms). */
const RESTART = { answer: 3_000, back: 60_000 }
/** Milliseconds since 1970 that do not jump when the system's clock is set: deadlines and ages hold. */
const steady = () => Math.round(performance.timeOrigin + performance.now())

export class Bot {
  readonly name: string
  readonly sessions = new Registry()
  readonly #options: BotOptions
  /** Of the wall, for what clients read. */
  readonly #now: () => number
  /** For how long things take. */
  readonly #clock: () => number
  readonly #calls: Calls
  readonly #pulse = new Pulse(() => this.#beat())
  readonly #callsOnly = new Set<Session>()
  readonly #callers = new WeakMap<Session, Caller>()
  #journal: Journal
  #fanout: Fanout
  #upstream: Upstream | undefined
  /** The account, as text, once anything told it. */
  #selfId: string | undefined
  /** Whether the link of now has told the account. */
  #told = false
  /** An account that this link has, and that is another bot's. */
  #conflict: string | undefined
  /** A restart under way: asked for, and then waited for. */
  #restart: { readonly phase: 'delay' | 'back'; readonly timer: ReturnType<typeof setTimeout> } | undefined
  /** The reason for which its sessions are being ended, and whether for good. */
  #ending: { readonly closing: Closing; readonly ever: boolean } | undefined

  constructor(options: BotOptions) {
    this.name = options.name
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#clock = options.now ?? steady
    this.#journal = options.journal()
    this.#fanout = this.#newFanout()
    const { settings, report } = options
    // What is asked of this account is not asked of another.
    const upstream = () => (this.#conflict === undefined ? this.#upstream : undefined)
    this.#calls = new Calls({ bot: options.name, upstream, own: options.own(this), settings, report, now: this.#clock })
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
    return this.#journal
  }
  get waiting(): { replies: number; paced: number; catchingUp: number } {
    return { ...this.#calls.waiting, catchingUp: this.#fanout.catchingUp }
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
    if (this.#restart?.phase === 'back') this.#restarted()
    if (this.#selfId === undefined) {
      this.#selfId = selfId
      this.#options.report({ kind: 'bot-identified', bot: this.name, selfId })
      for (const session of this.sessions.all()) this.#admit(session, selfId)
      this.#pulse.start()
    } else this.#sendHeartbeat()
    this.#calls.resume()
    return true
  }

  // From the clients' side.

  /** A link opened. `name` must be free: the edge has asked `sessions.nameTaken`. */
  join(link: Link, { events, calls, name }: { events: boolean; calls: boolean; name?: string | undefined }): Session {
    const session: Session = {
      appId: crypto.randomUUID(),
      name,
      link,
      events,
      calls,
      since: this.#seconds(),
      flow: { state: 'waiting' },
      open: { calls: 0, bytes: 0 },
      repliesUnread: 0,
    }
    this.#options.report({ kind: 'session-opened', bot: this.name, session })
    if (events && this.#selfId !== undefined && this.#ending === undefined) this.#admit(session, this.#selfId)
    // After it was told of itself: nobody can speak to it before that.
    if (events) this.sessions.add(session)
    else this.#callsOnly.add(session)
    // The handshake was under way when the bot went.
    if (this.#ending !== undefined) this.#end(session, this.#ending.closing)
    return session
  }

  /** The link ended. May be said more than once. */
  leave(session: Session, code: number, reason: string): void {
    if (!this.sessions.remove(session) && !this.#callsOnly.delete(session)) return
    const admitted = session.events && session.flow.state !== 'waiting'
    this.#fanout.remove(session)
    this.#options.report({ kind: 'session-closed', bot: this.name, session, code, reason })
    // Where all must leave, nobody is told of each other's leaving.
    if (admitted && this.#ending === undefined)
      this.#fanout.append(this.#presence(session, { online: false, selfClient: false }))
  }

  drained(session: Session): void {
    if (session.link.buffered === 0) session.repliesUnread = 0
    this.#fanout.drained(session)
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
    const caller: Caller = { session, open: session.open, reply: (text) => this.#reply(session, text) }
    this.#callers.set(session, caller)
    return caller
  }

  /** An event for these sessions only, in its place among all others. */
  tell(to: ReadonlySet<Session>, text: string): void {
    this.#fanout.append(text, to)
  }

  /**
   * Restarts the implementation after `delay` milliseconds: by who runs it, or it is asked to and dialled anew.
   * @throws ActionError while another restart is under way.
   */
  restart(delay: number): void {
    if (this.#ending !== undefined) refuse('unavailable', this.#ending.closing.text)
    if (this.#restart !== undefined) refuse('conflict', 'bot instance is restarting')
    this.#options.report({ kind: 'restart', bot: this.name, delay })
    this.#restart = { phase: 'delay', timer: setTimeout(() => this.#restartNow(), delay) }
  }

  // Life.

  limit(limits: { maxBytes: number; maxAge: number }): void {
    this.#journal.limit(limits)
    this.#fanout.expire()
  }

  /** The end is near: no new calls are taken, those open may still be answered. */
  windDown(): void {
    this.#calls.close(CLOSING.shutdown.text)
  }

  /** Closes every link; calls still open are answered first. */
  stop(closing: Closing = CLOSING.shutdown): void {
    this.#ending = { closing, ever: true }
    this.#pulse.stop()
    this.#restarted()
    this.#disconnected()
    this.#endAll(closing)
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

  #newFanout(): Fanout {
    const { name, room, report } = this.#options
    const behind = (session: Session) => this.#end(session, CLOSING.behind)
    return new Fanout({ bot: name, journal: this.#journal, room, report, behind, now: this.#clock })
  }

  #event(raw: string, event: Fields): void {
    if (!this.#told && !this.#learn(raw, event)) return
    this.#options.report({ kind: 'event', bot: this.name, raw })
    this.#fanout.append(raw)
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
    } else if (type !== 'lifecycle') this.#fanout.append(raw)
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
    this.#fanout.expire()
  }

  #sendHeartbeat(): void {
    if (this.#selfId !== undefined) this.#fanout.passing(this.#heartbeatText(this.#selfId))
  }

  #heartbeatText(selfId: string): string {
    return this.#pulse.heartbeatText({ selfId, time: this.#seconds(), online: this.online })
  }

  #admit(session: Session, selfId: string): void {
    const { link } = session
    // A web hook has no connection whose beginning could be told.
    if (link.transport !== 'http-post') {
      link.send(this.#pulse.lifecycleText(selfId, this.#seconds()))
      link.send(this.#heartbeatText(selfId))
    }
    this.#fanout.append(this.#presence(session, { online: true, selfClient: false }))
    this.#fanout.add(session)
    this.#fanout.append(this.#presence(session, { online: true, selfClient: true }), new Set([session]))
  }

  #presence(session: Session, { online, selfClient }: { online: boolean; selfClient: boolean }): string {
    const client = clientOf(session, this.#selfId)
    return clientStatus({ selfId: this.#selfId ?? '0', time: this.#seconds(), client, online, selfClient })
  }

  #reply(session: Session, text: string): void {
    if (session.flow.state === 'gone') return this.#options.report({ kind: 'reply-orphaned', bot: this.name, session })
    const { link } = session
    if (link.buffered === 0) session.repliesUnread = 0
    // Both: what is unread may be a big event, and then it is no fault of the replies.
    if (session.repliesUnread > LIMITS.repliesUnread && link.buffered > LIMITS.repliesUnread)
      return this.#end(session, CLOSING.repliesUnread)
    session.repliesUnread += text.length
    link.send(text)
  }

  #end(session: Session, closing: Closing): void {
    session.link.close(closing)
    this.leave(session, closing.code, closing.text)
  }

  #changeAccount(from: string, to: string): void {
    this.#options.report({ kind: 'bot-changed', bot: this.name, from, to })
    this.#ending = { closing: CLOSING.accountChanged, ever: false }
    this.#endAll(CLOSING.accountChanged)
    this.#ending = undefined
    this.#selfId = undefined
    this.#pulse.forget()
    this.#journal = this.#options.journal()
    this.#fanout = this.#newFanout()
  }

  /** Answers what is open, and closes every link: what was asked of one account is no business of the next. */
  #endAll(closing: Closing): void {
    this.#calls.abandon(closing.text)
    for (const session of [...this.sessions.all(), ...this.#callsOnly]) this.#end(session, closing)
  }

  #restartNow(): void {
    this.#restart = { phase: 'back', timer: setTimeout(() => this.#restarted(), RESTART.back) }
    const { restart } = this.#options
    // Asked itself it might stop before it answers, and not come back.
    if (restart !== undefined) return void restart().catch(() => this.#restarted())
    const redial = () => this.#upstream?.redial('restart asked for')
    // Away: it is being dialled already.
    if (!this.#calls.send('set_restart', { within: RESTART.answer, ended: redial })) this.#restarted()
  }

  #restarted(): void {
    clearTimeout(this.#restart?.timer)
    this.#restart = undefined
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}

/** The account an event is of, as text: it may be more than a number of ours can hold. */
function accountOf(raw: string, event: Fields): string | undefined {
  const selfId = own(event, 'self_id')
  const text = typeof selfId === 'number' ? digits(raw, selfId) : selfId
  return typeof text === 'string' && /^[1-9]\d{0,19}$/.test(text) ? text : undefined
}

function digits(raw: string, selfId: number): string {
  const span = Number.isSafeInteger(selfId) ? undefined : locate(raw, ['self_id'])
  return span === undefined ? String(selfId) : raw.slice(span.start, span.end)
}
