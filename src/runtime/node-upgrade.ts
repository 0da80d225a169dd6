// Answers WebSocket handshakes on Node: the app decides, hono's adapter and `ws` shake hands.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createNodeWebSocket } from '@hono/node-ws'
import type { Context } from 'hono'
import type { AcceptedSocket, HostEnv, ListenOptions, SocketEvents } from './host.ts'
import { answer, chooseProtocol, isHandshake, requestOf, watchPeer } from './node-http.ts'
import { surface } from './node-socket.ts'
import { Accepted, type Topics } from './node-topics.ts'

/** What a queue may hold above one largest frame before frames are dropped: far above where owners stop. */
const QUEUE_HEADROOM = 64 * 1024 * 1024

type Upgrade = HostEnv['Bindings']['upgrade']

interface Handshake {
  incoming: IncomingMessage
  socket: Duplex
  head: Buffer
}

export interface Handshakes {
  begin(handshake: Handshake): void
  /** Drops every connection that came in by an upgrade; resolves when their owners have been told. */
  drop(): Promise<void>
}

/**
 * Takes the place of the adapter's injectWebSocket, which answers a refusal without body and headers, hides the Host
 * header from the app's URL, and lets a bad request target or a reset connection end the process.
 */
export function handshakes(
  { app, maxFrame, tls }: ListenOptions,
  topics: Topics,
  bindings: (incoming: IncomingMessage, upgrade: Upgrade) => HostEnv['Bindings'],
): Handshakes {
  const { wss, upgradeWebSocket } = createNodeWebSocket({ app })
  wss.options.maxPayload = maxFrame
  wss.options.perMessageDeflate = false

  const accept = async (
    { incoming, socket, head }: Handshake,
    c: Context<HostEnv>,
    on: SocketEvents<AcceptedSocket>,
  ): Promise<Response | undefined> => {
    // After this check `ws` always completes: nothing below may wait before it does.
    if (!isHandshake(incoming) || !socket.readable || !socket.writable) return undefined
    chooseProtocol(incoming)
    // Without onError the adapter prints what a callback throws.
    const response = upgradeWebSocket(c, {}, { onError: surface })
    wss.handleUpgrade(incoming, socket, head, (raw) => {
      wss.emit('connection', raw, incoming)
      // Now, and not when the adapter says so: on Deno a peer's first frame is there before any promise has settled.
      try {
        on.open?.(new Accepted(raw, socket, on, topics, maxFrame + QUEUE_HEADROOM))
      } catch (error) {
        surface(error)
      }
    })
    return response
  }

  const shake = async (handshake: Handshake): Promise<void> => {
    const { incoming, socket } = handshake
    const left = new AbortController()
    const unwatch = watchPeer(socket, () => left.abort())
    let upgraded = false
    const upgrade: Upgrade = async (c, on) => {
      unwatch()
      const response = await accept(handshake, c, on)
      upgraded ||= response !== undefined
      return response
    }
    const request = requestOf(incoming, tls ? 'https' : 'http', left.signal)
    const response = request
      ? await app.fetch(request, bindings(incoming, upgrade))
      : new Response(null, { status: 400 })
    unwatch()
    if (!upgraded) await answer(socket, response)
  }

  const connections = new Set<Duplex>()
  return {
    begin(handshake) {
      const { socket } = handshake
      // Without a listener a reset connection is an uncaught error; its loss shows in 'close'.
      socket.on('error', () => {})
      socket.once('close', () => connections.delete(socket))
      connections.add(socket)
      void shake(handshake)
    },
    async drop() {
      const told = [...wss.clients].map((raw) => new Promise((resolve) => raw.once('close', resolve)))
      for (const socket of connections) socket.destroy()
      await Promise.all(told)
    },
  }
}
