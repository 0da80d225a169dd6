// A small QQ behind a OneBot 11 implementation: started in one call, reached over every OneBot 11 transport.

import { Hono } from 'hono'
import { host as currentHost } from '../runtime/current.ts'
import type { Host, HostEnv, Listener } from '../runtime/host.ts'
import { type BurstOptions, type BurstResult, burst } from './burst.ts'
import { control } from './control.ts'
import { doors } from './doors.ts'
import { groupSender } from './events.ts'
import type { Faults } from './faults.ts'
import { type Asking, Implementation, type Word } from './implementation.ts'
import { type LinkFact, Links } from './links.ts'
import type { Format } from './messages.ts'
import { MilkyFace, type MilkyOptions } from './milky-face.ts'
import { type PostFact, type PostOptions, PostTarget } from './posts.ts'
import { type DialFact, keepDialling, type ReverseOptions } from './reverse.ts'
import type { Called } from './sent.ts'

export type SimulatorFact =
  | ({ readonly kind: 'called' } & Pick<Called, 'action' | 'params'>)
  | LinkFact
  | DialFact
  | PostFact

export interface SimulatorOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string | undefined
  /** Default: 0, any free port. */
  readonly port?: number | undefined
  /** Needed on every WebSocket and HTTP action. Default: none. */
  readonly token?: string | undefined
  readonly selfId?: number | undefined
  /** Milliseconds between heartbeats; 0: none. Default: 5000. */
  readonly heartbeat?: number | undefined
  readonly reverse?: readonly ReverseOptions[] | undefined
  readonly post?: readonly PostOptions[] | undefined
  /** The same seed makes the same people. */
  readonly seed?: number | undefined
  /** How messages look in events and answers. Default: array. */
  readonly format?: Format | undefined
  /** Whether what the account says itself comes back as `message_sent`. Default: no. */
  readonly reportSelf?: boolean | undefined
  /** Milliseconds between the end of a reverse link and the next dial. Default: 1000. */
  readonly redial?: number | undefined
  /** Bytes. Default: 64 MiB. */
  readonly maxFrame?: number | undefined
  /** What of its second face, below `/milky`, is not as with the first. */
  readonly milky?: Omit<MilkyOptions, 'token'> | undefined
  /** Is told of everything that a person who watches may care for. */
  readonly report?: ((fact: SimulatorFact) => void) | undefined
  /** Default: that of the runtime we are in. */
  readonly runtime?: Host | undefined
}

export interface Simulator extends AsyncDisposable {
  /** `http://127.0.0.1:5700`: HTTP actions, and `/simulator/...` to steer. */
  readonly address: string
  /** `ws://127.0.0.1:5700/onebot/v11/ws` */
  readonly url: string
  readonly selfId: number
  /** The same QQ to those who speak Milky; its address is `/milky` below ours. */
  readonly milky: MilkyFace
  /** May be changed at any time. */
  readonly faults: Faults
  /** What clients called, newest last; the oldest are forgotten. */
  readonly sent: readonly Called[]
  /** Open WebSocket links, in both directions. */
  readonly links: number
  /** Sends this very text to everybody who hears events, whatever it is. */
  emit(raw: string): void
  /** Lets somebody say something; returns the event. Throws when nobody is there. */
  say(word: Word): ReturnType<Implementation['say']>
  /** Lets somebody ask for friendship or membership; returns the event, whose `flag` answers it. */
  ask(asking: Asking): ReturnType<Implementation['ask']>
  burst(options: BurstOptions): Promise<BurstResult>
  /** The calls after number `n`, once there are any or `wait` milliseconds are over. */
  sentAfter(n: number, wait: number): Promise<readonly Called[]>
  /** Resolves once at least so many links are open. */
  linked(count?: number): Promise<void>
  /** Abruptly, or with a close code. */
  dropLinks(code?: number): void
  [Symbol.asyncDispose](): Promise<void>
}

/** What others may be made to send at most; also what they may send us (bytes). */
const MAX_FRAME = 64 * 1024 * 1024

