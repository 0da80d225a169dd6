// One QQ account: what comes from its implementation, who its sessions are, and what each of them is told.

import { clientStatus, heartbeat, lifecycle } from '../onebot/event.ts'
import { readUpstream } from '../onebot/frame.ts'
import { locate } from '../onebot/json-text.ts'
import { type Fields, isObject, own } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import { Calls } from './calls.ts'
import { CLOSING, type Closing } from './closing.ts'
import { Fanout } from './fanout.ts'
import { LIMITS } from './limits.ts'
import type { Caller, CallSettings, Journal, Link, OwnActions, Upstream } from './ports.ts'
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
  /** Whether no other bot has this account. */
  readonly free: (selfId: string, bot: Bot) => boolean
  readonly now?: (() => number) | undefined
}

/** How long a restarting implementation may take to answer, and to come back (ms). */
const RESTART = { answer: 3_000, back: 60_000 }
const DEFAULT_INTERVAL = 5_000

export class Bot {
  readonly name: string
  readonly sessions = new Registry()
  readonly #options: BotOptions
  readonly #now: () => number
  readonly #calls: Calls
  readonly #callsOnly = new Set<Session>()
  readonly #callers = new WeakMap<Session, Caller>()
  #journal: Journal
  #fanout: Fanout
  #upstream: Upstream | undefined
  /** The account, as text, once anything told it. */
  #selfId: string | undefined
  /** Whether the link of now has told the account. */
  #told = false
  #identified = Promise.withResolvers<string>()
  #lifecycle: string | undefined
  #heartbeat: string | undefined
  #interval: number | undefined
  #beat: ReturnType<typeof setInterval> | undefined
  #restarting: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(options: BotOptions) {
    this.name = options.name
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#journal = options.journal()
    this.#fanout = this.#newFanout()
    const { settings, report } = options
    const upstream = () => this.#upstream
    this.#calls = new Calls({ bot: options.name, upstream, own: options.own(this), settings, report, now: this.#now })
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
    return this.#interval
  }
  get journal(): Journal {
    return this.#journal
  }
  get waiting(): { replies: number; paced: number; catchingUp: number } {
    return { ...this.#calls.waiting, catchingUp: this.#fanout.catchingUp }
  }
  /** Resolves with the account once it is known. */
  whenIdentified(): Promise<string> {
    return this.#identified.promise
  }

  // From the implementation's side.

  /** A link to the implementation opened; it takes the place of the one before. */
  connected(upstream: Upstream, peer: string): void {
    if (this.#upstream !== undefined) this.#calls.lost()
    this.#upstream = upstream
    this.#told = false
    this.#interval = undefined
    this.#options.report({ kind: 'upstream-connected', bot: this.name, peer })
  }

  /** That link ended; ignored when it is not the one of now. */
  lost(upstream: Upstream, code: number, reason: string): void {
    if (this.#upstream !== upstream) return
    this.#upstream = undefined
    this.#told = false
    this.#interval = undefined
    this.#options.report({ kind: 'upstream-lost', bot: this.name, code, reason })
    this.#calls.lost()
    this.#sendHeartbeat()
  }

  /** One text frame; whatever it holds, nothing is thrown. */
  received(raw: string): void {
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
    if (!this.#options.free(selfId, this)) {
      const conflict = { kind: 'bot-conflict', bot: this.name, selfId, owner: selfId } as const
      if (!this.#told) this.#options.report(conflict)
      return false
    }
    if (this.#selfId !== undefined && this.#selfId !== selfId) this.#changeAccount(this.#selfId, selfId)
    this.#told = true
    clearTimeout(this.#restarting)
    this.#restarting = undefined
    if (this.#selfId === undefined) {
      this.#selfId = selfId
      this.#options.report({ kind: 'bot-identified', bot: this.name, selfId })
      this.#identified.resolve(selfId)
      for (const session of this.sessions.all()) this.#admit(session, selfId)
      this.#beatEvery(DEFAULT_INTERVAL)
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
    if (!events) {
      this.#callsOnly.add(session)
      return session
    }
    if (this.#selfId !== undefined) this.#admit(session, this.#selfId)
    // After it was told of itself: nobody can speak to it before that.
    this.sessions.add(session)
    return session
  }

  /** The link ended. May be said more than once. */
  leave(session: Session, code: number, reason: string): void {
    if (!this.sessions.remove(session) && !this.#callsOnly.delete(session)) return
    const admitted = session.events && session.flow.state !== 'waiting'
    this.#fanout.remove(session)
    this.#options.report({ kind: 'session-closed', bot: this.name, session, code, reason })
    if (admitted && !this.#stopped) this.#fanout.append(this.#presence(session, { online: false, selfClient: false }))
  }

  drained(session: Session): void {
    if (session.link.buffered === 0) session.repliesUnread = 0
    this.#fanout.drained(session)
  }

  /** One action frame; it ends in exactly one reply. */
  call(caller: Caller, raw: string): void {
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
   * Restarts the implementation after `delay` milliseconds: it is asked to, and dialled anew.
   * @throws ActionError while another restart is under way.
   */
  restart(delay: number): void {
    if (this.#restarting !== undefined) refuse('conflict', 'bot instance is restarting')
    this.#options.report({ kind: 'restart', bot: this.name, delay })
    this.#restarting = setTimeout(() => this.#restartNow(), delay)
  }

  // Life.

  limit(limits: { maxBytes: number; maxAge: number }): void {
    this.#journal.limit(limits)
    this.#fanout.expire()
  }

  /** Closes every link; calls still open are answered first. */
  stop(closing: Closing = CLOSING.shutdown): void {
    this.#stopped = true
    clearInterval(this.#beat)
    clearTimeout(this.#restarting)
    this.#calls.stop()
    this.#upstream = undefined
    for (const session of [...this.sessions.all(), ...this.#callsOnly]) this.#end(session, closing)
  }

  #newFanout(): Fanout {
    const { name, room, report } = this.#options
    const behind = (session: Session) => this.#end(session, CLOSING.behind)
    return new Fanout({ bot: name, journal: this.#journal, room, report, behind, now: this.#now })
  }

  #event(raw: string, event: Fields): void {
    if (!this.#told && !this.#learn(raw, event)) return
    this.#options.report({ kind: 'event', bot: this.name, bytes: raw.length })
    this.#fanout.append(raw)
  }

  #meta(raw: string, event: Fields): void {
    const type = own(event, 'meta_event_type')
    // A link's account does not change without a new lifecycle; one that does not say is what it was.
    if (type === 'lifecycle') this.#lifecycle = raw
    if ((type === 'lifecycle' || !this.#told) && !this.#learn(raw, event)) return
    if (type === 'heartbeat') this.#heartbeatCame(raw, event)
    else if (type !== 'lifecycle') this.#fanout.append(raw)
  }

  /** False: we do not know whose event this is, or another bot's upstream delivers it. */
  #learn(raw: string, event: Fields): boolean {
    const selfId = accountOf(raw, event)
    return selfId === undefined ? this.#told : this.identify(selfId)
  }

  #heartbeatCame(raw: string, event: Fields): void {
    const first = this.#heartbeat === undefined
    this.#heartbeat = raw
    const interval = own(event, 'interval')
    const wanted = typeof interval === 'number' && interval > 0 ? interval : DEFAULT_INTERVAL
    if (this.#interval !== wanted) {
      this.#interval = wanted
      this.#beatEvery(wanted)
    }
    if (first || isOnline(event) === false) this.#sendHeartbeat()
  }

  #beatEvery(interval: number): void {
    clearInterval(this.#beat)
    const every = Math.min(Math.max(interval, LIMITS.fastestHeartbeat), LIMITS.slowestHeartbeat)
    this.#beat = setInterval(() => {
      this.#sendHeartbeat()
      this.#fanout.expire()
    }, every)
  }

  #sendHeartbeat(): void {
    if (this.#selfId !== undefined) this.#fanout.passing(this.#heartbeatText(this.#selfId))
  }

  #heartbeatText(selfId: string): string {
    const interval = this.#interval ?? DEFAULT_INTERVAL
    return heartbeat(this.#heartbeat, { selfId, time: this.#seconds(), online: this.online, interval })
  }

  #admit(session: Session, selfId: string): void {
    const { link } = session
    // A web hook has no connection whose beginning could be told.
    if (link.transport !== 'http-post') {
      link.send(lifecycle(selfId, this.#seconds(), this.#lifecycle))
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
    if (session.flow.state === 'gone') return
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
    const sessions = [...this.sessions.all()]
    for (const session of sessions) this.#end(session, CLOSING.accountChanged)
    this.#selfId = undefined
    this.#identified = Promise.withResolvers()
    this.#heartbeat = undefined
    this.#journal = this.#options.journal()
    this.#fanout = this.#newFanout()
  }

  #restartNow(): void {
    this.#restarting = setTimeout(() => {
      this.#restarting = undefined
    }, RESTART.back)
    const redial = () => this.#upstream?.redial('restart asked for')
    this.#calls.send('set_restart', { within: RESTART.answer, ended: redial })
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}

/** The account an event is of, as text: it may be more than a number of ours can hold. */
function accountOf(raw: string, event: Fields): string | undefined {
  const selfId = own(event, 'self_id')
  if (typeof selfId === 'string') return /^[1-9]\d{0,19}$/.test(selfId) ? selfId : undefined
  if (typeof selfId !== 'number' || selfId <= 0) return undefined
  const span = Number.isSafeInteger(selfId) ? undefined : locate(raw, ['self_id'])
  return span === undefined ? String(selfId) : raw.slice(span.start, span.end)
}

function isOnline(event: Fields): boolean | undefined {
  const status = own(event, 'status')
  const online = isObject(status) ? own(status, 'online') : undefined
  return typeof online === 'boolean' ? online : undefined
}
