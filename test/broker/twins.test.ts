// The same event through several implementations of one account.

import { expect, jest, test } from 'bun:test'
import fc from 'fast-check'
import { LIMITS } from '../../src/broker/limits.ts'
import type { Status } from '../../src/broker/status.ts'
import { Twins } from '../../src/broker/twins.ts'
import { KIB, MIB } from '../support/broker.ts'
import { timeStands } from '../support/time.ts'
import { worked } from '../support/work.ts'

timeStands()

const HOLD = 1_000
const A = { side: 0, peer: 'peer a' }
const B = { side: 1, peer: 'peer b' }
const C = { side: 30, peer: 'peer c' }
type Side = typeof A

/** What comes through implementations, the first of which is active, and what of it goes on to clients. */
function bed() {
  const clock = { now: 5_000_000 }
  const facts: Status[] = []
  const out: string[] = []
  const twins = new Twins({
    bot: 'first',
    report: (fact) => facts.push(fact),
    deliver: (raw, event) => {
      expect(event).toEqual(JSON.parse(raw))
      out.push(raw)
    },
    now: () => clock.now,
  })
  let active: Side | undefined = A
  const says = (side: Side, event: object | string) => {
    const raw = typeof event === 'string' ? event : JSON.stringify(event)
    if (twins.heard(side, side === active, raw, JSON.parse(raw))) out.push(raw)
  }
  const later = (ms: number) => {
    clock.now += ms
    jest.advanceTimersByTime(ms)
  }
  const turnTo = (side: Side | undefined) => {
    active = side
    twins.release()
  }
  return { twins, facts, out, clock, says, later, turnTo }
}

const message = (more: object = {}) => ({
  time: 1_700_000_000,
  self_id: 10001,
  post_type: 'message',
  message_type: 'group',
  sub_type: 'normal',
  message_id: 7,
  group_id: 5,
  user_id: 3,
  message: [{ type: 'text', data: { text: 'hello' } }],
  raw_message: 'hello',
  ...more,
})
const text = (words: string) => [{ type: 'text', data: { text: words } }]
const poke = (more: object = {}) => ({
  time: 1_700_000_000,
  self_id: 10001,
  post_type: 'notice',
  notice_type: 'notify',
  sub_type: 'poke',
  group_id: 5,
  user_id: 3,
  target_id: 10001,
  ...more,
})

/** Both orders in which two implementations may send what they have in common; true: it came out once, as the active one's. */
function same(one: object | string, other: object | string): boolean {
  const outcomes = [
    [A, B],
    [B, A],
  ].map((order) => {
    const { says, later, out } = bed()
    for (const side of order) says(side, side === A ? one : other)
    later(HOLD * 2)
    return out.length === 1 && out[0] === (typeof one === 'string' ? one : JSON.stringify(one))
  })
  expect(outcomes[0]).toBe(outcomes[1] as boolean)
  return outcomes[0] === true
}

test('[UPX10] an event of the active implementation passes at once; its twin is dropped, whichever came first', () => {
  const { twins, says, later, out, facts } = bed()
  says(A, message())
  expect(out).toHaveLength(1)
  says(B, message())
  says(B, message({ message_id: 8, raw_message: 'b' }))
  says(A, message({ message_id: 8, raw_message: 'a' }))
  expect(out.map((raw) => JSON.parse(raw).raw_message)).toEqual(['hello', 'a'])
  later(HOLD * 5)
  expect(out).toHaveLength(2)
  expect(twins.counts).toEqual({ dropped: 2, rescued: 0 })
  expect(facts).toEqual([])
})

test('[UPX11] what only an implementation standing by has sent is delivered after a second, and told', () => {
  const { twins, says, later, out, facts } = bed()
  says(B, message())
  later(HOLD - 1)
  expect(out).toEqual([])
  later(1)
  expect(out).toHaveLength(1)
  expect(facts).toEqual([{ kind: 'event-rescued', bot: 'first', peer: 'peer b' }])
  // The active one has it after all.
  says(A, message())
  expect(out).toHaveLength(1)
  expect(twins.counts).toEqual({ dropped: 1, rescued: 1 })
})

test('[UPX11] each waits for its own second, and all come in order', () => {
  const { says, later, out } = bed()
  for (let n = 0; n < 5; n++) {
    says(B, message({ message_id: n, message: text(`m${n}`) }))
    later(300)
  }
  says(A, message({ message_id: 3, message: text('m3') }))
  expect(out.map((raw) => JSON.parse(raw).message_id)).toEqual([0, 1, 3])
  later(HOLD)
  expect(out.map((raw) => JSON.parse(raw).message_id)).toEqual([0, 1, 3, 2, 4])
  expect(jest.getTimerCount()).toBe(0)
})

test('[UPX12] when another one becomes active, what waits is delivered at once and in order, and its twins are dropped', () => {
  const { twins, says, later, turnTo, out } = bed()
  for (const n of [1, 2, 3]) says(B, message({ message_id: n, message: text(`m${n}`) }))
  turnTo(B)
  says(B, message({ message_id: 4, message: text('m4') }))
  expect(out.map((raw) => JSON.parse(raw).message_id)).toEqual([1, 2, 3, 4])
  for (const n of [1, 2, 3, 4]) says(A, message({ message_id: n, message: text(`m${n}`) }))
  later(HOLD * 2)
  expect(out).toHaveLength(4)
  expect(twins.counts).toEqual({ dropped: 4, rescued: 3 })
})

