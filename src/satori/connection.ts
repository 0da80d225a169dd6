// One Satori client's WebSocket: its frames, who it proves to be, and a session of each bot on it.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import type { Channel, Claim, Cursor, Guests, Journal } from '../broker/ports.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import { steady } from '../lib/clock.ts'
import { type Fields, isObject, own, parse } from '../onebot/object.ts'
import type { AcceptedSocket, SocketEvents } from '../runtime/host.ts'
import { SATORI_CLOSING } from './closings.ts'
import { frame, type LoginEvent, loginBody, OPCODE, satoriForm } from './form.ts'
import type { Lag, Lags } from './lag.ts'
import { BotLink } from './link.ts'
import type { Logins } from './logins.ts'
import { places } from './resume.ts'
import { before, lastBefore, nextOf, snOf } from './sn.ts'

export interface ConnectionOptions {
  readonly bots: Bots
  readonly logins: Logins
  readonly lags: Lags
  readonly guests: Guests
  readonly report: Report
  readonly channel: Channel
  readonly peer: string
  readonly path: string
  /** What the handshake said it is called. */
  readonly name: string | undefined
  /** The token that the handshake showed, which was judged then. */
  readonly shown: string | undefined
  /** Whether this token, or none, opens the door. */
  readonly opens: (token: string | undefined) => boolean
  /** Milliseconds until IDENTIFY must have come. */
  readonly patience: number
  readonly opened: () => void
  /** It has said who it is, or has gone before that. */
  readonly settled: () => void
  readonly ended: (connection: Connection) => void
}

/** Clients send nothing long; who is not known yet must not make us read megabytes. */
const LONGEST_FRAME = 64 * 1024
/** Beyond so many bytes in a socket no PING is answered: answers are what a client can make us pile up. */
const MOST_UNREAD = 4 * 1024 * 1024
/** A peer that does not take our close frame for this long (ms) is dropped without. */
const GOODBYE = 10_000

interface Attached {
  readonly link: BotLink
  readonly session: Session
  readonly selfId: string
}

export class Connection implements SocketEvents<AcceptedSocket> {
  readonly #options: ConnectionOptions
  readonly #attached = new Map<Bot, Attached>()
  readonly #decoder = new TextDecoder()
  #socket: AcceptedSocket | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #state: 'new' | 'identifying' | 'ready' | 'over' = 'new'
  #claim: Claim = {}
  /** What it came with. */
  #token: string | undefined
  /** What was late on it; undefined: nothing has been sent by it yet. */
  #lag: Lag | undefined
  #unwatch: (() => void)[] = []
  /** A PING came that was too early to be answered. */
  #pinged = false

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  open(socket: AcceptedSocket): void {
    this.#socket = socket
    this.#options.opened()
    this.#timer = setTimeout(() => this.#close(SATORI_CLOSING.late), this.#options.patience)
  }

