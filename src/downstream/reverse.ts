// Keeps a link to a client that we dial, as soon as there is a bot to tell it of.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING } from '../broker/closing.ts'
import { enterEntry } from '../broker/entry.ts'
import type { Guests, Link } from '../broker/ports.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { ReverseConfig } from '../config/schema.ts'
import { type Patience, scatter } from '../lib/backoff.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import { Circuit, type CircuitStatus } from '../lib/circuit.ts'
import { maskText } from '../lib/mask.ts'
import { DialError, type DialOptions, type Host, type SocketEvents } from '../runtime/host.ts'
import { dialledLink } from './link.ts'

export interface ReverseOptions extends Pick<DialOptions, 'tls'> {
  readonly entry: ReverseConfig
  /** What the configuration calls it. */
  readonly key: string
  readonly guests: Guests
  /** Bytes; asked anew for each link. */
  readonly maxFrame: () => number
  readonly bots: Bots
  readonly host: Host
  readonly report: Report
  readonly patience?: Patience | undefined
  /** When a client that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
  /** 0 (inclusive) to 1, for the jitter of the first dial. */
  readonly random?: (() => number) | undefined
}

/** How the link fares, also while there is none. */
export interface ReverseStatus {
  readonly name: string
  /** The address, without secrets. */
  readonly target: string
  /** `idle`: until the account is known. */
  readonly state: 'idle' | 'dialling' | 'open' | 'pausing'
  /** Why the last try failed; null: none has, or it is open. */
  readonly reason: string | null
  readonly breaker: CircuitStatus
}

export interface ReverseLink {
  readonly status: ReverseStatus
  /** Closes the link and dials no more. Resolves once the link is gone: NoneBot refuses a second beside it. */
  stop(): Promise<void>
}

const HANDSHAKE = 15_000
/** How long (ms) a client may take to answer our goodbye before we stop waiting for it. */
const GOODBYE = 2_000

export function reverseLink(options: ReverseOptions): ReverseLink {
  const reverse = new Reverse(options)
  reverse.look()
  return reverse
}

class Reverse implements ReverseLink {
  readonly #options: ReverseOptions
  readonly #peer: string
  readonly #circuit: Circuit
  readonly #stopped = new AbortController()
  readonly #unwatch: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #attempt: Promise<void> = Promise.resolve()
  #state: ReverseStatus['state'] = 'idle'
  #reason: string | null = null
  #session: { bot: Bot; session: Session } | undefined
  #gone: Promise<void> = Promise.resolve()

  constructor(options: ReverseOptions) {
    this.#options = options
    this.#peer = maskText(options.entry.url)
    this.#circuit = new Circuit({ target: this.#peer, ...options })
    this.#unwatch = options.bots.watch(() => this.look())
  }

  get status(): ReverseStatus {
    const { name } = this.#options.entry
    return { name, target: this.#peer, state: this.#state, reason: this.#reason, breaker: this.#circuit.status }
  }

  /** There may be a bot to tell of now. All links learn it in the same moment, and do not dial in the same moment. */
  look(): void {
    if (this.#state !== 'idle' || this.#stopped.signal.aborted || this.#bot?.selfId === undefined) return
    this.#pause(scatter(this.#options.patience, this.#options.random))
  }

  get #bot(): Bot | undefined {
    return this.#options.bots.choose(this.#options.entry['self-id'])
  }

  /** Dials when there is a reason to: the handshake must say whose events these are, and so waits for the account. */
  #go(): void {
    this.#state = 'idle'
    const bot = this.#bot
    if (bot?.selfId === undefined) return
    const wait = this.#circuit.begin()
    if (wait > 0) return this.#pause(wait)
    this.#state = 'dialling'
    this.#attempt = this.#dial(bot, bot.selfId)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#unwatch()
    clearTimeout(this.#timer)
    this.#circuit.stop()
    if (this.#session !== undefined) {
      const { bot, session } = this.#session
      session.link.close(CLOSING.shutdown)
      bot.leave(session, CLOSING.shutdown.code, CLOSING.shutdown.text)
    }
    await this.#attempt
    await atMost(GOODBYE, this.#gone)
  }

  async #dial(bot: Bot, selfId: string): Promise<void> {
    const { entry, host, maxFrame, tls } = this.#options
    const token = entry['access-token']
    const headers = {
      'X-Self-ID': selfId,
      'X-Client-Role': 'Universal',
      'User-Agent': 'OneBot/11',
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
    }
    const { signal } = this.#stopped
    try {
      await host.dial({
        url: entry.url,
        headers,
        maxFrame: maxFrame(),
        tls,
        timeout: HANDSHAKE,
        signal,
        events: this.#events(bot, selfId),
      })
    } catch (error) {
      if (!(error instanceof DialError)) throw error
      this.#again(error.message)
    }
  }

  #events(bot: Bot, selfId: string): SocketEvents {
    const decoder = new TextDecoder()
    const gone = Promise.withResolvers<void>()
    let session: Session | undefined
    let link: Link | undefined
    const heard = (text: string) => {
      if (session !== undefined) bot.call(bot.callerOf(session), text)
    }
    return {
      open: (socket) => {
        this.#gone = gone.promise
        link = dialledLink(socket, { transport: 'reverse', peer: this.#peer, circuit: () => this.#circuit.status })
        session = this.#opened(bot, selfId, link)
      },
      text: (_socket, text) => heard(text),
      binary: (_socket, bytes) => heard(decoder.decode(bytes)),
      drain() {
        if (session !== undefined) bot.drained(session)
      },
      pong(_socket, data) {
        if (session !== undefined) bot.pong(session, data)
      },
      close: (_socket, code, reason) => {
        if (session !== undefined) bot.leave(session, code, reason, link)
        this.#session = undefined
        gone.resolve()
        this.#again(reason === '' ? `closed with ${code}` : `closed with ${code}: ${reason}`)
      },
    }
  }

  #opened(bot: Bot, selfId: string, link: Link): Session | undefined {
    this.#state = 'open'
    this.#reason = null
    this.#circuit.opened()
    // The handshake named an account that is another now: the client took the link for that one's.
    if (bot.selfId !== selfId) {
      link.close(CLOSING.accountChanged)
      return undefined
    }
    const session = enterEntry(bot, link, this.#options, { events: true, calls: true })
    this.#session = { bot, session }
    return session
  }

  #again(reason: string): void {
    if (this.#stopped.signal.aborted) return
    this.#reason = reason.replace(`dial ${this.#peer}: `, '')
    const inMs = this.#circuit.failed(reason)
    const tries = this.#circuit.status.failures
    this.#options.report({ kind: 'link-retry', target: this.#peer, reason, inMs, tries })
    this.#pause(inMs)
  }

  #pause(inMs: number): void {
    this.#state = 'pausing'
    this.#timer = setTimeout(() => this.#go(), inMs)
  }
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, enough])
  clearTimeout(timer)
}
