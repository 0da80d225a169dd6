// An implementation that speaks Milky and does exactly what a test says, over real sockets: answers, streams, misbehaviour.

import type { ServerWebSocket } from 'bun'
import { Inbox } from '../contract/witness.ts'
import { SELF } from './milky-stage.ts'

export interface MilkyCall {
  readonly api: string
  readonly input: Record<string, unknown>
  readonly headers: Headers
}

export interface MilkyServerOptions {
  /** Asked for on every way in. */
  token?: string
  /** Accepts the WebSocket all the same and closes it with 1008, as LLBot does. */
  lateRefusal?: boolean
  selfId?: number
  port?: number
  /** Answers an API in its own way; undefined: as an implementation that is well. */
  answer?: (call: MilkyCall) => Response | undefined | Promise<Response | undefined>
  /** PEM texts: https. */
  tls?: { cert: string; key: string }
  opened?: (headers: Headers) => void
  /** What stands for the stream of events over HTTP. Default: server-sent events. */
  stream?: () => Response
}

export const ok = (data: unknown = {}): Response => Response.json({ status: 'ok', retcode: 0, data })

export class MilkyServer implements AsyncDisposable {
  answer: MilkyServerOptions['answer']
  /** All calls but the probes. */
  readonly calls = new Inbox<MilkyCall>()
  /** How often each API was called. */
  readonly counts = new Map<string, number>()
  readonly opened = new Inbox<Headers>()
  readonly ended = new Inbox<number>()
  /** Connections that calls came by, by their far port. */
  readonly ports = new Set<number>()
  readonly #options: MilkyServerOptions
  readonly #sockets = new Set<ServerWebSocket<{ headers: Headers }>>()
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>()
  #server: Bun.Server<{ headers: Headers }> | undefined
  #port: number

  constructor(options: MilkyServerOptions = {}) {
    this.#options = options
    this.answer = options.answer
    this.#port = options.port ?? 0
    this.start()
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.#port}/prefix`
  }

  get streams(): number {
    return this.#sockets.size + this.#streams.size
  }

  start(): void {
    this.#server = Bun.serve<{ headers: Headers }>({
      hostname: '127.0.0.1',
      port: this.#port,
      idleTimeout: 0,
      ...(this.#options.tls && { tls: this.#options.tls }),
      fetch: (request, server) => this.#answer(request, server),
      websocket: {
        idleTimeout: 0,
        backpressureLimit: 1024 * 1024 * 1024,
        open: (socket) => {
          if (this.#options.lateRefusal) return socket.close(1008, 'unauthorized')
          this.#sockets.add(socket)
          this.opened.push(socket.data.headers)
          this.#options.opened?.(socket.data.headers)
        },
        message: () => undefined,
        close: (socket, code) => {
          this.#sockets.delete(socket)
          this.ended.push(code)
        },
      },
    })
    this.#port = this.#server.port ?? 0
  }

  event(event_type: string, data: object, self_id = this.#options.selfId ?? SELF): void {
    this.say(JSON.stringify({ event_type, time: 1700000000, self_id, data }))
  }

  /** This very text, on every stream. */
  say(text: string | Uint8Array<ArrayBuffer>): void {
    for (const socket of this.#sockets) socket.send(text)
    for (const stream of this.#streams)
      stream.enqueue(new TextEncoder().encode(`event: milky_event\ndata: ${text}\n\n`))
  }

  /** Drops all streams. */
  drop(): void {
    for (const socket of this.#sockets) socket.terminate()
    for (const stream of [...this.#streams]) {
      this.#streams.delete(stream)
      stream.close()
    }
  }

  close(code: number, reason = ''): void {
    for (const socket of this.#sockets) socket.close(code, reason)
  }

  async stop(): Promise<void> {
    await this.#server?.stop(true)
    this.#streams.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #answer(request: Request, server: Bun.Server<{ headers: Headers }>): Promise<Response | undefined> {
    const { headers } = request
    const { pathname } = new URL(request.url)
    const { token, lateRefusal } = this.#options
    const refused = token !== undefined && headers.get('authorization') !== `Bearer ${token}`
    if (pathname === '/prefix/event') {
      if (refused && !lateRefusal) return new Response(null, { status: 401 })
      if (server.upgrade(request, { data: { headers } })) return undefined
      this.opened.push(headers)
      return this.#options.stream?.() ?? this.#stream()
    }
    if (refused) return Response.json({ status: 'failed', retcode: -401, message: 'who?' }, { status: 401 })
    const api = /^\/prefix\/api\/(\w+)$/.exec(pathname)?.[1]
    if (api === undefined || request.method !== 'POST') return new Response('nothing here', { status: 404 })
    this.ports.add(server.requestIP(request)?.port ?? 0)
    const call = { api, input: await request.json(), headers }
    this.counts.set(api, (this.counts.get(api) ?? 0) + 1)
    if (!PROBES.has(api)) this.calls.push(call)
    return (await this.answer?.(call)) ?? this.#well(call)
  }

  #well({ api }: MilkyCall): Response {
    if (api === 'get_login_info') return ok({ uin: this.#options.selfId ?? SELF, nickname: '小佩' })
    if (api === 'get_impl_info') return ok({ impl_name: 'a test', impl_version: '1', milky_version: '1.2' })
    if (api.startsWith('send_') && api.endsWith('_message')) return ok({ message_seq: 90, time: 1700000000 })
    return ok()
  }

  #stream(): Response {
    let mine: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        mine = controller
        this.#streams.add(controller)
        controller.enqueue(new TextEncoder().encode(': here\n\n'))
      },
      cancel: () => {
        if (mine) this.#streams.delete(mine)
        this.ended.push(1000)
      },
    })
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
  }
}

const PROBES = new Set(['get_login_info', 'get_impl_info', 'get_friend_list'])
