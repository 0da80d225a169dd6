// A bare relay for calls, what the gateway is compared with: each client has an upstream of its own, frames pass as they are.

import { answer } from './child.ts'

interface Data {
  upstream?: WebSocket
  /** Frames that came before it was open. */
  early: (string | Buffer<ArrayBuffer>)[]
}

let target = ''
const server = Bun.serve<Data>({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request, self) =>
    self.upgrade(request, { data: { early: [] } }) ? undefined : new Response('WebSocket only', { status: 426 }),
  websocket: {
    open(client) {
      const upstream = new WebSocket(target)
      upstream.onopen = () => {
        for (const frame of client.data.early) upstream.send(frame)
        client.data.upstream = upstream
      }
      upstream.onmessage = ({ data }) => client.send(data)
      upstream.onclose = () => client.close()
    },
    message(client, frame) {
      if (client.data.upstream === undefined) client.data.early.push(frame)
      else client.data.upstream.send(frame)
    },
    close: (client) => client.data.upstream?.close(),
    sendPings: false,
    idleTimeout: 0,
    perMessageDeflate: false,
  },
})

const handlers = answer({
  /** Pipes calls there. Resolves with the address for clients. */
  start(url: string): string {
    target = url
    return `ws://127.0.0.1:${server.port}/`
  },
})

export type CallRelay = typeof handlers
