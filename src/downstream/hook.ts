// One bot's events on their way to one web hook: in order, one at a time, the rest waiting in the journal.

import type { Bot } from '../broker/bot.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import type { CircuitStatus, Guests, Link } from '../broker/ports.ts'
import { carryOut } from '../broker/quick.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { PostConfig } from '../config/schema.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import { steady } from '../lib/clock.ts'
import { Deliveries, LONGEST_PAUSE, whyAgain } from '../lib/deliveries.ts'
import { maskText } from '../lib/mask.ts'
import { type Posted, postJson } from '../lib/post-json.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import { ActionError } from '../onebot/retcode.ts'
import { Circuit } from './circuit.ts'
import { enterEntry } from './entry.ts'

export interface HookOptions {
  readonly entry: PostConfig
  /** What the configuration calls it. */
  readonly key: string
  readonly guests: Guests
  readonly bot: Bot
  readonly report: Report
  /** When a hook that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
  /** The bot ended its session, for this reason. */
  readonly ended: (closing: Closing) => void
}

export class Hook implements Link {
  readonly transport = 'http-post'
  readonly whenBehind = 'skip'
  readonly peer: string
  readonly #options: HookOptions
  readonly #session: Session
  readonly #deliveries: Deliveries
  readonly #circuit: Circuit
  #wake: ReturnType<typeof setTimeout> | undefined
  /** What was last said of answers that we make nothing of. */
  #odd: string | undefined

  /** @param after the delivery of an earlier session of the same bot, which may still be under way. */
  constructor(options: HookOptions, after: Promise<void> = Promise.resolve()) {
    this.#options = options
    this.#deliveries = new Deliveries(after)
    this.peer = maskText(options.entry.url)
    const { 'retries-interval': first } = options.entry
    const patience = { first, most: LONGEST_PAUSE, stable: LONGEST_PAUSE }
    this.#circuit = new Circuit({ ...options, target: this.#name, patience })
    this.#session = enterEntry(options.bot, this, options, { events: true, calls: false })
  }

  get buffered(): number {
    return this.#deliveries.buffered
  }
  get open(): boolean {
    return this.#deliveries.open
  }
  get circuit(): CircuitStatus {
    return this.#circuit.status
  }
  /** Resolves when nothing is on its way any more. */
  get quiet(): Promise<void> {
    return this.#deliveries.quiet
  }

  send(text: string): boolean {
    const { bot } = this.#options
    const selfId = bot.selfId ?? '0'
    return this.#deliveries.add(
      () => (isHeartbeat(text) ? this.#beat(text, selfId) : this.#try(text, selfId)),
      () => {
        bot.drained(this.#session)
        this.#wakeLater()
      },
    )
  }

  close(closing: Closing): void {
    if (!this.open) return
    this.#end()
    // Not now: the bot is in the middle of ending its sessions.
    queueMicrotask(() => this.#options.ended(closing))
  }

  /** Leaves; what is on its way may arrive if it is quick. */
  async stop(): Promise<void> {
    if (this.open) this.#end()
    this.#options.bot.leave(this.#session, CLOSING.shutdown.code, CLOSING.shutdown.text)
    await this.#deliveries.quiet
  }

  subscribe(): void {}
  unsubscribe(): void {}

  #end(): void {
    this.#deliveries.end()
    clearTimeout(this.#wake)
  }

  async #try(text: string, selfId: string): Promise<void> {
    const { entry, report } = this.#options
    const most = entry['max-retries'] ?? Number.POSITIVE_INFINITY
    for (let attempt = 1; await this.#turn(); attempt++) {
      const posted = await this.#post(text, selfId)
      const reason = whyAgain(posted)
      if (reason === undefined) {
        this.#circuit.worked()
        return this.#answered(text, posted)
      }
      // Cut off by ourselves.
      if (!this.open) return
      const inMs = this.#circuit.failed(reason)
      if (attempt > most) return report({ kind: 'delivery-given-up', target: this.#name, reason })
      report({ kind: 'delivery-failed', target: this.#name, reason, attempt, inMs })
      await this.#deliveries.pause(inMs)
    }
  }

  /** It is worth nothing later, and says little of how the hook takes events. */
  async #beat(text: string, selfId: string): Promise<void> {
    if (!this.open || !this.#circuit.closed) return
    const posted = await this.#post(text, selfId)
    if (whyAgain(posted) === undefined) this.#answered(text, posted)
  }

  #post(text: string, selfId: string): Promise<Posted> {
    const { url, secret, timeout } = this.#options.entry
    const headers = { 'User-Agent': 'OneBot/11', 'X-Self-ID': selfId }
    return postJson({ url, body: text, headers, secret, timeout, signal: this.#deliveries.cut })
  }

  /** False: nothing is posted any more. */
  async #turn(): Promise<boolean> {
    for (let wait = this.#wait(); wait > 0; wait = this.#wait()) await this.#deliveries.pause(wait)
    return this.open
  }

  #wait(): number {
    return this.open ? this.#circuit.begin() : 0
  }

  /** Its pool passes it over while its circuit is open, and does not look again by itself. */
  #wakeLater(): void {
    const { until } = this.#circuit.status
    clearTimeout(this.#wake)
    if (until === undefined || !this.open) return
    const wait = Math.max(1, until - steady() + 1)
    this.#wake = setTimeout(() => this.#options.bot.drained(this.#session), wait)
    this.#wake.unref?.()
  }

  #answered(event: string, posted: Posted): void {
    if (posted.kind !== 'answered') return
    const { status, text } = posted
    const odd = status >= 400 ? `HTTP ${status}` : text === undefined ? 'its answer is too long to be read' : undefined
    // Said once: some clients answer 404 to all that they take.
    if (odd !== undefined && odd !== this.#odd)
      this.#options.report({ kind: 'delivery-odd', target: this.#name, reason: odd })
    this.#odd = odd
    if (odd === undefined && text?.trimStart().startsWith('{')) this.#operate(event, text)
  }

  #operate(event: string, operation: string): void {
    const { bot, report } = this.#options
    try {
      // Without the session: it is one for events, and what its answers ask for is ours to call.
      const { open, terms, appId } = this.#session
      carryOut(bot, event, operation, { open, terms, key: appId })
    } catch (error) {
      if (!(error instanceof ActionError)) throw error
      report({ kind: 'frame-refused', bot: bot.name, session: this.#session, why: error.message })
    }
  }

  get #name(): string {
    return this.#options.entry.name || this.peer
  }
}

function isHeartbeat(text: string): boolean {
  if (!text.includes('heartbeat')) return false
  const event = parse(text)
  return isObject(event) && own(event, 'meta_event_type') === 'heartbeat' && own(event, 'post_type') === 'meta_event'
}
