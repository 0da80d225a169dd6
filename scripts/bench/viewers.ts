// Dashboards without browsers, all in one process: each asks for what page/ asks for, and reads its streams.

import { answer } from './child.ts'
import { AGAIN, ONCE, STREAMS } from './dashboard.ts'

let ended = new AbortController()
let events = 0

const handlers = answer({
  /** Opens so many; resolves once each has had something from each of its streams. */
  async open({ address, token, count }: { address: string; token: string; count: number }): Promise<void> {
    ended = new AbortController()
    const { signal } = ended
    const ask = (path: string) => fetch(`${address}${path}`, { headers: { Authorization: `Bearer ${token}` }, signal })
    const whole = async (path: string) => void (await (await ask(path)).arrayBuffer())
    const again = () => {
      for (let at = 0; at < count; at++) void whole(AGAIN.path).catch(() => undefined) // ended meanwhile
    }
    const page = async () => {
      await whole('/')
      await Promise.all([...STREAMS.map(async (path) => read(await ask(path))), ...[...ONCE, AGAIN.path].map(whole)])
    }
    await Promise.all(Array.from({ length: count }, page))
    const timer = setInterval(again, AGAIN.every)
    signal.addEventListener('abort', () => clearInterval(timer))
  },

  close: () => ended.abort(),

  /** Frames of the streams so far. */
  events: () => events,
})

/** Resolves with the first bytes; goes on reading. */
async function read({ status, body }: Response): Promise<void> {
  if (status !== 200 || body === null) throw new Error(`a stream was refused with ${status}`)
  const reader = body.getReader()
  await reader.read()
  void count(reader).catch(() => undefined) // ended by us
}

const BREAK = 10

async function count(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    // Three line breaks a frame.
    for (let at = value.indexOf(BREAK); at !== -1; at = value.indexOf(BREAK, at + 1)) events += 1 / 3
  }
}

export type Viewers = typeof handlers
