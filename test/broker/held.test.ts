// Calls that cannot go now: while the implementation is away, and when their policy says so.

import { expect, jest, test } from 'bun:test'
import { LIMITS } from '../../src/broker/limits.ts'
import type { CallPolicy, GovernedCall, Outcome, Verdict } from '../../src/broker/policy.ts'
import { giveUp } from '../../src/broker/steering.ts'
import { answerTo, BotBed, FakeCaller, FakeUpstream, lifecycleOf, SELF } from '../support/broker.ts'
import { later, timeStands } from '../support/time.ts'
import { worked } from '../support/work.ts'

timeStands()

const frame = (action: string, echo: unknown = 1, params: unknown = {}) => JSON.stringify({ action, params, echo })
const send = (group_id: number, n: number) => frame('send_group_msg', n, { group_id, n })
const ns = (upstream: FakeUpstream) => upstream.actions.map(({ params }) => (params as { n: number }).n) // as `send` makes them

const slot = (key: string, spread: boolean) => ({ key, spread })
/** An implementation that is well. */
function seated(bed: BotBed, key: string): FakeUpstream {
  const upstream = new FakeUpstream()
  bed.bot.seat(key).connected(upstream, key)
  bed.bot.seat(key).received(lifecycleOf(SELF))
  return upstream
}

/** Says what it is told to, and remembers what it was asked and told. */
class FakePolicy implements CallPolicy {
  verdict: (call: GovernedCall, now: number, waited: number) => Verdict = () => ({ kind: 'go' })
  readonly asked: GovernedCall[] = []
  readonly ends: [string, Outcome][] = []
  /** When it wants to know how the implementation is. */
  probesAt = Number.POSITIVE_INFINITY

  admit(call: GovernedCall, now: number, waited: number): Verdict {
    this.asked.push(call)
    return this.verdict(call, now, waited)
  }
  ended({ action }: GovernedCall, outcome: Outcome): void {
    this.ends.push([action, outcome])
  }
  probe(now: number): boolean {
    return now >= this.probesAt
  }
}

/** One call per `every` ms, whoever makes it. */
function oneEvery(every: number) {
  let next = 0
  return (_call: GovernedCall, now: number): Verdict => {
    if (now < next) return { kind: 'wait', until: next }
    next = now + every
    return { kind: 'go' }
  }
}

test('[HLD1] what is asked while the implementation is away goes up in order once its account is known', () => {
  using bed = new BotBed()
  const caller = new FakeCaller()
  // It has never been there, is there and gone, and is there again.
  bed.bot.call(caller, send(1, 0))
  const first = bed.connect()
  expect([bed.bot.waiting.waiting, bed.bot.waiting.held, first.sent.length]).toEqual([1, true, 0])
  bed.bot.received(lifecycleOf(SELF))
  expect([ns(first), bed.bot.waiting.waiting]).toEqual([[0], 0])
  bed.bot.received(answerTo(first.sent[0] as string))
  bed.bot.lost(first, 1006, '')
  const frames = [send(1, 1), send(2, 2), frame('set_group_card', 3, { group_id: 1, n: 3 }), send(1, 4)]
  for (const one of frames) bed.bot.call(caller, one)
  later(bed, 20_000)
  const second = bed.connect()
  expect([second.sent, caller.got.length, caller.open.calls]).toEqual([[], 1, 4])
  bed.bot.received(lifecycleOf(SELF))
  expect(ns(second)).toEqual([1, 2, 3, 4])
  for (const sent of second.sent) bed.bot.received(answerTo(sent))
  expect(caller.replies.map(({ retcode }) => retcode)).toEqual([0, 0, 0, 0, 0])
  expect([caller.open, bed.of('call-held').length]).toEqual([{ calls: 0, bytes: 0 }, 5])
})

