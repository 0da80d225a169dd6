// A client that waits to be dialled, as NoneBot and Koishi do: every link it got, and how each handshake looked.

import type { ServerWebSocket } from 'bun'
import { Inbox } from '../contract/witness.ts'
import { Client } from './client.ts'

export interface ApplicationOptions {
  /** Asked for before the upgrade. */
  token?: string
  /** Accepts the handshake and closes with 1008 right away, as Koishi does when it dislikes it. */
  dislikes?: () => boolean
  /** Refuses an account that is connected already, as NoneBot does. Default: lets it in. */
  exclusive?: boolean
  /** PEM texts: wss. */
  tls?: { cert: string; key: string }
}

interface Data {
  headers: Headers
  client?: Client
  socket?: Adapted
}

/** What a Client needs of a socket. */
type Adapted = Pick<WebSocket, 'onmessage' | 'onclose' | 'send' | 'close'>

export class Application implements AsyncDisposable {
  /** Links, in the order in which they opened. */
  readonly links = new Inbox<Client>()
  /** The headers of every handshake, refused ones included. */
  readonly handshakes = new Inbox<Headers>()
  /** How each link ended. */
  readonly ended = new Inbox<number>()
  refused = 0
  /** When each handshake came (ms of `performance.now`). */
  readonly times: number[] = []
  /** Refuses everybody. */
  closed = false
  readonly #sockets = new Set<ServerWebSocket<Data>>()
  readonly #options: ApplicationOptions
  readonly #server: Bun.Server<Data>

  constructor(options: ApplicationOptions = {}) {
    this.#options = options
    this.#server = Bun.serve<Data>({
      hostname: '127.0.0.1',
      port: 0,
      ...(options.tls && { tls: options.tls }),
      fetch: (request, server) => this.#answer(request, server),
      websocket: {
        maxPayloadLength: 256 * 1024 * 1024,
        sendPings: false,
        idleTimeout: 0,
        open: (link) => this.#open(link),
        message: (link, data) => link.data.socket?.onmessage?.call(nobody, new MessageEvent('message', { data })),
        close: (link, code, reason) => {
          this.#sockets.delete(link)
          this.ended.push(code)
          link.data.socket?.onclose?.call(nobody, new CloseEvent('close', { code, reason }))
        },
      },
    })
  }

  /** How many links are open. */
  get open(): number {
    return this.#sockets.size
  }

  get url(): string {
    return `${this.#options.tls ? 'wss' : 'ws'}://127.0.0.1:${this.#server.port}/onebot/v11/ws`
  }

  /** Drops all links without a close frame. */
  drop(): void {
    for (const socket of this.#sockets) socket.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true)
  }

  #answer(request: Request, server: Bun.Server<Data>): Response | undefined {
    const { headers } = request
    const { token, exclusive } = this.#options
    this.handshakes.push(headers)
    this.times.push(performance.now())
    const refuse = (status: number) => {
      this.refused += 1
      return new Response('no', { status })
    }
    if (this.closed) return refuse(503)
    if (token !== undefined && headers.get('authorization') !== `Bearer ${token}`) return refuse(403)
    const account = headers.get('x-self-id')
    if (exclusive && [...this.#sockets].some(({ data }) => data.headers.get('x-self-id') === account))
      return refuse(403)
    return server.upgrade(request, { data: { headers } }) ? undefined : new Response('upgrade')
  }

  #open(link: ServerWebSocket<Data>): void {
    this.#sockets.add(link)
    if (this.#options.dislikes?.()) return link.close(1008, 'invalid X-Client-Role')
    const socket: Adapted = {
      onmessage: null,
      onclose: null,
      send: (data) => void link.send(String(data)),
      close: (code, reason) => link.close(code, reason),
    }
    link.data.socket = socket
    this.links.push(Client.over(socket as WebSocket)) // all that a Client uses of it
  }
}

// The handlers are the Client's own and do not look at `this`.
const nobody = undefined as unknown as WebSocket
