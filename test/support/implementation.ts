// An implementation that does exactly what a test says, and nothing by itself but the first lifecycle.

import type { ServerWebSocket } from 'bun'
import { Inbox } from '../contract/witness.ts'

export interface ImplementationOptions {
  selfId?: number
  /** Asked for before the upgrade. */
  token?: string
  /** Default: a lifecycle. */
  first?: string[]
  port?: number
  /** PEM texts: wss. */
  tls?: { cert: string; key: string }
  /** Answers each action; undefined: silence. Default: silence, actions are taken from `actions`. */
  answer?: (frame: Action, raw: string) => string | undefined
}

export interface Action {
  action: string
  params: Record<string, unknown>
  echo?: unknown
}

interface Data {
  headers: Headers
}

export class Implementation implements AsyncDisposable {
  readonly selfId: number
  /** Frames as they came, unless `answer` took them. */
  readonly actions = new Inbox<string>()
  /** The headers of each handshake. */
  readonly handshakes = new Inbox<Headers>()
  /** How each link ended. */
  readonly ended = new Inbox<number>()
  readonly links = new Set<ServerWebSocket<Data>>()
  answer: ImplementationOptions['answer']
  readonly #options: ImplementationOptions
  #server: Bun.Server<Data> | undefined
  #port: number

  constructor(options: ImplementationOptions = {}) {
    this.#options = options
    this.selfId = options.selfId ?? 10001
    this.#port = options.port ?? 0
    this.answer = options.answer
    this.start()
  }

  get url(): string {
    return `${this.#options.tls ? 'wss' : 'ws'}://127.0.0.1:${this.#port}/onebot/v11/ws`
  }

  get own() {
    const { token } = this.#options
    return { 'external-web-socket': this.url, ...(token !== undefined && { 'external-access-token': token }) }
  }
  get entry() {
    const { token } = this.#options
    return { url: this.url, ...(token !== undefined && { 'access-token': token }) }
  }

  /** Also again after `stop`, on the same port. */
  start(): void {
    const first = this.#options.first ?? [lifecycle(this.selfId)]
    this.#server = Bun.serve<Data>({
      hostname: '127.0.0.1',
      port: this.#port,
      reusePort: false,
      ...(this.#options.tls && { tls: this.#options.tls }),
      fetch: (request, server) => {
        const { token } = this.#options
        if (token !== undefined && request.headers.get('authorization') !== `Bearer ${token}`)
          return new Response('no', { status: request.headers.has('authorization') ? 403 : 401 })
        return server.upgrade(request, { data: { headers: request.headers } }) ? undefined : new Response('upgrade')
      },
      websocket: {
        maxPayloadLength: 256 * 1024 * 1024,
        backpressureLimit: 1024 * 1024 * 1024,
        sendPings: false,
        idleTimeout: 0,
        open: (link) => {
          this.links.add(link)
          this.handshakes.push(link.data.headers)
          for (const frame of first) link.send(frame)
        },
        message: (link, text) => {
          const raw = String(text)
          const reply = this.answer?.(JSON.parse(raw), raw)
          if (reply !== undefined) link.send(reply)
          else if (this.answer === undefined) this.actions.push(raw)
        },
        close: (link, code) => {
          this.links.delete(link)
          this.ended.push(code)
        },
      },
    })
    this.#port = this.#server.port ?? 0
  }

  /** One text frame, as it is, on every link. */
  send(raw: string): void {
    this.raw(raw)
  }
  raw(frame: string | Uint8Array<ArrayBuffer>): void {
    for (const link of this.links) link.send(frame)
  }

  /** The next action, parsed, with its raw text. */
  async next(): Promise<Action & { raw: string }> {
    const raw = await this.actions.take()
    return { ...JSON.parse(raw), raw }
  }

  becomes(selfId: number): void {
    this.send(lifecycle(selfId))
  }

  /** Drops all links without a close frame. */
  drop(): void {
    for (const link of this.links) link.terminate()
  }
  close(code: number, reason = ''): void {
    for (const link of this.links) link.close(code, reason)
  }

  /** Drops everything; the port answers nobody until `start`. */
  async stop(): Promise<void> {
    await this.#server?.stop(true)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

export const now = () => Math.floor(Date.now() / 1000)

export const lifecycle = (selfId = 10001) =>
  `{"time":${now()},"self_id":${selfId},"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}`

export const heartbeat = (interval = 5000, selfId = 10001) =>
  `{"time":${now()},"self_id":${selfId},"post_type":"meta_event","meta_event_type":"heartbeat","status":{"online":true,"good":true},"interval":${interval}}`

export const groupMessage = (text: string, selfId = 10001, id = 1) =>
  `{"time":${now()},"self_id":${selfId},"post_type":"message","message_type":"group","sub_type":"normal","message_id":${id},"group_id":123456789,"user_id":2854196310,"message":[{"type":"text","data":{"text":${JSON.stringify(text)}}}],"raw_message":${JSON.stringify(text)},"font":0,"sender":{"user_id":2854196310,"nickname":"n"}}`

/** The usual reply: everything went well. */
export const ok = ({ echo }: { echo?: unknown }, data: unknown = null) =>
  JSON.stringify({ status: 'ok', retcode: 0, data, echo })