test('[HLD1] what is asked of one account does not reach the next', () => {
  using bed = new BotBed()
  bed.bot.lost(bed.online(), 1006, '')
  const caller = new FakeCaller()
  bed.bot.call(caller, send(1, 1))
  bed.bot.call(caller, frame('send_msg_async', 2))
  const other = bed.online('20002')
  expect(other.sent).toEqual([])
  expect(caller.replies.map(({ echo, retcode }) => [echo, retcode])).toEqual([
    [2, 1],
    [1, 1503],
  ])
})

test('[HLD2] after `hold` a call is answered 1503, which says for how long and that it was not sent', () => {
  using bed = new BotBed({ settings: { hold: 10_000 } })
  const upstream = bed.online()
  bed.bot.lost(upstream, 1006, '')
  const caller = new FakeCaller()
  bed.bot.call(caller, send(1, 1))
  later(bed, 4_000)
  bed.bot.call(caller, send(1, 2))
  later(bed, 5_999)
  expect(caller.got).toEqual([])
  later(bed, 1)
  expect(caller.replies).toMatchObject([{ echo: 1, retcode: 1503 }])
  expect(caller.replies[0]?.['message']).toMatch(/not been connected for 10 s; the call was not sent/)
  later(bed, 4_000)
  expect(caller.replies).toMatchObject([{ echo: 1 }, { echo: 2, retcode: 1503 }])
  expect([bed.online().sent, caller.open.calls, bed.bot.waiting.waiting]).toEqual([[], 0, 0])
})

test('[HLD2] the time for a reply counts from when the call was sent', () => {
  using bed = new BotBed({ settings: { timeout: 1_000 } })
  const caller = new FakeCaller()
  bed.bot.call(caller, send(1, 1))
  later(bed, 20_000)
  bed.online()
  later(bed, 999)
  expect(caller.got).toEqual([])
  later(bed, 1)
  expect(caller.replies).toMatchObject([{ retcode: 1504 }])
})

