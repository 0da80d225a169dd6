// One bot's events on their way to one web hook: in order, one at a time, the rest waiting in the journal.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Bot } from '../broker/bot.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import type { Guests, Link } from '../broker/ports.ts'
import { carryOut } from '../broker/quick.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { PostConfig } from '../config/schema.ts'
import { Backoff } from '../lib/backoff.ts'
import { maskText } from '../lib/mask.ts'
import { type Posted, postJson } from '../lib/post-json.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import { ActionError } from '../onebot/retcode.ts'
import { enterEntry } from './entry.ts'

export interface HookOptions {
  readonly entry: PostConfig
  /** What the configuration calls it. */
  readonly key: string
  readonly guests: Guests
  readonly bot: Bot
  readonly report: Report
  /** The bot ended its session, for this reason. */
  readonly ended: (closing: Closing) => void
}

/** The longest pause between two tries (ms). */
const LONGEST_PAUSE = 60_000
/** How long a request under way may take to finish when the session ends (ms). */
const GRACE = 1_000
/** Statuses by which a hook asks for the event again; the other 4xx are its way of not caring. */
const AGAIN = new Set([408, 425, 429])

export class Hook implements Link {
  readonly transport = 'http-post'
  readonly whenBehind = 'skip'
  readonly peer: string
  readonly #options: HookOptions
  readonly #session: Session
  readonly #closing = new AbortController()
  readonly #cut = new AbortController()
  /** Deliveries asked for and not over; the last of them. */
  #busy = 0
  #last: Promise<void>
  /** What was last said of answers that we make nothing of. */
  #odd: string | undefined

  /** @param after the delivery of an earlier session of the same bot, which may still be under way. */
  constructor(options: HookOptions, after: Promise<void> = Promise.resolve()) {
    this.#options = options
    this.#last = after
    this.peer = maskText(options.entry.url)
    this.#session = enterEntry(options.bot, this, options, { events: true, calls: false })
  }

  /** One event at a time: while it is on its way there is room for no other. */
  get buffered(): number {
    return this.#busy > 0 ? Number.POSITIVE_INFINITY : 0
  }
  get open(): boolean {
    return !this.#closing.signal.aborted
  }
  /** Resolves when nothing is on its way any more. */
  get quiet(): Promise<void> {
    return this.#last
  }

  send(text: string): boolean {
    if (!this.open) return false
    this.#busy += 1
    this.#last = this.#last.then(() => this.#deliver(text, this.#options.bot.selfId ?? '0'))
    return true
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
    await this.#last
  }

  subscribe(): void {}
  unsubscribe(): void {}

  #end(): void {
    this.#closing.abort()
    if (this.#busy === 0) return
    const timer = setTimeout(() => this.#cut.abort(), GRACE)
    void this.#last.then(() => clearTimeout(timer))
  }

  async #deliver(text: string, selfId: string): Promise<void> {
    await this.#try(text, selfId)
    this.#busy -= 1
    this.#options.bot.drained(this.#session)
  }

  async #try(text: string, selfId: string): Promise<void> {
    const { entry, report } = this.#options
    const { url, secret, timeout } = entry
    const headers = { 'User-Agent': 'OneBot/11', 'X-Self-ID': selfId }
    const most = entry['max-retries'] ?? Number.POSITIVE_INFINITY
    const backoff = new Backoff({ first: entry['retries-interval'], most: LONGEST_PAUSE, stable: LONGEST_PAUSE })
    while (this.open) {
      const posted = await postJson({ url, body: text, headers, secret, timeout, signal: this.#cut.signal })
      const reason = whyAgain(posted)
      if (reason === undefined) return this.#answered(text, posted)
      // A heartbeat is worth nothing later.
      if (!this.open || isHeartbeat(text)) return
      if (backoff.tries >= most) return report({ kind: 'delivery-given-up', target: this.#name, reason })
      const inMs = backoff.next()
      report({ kind: 'delivery-failed', target: this.#name, reason, attempt: backoff.tries, inMs })
      await sleep(inMs, undefined, { signal: this.#closing.signal }).catch(() => undefined) // woken early to end
    }
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

/** Why the event must be sent again; undefined: it was taken, as far as we are concerned. */
function whyAgain(posted: Posted): string | undefined {
  if (posted.kind === 'failed') return maskText(posted.reason)
  const { status } = posted
  if (status >= 300 && status < 400) return `HTTP ${status}: redirects are not followed; configure the final address`
  return status >= 500 || AGAIN.has(status) ? `HTTP ${status}` : undefined
}

function isHeartbeat(text: string): boolean {
  if (!text.includes('heartbeat')) return false
  const event = parse(text)
  return isObject(event) && own(event, 'meta_event_type') === 'heartbeat' && own(event, 'post_type') === 'meta_event'
}
