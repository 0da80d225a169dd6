// The implementation of the bench: sends events as fast as they are taken, or at a rate; answers calls at once.

import type { ServerWebSocket } from 'bun'
import { answer } from './child.ts'
import { clock, event } from './frame.ts'

interface Data {
  /** The path, by which bursts name their receiver. */
  name: string
}

export interface Burst {
  to: string
  count: number
  /** Events in one turn of the loop ... */
  chunk: number
  /** ... and how many such turns may be on their way. */
  window: number
}

const HEARTBEAT_MS = 5_000

const links = new Map<string, ServerWebSocket<Data>>()
let acknowledged = 0
let wake = () => {}

const reply = (echo: unknown) =>
  `{"status":"ok","retcode":0,"data":{"user_id":10001,"nickname":"小明"},"message":"","wording":"","echo":${JSON.stringify(echo)}}`

const meta = (rest: string) =>
  `{"time":${Math.floor(Date.now() / 1000)},"self_id":10001,"post_type":"meta_event","meta_event_type":${rest}}`

const server = Bun.serve<Data>({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, self) {
    const data = { name: new URL(request.url).pathname.slice(1) }
    return self.upgrade(request, { data }) ? undefined : new Response('WebSocket only', { status: 426 })
  },
  websocket: {
    open(link) {
      links.set(link.data.name, link)
      if (link.data.name === 'gateway') link.send(meta('"lifecycle","sub_type":"connect"'))
    },
    message(link, frame) {
      if (link.data.name === 'acknowledge') {
        acknowledged = Number(frame)
        wake()
      } else link.send(reply(JSON.parse(String(frame)).echo))
    },
    close: (link) => void links.delete(link.data.name),
    sendPings: false,
    idleTimeout: 0,
    perMessageDeflate: false,
    backpressureLimit: 1024 * 1024 * 1024,
  },
})

setInterval(() => {
  links.get('gateway')?.send(meta(`"heartbeat","status":{"online":true,"good":true},"interval":${HEARTBEAT_MS}`))
}, HEARTBEAT_MS)

function linkTo(name: string): ServerWebSocket<Data> {
  const link = links.get(name)
  if (link === undefined) throw new Error(`${name} is not connected`)
  return link
}

const handlers = answer({
  /** Followed by the name of the one who connects. */
  address: () => `ws://127.0.0.1:${server.port}/`,

  /** Resolves with the milliseconds until the receivers had acknowledged the last event. */
  async burst({ to, count, chunk, window }: Burst): Promise<number> {
    const link = linkTo(to)
    const began = performance.now()
    const chunks = Math.ceil(count / chunk)
    acknowledged = 0
    for (let sent = 0; sent < chunks; sent++) {
      while (sent - acknowledged >= window) await next()
      const text = event()
      link.cork(() => {
        for (let index = 0; index < chunk; index++) link.send(text)
      })
    }
    while (acknowledged < chunks) await next()
    return performance.now() - began
  },

  /** Without anybody's acknowledgement: as fast as the receiver's socket takes them. */
  async pour({ to, count, chunk }: Pick<Burst, 'to' | 'count' | 'chunk'>): Promise<void> {
    const link = linkTo(to)
    for (let sent = 0; sent < count; sent += chunk) {
      while (link.getBufferedAmount() > 256 * 1024) await Bun.sleep(1)
      const text = event()
      for (let index = 0; index < chunk; index++) link.send(text)
      await Bun.sleep(0)
    }
  },

  /** One event at a time, each stamped when it leaves. */
  async paced({ to, rate, seconds }: { to: string; rate: number; seconds: number }): Promise<void> {
    const link = linkTo(to)
    const began = clock()
    const count = rate * seconds
    for (let sent = 0; sent < count; ) {
      const due = Math.min(count, Math.floor(((clock() - began) * rate) / 1000))
      for (; sent < due; sent++) link.send(event())
      await Bun.sleep(1)
    }
  },
})

export type Source = typeof handlers

function next(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  wake = resolve
  return promise
}