test('[HLD2] what a limit holds waits no longer than `hold` once the implementation is gone', () => {
  const policy = new FakePolicy()
  policy.verdict = (_call, now) => ({ kind: 'wait', until: now + 60_000 })
  using bed = new BotBed({ policy, settings: { hold: 5_000 } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, send(1, 1))
  later(bed, 30_000)
  expect(caller.got).toEqual([])
  bed.bot.lost(upstream, 1006, '')
  later(bed, 5_000)
  expect(caller.replies).toMatchObject([{ retcode: 1503 }])
})

test('[HLD3] what somebody asked for who has left is not sent, but for what was answered already', () => {
  using bed = new BotBed()
  bed.bot.lost(bed.online(), 1006, '')
  const [staying, leaving] = [bed.join(), bed.join()]
  const [bare, gone] = [new FakeCaller('a'), new FakeCaller('b')]
  for (const [n, caller] of [staying.caller, leaving.caller, bare, gone].entries()) bed.bot.call(caller, send(n, n))
  bed.bot.call(leaving.caller, frame('send_msg_async', 9, { n: 9 }))
  leaving.link.open = false
  bed.bot.leave(leaving.session, 1006, '')
  gone.left = true
  expect([leaving.session.open.calls, bed.bot.waiting.waiting]).toEqual([1, 4])
  expect(ns(bed.online()).sort()).toEqual([0, 2, 9])
  expect([gone.open.calls, bed.of('call-cancelled').length]).toEqual([0, 2])
})

test('[HLD5] a call that must wait holds up those behind it in its conversation, and nothing else of its caller', () => {
  const policy = new FakePolicy()
  let until = 0
  policy.verdict = ({ params, action }, now) =>
    action === 'send_group_msg' && params['group_id'] === 1 && now < until ? { kind: 'wait', until } : { kind: 'go' }
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  until = bed.now + 1_000
  const [caller, other] = [new FakeCaller('a'), new FakeCaller('b')]
  for (const [n, group] of [1, 1, 2].entries()) bed.bot.call(caller, send(group, n))
  bed.bot.call(caller, frame('get_msg', 3, { n: 3 }))
  bed.bot.call(other, send(2, 4))
  expect([ns(upstream), bed.bot.waiting.waiting, bed.bot.waiting.held]).toEqual([[2, 3, 4], 2, false])
  const asked = policy.asked.length
  later(bed, 999)
  // Nothing has changed, so nobody is asked.
  expect(policy.asked.length).toBe(asked)
  later(bed, 1)
  expect(ns(upstream)).toEqual([2, 3, 4, 0, 1])
  expect(caller.replies).toEqual([])
})

test('[HLD6] what a limit refuses is 1429 with `retry_after`, and what an open circuit refuses 1503 with it', () => {
  const policy = new FakePolicy()
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  const caller = new FakeCaller()
  policy.verdict = () => ({ kind: 'full', retryAfter: 1_250, why: 'rate-limit send of the client "a" is used up' })
  for (const action of ['send_msg', 'send_msg_async', 'send_msg_rate_limited'])
    bed.bot.call(caller, frame(action, action))
  policy.verdict = (_call, now) => ({ kind: 'open', until: now + 8_000, why: 'calls of this kind have been failing' })
  bed.bot.call(caller, frame('send_msg', 'open'))
  expect(caller.replies).toMatchObject([
    { echo: 'send_msg', status: 'failed', retcode: 1429, retry_after: 1.3 },
    { echo: 'send_msg_async', retcode: 1429 },
    { echo: 'send_msg_rate_limited', retcode: 1429 },
    { echo: 'open', retcode: 1503, retry_after: 8 },
  ])
  expect(caller.replies[0]?.['message']).toBe('rate-limit send of the client "a" is used up; try again in 1.3 s')
  expect(caller.replies[3]?.['message']).toBe('calls of this kind have been failing; tried again in 8 s')
  expect([upstream.sent, caller.open.calls, bed.of('call-limited').length]).toEqual([[], 0, 4])
})

test('[HLD6] nobody waits longer than the limit allows, however long the line before him', () => {
  const policy = new FakePolicy()
  const pace = oneEvery(1_000)
  policy.verdict = (call, now) => {
    const verdict = pace(call, now)
    return verdict.kind === 'wait' ? { ...verdict, most: 3_000 } : verdict
  }
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  const caller = new FakeCaller()
  for (let n = 0; n < 10; n++) bed.bot.call(caller, send(1, n))
  later(bed, 3_000)
  later(bed, 200)
  expect(ns(upstream)).toEqual([0, 1, 2, 3].slice(0, upstream.sent.length))
  expect(caller.replies.length + upstream.sent.length).toBe(10)
  expect(caller.replies.every(({ retcode, retry_after }) => retcode === 1429 && Number(retry_after) > 0)).toBe(true)
  // Also where its turn could have come at any moment.
  for (const { message, retry_after } of caller.replies) expect(message).toEndWith(`try again in ${retry_after} s`)
})

test('[HLD7] what waits is bounded for each caller and in all: 1413', () => {
  using bed = new BotBed()
  const raw = frame('send_msg', 1, { message: 'x'.repeat(1024 * 1024) })
  const big = new FakeCaller('big')
  const fits = Math.floor(LIMITS.waitingBytes / raw.length)
  for (let n = 0; n <= fits; n++) bed.bot.call(big, raw)
  expect([big.replies.map(({ retcode }) => retcode), big.open.calls]).toEqual([[1413], fits])
  // Others may still, until it is too much for all.
  const others = Array.from(
    { length: LIMITS.waitingBytesInAll / LIMITS.waitingBytes },
    (_, n) => new FakeCaller(`${n}`),
  )
  for (const caller of others) for (let n = 0; n < fits; n++) bed.bot.call(caller, raw)
  const refused = others.map(({ replies }) => replies.length)
  expect(refused.slice(0, 3)).toEqual([0, 0, 0])
  expect(others.at(-1)?.replies.at(-1)).toMatchObject({ retcode: 1413 })
  const small = new FakeCaller('small')
  bed.bot.call(small, frame('send_msg'))
  expect(small.got).toEqual([])
})

test('[HLD7] so many calls wait in all, and no more', () => {
  using bed = new BotBed()
  for (let n = 0; n < LIMITS.waitingInAll / LIMITS.callsOpen; n++) {
    const one = new FakeCaller(`${n}`)
    for (let m = 0; m < LIMITS.callsOpen; m++) bed.bot.call(one, '{"action":"send_msg"}')
  }
  expect(bed.bot.waiting.waiting).toBe(LIMITS.waitingInAll)
  const late = new FakeCaller('late')
  bed.bot.call(late, frame('send_msg', 2))
  expect(late.replies).toMatchObject([{ echo: 2, retcode: 1413 }])
})

test('[HLD8] a link that takes nothing is tried again soon, and nothing is sent twice or out of order', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller()
  upstream.open = false
  for (let n = 0; n < 3; n++) bed.bot.call(caller, send(1, n))
  later(bed, 500)
  expect([upstream.sent, bed.bot.waiting.held]).toEqual([[], true])
  upstream.open = true
  later(bed, 100)
  expect([ns(upstream), bed.bot.waiting.waiting, bed.bot.waiting.replies]).toEqual([[0, 1, 2], 0, 3])
})

