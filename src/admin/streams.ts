// Streams of server-sent events: bounded in number and in what is unread, written once for all who watch the same.

import { Together } from '../lib/together.ts'
import { refuse } from '../onebot/retcode.ts'
import type { Asked } from './route.ts'

/** Says one thing; `now`: it does not wait for others. */
export type Send = (event: string, json: string, now?: boolean) => void

export interface Feed {
  /** Who asks for the same shares it. */
  readonly key: string
  /** What whoever comes is told first. */
  readonly greet?: ((send: Send) => void) | undefined
  /** Begins with the first who comes; returns what ends it, after the last has gone. */
  readonly begin: (send: Send) => () => void
}

/** More look at once than any house has people. */
const MOST = 64
/** Bytes that a reader may leave unread. */
const UNREAD = 512 * 1024
/** A write costs as much as some events do (ms). */
const PACE = { soon: 50, seldom: 400 }
/** So many characters do not wait. */
const MUCH = 64 * 1024
/** Proxies close what is silent for longer (ms). */
const ALIVE = 15_000

const encoder = new TextEncoder()
const block = (event: string, json: string) => `event: ${event}\ndata: ${json}\n\n`

export class Streams {
  readonly #channels = new Map<string, Channel>()
  readonly #open = new Set<() => void>()

  /** @throws ActionError where there are too many. */
  open(c: Asked, feed: Feed): Response {
    if (this.#open.size >= MOST) refuse('unavailable', `${MOST} streams are open already: close one`)
    c.env.keepOpen()
    let over = () => {}
    let resumed = () => {}
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const reader = new Reader(controller)
          resumed = () => reader.resumed()
          // The headers leave with the first bytes.
          let first = ': perpetua\n\n'
          feed.greet?.((event, json) => {
            first += block(event, json)
          })
          reader.write(encoder.encode(first), 0)
          const channel = this.#channel(feed)
          channel.join(reader)
          over = () => {
            if (!this.#open.delete(over)) return
            channel.leave(reader)
            reader.close()
          }
          this.#open.add(over)
        },
        pull: () => resumed(),
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

  #channel(feed: Feed): Channel {
    const known = this.#channels.get(feed.key)
    if (known !== undefined) return known
    const channel = new Channel(feed, () => this.#channels.delete(feed.key))
    this.#channels.set(feed.key, channel)
    return channel
  }
}

/** What all get who asked for the same. */
class Channel {
  readonly #readers = new Set<Reader>()
  readonly #ended: () => void
  readonly #end: () => void
  readonly #alive: ReturnType<typeof setInterval>
  readonly #flush = new Together(() => this.#write(), PACE)
  #waiting = ''
  /** Blocks among what waits. */
  #count = 0

  constructor({ begin }: Feed, ended: () => void) {
    this.#ended = ended
    this.#alive = setInterval(() => this.#say(': alive\n\n'), ALIVE)
    this.#end = begin((event, json, now = false) => {
      this.#count += 1
      this.#say(block(event, json), now)
    })
  }

  join(reader: Reader): void {
    // What waits is from before.
    this.#flush.now()
    this.#readers.add(reader)
  }

  leave(reader: Reader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return
    clearInterval(this.#alive)
    this.#flush.stop()
    this.#end()
    this.#ended()
  }

  #say(text: string, now = false): void {
    this.#waiting += text
    if (now || this.#waiting.length >= MUCH) this.#flush.now()
    else this.#flush.due()
  }

  #write(): void {
    if (this.#waiting === '') return
    const bytes = encoder.encode(this.#waiting)
    for (const reader of this.#readers) reader.write(bytes, this.#count)
    this.#waiting = ''
    this.#count = 0
  }
}

/** One who reads, and what had no room for that. */
class Reader {
  readonly #controller: ReadableStreamDefaultController<Uint8Array>
  #skipped = 0

  constructor(controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#controller = controller
  }

  write(bytes: Uint8Array, blocks: number): void {
    if ((this.#controller.desiredSize ?? 0) <= 0) this.#skipped += blocks
    else {
      this.resumed()
      this.#controller.enqueue(bytes)
    }
  }

  /** There is room again. */
  resumed(): void {
    if (this.#skipped === 0) return
    const told = block('skipped', JSON.stringify({ time: Date.now(), skipped: this.#skipped }))
    this.#skipped = 0
    this.#controller.enqueue(encoder.encode(told))
  }

  close(): void {
    try {
      this.#controller.close()
    } catch {
      // Its reader has gone, which closed it.
    }
  }
}
