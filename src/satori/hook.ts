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
import { snOf } from './sn.ts'

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
  /** The account that the application knows of. */
  #known: string | undefined
  /** That it fares otherwise waits for its turn already. */
  #telling = false
  #over = false
  #before: SatoriHook | undefined

  /** @param before the hook of an earlier session of the same bot, which may still have something under way. */
  constructor(options: HookOptions, before?: SatoriHook) {
    const { entry, key, resume, bot, bots, logins } = options
    this.#options = options
    this.peer = maskText(entry.url)
    this.dress = satoriForm(bot, logins, 'body')
    const drained = () => bot.drained(this.#session)
    this.#courier = new Courier({ ...options, target: entry.name || this.peer, drained }, before?.quiet)
    this.#before = before
    void before?.quiet.then(() => {
      this.#before = undefined
    })
    // Who asks for a hook asks who is there, too; and who is waited for has been told.
    const knows = resume !== undefined || bot.known({ entry: key }) !== undefined
    this.#known = before === undefined ? (knows ? bot.selfId : undefined) : before.#known
    this.#session = enterEntry(bot, this, options, { events: true, calls: false })
    logins.begin(bot)
    this.#unwatch.push(
      bots.watch(() => this.#meet()),
      logins.watch((changed) => {
        if (changed === bot) this.#tellLogin()
      }),
    )
    this.#meet()
  }

  get buffered(): number {
    return this.#courier.buffered
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
    this.#meet()
    const selfId = this.#options.bot.selfId ?? '0'
    return this.open && this.#courier.send((cut) => this.#post(text, selfId, cut))
  }

  close(closing: Closing): void {
    if (!this.open) return
    this.#leave()
    const gone = REMOVED.has(closing) ? this.#known : undefined
    if (gone === undefined) this.#courier.end()
    else {
      this.#known = undefined
      this.#say('login-removed', gone)
      void this.quiet.then(() => this.#courier.end())
    }
    // Not now: the bot is in the middle of ending its sessions.
    queueMicrotask(() => this.#options.ended(closing))
  }

  /** Leaves; what is on its way may arrive if it is quick. @param forever it is not to be waited for. */
  async stop(forever: boolean): Promise<void> {
    const { bot } = this.#options
    this.#leave()
    this.#before?.abandon()
    this.#courier.end()
    bot.leave(this.#session, CLOSING.shutdown.code, CLOSING.shutdown.text, this)
    if (forever && this.#session.flow.state === 'away') bot.forget(this.#session)
    await this.quiet
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

  /** An account that the application could not know of comes before its events. */
  #meet(): void {
    const { selfId } = this.#options.bot
    if (!this.open || selfId === undefined || selfId === this.#known) return
    this.#known = selfId
    this.#say('login-added', selfId)
  }

  /** Once, however often that changes while others are in front: what is told is how it fares then. */
  #tellLogin(): void {
    if (this.#telling || this.#known === undefined) return
    this.#telling = this.#say('login-updated', this.#known)
  }

  #say(type: LoginEvent, selfId: string): boolean {
    const { bot, logins } = this.#options
    return this.#courier.send((cut) => {
      if (type === 'login-updated') this.#telling = false
      const last = (bot.journal.head - 1) as Cursor // the cast: see sn.ts
      return this.#post(loginBody(bot, logins, type, selfId, snOf(bot.journal, last)), selfId, cut)
    })
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