test('[HLD8] a read that one of those that stand by does not take goes to the active one', () => {
  using bed = new BotBed({ slots: [slot('a', false), slot('b', true)] })
  const [active, standing] = ['a', 'b'].map((key) => seated(bed, key)) as [FakeUpstream, FakeUpstream]
  standing.open = false
  const caller = new FakeCaller()
  for (let n = 0; n < 4; n++) bed.bot.call(caller, frame('get_group_info', n, { n }))
  expect([ns(active), bed.bot.waiting.waiting]).toEqual([[0, 1, 2, 3], 0])
  // Lost is whom it was sent to, and nobody else.
  bed.bot.seat('b').lost(standing, 1006, '')
  for (const sent of active.sent) bed.bot.received(answerTo(sent))
  expect(caller.replies.map(({ retcode }) => retcode)).toEqual([0, 0, 0, 0])
  // Where that one takes nothing either, they wait.
  const again = seated(bed, 'b')
  again.open = false
  active.open = false
  for (let n = 4; n < 6; n++) bed.bot.call(caller, frame('get_group_info', n, { n }))
  expect(bed.bot.waiting.waiting).toBe(2)
  active.open = true
  later(bed, 100)
  expect([ns(active), bed.bot.waiting.waiting]).toEqual([[0, 1, 2, 3, 4, 5], 0])
})

test('[UPX4] only reads that mean the same to both are asked of one that stands by', () => {
  using bed = new BotBed({ slots: [slot('a', false), slot('b', true)] })
  const [active, standing] = ['a', 'b'].map((key) => seated(bed, key)) as [FakeUpstream, FakeUpstream]
  const caller = new FakeCaller()
  const asked = (upstream: FakeUpstream) => upstream.actions.map(({ action }) => action)
  const own = ['get_msg', 'get_msg_async', 'get_forward_msg', 'get_image', 'get_file', 'get_status', 'send_msg']
  for (const [n, action] of [...own, ...own].entries()) bed.bot.call(caller, frame(action, n, { n }))
  expect([asked(active), asked(standing)]).toEqual([[...own, ...own].map((name) => name.replace('_async', '')), []])
  const shared = ['get_group_list', 'get_group_member_info', 'get_stranger_info_async', 'get_friend_list']
  for (const [n, action] of shared.entries()) bed.bot.call(caller, frame(action, n, { n }))
  expect(asked(standing)).toHaveLength(2)
})

