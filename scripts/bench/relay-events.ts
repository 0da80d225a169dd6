// A bare relay for events, what the gateway is compared with: one upstream, one topic, a native publish for each frame.

import { answer } from './child.ts'

const TOPIC = 'all'

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('WebSocket only', { status: 426 })),
  websocket: {
    open: (client) => void client.subscribe(TOPIC),
    message() {},
    sendPings: false,
    idleTimeout: 0,
    backpressureLimit: 128 * 1024 * 1024,
    perMessageDeflate: false,
  },
})

const handlers = answer({
  /** Takes events from there. Resolves with the address for clients. */
  async start(url: string): Promise<string> {
    const upstream = new WebSocket(url)
    upstream.onmessage = ({ data }) => server.publish(TOPIC, data)
    await new Promise((resolve) => {
      upstream.onopen = resolve
    })
    return `ws://127.0.0.1:${server.port}/`
  },
})

export type EventRelay = typeof handlers
