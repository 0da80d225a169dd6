// Web hooks of both protocols through whatever may happen to them: nothing is left out, and nothing comes twice or too early.

import { expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import { groupMessage, heartbeat } from '../support/implementation.ts'
import { BRISK } from '../support/testbed.ts'
import { satoriBed, TOKEN } from './bed.ts'
import { WebHook } from './web-hook.ts'

/** The same numbers for the same seed (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** A while, and then an answer: until then it may be for ever, as far as anybody knows. */
const late = async () => {
  await Bun.sleep(50)
  return new Response(null, { status: 503 })
}

/** An answer that breaks off. */
const halfway = () =>
  new Response(
    new ReadableStream({
      async start(stream) {
        stream.enqueue(new Uint8Array(10))
        await Bun.sleep(50)
        stream.error()
      },
    }),
  )

const WAYS: readonly (() => Response | Promise<Response>)[] = [
  () => new Response(null, { status: 500 }),
  () => new Response(null, { status: 429 }),
  () => new Response(null, { status: 302, headers: { Location: '/elsewhere' } }),
  late,
  halfway,
]

for (const kind of ['http-post', 'satori'] as const)
  test.each([1, 2, 3, 4])(
    `[POST17] [SAT54] a web hook takes each event once and in order, however it and its settings change (${kind}, %d)`,
    async (seed) => {
      const below = numbers(seed)
      await using hook = new WebHook()
      const taken: string[] = []
      const sns: number[] = []
      let well = false
      hook.answer = async ({ body }) => {
        const text = String((body['message'] as { content?: string } | undefined)?.content ?? body['raw_message'] ?? '')
        if (!well && below(3) === 0) return WAYS[below(WAYS.length)]?.() ?? new Response()
        // Slow enough to be in the middle of it when something changes.
        await Bun.sleep(below(15))
        if (text !== '') taken.push(text)
        if (kind === 'satori') sns.push(Number(body['sn']))
        return new Response(null, { status: 204 })
      }
      const config = (): ConfigInput => {
        const entry = {
          name: 'hook',
          url: `${hook.url}?${below(3)}`,
          // Never over: an event that is taken too late for it comes again, and rightly.
          timeout: `${60 + below(3)}s`,
          'retries-interval': '1ms',
          'prefix-strip': `never ${below(3)}`,
        }
        const breaker = { failures: 2, 'cool-down': '20ms' }
        const http = { 'access-token': TOKEN }
        return kind === 'satori'
          ? { http, breaker, satori: { enabled: true, webhooks: [{ ...entry, token: `t${below(3)}` }] } }
          : { http, breaker, satori: { enabled: true }, 'http-post': [{ ...entry, secret: `t${below(3)}` }] }
      }
      const first = config()
      await using it = await satoriBed({ ...BRISK, config: first, satori: first.satori })
      await it.bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 1)
      const sent: string[] = []
      for (let step = 0; step < 120; step++) {
        if (below(4) > 0) {
          sent.push(`m${sent.length}`)
          it.bed.bot.send(groupMessage(sent.at(-1) ?? ''))
        }
        if (below(6) === 0) it.bed.bot.send(heartbeat(30_000).replace('"online":true', `"online":${below(2) === 0}`))
        if (below(12) === 0) await it.bed.gateway.apply({ 'ntqq-impl': it.bed.bot.own, ...config() })
        await Bun.sleep(below(8))
      }
      well = true
      while (taken.at(-1) !== sent.at(-1)) await Bun.sleep(5)
      expect(taken).toEqual(sent)
      expect(sns.every((sn, index) => sn >= (sns[index - 1] ?? 0))).toBe(true)
    },
  )