test('[HLD9] a backlog leaves in slices, so that it does not hold up the loop, and all of it leaves', () => {
  using bed = new BotBed()
  const callers = Array.from({ length: 25 }, (_, n) => new FakeCaller(`${n}`))
  for (let n = 0; n < 4_000; n++)
    for (const caller of callers) bed.bot.call(caller, `{"action":"send_msg","echo":${n}}`)
  expect(bed.bot.waiting.waiting).toBe(100_000)
  const began = worked()
  const upstream = bed.online()
  const first = worked() - began
  expect(upstream.sent).toHaveLength(LIMITS.sentAtOnce)
  let slowest = 0
  for (let turns = 0; bed.bot.waiting.waiting > 0 && turns < 1_000; turns++) {
    const [at, before] = [worked(), upstream.sent.length]
    later(bed, 1)
    slowest = Math.max(slowest, worked() - at)
    expect(upstream.sent.length - before).toBeLessThanOrEqual(LIMITS.sentAtOnce)
  }
  expect([upstream.sent.length, bed.bot.waiting.replies]).toEqual([100_000, 100_000])
  expect(new Set(upstream.sent).size).toBe(100_000)
  // Generous: a slice takes some milliseconds of work, the whole some hundred.
  expect(Math.max(first, slowest)).toBeLessThan(250)
})

test('[HLD10] a call that need not wait takes no line and no timer, though others wait', () => {
  const policy = new FakePolicy()
  policy.verdict = ({ caller }, now) => (caller === 'limited' ? { kind: 'wait', until: now + 1_000 } : { kind: 'go' })
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  bed.bot.call(new FakeCaller('limited'), send(1, 1))
  const timers = jest.getTimerCount()
  const free = new FakeCaller('free')
  for (let n = 0; n < 100; n++) {
    bed.bot.call(free, send(1, n))
    expect(bed.bot.waiting.waiting).toBe(1)
    bed.bot.received(answerTo(upstream.sent.at(-1) as string))
  }
  // The one for deadlines.
  expect(jest.getTimerCount()).toBe(timers + 1)
  expect(bed.of('call-held')).toHaveLength(1)
})

test('[HLD11] when no calls are taken any more, those that wait are answered: they were not sent', () => {
  const policy = new FakePolicy()
  policy.verdict = (_call, now) => ({ kind: 'wait', until: now + 1_000 })
  using bed = new BotBed({ policy })
  bed.online()
  const caller = new FakeCaller()
  for (const action of ['send_msg', 'get_msg', 'send_msg_async']) bed.bot.call(caller, frame(action, action))
  bed.bot.windDown()
  expect(caller.replies.map(({ echo, retcode }) => [echo, retcode])).toEqual([
    ['send_msg_async', 1],
    ['send_msg', 1503],
    ['get_msg', 1503],
  ])
  expect(caller.replies[1]?.['message']).toBe('shutting down; the call was not sent')
  bed.bot.stop()
  expect([caller.open.calls, bed.of('paced-abandoned'), jest.getTimerCount()]).toMatchObject([0, [{ actions: 1 }], 0])
})

test('[HLD12] on a return the limits hold: what was held leaves at their pace', () => {
  const policy = new FakePolicy()
  policy.verdict = oneEvery(1_000)
  using bed = new BotBed({ policy, settings: { resend: 'reads' } })
  const first = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('get_msg', 0, { n: 0 }))
  bed.bot.lost(first, 1006, '')
  for (let n = 1; n < 4; n++) bed.bot.call(caller, send(n, n))
  later(bed, 5_000)
  const second = bed.online()
  expect(ns(second)).toEqual([0])
  const counts = [1_000, 1_000, 1_000].map((ms) => {
    later(bed, ms)
    return second.sent.length
  })
  expect([counts, ns(second)]).toEqual([
    [2, 3, 4],
    [0, 1, 2, 3],
  ])
})

test('[HLD13] when limits change, those that wait are asked anew', () => {
  const policy = new FakePolicy()
  policy.verdict = (_call, now) => ({ kind: 'wait', until: now + 1_000_000 })
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  bed.bot.call(new FakeCaller(), send(1, 1))
  policy.verdict = () => ({ kind: 'go' })
  later(bed, 60_000)
  expect(upstream.sent).toEqual([])
  bed.bot.reconsider()
  expect(ns(upstream)).toEqual([1])
})

