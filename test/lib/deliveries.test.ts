import { expect, test } from 'bun:test'
import { Deliveries, whyAgain } from '../../src/lib/deliveries.ts'

test('[POST2] deliveries are made one at a time, in order; there is room again when one is over', async () => {
  const before = Promise.withResolvers<void>()
  const deliveries = new Deliveries(before.promise)
  const log: string[] = []
  const first = Promise.withResolvers<void>()
  const add = (name: string, until?: Promise<void>) =>
    deliveries.add(
      async () => {
        log.push(`${name} begins`)
        await until
      },
      () => log.push(`${name} is over, room: ${deliveries.buffered === 0}`),
    )
  expect([deliveries.buffered, add('one', first.promise), add('two')]).toEqual([0, true, true])
  expect(deliveries.buffered).toBe(Number.POSITIVE_INFINITY)
  await Promise.resolve()
  expect(log).toEqual([])
  before.resolve()
  first.resolve()
  await deliveries.quiet
  expect(log).toEqual(['one begins', 'one is over, room: false', 'two begins', 'two is over, room: true'])
})

test('[POST11] the end cuts pauses at once, lets what is under way finish for a second, and takes nothing more', async () => {
  const deliveries = new Deliveries()
  const cut = Promise.withResolvers<void>()
  deliveries.cut.addEventListener('abort', () => cut.resolve())
  deliveries.add(
    async () => {
      await deliveries.pause(3_600_000)
      await cut.promise
    },
    () => undefined,
  )
  await Promise.resolve()
  const began = performance.now()
  deliveries.end()
  expect([
    deliveries.open,
    deliveries.add(
      async () => undefined,
      () => undefined,
    ),
  ]).toEqual([false, false])
  expect(deliveries.cut.aborted).toBe(false)
  await deliveries.quiet
  expect(performance.now() - began).toBeGreaterThanOrEqual(990)
  // There is room no more.
  expect(deliveries.buffered).toBe(Number.POSITIVE_INFINITY)
  // With nothing under way there is nothing to be cut.
  const idle = new Deliveries()
  idle.end()
  await idle.quiet
  expect([idle.open, idle.cut.aborted]).toEqual([false, false])
})

test('[POST3] [POST5] [POST12] an answer of 5xx, 408, 425 or 429, a redirect or none asks for the event again; any other has taken it', () => {
  const answer = (status: number) => whyAgain({ kind: 'answered', status, text: '' })
  for (const status of [200, 204, 400, 401, 404, 410]) expect([status, answer(status)]).toEqual([status, undefined])
  for (const status of [408, 425, 429, 500, 503, 599]) expect(answer(status)).toBe(`HTTP ${status}`)
  expect(answer(302)).toBe('HTTP 302: redirects are not followed; configure the final address')
  expect(whyAgain({ kind: 'failed', reason: 'no way to http://me:hush@there/' })).not.toContain('hush')
})