test('[UPX12] what the lost one had delivered does not come again from the one that lags behind it', () => {
  const { says, later, turnTo, out } = bed()
  for (const n of [1, 2, 3]) says(A, message({ message_id: n, message: text(`m${n}`) }))
  says(B, message({ message_id: 1, message: text('m1') }))
  turnTo(B)
  for (const n of [2, 3, 4]) says(B, message({ message_id: n, message: text(`m${n}`) }))
  later(HOLD * 2)
  expect(out.map((raw) => JSON.parse(raw).message_id)).toEqual([1, 2, 3, 4])
})

test('[UPX13] messages are the same by number, conversation and second, or by what they say', () => {
  expect(same(message(), message({ message: text('in other words') }))).toBe(true)
  expect(same(message(), message({ message_id: 8 }))).toBe(true)
  expect(same(message(), message({ message_id: undefined }))).toBe(true)
  expect(same(message(), message({ message_id: 8, message: text('in other words') }))).toBe(false)
  // Some count their messages: equal numbers alone mean nothing.
  for (const other of [{ time: 1_700_000_001 }, { user_id: 4 }, { group_id: 6 }, { post_type: 'message_sent' }])
    expect(same(message(), message(other))).toBe(false)
  expect(same(message(), message({ message_type: 'private' }))).toBe(false)
})

test('[UPX13] what a message says is compared in both of its forms, without what each implementation writes in its own way', () => {
  const picture = (file: string, type = 'image') => ({ type, data: { file, url: `https://example.com/${file}?t=1` } })
  const at = { type: 'at', data: { qq: 12 } }
  const other = (message_: unknown) => message({ message_id: 8, message: message_ })
  expect(same(message({ message: [at, ...text(' a & b')] }), other('[CQ:at,qq=12] a &amp; b'))).toBe(true)
  expect(same(message({ message: [at, ...text('a')] }), other([{ ...at, data: { qq: '12' } }, ...text(' a')]))).toBe(
    true,
  )
  expect(same(message({ message: [...text('a'), ...text('b')] }), other('ab'))).toBe(true)
  expect(same(message({ message: [picture('x.png')] }), other([picture('{AB}.jpg')]))).toBe(true)
  expect(same(message({ message: [picture('x.png')] }), other([picture('y', 'mface')]))).toBe(true)
  expect(same(message({ message: [picture('x.png')] }), other([picture('x.png', 'record')]))).toBe(false)
  expect(same(message({ message: [at] }), other([{ type: 'at', data: { qq: 13 } }]))).toBe(false)
  expect(same(message({ message: [] }), message({ message_id: 8, message: undefined }))).toBe(true)
  expect(
    same(message({ message: [], raw_message: 'a' }), message({ message_id: 8, message: [], raw_message: 'b' })),
  ).toBe(false)
  // Who speaks to us through a group may be told with its number, or without.
  const privately = { message_type: 'private', group_id: undefined }
  expect(same(message(privately), message({ ...privately, group_id: 9, sub_type: 'group', target_id: 1 }))).toBe(true)
})

test('[UPX13] notices and requests have no number, and clocks of their own: two seconds apart they are the same', () => {
  for (const time of [1_700_000_001, 1_600_000_000, undefined]) expect(same(poke(), poke({ time }))).toBe(true)
  for (const other of [{ target_id: 4 }, { user_id: 4 }, { group_id: 6 }, { sub_type: 'lucky_king' }])
    expect(same(poke(), poke(other))).toBe(false)
  const request = (more: object) => ({ time: 1, post_type: 'request', request_type: 'friend', user_id: 3, ...more })
  expect(same(request({ comment: 'hi', flag: '1' }), request({ comment: 'hi', flag: 'u_2' }))).toBe(true)
  expect(same(request({ comment: 'hi' }), request({ comment: 'ho' }))).toBe(false)
  expect(same({ post_type: 'notice', notice_type: 'odd' }, { post_type: 'notice', notice_type: 'odd', x: 1 })).toBe(
    true,
  )
})

test('[UPX13] a notice that comes again is another one, also when one implementation missed it the first time', () => {
  const { says, later, out } = bed()
  says(A, poke())
  later(10_000)
  // The active one misses this.
  says(B, poke({ time: 1_700_000_010 }))
  later(HOLD)
  expect(out).toHaveLength(2)
  // One that lags behind tells it with its time, though later.
  says(A, poke({ time: 1_700_000_050 }))
  later(40_000)
  says(B, poke({ time: 1_700_000_050 }))
  later(HOLD)
  expect(out).toHaveLength(3)
})