test('[CAL21] the policy hears how every call has ended that it let go', () => {
  const policy = new FakePolicy()
  using bed = new BotBed({ policy, settings: { timeout: 1_000 } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  for (const action of ['ok', 'refused', 'failed', 'late', 'get_lost'])
    bed.bot.call(caller, frame(action, action, { a: 1 }))
  const echo = (at: number) => `"echo":"${upstream.actions[at]?.echo}"`
  bed.bot.received(answerTo(upstream.sent[0] as string))
  bed.bot.received(`{"status":"failed","retcode":1200,"message":"not in the group",${echo(1)}}`)
  bed.bot.received(`{"status":"failed","retcode":500,"message":"",${echo(2)}}`)
  later(bed, 900)
  bed.bot.call(caller, frame('lost', 'lost'))
  later(bed, 100)
  bed.bot.lost(upstream, 1006, '')
  expect(policy.ends).toEqual([
    ['ok', 'ok'],
    ['refused', 'refused'],
    ['failed', 'failed'],
    ['late', 'timeout'],
    ['get_lost', 'timeout'],
    ['lost', 'lost'],
  ])
  expect(policy.asked[0]).toMatchObject({ action: 'ok', params: { a: 1 }, paced: false })
  // What is refused was not let go.
  policy.verdict = () => ({ kind: 'full', retryAfter: 1, why: 'full' })
  bed.online()
  bed.bot.call(caller, frame('send_msg'))
  expect(policy.ends).toHaveLength(6)
})

test('[CAL21] of long params the policy is told at the end at what they were aimed, and no more', () => {
  const policy = new FakePolicy()
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  const caller = new FakeCaller()
  const [short, long] = ['x', 'x'.repeat(LIMITS.paramsKept)]
  for (const message of [short, long])
    bed.bot.call(caller, frame('send_msg', 1, { group_id: 1, user_id: '2', message }))
  bed.bot.call(caller, frame('send_msg', 1, { group_id: long, user_id: { a: 1 } }))
  for (const sent of upstream.sent) bed.bot.received(answerTo(sent))
  expect(policy.asked.map(({ params }) => params)).toEqual([
    { group_id: 1, user_id: '2', message: short },
    { group_id: 1, user_id: '2' },
    {},
  ])
})

test('[CAL22] when an open circuit wants to know, the implementation is asked for its status, and the policy told', () => {
  const policy = new FakePolicy()
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  const until = bed.now + 10_000
  policy.verdict = () => ({ kind: 'open', until, why: 'failing' })
  policy.probesAt = until
  const caller = new FakeCaller()
  bed.bot.call(caller, send(1, 1))
  later(bed, 9_999)
  expect(upstream.sent).toEqual([])
  later(bed, 1)
  expect(upstream.actions).toMatchObject([{ action: 'get_status' }])
  expect([bed.bot.waiting.replies, caller.open.calls, caller.got.length]).toEqual([1, 0, 1])
  bed.bot.received(answerTo(upstream.sent[0] as string))
  expect([policy.ends, bed.of('reply-unknown')]).toEqual([[['get_status', 'ok']], []])
})

const told = (bed: BotBed) =>
  [...bed.bot.held()].map(({ call, why, next, until }) => [
    call.action,
    why,
    next === undefined ? undefined : next - bed.now,
    until === undefined ? undefined : until - bed.now,
  ])

test('[HLD14] those that wait are listed with the reason, when they may go, and when they are given up', () => {
  const policy = new FakePolicy()
  using bed = new BotBed({ policy, settings: { hold: 10_000 } })
  const caller = new FakeCaller('a')
  bed.bot.call(caller, frame('send_msg', 1))
  later(bed, 1_000)
  bed.bot.call(caller, frame('send_msg_async', 2))
  expect(told(bed)).toEqual([
    ['send_msg', 'away', undefined, 9_000],
    ['send_msg', 'away', undefined, undefined],
  ])
  expect([...bed.bot.held()][0]?.call).toMatchObject({ since: bed.now - 1_000, caller: { key: 'a' } })
  const upstream = bed.online()
  expect([upstream.sent.length, told(bed)]).toEqual([2, []])
  policy.verdict = (_, now) => ({ kind: 'wait', until: now + 500, most: 2_000 })
  for (const n of [3, 4]) bed.bot.call(caller, send(1, n))
  later(bed, 100)
  // The second one is behind the first, and its line waits as a whole.
  expect(told(bed)).toEqual([
    ['send_group_msg', 'limit', 400, 1_900],
    ['send_group_msg', 'limit', 400, 1_900],
  ])
  policy.verdict = (_, now) => ({ kind: 'open', until: now + 700, why: 'open' })
  later(bed, 400)
  expect(told(bed)).toEqual([])
  expect(caller.replies.slice(-2)).toMatchObject([{ retcode: 1503 }, { retcode: 1503 }])
  policy.verdict = () => ({ kind: 'go' })
  for (const n of [5, 6]) bed.bot.call(caller, frame('send_msg_rate_limited', n))
  expect(told(bed)).toEqual([['send_msg', 'paced', 500, undefined]])
  // A promise is kept, however long its circuit is open.
  policy.verdict = (_, now) => ({ kind: 'open', until: now + 700, why: 'open' })
  later(bed, 500)
  expect(told(bed)).toEqual([['send_msg', 'circuit', 700, undefined]])
  upstream.open = false
  policy.verdict = () => ({ kind: 'go' })
  bed.bot.call(new FakeCaller('b'), frame('send_msg', 7))
  expect(told(bed).at(-1)).toEqual(['send_msg', 'stalled', undefined, 10_000])
})

test('[HLD15] one that is given up is answered 1503 at once, and once, and not sent; those behind it go on', () => {
  const policy = new FakePolicy()
  using bed = new BotBed({ policy })
  const upstream = bed.online()
  const caller = new FakeCaller('a')
  policy.verdict = ({ params }, now) => (params['n'] === 1 ? { kind: 'wait', until: now + 30_000 } : { kind: 'go' })
  for (const n of [1, 2]) bed.bot.call(caller, send(1, n))
  const [first, second] = [...bed.bot.held()].map(({ call }) => call.token)
  const up = (id: string | undefined) => giveUp(bed.bot, id ?? '', (fact) => bed.facts.push(fact))
  expect(up('nobody')).toBe(false)
  expect(up(first)).toBe(true)
  expect(caller.replies).toEqual([
    expect.objectContaining({
      status: 'failed',
      retcode: 1503,
      message: 'given up by the operator; the call was not sent',
      echo: 1,
    }),
  ])
  later(bed, 30_000)
  expect([ns(upstream), up(second), caller.got.length, bed.bot.waiting.waiting]).toEqual([[2], false, 1, 0])
  bed.bot.received(answerTo(upstream.sent[0] as string))
  expect([caller.got.length, caller.open]).toEqual([2, { calls: 0, bytes: 0 }])
  expect(bed.of('call-given-up')).toMatchObject([{ action: 'send_group_msg', id: first }])
  expect(policy.ends).toEqual([['send_group_msg', 'ok']])
})

test('[HLD15] who has its answer already gets none, and who may have been sent before is told so', () => {
  using bed = new BotBed({ settings: { resend: 'always' } })
  const caller = new FakeCaller('a')
  bed.bot.call(caller, frame('send_msg_async', 1))
  const up = () => giveUp(bed.bot, [...bed.bot.held()][0]?.call.token ?? '', () => undefined)
  expect(up()).toBe(true)
  expect([caller.got.length, bed.of('call-dropped')]).toMatchObject([1, [{ why: 'given up by the operator' }]])
  const upstream = bed.online()
  bed.bot.call(caller, frame('send_msg', 2))
  bed.bot.lost(upstream, 1006, '')
  expect(up()).toBe(true)
  expect(caller.replies.at(-1)).toMatchObject({ retcode: 1504, echo: 2 })
  expect([bed.online().sent, caller.got.length]).toEqual([[], 2])
})

test('[CAL21] of what nobody wanted any more before it went up the policy hears that it says nothing', () => {
  const policy = new FakePolicy()
  using bed = new BotBed({ policy })
  bed.online().open = false
  const { session, caller } = bed.join()
  bed.bot.call(caller, frame('leaves'))
  const [bare, never] = [new FakeCaller('a'), new FakeCaller('b')]
  bed.bot.call(bare, frame('given_up'))
  expect(policy.asked.map(({ action }) => action)).toEqual(['leaves'])
  later(bed, 100)
  const given = [...bed.bot.held()].find(({ call }) => call.caller === bare)
  giveUp(bed.bot, given?.call.token ?? '', () => undefined)
  bed.bot.leave(session, 1006, '')
  later(bed, 200)
  bed.bot.call(never, frame('never_taken'))
  later(bed, 30_000)
  expect(policy.ends).toEqual([
    ['leaves', 'dropped'],
    ['never_taken', 'lost'],
  ])
  expect([bare, never].flatMap(({ replies }) => replies.map(({ retcode }) => retcode))).toEqual([1503, 1503])
})

test('[HLD16] what its client may not do any more when its turn comes is answered 1403 and not sent', () => {
  using bed = new BotBed()
  bed.bot.lost(bed.online(), 1006, '')
  const { session, caller, link } = bed.join()
  bed.bot.call(caller, send(1, 1))
  bed.bot.call(caller, frame('send_group_msg_async', 2, { group_id: 1, n: 2 }))
  bed.bot.call(caller, frame('get_msg', 3, { n: 3 }))
  bed.bot.call(new FakeCaller('another'), send(1, 4))
  bed.bot.settle(session, {
    ...session.terms,
    forbids: (action, params, raw) =>
      action === 'send_group_msg' && params['group_id'] === 1 && raw?.includes('"n"') ? 'deny has it' : undefined,
  })
  expect(ns(bed.online()).sort()).toEqual([3, 4])
  expect(link.replies).toMatchObject([
    { echo: 2, retcode: 1 },
    { echo: 1, retcode: 1403, message: 'deny has it; the call was not sent' },
  ])
  expect([bed.of('call-dropped').length, session.open.calls, bed.bot.waiting.waiting]).toEqual([1, 1, 0])
})

test('[HLD17] a write that was sent and lost, and is not sent again for an open circuit or a limit, is answered 1504', () => {
  for (const verdict of [
    (now: number): Verdict => ({ kind: 'open', until: now + 8_000, why: 'they keep failing' }),
    (): Verdict => ({ kind: 'full', retryAfter: 1_000, why: 'too many' }),
  ]) {
    const policy = new FakePolicy()
    using bed = new BotBed({ policy, settings: { resend: 'always', cache: { get_group_list: 60_000 } } })
    const upstream = bed.online()
    const caller = new FakeCaller()
    bed.bot.call(caller, frame('set_group_card', 'write'))
    bed.bot.call(caller, frame('get_msg', 'read'))
    bed.bot.lost(upstream, 1006, '')
    policy.verdict = (_call, now) => verdict(now)
    const second = bed.online()
    expect(second.sent).toEqual([])
    const byEcho = Object.fromEntries(caller.replies.map((reply) => [String(reply['echo']), reply]))
    expect(byEcho['write']).toMatchObject({
      retcode: 1504,
      message: expect.stringContaining('it was sent before, and lost: the outcome is unknown'),
    })
    expect(byEcho['write']).not.toHaveProperty('retry_after')
    expect(byEcho['read']).toHaveProperty('retry_after')
    const outcomes = Object.fromEntries(bed.bot.failures.all().map(({ action, outcome }) => [action, outcome]))
    expect(outcomes).toEqual({ set_group_card: 'unknown', get_msg: 'failed' })
  }
})
