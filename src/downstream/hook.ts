// One bot's events on their way to one web hook: in order, one at a time, the rest waiting in the journal.

import type { Bot } from '../broker/bot.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import { enterEntry } from '../broker/entry.ts'
import type { Guests, Link } from '../broker/ports.ts'
import { carryOut } from '../broker/quick.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { PostConfig } from '../config/schema.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import type { CircuitStatus } from '../lib/circuit.ts'
import { Courier } from '../lib/courier.ts'
import { maskText } from '../lib/mask.ts'
import { type Posted, postJson } from '../lib/post-json.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import { ActionError } from '../onebot/retcode.ts'

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
  readonly #courier: Courier

  /** @param after the delivery of an earlier session of the same bot, which may still be under way. */
  constructor(options: HookOptions, after?: Promise<void>) {
    const { entry, bot } = options
    this.#options = options
    this.peer = maskText(entry.url)
    const drained = () => bot.drained(this.#session)
    this.#courier = new Courier({ ...options, target: entry.name || this.peer, drained }, after)
    this.#session = enterEntry(bot, this, options, { events: true, calls: false })
  }

  get buffered(): number {
    return this.#courier.buffered
  }
  get unsettled(): boolean {
    return this.#courier.unsettled
  }
  get open(): boolean {
    return this.#courier.open
  }
  get circuit(): CircuitStatus {
    return this.#courier.circuit
  }
  /** Resolves when nothing is on its way any more. */
  get quiet(): Promise<void> {
    return this.#courier.quiet
  }

  send(text: string): boolean {
    const selfId = this.#options.bot.selfId ?? '0'
    const post = (cut: AbortSignal) => this.#post(text, selfId, cut)
    const taken = (answer: string) => {
      if (answer.trimStart().startsWith('{')) this.#operate(text, answer)
    }
    return isHeartbeat(text) ? this.#courier.sendOnce(post, taken) : this.#courier.send(post, taken)
  }

  close(closing: Closing): void {
    if (!this.open) return
    this.#courier.end()
    // Not now: the bot is in the middle of ending its sessions.
    queueMicrotask(() => this.#options.ended(closing))
  }

  /** Takes nothing more; what is on its way may arrive if it is quick. */
  windDown(): Promise<void> {
    this.#courier.end()
    return this.quiet
  }

  /** Leaves, once it is known what has arrived: what has not is for who comes in its place. */
  async stop(): Promise<void> {
    await this.windDown()
    this.#options.bot.leave(this.#session, CLOSING.shutdown.code, CLOSING.shutdown.text, this)
  }

  subscribe(): void {}
  unsubscribe(): void {}

  #post(body: string, selfId: string, signal: AbortSignal): Promise<Posted> {
    const { url, secret, timeout } = this.#options.entry
    const headers = { 'User-Agent': 'OneBot/11', 'X-Self-ID': selfId }
    return postJson({ url, body, headers, secret, timeout, signal })
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
}

function isHeartbeat(text: string): boolean {
  if (!text.includes('heartbeat')) return false
  const event = parse(text)
  return isObject(event) && own(event, 'meta_event_type') === 'heartbeat' && own(event, 'post_type') === 'meta_event'
}
