// One bot's events on their way to one Satori web hook: in order, one at a time, the rest waiting in the journal.

import type { Bot } from '../broker/bot.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import { type Cursor, type Guests, type Link, OPEN_TERMS, type Rules } from '../broker/ports.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import { Backoff } from '../lib/backoff.ts'
import { Deliveries, LONGEST_PAUSE, whyAgain } from '../lib/deliveries.ts'
import { maskText } from '../lib/mask.ts'
import { type Posted, postJson } from '../lib/post-json.ts'
import { loginBody, OPCODE, satoriForm } from './form.ts'
import type { Logins } from './logins.ts'
import { PLATFORM } from './qq.ts'
import { snOf } from './sn.ts'

/** Where to post, and how patiently; times in milliseconds. */
export interface HookEntry {
  readonly name: string
  readonly url: string
  /** Shown to the application as a bearer; empty: nothing is shown. */
  readonly token: string
  readonly timeout: number
  readonly 'retries-interval': number
  readonly 'max-retries'?: number | undefined
}

export interface HookOptions {
  readonly entry: HookEntry
  /** What the configuration calls it. */
  readonly key: string
  readonly bot: Bot
  readonly logins: Logins
  readonly guests: Guests
  readonly report: Report
  /** The bot ended its session, for this reason. */
  readonly ended: (closing: Closing) => void
}

export class SatoriHook implements Link {
  readonly transport = 'http-post'
  readonly whenBehind = 'skip'
  readonly peer: string
  readonly dress: (view: Rules | undefined) => Rules
  readonly #options: HookOptions
  readonly #session: Session
  readonly #unwatch: () => void
  readonly #deliveries: Deliveries
  /** What was last said of answers that we make nothing of. */
  #odd: string | undefined

  /** @param after the delivery of an earlier session of the same bot, which may still be under way. */
  constructor(options: HookOptions, after: Promise<void> = Promise.resolve()) {
    this.#options = options
    this.#deliveries = new Deliveries(after)
    const { entry, key, bot, logins, guests } = options
    this.peer = maskText(entry.url)
    this.dress = satoriForm(bot, logins, 'body')
    const terms = guests.terms({ entry: key }) ?? guests.terms({}) ?? OPEN_TERMS
    const known = bot.known({ entry: key })
    if (known?.returns !== undefined && terms.resume !== undefined) {
      bot.rejoin(known, this, { terms })
      this.#session = known
    } else {
      if (known !== undefined) bot.replace(known)
      // A client may have taken the name: to be served matters more than to be named.
      const name = entry.name !== '' && !bot.sessions.nameTaken(entry.name) ? entry.name : undefined
      this.#session = bot.join(this, { events: true, calls: false, claim: { entry: key, name }, terms })
    }
    logins.begin(bot)
    this.#unwatch = logins.watch((changed) => changed === bot && this.#tellLogin())
  }

  get buffered(): number {
    return this.#deliveries.buffered
  }
  get open(): boolean {
    return this.#deliveries.open
  }
  /** Resolves when nothing is on its way any more. */
  get quiet(): Promise<void> {
    return this.#deliveries.quiet
  }

  send(text: string): boolean {
    return this.#deliveries.add(
      () => this.#deliver(text),
      () => this.#options.bot.drained(this.#session),
    )
  }

  close(closing: Closing): void {
    if (!this.open) return
    this.#end()
    // Not now: the bot is in the middle of ending its sessions.
    queueMicrotask(() => this.#options.ended(closing))
  }

  /** Leaves; what is on its way may arrive if it is quick. @param forever it is not to be waited for. */
  async stop(forever: boolean): Promise<void> {
    if (this.open) this.#end()
    const { bot } = this.#options
    bot.leave(this.#session, CLOSING.shutdown.code, CLOSING.shutdown.text, this)
    if (forever && this.#session.flow.state === 'away') bot.forget(this.#session)
    await this.#deliveries.quiet
  }

  subscribe(): void {}
  unsubscribe(): void {}

  #tellLogin(): void {
    const { bot, logins } = this.#options
    const last = (bot.journal.head - 1) as Cursor // the cast: see sn.ts
    if (bot.selfId !== undefined)
      this.send(loginBody(bot, logins, 'login-updated', bot.selfId, snOf(bot.journal, last)))
  }

  #end(): void {
    this.#unwatch()
    this.#deliveries.end()
  }

  async #deliver(body: string): Promise<void> {
    const { entry, bot, report } = this.#options
    const headers = {
      'Satori-Opcode': String(OPCODE.event),
      'Satori-Platform': PLATFORM,
      'Satori-User-ID': bot.selfId ?? '0',
      ...(entry.token === '' ? {} : { Authorization: `Bearer ${entry.token}` }),
    }
    const most = entry['max-retries'] ?? Number.POSITIVE_INFINITY
    const backoff = new Backoff({ first: entry['retries-interval'], most: LONGEST_PAUSE, stable: LONGEST_PAUSE })
    const signal = this.#deliveries.cut
    while (this.open) {
      const posted = await postJson({ url: entry.url, body, headers, secret: '', timeout: entry.timeout, signal })
      const reason = whyAgain(posted)
      if (reason === undefined) return this.#answered(posted)
      if (!this.open) return
      if (backoff.tries >= most) return report({ kind: 'delivery-given-up', target: this.#name, reason })
      const inMs = backoff.next()
      report({ kind: 'delivery-failed', target: this.#name, reason, attempt: backoff.tries, inMs })
      await this.#deliveries.pause(inMs)
    }
  }

  #answered(posted: Posted): void {
    const odd = posted.kind === 'answered' && posted.status >= 400 ? `HTTP ${posted.status}` : undefined
    // Said once: some clients answer 404 to all that they take.
    if (odd !== undefined && odd !== this.#odd)
      this.#options.report({ kind: 'delivery-odd', target: this.#name, reason: odd })
    this.#odd = odd
  }

  get #name(): string {
    return this.#options.entry.name || this.peer
  }
}