test('[UPX13] ids are compared to the last digit, quoted or not', () => {
  const frame = (id: string, user: string) =>
    `{"time":1,"post_type":"message","message_type":"private","message_id":${id},"user_id":${user},"message":"x"}`
  expect(same(frame('1', '9007199254740993'), frame('1', '9007199254740992'))).toBe(false)
  expect(same(frame('1', '9007199254740993'), frame('1', '"9007199254740993"'))).toBe(true)
  const numbered = (id: string, words: string) => frame(id, '3').replace('"x"', `"${words}"`)
  expect(same(numbered('7672696335120716277', 'a'), numbered('7672696335120716278', 'b'))).toBe(false)
  expect(same(numbered('7672696335120716277', 'a'), numbered('"7672696335120716277"', 'b'))).toBe(true)
})

test('[UPX14] an event is remembered for a minute', () => {
  const { twins, says, later, out } = bed()
  says(A, message())
  later(59_999)
  says(B, message())
  expect(twins.size).toBe(1)
  later(1)
  says(C, message())
  later(HOLD)
  expect(out).toHaveLength(2)
  expect(twins.size).toBe(1)
})

test('[UPX14] what is remembered and what waits is bounded; what there is no room for does not wait', () => {
  const { twins, says, out } = bed()
  for (let n = 0; n < LIMITS.twinsKnown + 100; n++) says(A, message({ message_id: n, message: text(`${n}`) }))
  expect(twins.size).toBe(LIMITS.twinsKnown)
  out.length = 0
  const pad = 'x'.repeat(900 * KIB)
  for (let n = 0; n < 40; n++) says(B, message({ message_id: `b${n}`, message: text(`b${n}`), pad }))
  expect(twins.held).toBe(Math.floor(LIMITS.twinsHeld / (900 * KIB + 300)))
  expect(out.map((raw) => JSON.parse(raw).message_id)).toEqual(
    Array.from({ length: 40 - twins.held }, (_, n) => `b${n}`),
  )
  expect(LIMITS.twinsHeld).toBeLessThanOrEqual(16 * MIB)
  twins.clear()
  expect([twins.size, twins.held, jest.getTimerCount()]).toEqual([0, 0, 0])
})

test('[UPX14] a second full of equal messages costs no more each than one', () => {
  const { says, out } = bed()
  const start = worked()
  for (let n = 0; n < 20_000; n++) {
    says(A, message({ message_id: n }))
    says(B, message({ message_id: n + 1_000_000 }))
  }
  expect(out).toHaveLength(20_000)
  // Searched from the beginning each time it would be 400 million looks.
  expect(worked() - start).toBeLessThan(2_000)
})

/** What happened at QQ, and which sides got it; `words` few, so that equal messages come in the same second. */
const happenings = fc.array(
  fc.record({ words: fc.constantFrom('6', '666', 'hi'), sides: fc.subarray([0, 1, 2], { minLength: 1 }) }),
  { maxLength: 14 },
)

/** The sides' events one after the other: each side's own in order, the sides mixed as `order` says. */
function mixed(all: readonly { words: string; sides: readonly number[] }[], order: readonly number[], agree: boolean) {
  const lines = [A, B, C].map((side, index) =>
    all.flatMap(({ words, sides }, n) =>
      sides.includes(index)
        ? [{ side, n, event: message({ message_id: agree ? n : n + 1_000 * index, message: text(words) }) }]
        : [],
    ),
  )
  const out = []
  for (let at = 0; lines.some(({ length }) => length > 0); at++) {
    const open = lines.filter(({ length }) => length > 0)
    const next = open[(order[at % Math.max(1, order.length)] ?? 0) % open.length]?.shift()
    if (next !== undefined) out.push(next)
  }
  return out
}

const orders = fc.array(fc.nat(5), { minLength: 1, maxLength: 40 })

test('[UPX15] equal messages come out as often as the side that got the most of them, whoever is active when', () => {
  fc.assert(
    fc.property(happenings, orders, orders, fc.boolean(), (all, order, turns, agree) => {
      const { says, later, turnTo, out } = bed()
      for (const [at, { side, event }] of mixed(all, order, agree).entries()) {
        const turn = turns[at % turns.length] ?? 0
        if (turn < 3) turnTo([A, B, C][turn])
        if (turn === 4) later(400)
        says(side, event)
      }
      later(HOLD)
      for (const words of ['6', '666', 'hi']) {
        const got = [0, 1, 2].map((side) => all.filter((one) => one.words === words && one.sides.includes(side)).length)
        expect(out.filter((raw) => JSON.parse(raw).message[0].data.text === words)).toHaveLength(Math.max(...got))
      }
    }),
    { numRuns: 1_000 },
  )
})

test('[UPX15] messages that differ come out once each, in the order of the active side where that got all of them', () => {
  fc.assert(
    fc.property(happenings, orders, fc.boolean(), (some, order, agree) => {
      const { says, later, out } = bed()
      const all = some.map(({ sides }, n) => ({ words: `m${n}`, sides: [...new Set([0, ...sides])].sort() }))
      for (const { side, event } of mixed(all, order, agree)) says(side, event)
      later(HOLD)
      expect(out.map((raw) => JSON.parse(raw).message_id)).toEqual(all.map((_, n) => n))
    }),
  )
})
