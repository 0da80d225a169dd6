// Streams of server-sent events: bounded in number and in what is unread, alive through proxies, ended together.

import { refuse } from '../onebot/retcode.ts'
import type { Asked } from './route.ts'

/** Sends one event. False: the reader does not keep up, nothing was sent. */
export type Send = (event: string, json: string) => boolean

/** More look at once than any house has people. */
const MOST = 64
/** Bytes that a reader may leave unread. */
const UNREAD = 512 * 1024
/** What comes within so many milliseconds leaves in one write: that is what a stream costs. */
const TOGETHER = 50
/** Proxies close what is silent for longer (ms). */
const ALIVE = 15_000

export class Streams {
  readonly #open = new Set<() => void>()

  get size(): number {
    return this.#open.size
  }

  /** @param begin starts sending, and returns what ends that. @throws ActionError where there are too many. */
  open(c: Asked, begin: (send: Send) => () => void): Response {
    if (this.#open.size >= MOST) refuse('unavailable', `${MOST} streams are open already: close one`)
    c.env.keepOpen()
    const encoder = new TextEncoder()
    let over = () => {}
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          let waiting = ''
          let timer: ReturnType<typeof setTimeout> | undefined
          const flush = () => {
            timer = undefined
            controller.enqueue(encoder.encode(waiting))
            waiting = ''
          }
          const write = (text: string) => {
            if ((controller.desiredSize ?? 0) <= waiting.length) return false
            waiting += text
            timer ??= setTimeout(flush, TOGETHER)
            return true
          }
          // The headers leave with the first bytes.
          controller.enqueue(encoder.encode(': perpetua\n\n'))
          const end = begin((event, json) => write(`event: ${event}\ndata: ${json}\n\n`))
          const alive = setInterval(() => write(': alive\n\n'), ALIVE)
          over = () => {
            if (!this.#open.delete(over)) return
            clearInterval(alive)
            clearTimeout(timer)
            end()
            try {
              controller.close()
            } catch {
              // Its reader has gone, which closed it.
            }
          }
          this.#open.add(over)
        },
        cancel: () => over(),
      },
      { highWaterMark: UNREAD, size: (chunk) => chunk?.byteLength ?? 0 },
    )
    c.req.raw.signal.addEventListener('abort', () => over())
    return new Response(body, {
      headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' },
    })
  }

  stop(): void {
    for (const over of [...this.#open]) over()
  }
}