/** Resolves once it listens. Rejects with the system's error when the address cannot be had. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const running = new Running(options)
  await running.start()
  return running
}

class Running implements Simulator {
  readonly #options: SimulatorOptions
  readonly #host: Host
  readonly #implementation: Implementation
  readonly #links: Links
  readonly milky: MilkyFace
  readonly #maxFrame: number
  readonly #posts: PostTarget[] = []
  readonly #ending = new AbortController()
  /** What to end, the latest first. */
  readonly #ends: (() => unknown)[] = []
  #listener: Listener | undefined

  constructor(options: SimulatorOptions) {
    const { selfId = 10_001, seed = 1, format = 'array', reportSelf = false, heartbeat = 5_000, report } = options
    this.#options = options
    this.#host = options.runtime ?? currentHost
    this.#maxFrame = options.maxFrame ?? MAX_FRAME
    this.#implementation = new Implementation({
      selfId,
      seed,
      format,
      reportSelf,
      heartbeat,
      tell: (raw) => this.#tell(raw),
      restart: (delay) => void setTimeout(() => this.#links.drop(RESTARTING), delay),
      called: ({ action, params }) => report?.({ kind: 'called', action, params }),
    })
    this.milky = new MilkyFace(this.#implementation, { token: options.token ?? '', ...options.milky })
    this.#links = new Links({
      greeting: () => this.#implementation.greeting(),
      called: (frame, reply) => this.#implementation.frame(frame, reply),
      report: (fact) => report?.(fact),
    })
  }

  async start(): Promise<void> {
    const { host = '127.0.0.1', port = 0, heartbeat = 5_000, reverse = [], post = [], report } = this.#options
    const implementation = this.#implementation
    const listener = await this.#host.listen({ host, port, app: this.#routes(), maxFrame: this.#maxFrame })
    this.#listener = listener
    this.#ends.push(() => listener[Symbol.asyncDispose]())
    this.#ends.push(() => this.milky[Symbol.dispose]())
    this.#links.listener = listener
    const tellFact = (fact: SimulatorFact) => report?.(fact)
    for (const one of post) {
      const quick = (event: string, operation: string) => implementation.quick(event, operation)
      const target = new PostTarget(one, { selfId: this.selfId, quick, report: tellFact })
      this.#posts.push(target)
      this.#ends.push(() => target[Symbol.dispose]())
    }
    for (const one of reverse) {
      const dialling = keepDialling(one, this.#dialling(tellFact))
      this.#ends.push(() => dialling[Symbol.dispose]())
    }
    if (heartbeat > 0) {
      const beat = setInterval(() => implementation.emit(implementation.heartbeat()), heartbeat)
      this.#ends.push(() => clearInterval(beat))
    }
  }

  get address(): string {
    return `http://${this.#place}`
  }

  get url(): string {
    return `ws://${this.#place}/onebot/v11/ws`
  }

  get #place(): string {
    const { host = '', port = 0 } = this.#listener ?? {}
    return `${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  get selfId(): number {
    return this.#implementation.selfId
  }

  get faults(): Faults {
    return this.#implementation.faults
  }

  get sent(): readonly Called[] {
    return this.#implementation.sent.all
  }

  get links(): number {
    return this.#links.count
  }

  emit(raw: string): void {
    this.#implementation.emit(raw)
  }

  say(word: Word) {
    return this.#implementation.say(word)
  }

  ask(asking: Asking) {
    return this.#implementation.ask(asking)
  }

  burst(options: BurstOptions): Promise<BurstResult> {
    const { groupId, sender } = this.#implementation.speaker()
    const { messages } = this.#implementation
    const signals = [this.#ending.signal, options.signal].filter((signal) => signal !== undefined)
    return burst(
      {
        selfId: this.selfId,
        groupId,
        sender: groupSender(sender),
        format: this.#options.format ?? 'array',
        messages,
        emit: (raw) => this.emit(raw),
        room: (signal) => this.#links.room(signal),
      },
      { ...options, signal: AbortSignal.any(signals) },
    )
  }

  sentAfter(n: number, wait: number): Promise<readonly Called[]> {
    return this.#implementation.sent.beyond(n, wait, this.#ending.signal)
  }

  linked(count = 1): Promise<void> {
    return this.#links.atLeast(count)
  }

  dropLinks(code?: number): void {
    this.#links.drop(code)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) await end()
    // Those that we dialled are not the listener's to drop.
    this.#links.drop()
  }

  #tell(raw: string): void {
    this.#links.tell(raw)
    this.milky.tell(raw)
    for (const target of this.#posts) target.deliver(raw)
  }

  #dialling(report: (fact: SimulatorFact) => void) {
    return {
      host: this.#host,
      selfId: this.selfId,
      maxFrame: this.#maxFrame,
      redial: this.#options.redial ?? 1_000,
      events: (url: string, gone: () => void) => this.#links.dialled(url, gone),
      report,
    }
  }

  #routes(): Hono<HostEnv> {
    const implementation = this.#implementation
    const links = this.#links
    const app = new Hono<HostEnv>()
    app.route('/simulator', control({ implementation, links, burst: (options) => this.burst(options) }))
    app.route('/milky', this.milky.routes())
    app.route('/', doors({ implementation, links, token: this.#options.token ?? '' }))
    return app
  }
}

/** Going away: what a program that starts again tells its peers. */
const RESTARTING = 1001
