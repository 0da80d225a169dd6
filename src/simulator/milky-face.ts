// The simulated QQ as an implementation that speaks Milky: APIs over HTTP, events over WebSocket, SSE and posts.

import { type Context, Hono } from 'hono'
import { postJson } from '../lib/post-json.ts'
import { sameSecret } from '../lib/secret.ts'
import { parse } from '../onebot/object.ts'
import type { HostEnv, Socket } from '../runtime/host.ts'
import { Failure } from './failure.ts'
import type { Implementation } from './implementation.ts'
import { type Hall, MILKY_APIS } from './milky-apis.ts'
import { type MilkyEvent, milkyEvent, type Teller } from './milky-events.ts'

/** What went over this face, for whoever checks it. */
export type MilkyFact =
  | { readonly kind: 'called'; readonly api: string; readonly input: unknown; readonly output: unknown }
  | { readonly kind: 'event'; readonly event: MilkyEvent }

export interface MilkyOptions {
  /** Needed on every call and stream. '': none. */
  readonly token: string
  readonly seen?: ((fact: MilkyFact) => void) | undefined
}

interface Stream {
  send(text: string): unknown
  end(): void
}

const POST_TIMEOUT = 5_000

export class MilkyFace implements Disposable {
  readonly #implementation: Implementation
  readonly #options: MilkyOptions
  readonly #streams = new Set<Stream>()
  readonly #flags: string[] = []
  readonly #ending = new AbortController()
  /** Where events are posted to, too. */
  hook: string | undefined
  #posts: Promise<unknown> = Promise.resolve()

  constructor(implementation: Implementation, options: MilkyOptions) {
    this.#implementation = implementation
    this.#options = options
  }

  /** Who hears events. */
  get streams(): number {
    return this.#streams.size
  }

  /** To be had below any path. */
  routes(): Hono<HostEnv> {
    const app = new Hono<HostEnv>()
    app.use(async (c, next) => (this.#admits(c) ? next() : c.body(null, 401)))
    app.post('/api/:api', (c) => this.#api(c))
    app.get('/event', (c) => this.#event(c))
    return app
  }

  /** An event of the simulated QQ, as OneBot has it. */
  tell(raw: string): void {
    if (this.#streams.size === 0 && this.hook === undefined) return
    const event = milkyEvent(parse(raw), this.#teller())
    if (event !== undefined) this.emit(event)
  }

  emit(event: MilkyEvent): void {
    this.#options.seen?.({ kind: 'event', event })
    this.raw(JSON.stringify(event))
  }

  /** This very text, whatever it is. */
  raw(text: string): void {
    for (const stream of this.#streams) stream.send(text)
    const { token } = this.#options
    const url = this.hook
    if (url === undefined) return
    const headers = token === '' ? {} : { Authorization: `Bearer ${token}` }
    const posting = { url, body: text, headers, secret: '', timeout: POST_TIMEOUT, signal: this.#ending.signal }
    this.#posts = this.#posts.then(() => postJson(posting))
  }

  /** Abruptly. */
  drop(): void {
    for (const stream of [...this.#streams]) stream.end()
  }

  [Symbol.dispose](): void {
    this.#ending.abort()
    this.drop()
  }

  #admits(c: Context<HostEnv>): boolean {
    const { token } = this.#options
    const shown = c.req.header('authorization')?.replace(/^Bearer /, '')
    return token === '' || (shown !== undefined && sameSecret(shown, token))
  }

  async #api(c: Context<HostEnv>): Promise<Response> {
    const api = c.req.param('api') ?? ''
    const failed = (retcode: number, message: string) => c.json({ status: 'failed', retcode, message })
    if (!Object.hasOwn(MILKY_APIS, api)) return c.json({ status: 'failed', retcode: -404, message: 'no such API' }, 404)
    if (!c.req.header('content-type')?.startsWith('application/json')) return c.body(null, 415)
    const input = parse(await c.req.text())
    const { lostReplies, slowReplies } = this.#implementation.faults
    if (slowReplies > 0) await new Promise((resolve) => setTimeout(resolve, slowReplies))
    try {
      const data = MILKY_APIS[api]?.(input, this.#hall())
      this.#options.seen?.({ kind: 'called', api, input, output: data })
      // Never answered: whoever asked must give up.
      if (lostReplies > 0) await new Promise(() => undefined)
      return c.json({ status: 'ok', retcode: 0, data })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return failed(error.retcode === BAD ? -400 : -500, error.message)
    }
  }

  async #event(c: Context<HostEnv>): Promise<Response> {
    if (c.req.header('upgrade')?.toLowerCase() === 'websocket') {
      const streams = new Map<Socket, Stream>()
      const upgraded = await c.env.upgrade(c, {
        text: () => undefined,
        open: (socket) => {
          const stream = { send: (text: string) => socket.send(text), end: () => socket.terminate() }
          streams.set(socket, stream)
          this.#streams.add(stream)
        },
        close: (socket) => {
          const stream = streams.get(socket)
          if (stream) this.#streams.delete(stream)
        },
      })
      return upgraded ?? c.text('bad handshake', 400)
    }
    c.env.keepOpen()
    return c.body(this.#sse(), 200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  }

  #sse(): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder()
    let stream: Stream | undefined
    return new ReadableStream({
      start: (controller) => {
        const bytes = (text: string) => controller.enqueue(encoder.encode(text))
        const opened: Stream = {
          send: (text) => bytes(`event: milky_event\ndata: ${text}\n\n`),
          end: () => {
            this.#streams.delete(opened)
            controller.close()
          },
        }
        stream = opened
        this.#streams.add(opened)
        bytes(': hello\n\n')
      },
      cancel: () => {
        if (stream) this.#streams.delete(stream)
      },
    })
  }

  #hall(): Hall {
    const { world, messages } = this.#implementation
    return {
      world,
      messages,
      act: (action, params) => this.#act(action, params),
      requestFlag: (seq) => this.#flags[seq - 1] ?? '',
    }
  }

  #act(action: string, params: object): unknown {
    let data: unknown
    let failure: Failure | undefined
    this.#implementation.carry({ action, params: params as Record<string, unknown>, raw: undefined }, (answer) => {
      data = answer.data
      if (answer.status === 'failed') failure = new Failure(answer.message ?? '', answer.retcode)
    })
    if (failure !== undefined) throw failure
    return data
  }

  #teller(): Teller {
    const { world, messages } = this.#implementation
    return { world, messages, requestSeq: (flag) => this.#flags.push(flag) }
  }
}

const BAD = 1400
