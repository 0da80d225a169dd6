// An implementation that gets killed: numbers its events, answers calls after a while, dials the gateway or waits for it.

import { answer } from '../bench/child.ts'

export interface Life {
  /** Counts the times it was started. */
  life: number
  /** Events a second. */
  rate: number
  /** The port to wait at, or the address to dial. */
  at: { port: number } | { url: string }
}

/** The longest that a reply takes (ms): some calls are open whenever it is killed. */
const SLOWEST = 40

interface Link {
  send(text: string): unknown
}

let speaking: ReturnType<typeof setInterval> | undefined

const handlers = answer({
  /** No more events; calls are still answered. */
  hush: () => clearInterval(speaking),

  async begin({ life, rate, at }: Life): Promise<void> {
    if ('port' in at) listen(at.port, life, rate)
    else await dial(at.url, life, rate)
  },
})

export type Restless = typeof handlers

function listen(port: number, life: number, rate: number): void {
  Bun.serve({
    hostname: '127.0.0.1',
    port,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('', { status: 426 })),
    websocket: {
      open: (link) => serve(link, life, rate),
      message: (link, frame) => reply(link, String(frame)),
      sendPings: false,
      idleTimeout: 0,
    },
  })
}

function dial(url: string, life: number, rate: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const headers = { 'X-Self-ID': '10001', 'X-Client-Role': 'Universal' }
  // The cast: with lib.dom loaded the global is typed as the browser's, which takes no headers.
  const link = new WebSocket(url, { headers } as unknown as string[])
  link.onopen = () => {
    serve(link, life, rate)
    resolve()
  }
  link.onmessage = ({ data }) => reply(link, String(data))
  link.onclose = () => reject(new Error('the gateway closed the link'))
  return promise
}

/** Events start with 1 in each life: the first one belongs to everybody who is there, too. */
function serve(link: Link, life: number, rate: number): void {
  link.send(
    '{"time":1753000000,"self_id":10001,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}',
  )
  const began = performance.now()
  let count = 0
  speaking = setInterval(() => {
    for (const due = ((performance.now() - began) * rate) / 1000; count < due; ) link.send(numbered(life, ++count))
  }, 1)
}

const numbered = (life: number, count: number) =>
  `{"time":1753000000,"self_id":10001,"post_type":"message","message_type":"private","sub_type":"friend","message_id":${count},"user_id":2854196310,"message":"${life}.${count}","raw_message":"${life}.${count}","font":0,"sender":{"user_id":2854196310,"nickname":"小明"}}`

function reply(link: Link, frame: string): void {
  const { echo } = JSON.parse(frame) as { echo: unknown }
  const text = JSON.stringify({ status: 'ok', retcode: 0, data: { user_id: 10001 }, echo })
  setTimeout(() => link.send(text), Math.random() * SLOWEST)
}
