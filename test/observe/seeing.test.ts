// What is counted and shown, without a gateway: buckets, charts, texts that are hidden, lines of the log.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Status } from '../../src/broker/status.ts'
import { Together } from '../../src/lib/together.ts'
import { Buckets, FINE, percentile } from '../../src/observe/buckets.ts'
import { hidden, hiddenText } from '../../src/observe/hidden.ts'
import { History } from '../../src/observe/history.ts'
import { Recent } from '../../src/observe/recent.ts'
import { Tallies } from '../../src/observe/tallies.ts'
import { Taps } from '../../src/observe/taps.ts'
import { Inbox } from '../contract/witness.ts'

const event: Status = { kind: 'event', bot: 'b', raw: '{"post_type":"message"}', event: { post_type: 'message' } }
const call = (action: string, retcode: number, ms: number): Status => ({ kind: 'call', bot: 'b', action, retcode, ms })

test('[MET7] names that others choose cannot make more series than a bound', () => {
  const tallies = new Tallies()
  for (let n = 0; n < 1_000; n++) tallies.report(call(`made_up_${n}`, n, 1))
  for (let n = 0; n < 1_000; n++) tallies.report(call('one', n, 1))
  tallies.report({ ...event, event: { post_type: 'nonsense' } })
  expect(tallies.actions.size).toBeLessThanOrEqual(201)
  expect(Math.max(...[...tallies.actions.values()].map(({ retcodes }) => retcodes.size))).toBeLessThanOrEqual(51)
  expect([...tallies.actions.values()].reduce((sum, { seconds }) => sum + seconds.count, 0)).toBe(2_000)
  expect(tallies.events.get('b')).toEqual(new Map([['other', 1]]))
})

test('[MET8] what is lost is counted by its reason, as many as there were', () => {
  const tallies = new Tallies()
  tallies.report({ kind: 'reply-unknown', bot: 'b' })
  tallies.report({ kind: 'pool-behind', bot: 'b', pool: 'p', missed: 7 })
  tallies.report({ kind: 'paced-abandoned', bot: 'b', actions: 3 })
  tallies.report({ kind: 'delivery-given-up', target: 'x', reason: 'y' })
  expect(tallies.drops.get('b')).toEqual(
    new Map([
      ['reply-unknown', 1],
      ['pool-behind', 7],
      ['call-abandoned', 3],
    ]),
  )
  expect(tallies.drops.get('')).toEqual(new Map([['delivery-given-up', 1]]))
})

test('[TAP9] a percentile lies in the bucket of the value that it is of', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.0001, max: 100, noNaN: true }), { minLength: 1, maxLength: 50 }),
      fc.constantFrom(0.5, 0.9, 0.99),
      (values, share) => {
        const buckets = new Buckets(FINE)
        for (const value of values) buckets.add(value)
        const found = percentile(FINE, buckets.counts, new Float64Array(FINE.length + 1), share)
        const exact = values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0
        const at = FINE.findIndex((bound) => exact <= bound)
        expect(found).toBeGreaterThanOrEqual(FINE[at - 1] ?? 0)
        expect(found).toBeLessThanOrEqual(FINE[at] ?? Number.POSITIVE_INFINITY)
      },
    ),
  )
})

test('[TAP10] a chart keeps an hour of seconds and of minutes, oldest first, and rates are per second', () => {
  const tallies = new Tallies()
  let [now, sent] = [1_000_000, 0]
  const history = new History({ tallies, sent: () => sent, now: () => now })
  const seen: number[] = []
  history.watch(({ events }) => seen.push(events ?? -1))
  for (let second = 0; second < 3_700; second++) {
    for (let n = 0; n < second % 5; n++) tallies.report(event)
    tallies.report(call('x', second % 2, 20))
    tallies.report(call('y', 100, 20))
    sent += 3
    now += 1_000
    history.tick(second === 3_650 ? 80 : 1)
  }
  const seconds = history.chart(1)
  expect(seconds.from).toBe(1_000_000 + 100_000)
  expect(seconds.events).toHaveLength(3_600)
  expect(seconds.events.slice(0, 5)).toEqual([0, 1, 2, 3, 4])
  expect(seconds.errors[0]).toBe(1)
  expect(seconds.sent[0]).toBe(3)
  expect(seconds.p50[0]).toBeGreaterThan(15)
  expect(seconds.p50[0]).toBeLessThanOrEqual(25)
  const minutes = history.chart(60)
  expect(minutes.events).toHaveLength(60)
  expect(minutes).toMatchObject({ step: 60, from: 1_000_000 + 60_000 })
  expect(minutes.events[0]).toBe(2)
  expect(Math.max(...minutes.lag.map(Number))).toBe(80)
  expect(seen).toHaveLength(3_700)
  // A machine that slept: what happened meanwhile is spread over the time that it took.
  for (let n = 0; n < 100; n++) tallies.report(event)
  now += 100_000
  history.tick(99_000)
  expect(history.chart(1).events.at(-1)).toBe(1)
})

