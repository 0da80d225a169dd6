// The host on Bun: listeners by Bun.serve behind hono/bun.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Context } from 'hono'
import { type BunWebSocketData, upgradeWebSocket, websocket } from 'hono/bun'
import type { WSEvents } from 'hono/ws'
import { dial } from './bun-dial.ts'
import { spawn } from './bun-spawn.ts'
import { plainAddress, shortReason } from './frame.ts'
import type { AcceptedSocket, Host, HostEnv, Listener, ListenOptions, SocketEvents } from './host.ts'

/** What a queue may hold above one largest frame before Bun drops: far above where owners stop. */
const QUEUE_HEADROOM = 64 * 1024 * 1024

/** Passes through hono's upgrade in the place of its event handlers, and so ends up on `ws.data.events`. */
interface Carrier extends WSEvents {
  on: SocketEvents<AcceptedSocket>
  socket?: Accepted
}

type Raw = Bun.ServerWebSocket<BunWebSocketData & { events: Carrier }>

class Accepted implements AcceptedSocket {
  readonly on: SocketEvents<AcceptedSocket>
  readonly #raw: Raw
  /** Asked for while bytes were queued: done once they have left. */
  #closing: { code: number; reason: string } | undefined

  constructor(raw: Raw, on: SocketEvents<AcceptedSocket>) {
    this.#raw = raw
    this.on = on
  }

  get buffered(): number {
    return this.#raw.getBufferedAmount()
  }

  get open(): boolean {
    return this.#closing === undefined && this.#raw.readyState === WebSocket.OPEN
  }

  send(text: string): boolean {
    if (!this.open) return false
    // Bun says 0 for "dropped", and also for an empty frame that went out.
    return this.#raw.send(text) !== 0 || (text === '' && this.open)
  }

  ping(data?: string): void {
    if (this.open) this.#raw.ping(data)
  }

  /** Bun cuts a socket within some 4 seconds of its close, whatever is still queued: so the queue comes first. */
  close(code: number, reason: string): void {
    if (!this.open) return
    this.#closing = { code, reason: shortReason(reason) }
    for (const topic of this.#raw.subscriptions) this.#raw.unsubscribe(topic)
    this.drained()
  }

  /** Bytes have left: with the last of them a close that waits is due. */
  drained(): void {
    if (this.#closing === undefined) this.on.drain?.(this)
    else if (this.buffered === 0) this.#raw.close(this.#closing.code, this.#closing.reason)
  }

  terminate(): void {
    this.#raw.terminate()
  }

  subscribe(topic: string): void {
    if (this.open) this.#raw.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.#raw.unsubscribe(topic)
  }
}

/** Our own callbacks in place of hono's: those build a context object for every frame and know no drain and no pong. */
const callbacks = {
  ...websocket,
  open(raw: Raw) {
    const carrier = raw.data.events
    carrier.socket = new Accepted(raw, carrier.on)
    carrier.on.open?.(carrier.socket)
  },
  message(raw: Raw, message: string | Buffer) {
    const socket = raw.data.events.socket
    // What was on its way when we closed is nobody's business any more.
    if (!socket?.open) return
    if (typeof message === 'string') socket.on.text(socket, message)
    else socket.on.binary?.(socket, message)
  },
  drain(raw: Raw) {
    raw.data.events.socket?.drained()
  },
  pong(raw: Raw, data: Buffer) {
    const socket = raw.data.events.socket
    socket?.on.pong?.(socket, data.toString())
  },
  close(raw: Raw, code: number, reason: string) {
    const socket = raw.data.events.socket
    if (!socket) return
    // The peer is told 1009, we are told 1006.
    const real = code === 1006 && reason === 'Received too big message' ? 1009 : code
    // Bun calls this from within `close()` and `terminate()`; the owner's callbacks must not nest.
    queueMicrotask(() => socket.on.close(socket, real, reason))
  },
}

/** Undefined when Bun does not take the request for a handshake: hono then goes on to the next handler, here none. */
async function upgrade(c: Context<HostEnv>, on: SocketEvents<AcceptedSocket>): Promise<Response | undefined> {
  const carrier: Carrier = { on }
  return (await upgradeWebSocket(() => carrier)(c, async () => {})) ?? undefined
}

async function listen({ host, port, app, maxFrame, tls }: ListenOptions): Promise<Listener> {
  // Bun calls an unknown name EINPROGRESS, or a port in use.
  if (!isIP(host)) await lookup(host)
  const server = Bun.serve<Raw['data']>({
    hostname: host,
    port,
    development: false,
    // Without `development` Bun would let two servers share a port, and a taken one would go unnoticed.
    reusePort: false,
    maxRequestBodySize: maxFrame,
    ...(tls && { tls }),
    fetch: (request, server) =>
      app.fetch(request, {
        server, // where hono/bun looks for it
        peer: plainAddress(server.requestIP(request)?.address),
        listener,
        upgrade,
        keepOpen: () => server.timeout(request, 0),
      }),
    websocket: {
      ...callbacks,
      // A PING makes some clients disconnect; silence is judged by the owner of the socket, not here.
      sendPings: false,
      idleTimeout: 0,
      maxPayloadLength: maxFrame,
      backpressureLimit: maxFrame + QUEUE_HEADROOM,
      closeOnBackpressureLimit: false,
      perMessageDeflate: false,
    },
  })
  const listener: Listener = {
    host,
    port: server.port ?? port,
    publish: (topic, text) => server.publish(topic, text),
    async stop() {
      // Not awaited: its promise waits for the last socket, the port is free at once.
      void server.stop(false)
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  }
  return listener
}

export const bunHost = { name: 'bun', listen, dial, spawn } satisfies Host
