// One bot's events on their way to one Satori web hook: in order, one at a time, the rest waiting in the journal.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import { enterEntry } from '../broker/entry.ts'
import type { Acknowledgement, Cursor, Guests, Link, Rules } from '../broker/ports.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import type { CircuitStatus } from '../lib/circuit.ts'
import { Courier, type Persistence } from '../lib/courier.ts'
import { maskText } from '../lib/mask.ts'
import { type Posted, postJson } from '../lib/post-json.ts'
import { type LoginEvent, loginBody, OPCODE, satoriForm } from './form.ts'
import type { Logins } from './logins.ts'
import { PLATFORM } from './qq.ts'
import { before, nextOf, snOf } from './sn.ts'

/** What the application of a web hook has been told of a login. */
export interface Told {
  /** The account that it knows of. */
  readonly account: string | undefined
  /** That it fares otherwise could not be told any more. */
  readonly owed: boolean
}

/** Where to post, and how patiently; times in milliseconds. */
export interface HookEntry extends Persistence {
  readonly name: string
  readonly url: string
  /** Shown to the application as a bearer; empty: nothing is shown. */
  readonly token: string
  readonly timeout: number
}

export interface HookOptions {
  readonly entry: HookEntry
  /** What the configuration calls it. */
  readonly key: string
  /** It is in no configuration, and is waited for all the same. */
  readonly resume?: Acknowledgement | undefined
  /** What was told by the hook of before, which was otherwise; absent: what is waited for has been told of its account. */
  readonly told?: Told | undefined
  readonly bot: Bot
  readonly bots: Bots
  readonly logins: Logins
  readonly guests: Guests
  readonly report: Report
  /** When a hook that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
  /** The bot ended its session, for this reason. */
  readonly ended: (closing: Closing) => void
}

/** After these the account is gone, and the application is to hear of it. */
const REMOVED: ReadonlySet<Closing> = new Set([CLOSING.accountChanged, CLOSING.removed])

export class SatoriHook implements Link {
  readonly transport = 'http-post'
  readonly whenBehind = 'skip'
  readonly peer: string
  readonly dress: (view: Rules | undefined) => Rules
  readonly #options: HookOptions
  readonly #session: Session
  readonly #courier: Courier
  readonly #unwatch: (() => void)[] = []
  /** The account that the application knows of, or is being told of. */
  #known: string | undefined
  /** The account that it has heard of. */
  #heard: string | undefined
  /** That it fares otherwise waits for its turn already. */
  #telling = false
  /** How often that was not heard yet. */
  #owed = 0
  #over = false
  #before: SatoriHook | undefined