test('[TAP11] hidden is every text that somebody wrote; kinds, numbers and ids are shown', () => {
  expect(
    hidden({
      post_type: 'message',
      user_id: 7,
      group_id: '8',
      raw_message: 'secret',
      message: [{ type: 'image', data: { file: 'secret.png', nested: { deep: ['secret'] } } }],
      sender: { nickname: 'secret', role: 'admin', age: 3 },
    }),
  ).toEqual({
    post_type: 'message',
    user_id: 7,
    group_id: '8',
    raw_message: '(6 characters)',
    message: [{ type: 'image', data: { file: '(10 characters)', nested: { deep: ['(6 characters)'] } } }],
    sender: { nickname: '(6 characters)', role: 'admin', age: 3 },
  })
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'text', 'message', 'content'), fc.jsonValue()), (value) => {
      const marked = JSON.parse(JSON.stringify(value), (_, inner) =>
        typeof inner === 'string' ? `SECRET${inner}` : inner,
      )
      const shown = JSON.stringify(hidden(marked)).replaceAll(/"(?:[^"\\]|\\.)*":/g, '')
      expect(shown).not.toContain('SECRET')
    }),
  )
})

test('[TAP12] nobody taps: nothing is parsed, kept or timed', () => {
  const taps = new Taps()
  const raw = { toString: () => expect.unreachable() } as unknown as string
  taps.report({ kind: 'action', bot: 'b', session: undefined, raw })
  const end = taps.add({ kinds: new Set(['fact']), texts: false }, () => undefined)
  expect(taps.size).toBe(1)
  end()
  taps.report({ kind: 'action', bot: 'b', session: undefined, raw })
  expect(taps.size).toBe(0)
})

test('[TAP13] facts are told with their secrets masked, and without the texts of others', () => {
  const taps = new Taps()
  const told: string[] = []
  taps.add({ kinds: new Set(['fact']), texts: false }, (_, json) => void told.push(json))
  taps.report({ kind: 'link-retry', target: 'ws://x/?token=Hush', reason: 'access_token=Hush', inMs: 1, tries: 1 })
  taps.report({ kind: 'upstream-garbage', bot: 'b', why: 'no JSON', text: 'Hush' })
  taps.report({ kind: 'embedded-qr', bot: 'b', text: ['Hush'] })
  taps.stop()
  expect(told).toHaveLength(3)
  expect(told.join()).not.toContain('Hush')
})

test('[TAP14] the last lines of the log are kept, by level, and those to come are told', () => {
  const recent = new Recent()
  const told: string[] = []
  const end = recent.listen('warn', ({ text }) => told.push(text))
  for (let n = 0; n < 5_000; n++) recent.add({ time: n, level: n % 10 === 0 ? 'warn' : 'info', text: `line ${n}` })
  end()
  recent.add({ time: 0, level: 'error', text: 'after' })
  expect(told).toHaveLength(500)
  expect(recent.lines('info', 3).map(({ text }) => text)).toEqual(['line 4998', 'line 4999', 'after'])
  expect(recent.lines('warn', 2).map(({ text }) => text)).toEqual(['line 4990', 'after'])
  expect(recent.lines('trace', 100_000)).toHaveLength(1_000)
})

test('[TAP17] what happens is looked at together, soon after a silence and a few times a second else', async () => {
  const taps = new Taps()
  const told = new Inbox<boolean>()
  const end = taps.add({ kinds: new Set(['event']), texts: false }, (_, __, last) => told.push(last))
  for (let n = 0; n < 100; n++) taps.report(event)
  // Nothing yet; then all of it in one go.
  expect(told.left).toEqual([])
  for (let n = 0; n < 100; n++) expect(await told.take()).toBe(n === 99)
  taps.report(event)
  end()
  const began = performance.now()
  let looks = 0
  const often = new Together(() => looks++, { soon: 5, seldom: 50 })
  while (looks < 5) {
    often.due()
    await Bun.sleep(1)
  }
  expect(performance.now() - began).toBeGreaterThan(4 * 50 - 5)
  often.due()
  often.stop()
  often.now()
  expect(looks).toBe(6)
})

test('[TAP18] an event without its texts says what its values do, whatever they are', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '\\', '\n', '\\"', '":"', '"type":"', '\u2028'),
  )
  const keys = fc.oneof(texts, fc.constantFrom('post_type', 'user_id', 'role', 'text', '__proto__'))
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      texts,
      fc.integer(),
      fc.constantFrom(null, true),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(keys, tree, { maxKeys: 3 }), fc.constantFrom(undefined, 2), (value, indent) => {
      const raw = JSON.stringify(value, undefined, indent)
      fc.pre(raw.length < 4_000)
      const shown = hiddenText(raw, JSON.parse(raw))
      expect(shown).not.toMatch(/[\r\n]/)
      expect(JSON.parse(shown)).toEqual(hidden(JSON.parse(raw)) as object)
    }),
    { numRuns: 50 },
  )
  const long = {
    message_id: 1,
    message: Array.from({ length: 500 }, () => ({ type: 'text', data: { text: 'secret' } })),
  }
  const cut = hiddenText(JSON.stringify(long), long)
  expect(cut).not.toContain('secret')
  expect(cut).toContain('450 more')
  expect(hiddenText('{"id":7672696335120716277}', {})).toBe('{"id":7672696335120716277}')
})
