// A web hook that counts numbered events; it goes and comes back at the same address.

import { numberIn } from './crowd.ts'

export interface Target extends AsyncDisposable {
  readonly url: string
  readonly numbers: readonly number[]
  /** Resolves once event number `n` was posted. */
  heard(n: number): Promise<void>
  /** Answers 503 until `start`. */
  stop(): void
  start(): void
}

export function target(): Target {
  const numbers: number[] = []
  let up = true
  let news = Promise.withResolvers<void>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const number = numberIn(await request.text())
      if (!up) return new Response(null, { status: 503 })
      if (number > 0) numbers.push(number)
      news.resolve()
      news = Promise.withResolvers()
      return new Response(null, { status: 204 })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/`,
    numbers,
    async heard(n) {
      while (!numbers.includes(n)) await news.promise
    },
    stop() {
      up = false
    },
    start() {
      up = true
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}