  /** @param previous the hook of an earlier session of the same bot, which may still have something under way. */
  constructor(options: HookOptions, previous?: SatoriHook) {
    const { entry, key, resume, told, bot, bots, logins } = options
    this.#options = options
    this.peer = maskText(entry.url)
    this.dress = satoriForm(bot, logins, 'body')
    const drained = () => bot.drained(this.#session)
    this.#courier = new Courier({ ...options, target: entry.name || this.peer, drained }, previous?.quiet)
    this.#before = previous
    const earlier = bot.known({ entry: key })
    // Who asks for a hook asks who is there, too; and who is waited for has been told.
    const knows = resume !== undefined || earlier !== undefined
    if (previous !== undefined) this.#known = previous.#known
    else this.#known = told === undefined ? (knows ? bot.selfId : undefined) : told.account
    this.#heard = this.#known
    void previous?.quiet.then(() => {
      this.#heard = previous.#heard
      this.#before = undefined
    })
    // Before its session is given anything.
    this.#meet(() => (earlier === undefined ? bot.journal.head : nextOf(earlier, bot.journal)))
    this.#session = enterEntry(bot, this, options, { events: true, calls: false })
    if (told?.owed) this.#tellLogin()
    logins.begin(bot)
    this.#unwatch.push(
      bots.watch(() => this.#meet(() => nextOf(this.#session, bot.journal))),
      logins.watch((changed) => {
        if (changed === bot) this.#tellLogin()
      }),
    )
  }

  get buffered(): number {
    return this.#courier.buffered
  }
  get unsettled(): boolean {
    return this.#courier.unsettled
  }
  get open(): boolean {
    return !this.#over && this.#courier.open
  }
  get circuit(): CircuitStatus {
    return this.#courier.circuit
  }
  /** Resolves when nothing is on its way any more. */
  get quiet(): Promise<void> {
    return this.#courier.quiet
  }

  send(text: string): boolean {
    const { selfId = '0', journal } = this.#options.bot
    // One that is in step is given the event that has just been written.
    this.#meet(() => (this.#session.flow.state === 'live' ? before(journal.head) : nextOf(this.#session, journal)))
    return this.#courier.send((cut) => this.#post(text, selfId, cut))
  }

  close(closing: Closing): void {
    if (!this.open) return
    this.#leave()
    const gone = REMOVED.has(closing) ? this.#known : undefined
    if (gone === undefined) this.#courier.end()
    else {
      this.#known = undefined
      this.#tellGone(gone, this.#options.bot.journal.head)
      void this.quiet.then(() => this.#courier.end())
    }
    // Not now: the bot is in the middle of ending its sessions.
    queueMicrotask(() => this.#options.ended(closing))
  }

  /** Takes nothing more; what is on its way may arrive if it is quick. */
  windDown(): Promise<void> {
    this.#leave()
    this.abandon()
    return this.quiet
  }

  /**
   * Leaves, once it is known what has arrived: what has not is for who comes in its place.
   * @param forever it is not to be waited for.
   */
  async stop(forever: boolean): Promise<Told> {
    const { bot } = this.#options
    await this.windDown()
    bot.leave(this.#session, CLOSING.shutdown.code, CLOSING.shutdown.text, this)
    if (forever && this.#session.flow.state === 'away') bot.forget(this.#session)
    return { account: this.#heard, owed: this.#owed > 0 }
  }

  /** What it still had to say is not said. */
  abandon(): void {
    this.#before?.abandon()
    this.#courier.end()
  }

  subscribe(): void {}
  unsubscribe(): void {}

  #leave(): void {
    this.#over = true
    for (const unwatch of this.#unwatch.splice(0)) unwatch()
  }

  /** An account that the application could not know of comes before its events. @param next where those go on. */
  #meet(next: () => Cursor): void {
    const { selfId } = this.#options.bot
    if (!this.open || selfId === undefined || selfId === this.#known) return
    // A hook of before could not tell any more that this one is gone.
    if (this.#known !== undefined) this.#tellGone(this.#known, next())
    this.#known = selfId
    const heard = () => {
      this.#heard = selfId
    }
    this.#say('login-added', selfId, next(), heard)
  }

  #tellGone(selfId: string, next: Cursor): void {
    const heard = () => {
      this.#heard = undefined
    }
    this.#say('login-removed', selfId, next, heard)
  }

  /** Once, however often that changes while others are in front: what is told is how it fares then. */
  #tellLogin(): void {
    if (this.#telling || this.#known === undefined) return
    this.#owed += 1
    const heard = () => {
      this.#owed -= 1
    }
    this.#telling = this.#say('login-updated', this.#known, nextOf(this.#session, this.#options.bot.journal), heard)
  }

  /** @param next where its events go on: what is said stands after those that it was given until now. */
  #say(type: LoginEvent, selfId: string, next: Cursor, heard: () => void): boolean {
    const { bot, logins } = this.#options
    const sn = snOf(bot.journal, before(next))
    const post = (cut: AbortSignal) => {
      if (type === 'login-updated') this.#telling = false
      return this.#post(loginBody(bot, logins, type, selfId, sn), selfId, cut)
    }
    return this.#courier.say(post, heard)
  }

  #post(body: string, selfId: string, signal: AbortSignal): Promise<Posted> {
    const { url, token, timeout } = this.#options.entry
    const headers = {
      'Satori-Opcode': String(OPCODE.event),
      'Satori-Platform': PLATFORM,
      'Satori-User-ID': selfId,
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
    }
    return postJson({ url, body, headers, secret: '', timeout, signal })
  }
}