  text(_socket: AcceptedSocket, text: string): void {
    if (this.#state === 'over') return
    const payload = text.length > LONGEST_FRAME ? undefined : parse(text)
    const op = isObject(payload) ? own(payload, 'op') : undefined
    const body = isObject(payload) ? own(payload, 'body') : undefined
    if (op === OPCODE.ping) this.#pong()
    else if (op === OPCODE.identify && this.#state === 'new') void this.#identify(isObject(body) ? body : {})
    else this.#refuse(SATORI_CLOSING.badFrame, 400, `found ${found(payload, op)}, want op ${this.#wanted()}`)
  }

  binary(socket: AcceptedSocket, bytes: Uint8Array): void {
    this.text(socket, this.#decoder.decode(bytes))
  }

  drain(): void {
    for (const [bot, { session }] of this.#attached) bot.drained(session)
  }

  close(_socket: AcceptedSocket, code: number, reason: string): void {
    this.#over()
    if (this.#lag !== undefined) this.#options.lags.end(this.#whose, this.#lag)
    for (const [bot, { session, link }] of this.#attached) bot.leave(session, code, reason, link)
    this.#attached.clear()
    this.#options.ended(this)
  }

  /** The session of a bot that events go out by. */
  session(bot: Bot): Session | undefined {
    return this.#attached.get(bot)?.session
  }
  get peer(): string {
    return this.#options.peer
  }
  /** The client of the configuration whose token it showed; undefined: nobody's in particular. */
  get entry(): string | undefined {
    return this.#claim.entry
  }

  /** The gateway ends, or serves Satori no more. */
  end(closing: Closing): void {
    this.#close(closing)
  }

  /** Closes where its token, or none, would not let it in now, as the same client. Who has not said IDENTIFY yet is judged then. */
  review(): void {
    if (this.#state !== 'new' && !this.#welcome) this.#close(SATORI_CLOSING.tokenGone)
  }

  get #welcome(): boolean {
    const { guests, opens } = this.#options
    const token = this.#token
    return opens(token) && (token === undefined ? undefined : guests.byToken(token)?.entry) === this.#claim.entry
  }

  async #identify(body: Fields): Promise<void> {
    const refused = this.#refusal(body)
    if (refused !== undefined) return this.#refuse(SATORI_CLOSING.wrongToken, 403, refused)
    this.#state = 'identifying'
    clearTimeout(this.#timer)
    this.#options.settled()
    const { logins, bots, lags } = this.#options
    await logins.named()
    if (this.#state !== 'identifying') return
    this.#state = 'ready'
    const known = bots.all().filter(({ selfId }) => selfId !== undefined)
    this.#send(frame(OPCODE.ready, JSON.stringify({ logins: logins.all(), proxy_urls: [] })))
    if (this.#pinged) this.#pong()
    const from = places(known, snIn(body), (bot, time) => lags.since(this.#whose, bot, time))
    this.#lag = lags.open(this.#whose)
    for (const bot of known) this.#attach(bot, from.get(bot))
    this.#unwatch = [bots.watch(() => this.#look()), logins.watch((bot) => this.#tell(bot, 'login-updated'))]
    this.#look()
  }

  /** READY comes before everything else. */
  #pong(): void {
    // Who reads nothing and asks on hears enough once it reads.
    if ((this.#socket?.buffered ?? 0) > MOST_UNREAD) return
    if (this.#state === 'ready') this.#send(frame(OPCODE.pong, '{}'))
    else this.#pinged = true
  }

  /** Why it may not come in, having settled who it is. */
  #refusal(body: Fields): string | undefined {
    const { guests, opens, shown, name } = this.#options
    const said = own(body, 'token')
    const token = typeof said === 'string' && said !== '' ? said : shown
    if (!opens(token)) return token === undefined ? 'IDENTIFY: no token' : 'IDENTIFY: wrong token'
    const mine = token === undefined ? undefined : guests.byToken(token)
    if (mine !== undefined && name !== undefined && name !== mine.name)
      return `client_name: this token is that of "${mine.name}"; leave the name out, or use its own token`
    this.#token = token
    this.#claim = { entry: mine?.entry, name: mine?.name ?? name }
    return guests.terms(this.#claim) === undefined ? this.#ownedName : undefined
  }

  get #ownedName(): string {
    return `client_name: "${this.#claim.name}" is a client with a token of its own; connect with that token`
  }

  /** Bots come, get an account, and go. */
  #look(): void {
    if (this.#state !== 'ready') return
    const { bots, logins } = this.#options
    for (const bot of bots.all()) {
      if (bot.selfId === undefined || this.#attached.has(bot)) continue
      this.#say(bot, 'login-added', bot.selfId, this.#given(bot))
      logins.begin(bot)
      this.#attach(bot, undefined)
    }
  }

  /** @param from where it goes on, and whether all that came since is still there. */
  #attach(bot: Bot, from: { cursor: Cursor; lost: number | undefined } | undefined): void {
    const socket = this.#socket
    const { selfId } = bot
    if (socket === undefined || selfId === undefined || this.#state !== 'ready') return
    const { guests, logins, report, channel, peer } = this.#options
    // Of now: it may have connected under other settings.
    const terms = guests.terms(this.#claim)
    if (terms === undefined) return this.#refuse(CLOSING.refused, 403, this.#ownedName)
    const claim = this.#free(bot)
    if (claim === undefined)
      return this.#refuse(CLOSING.refused, 409, `client_name: another client is named "${this.#claim.name}"`)
    const link = new BotLink({
      socket,
      channel,
      peer,
      dress: satoriForm(bot, logins, 'frame'),
      inStep: (now) => (now ? this.#lag?.finish(bot, steady()) : this.#lag?.begin(bot, newestTime(bot.journal))),
      closed: (closing) => this.#detach(bot, closing),
    })
    if (from !== undefined) this.#lag?.begin(bot, bot.journal.at(from.cursor)?.time ?? steady())
    // First of all: what follows is not all there was.
    if (from?.lost !== undefined) this.#say(bot, 'login-updated', selfId, snOf(bot.journal, before(from.cursor)))
    const session = bot.join(link, { events: true, calls: true, claim, from: from?.cursor, terms })
    if (link.open) this.#attached.set(bot, { link, session, selfId })
    if (from?.lost !== undefined) report({ kind: 'resume-lost', bot: bot.name, session, missed: from.lost })
  }

  /** Who it is at this bot: its own session of before gives way. Undefined: the name is another's. */
  #free(bot: Bot): Claim | undefined {
    const known = bot.known(this.#claim)
    if (known !== undefined) bot.replace(known)
    const { name } = this.#claim
    return name !== undefined && bot.sessions.nameTaken(name) ? undefined : this.#claim
  }

  /** The bot ends its session. The socket lives on where only this bot goes. */
  #detach(bot: Bot, closing: Closing): void {
    const attached = this.#attached.get(bot)
    if (closing !== CLOSING.accountChanged && closing !== CLOSING.removed) return this.#close(closing)
    this.#attached.delete(bot)
    if (attached !== undefined) this.#say(bot, 'login-removed', attached.selfId, this.#given(bot))
    // Another account of the same bot: it is told of when it is known.
    queueMicrotask(() => this.#look())
  }

  #tell(bot: Bot, type: LoginEvent): void {
    const attached = this.#attached.get(bot)
    if (attached !== undefined) this.#say(bot, type, attached.selfId, this.#given(bot))
  }

  #say(bot: Bot, type: LoginEvent, selfId: string, sn: number): void {
    this.#send(frame(OPCODE.event, loginBody(bot, this.#options.logins, type, selfId, sn)))
  }

  /**
   * The `sn` of the newest event that it has been given, of whichever bot: what is said in between must not lead
   * elsewhere who comes back with that. Where none was given, the one before this bot's first.
   */
  #given(bot: Bot): number {
    let newest: { sn: number; time: number } | undefined
    for (const [{ journal }, { session }] of this.#attached) {
      const last = lastBefore(journal, nextOf(session, journal))
      if (last !== undefined && last.time >= (newest?.time ?? 0))
        newest = { sn: snOf(journal, last.at), time: last.time }
    }
    return newest?.sn ?? snOf(bot.journal, before(bot.journal.head))
  }

  #send(text: string): void {
    this.#socket?.send(text)
  }

  #refuse(closing: Closing, status: number, why: string): void {
    const { report, peer, path } = this.#options
    report({ kind: 'link-refused', peer, path, status, why })
    this.#close({ ...closing, text: `${closing.text}: ${why}` })
  }

  #close({ code, text }: Closing): void {
    const socket = this.#socket
    if (socket === undefined || this.#state === 'over') return
    this.#over()
    socket.close(code, text)
    setTimeout(() => socket.terminate(), GOODBYE).unref?.()
  }

  #over(): void {
    if (this.#state === 'new') this.#options.settled()
    this.#state = 'over'
    clearTimeout(this.#timer)
    for (const unwatch of this.#unwatch.splice(0)) unwatch()
  }

  /** By what it is known when it comes back: others that are known by the same may hear something twice. */
  get #whose(): string {
    const { entry, name } = this.#claim
    return entry ?? (name === undefined ? `at ${this.peer}` : `named ${name}`)
  }

  #wanted(): string {
    return this.#state === 'new' ? '3 (IDENTIFY)' : '1 (PING)'
  }
}

/** An event that is just being told stands in the journal already. */
const newestTime = (journal: Journal) => journal.at(before(journal.head))?.time ?? steady()

/** Where it was; undefined: nowhere yet, which some say with a number that is no place. NaN: nowhere that we know. */
function snIn(body: Fields): number | undefined {
  // Older clients call it so.
  const said = own(body, 'sn') ?? own(body, 'sequence') ?? ''
  if (said === '') return undefined
  const sn = typeof said === 'string' || typeof said === 'number' ? Number(said) : Number.NaN
  return sn <= 0 ? undefined : sn
}

function found(payload: unknown, op: unknown): string {
  if (!isObject(payload)) return 'no JSON object, or a long one'
  return op === undefined ? 'no op' : `op ${JSON.stringify(op)?.slice(0, 20)}`
}
