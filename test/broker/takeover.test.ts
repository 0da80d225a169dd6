// What becomes of calls when one of several implementations takes them and does not answer; with the real circuits.

import { expect, jest, test } from 'bun:test'
import type { Status } from '../../src/broker/status.ts'
import { Policy } from '../../src/governance/policy.ts'
import { answerTo, BotBed, FakeCaller, FakeUpstream, heartbeatOf, lifecycleOf, SELF } from '../support/broker.ts'
import { timeStands } from '../support/time.ts'

timeStands()

const TIMEOUT = 1_000
const COOL_DOWN = 10_000
const STABLE = 30_000
const PROBE = 10_000

/** Implementations in this order, all of them well; those in capitals take reads while they stand by. */
function bed(keys: string, failures = 3, cache: Record<string, number> = {}, resend: 'reads' | 'always' = 'reads') {
  const policy = new Policy({
    bot: {},
    preset: 'none',
    clients: new Map(),
    breaker: { failures, coolDown: COOL_DOWN },
  })
  const slots = [...keys].map((key) => ({ key: key.toLowerCase(), spread: key !== key.toLowerCase() }))
  const base = new BotBed({ policy, slots, settings: { timeout: TIMEOUT, resend, hold: 30_000, cache } })
  const caller = new FakeCaller()
  const links = new Map<string, FakeUpstream>()
  const up = (key: string) => {
    const link = new FakeUpstream()
    links.set(key, link)
    base.bot.seat(key).connected(link, key)
    base.bot.seat(key).received(lifecycleOf(SELF))
    return link
  }
  for (const { key } of slots) up(key)
  let echo = 0
  const call = (action: string, params: unknown = { group_id: 1 }) => {
    echo += 1
    base.bot.call(caller, JSON.stringify({ action, params, echo }))
    return echo
  }
  const link = (key: string) => links.get(key) ?? new FakeUpstream()
  const later = (ms: number) => {
    base.now += ms
    jest.advanceTimersByTime(ms)
  }
  return {
    ...{ base, policy, caller, up, call, link, later },
    /** So many calls in a row that get no answer. */
    hangs(action: string, times = failures) {
      for (let n = 0; n < times; n++) {
        call(action)
        later(TIMEOUT)
      }
    },
    asked: (key: string) => link(key).actions.map(({ action }) => action),
    answer(key: string, from = 0) {
      for (const sent of link(key).sent.slice(from)) base.bot.seat(key).received(answerTo(sent))
    },
    beat: (key: string, online = true) => base.bot.seat(key).received(heartbeatOf(5_000, online)),
    active: () => base.bot.sources.upstreams.find(({ active }) => active)?.peer,
    failing: () => base.bot.sources.upstreams.map(({ failing }) => failing),
    retcodes: () => caller.replies.map(({ retcode }) => retcode),
    moves: () =>
      base.of('upstream-active').map(({ peer, why }: Extract<Status, { kind: 'upstream-active' }>) => [peer, why]),
  }
}

test('[UPX16] when the circuit of its calls opens, another one takes over in that turn, and its circuits are its own', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  expect([it.active(), it.failing()]).toEqual(['b', ['calls', null]])
  expect(it.moves()).toEqual([
    ['a', 'first'],
    ['b', 'failing'],
  ])
  it.call('send_group_msg')
  it.answer('b')
  expect(it.retcodes()).toEqual([1504, 1504, 1504, 0])
  expect(it.base.of('upstream-failing')).toEqual([
    {
      kind: 'upstream-failing',
      bot: 'first',
      peer: 'a',
      why: '"send" actions keep failing: no reply within the deadline',
      last: false,
    },
  ])
  // Whoever looks sees the circuits of the one that does the work.
  expect(it.policy.snapshot(it.base.now, it.base.bot.side).breakers.send).toEqual({ state: 'closed' })
})

test('[UPX16] a class that hangs is reason enough, whichever it is: the other one is well', () => {
  const it = bed('ab')
  using _ = it.base
  for (let n = 0; n < 3; n++) {
    it.call('send_group_msg')
    it.answer('a', it.link('a').sent.length - 1)
    it.call('upload_group_file')
    it.later(600_000)
  }
  expect(it.active()).toBe('b')
})

test('[UPX16] answers by which it says that it got stuck count like none', () => {
  const it = bed('ab')
  using _ = it.base
  for (let n = 0; n < 3; n++) {
    it.call('send_group_msg', { group_id: n })
    const { echo } = it.link('a').actions.at(-1) ?? {}
    it.base.bot.seat('a').received(JSON.stringify({ status: 'failed', retcode: 1500, data: null, echo }))
  }
  expect([it.active(), it.failing()]).toEqual(['b', ['calls', null]])
  it.call('send_group_msg')
  it.answer('b')
  expect(it.retcodes()).toEqual([1500, 1500, 1500, 0])
})

test('[UPX16] refusals, and failures with a success between them, move nothing', () => {
  const it = bed('ab')
  using _ = it.base
  for (let n = 0; n < 10; n++) {
    it.hangs('send_group_msg', 2)
    it.call('send_group_msg')
    it.answer('a', it.link('a').sent.length - 1)
  }
  expect([it.active(), it.asked('b')]).toEqual(['a', []])
})

test('[UPX16] heartbeats that say all is well change nothing before it has answered; what they say of the account counts too', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  for (let n = 0; n < 20; n++) {
    it.beat('a')
    it.later(100)
  }
  expect([it.active(), it.failing()]).toEqual(['b', ['calls', null]])
  it.beat('a', false)
  it.later(COOL_DOWN)
  it.answer('a', 3)
  expect(it.failing()).toEqual(['offline', null])
  it.later(STABLE * 2)
  expect(it.active()).toBe('b')
  it.beat('a')
  it.later(STABLE)
  expect(it.active()).toBe('a')
})

test('[UPX17] it is asked for its status once the pause is over, though nobody calls, and takes over again after it was well for a while', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  it.later(COOL_DOWN - 1)
  expect(it.asked('a')).toEqual(Array(3).fill('send_group_msg'))
  it.later(1)
  expect(it.asked('a').slice(3)).toEqual(['get_status'])
  expect(it.asked('b')).toEqual([])
  expect(it.failing()).toEqual(['calls', null])
  it.answer('a', 3)
  expect([it.failing(), it.active()]).toEqual([[null, null], 'b'])
  expect(it.base.of('upstream-works')).toEqual([{ kind: 'upstream-works', bot: 'first', peer: 'a' }])
  it.later(STABLE - 1)
  expect(it.active()).toBe('b')
  it.later(1)
  expect([it.active(), it.moves().at(-1)]).toEqual(['a', ['a', 'stable']])
  it.call('send_group_msg')
  it.answer('a', 4)
  expect(it.retcodes().at(-1)).toBe(0)
})

test('[UPX17] as long as it does not answer it is asked after pauses that double', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  const at: number[] = []
  const began = it.base.now
  for (let n = 0; n < 200; n++) {
    const before = it.link('a').sent.length
    it.later(1_000)
    if (it.link('a').sent.length > before) at.push(it.base.now - began)
  }
  // Each waits for its answer first.
  expect(at).toEqual([COOL_DOWN, 3 * COOL_DOWN + PROBE, 7 * COOL_DOWN + 2 * PROBE, 15 * COOL_DOWN + 3 * PROBE])
  expect(it.active()).toBe('b')
})

test('[UPX17] back at work, its first failure moves it away again, for longer; a success is a clean slate', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  it.later(COOL_DOWN)
  it.answer('a', 3)
  it.later(STABLE)
  expect(it.active()).toBe('a')
  it.hangs('send_group_msg', 1)
  expect(it.active()).toBe('b')
  it.later(2 * COOL_DOWN - 1)
  expect(it.asked('a').at(-1)).toBe('send_group_msg')
  it.later(1)
  expect(it.asked('a').at(-1)).toBe('get_status')
  it.answer('a', it.link('a').sent.length - 1)
  it.later(STABLE)
  it.call('send_group_msg')
  it.answer('a', it.link('a').sent.length - 1)
  it.hangs('send_group_msg', 2)
  expect(it.active()).toBe('a')
})

test('[UPX17] a new link has no share in the failures of the one before', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  it.base.bot.seat('a').lost(it.link('a'), 1006, '')
  it.up('a')
  expect([it.failing(), it.active()]).toEqual([[null, null], 'b'])
  it.later(STABLE)
  expect(it.active()).toBe('a')
  it.hangs('send_group_msg', 2)
  expect(it.active()).toBe('a')
})

test('[UPX18] the last one is never put aside: its circuit refuses, and it works on as soon as any of them answers', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  it.hangs('send_group_msg')
  expect([it.active(), it.failing()]).toEqual(['b', ['calls', 'calls']])
  expect(it.base.of('upstream-failing')).toMatchObject([
    { peer: 'a', last: false },
    { peer: 'b', last: true },
  ])
  it.call('send_group_msg')
  expect(it.caller.replies.at(-1)).toMatchObject({ retcode: 1503, retry_after: 10 })
  it.later(COOL_DOWN - 3 * TIMEOUT)
  expect([it.asked('a').at(-1), it.asked('b').at(-1)]).toEqual(['get_status', 'send_group_msg'])
  it.answer('a', 3)
  expect([it.active(), it.failing()]).toEqual(['a', [null, 'calls']])
  it.call('send_group_msg')
  it.answer('a', 4)
  expect(it.retcodes().at(-1)).toBe(0)
  it.later(3 * TIMEOUT)
  expect(it.asked('b').at(-1)).toBe('get_status')
})

test('[UPX18] a single implementation is asked as ever, and its circuit stays what it was with a new link', () => {
  const it = bed('a')
  using _ = it.base
  it.hangs('send_group_msg')
  expect([it.active(), it.failing(), it.base.of('upstream-failing')]).toEqual(['a', [null], []])
  it.later(COOL_DOWN * 3)
  expect(it.asked('a')).toEqual(Array(3).fill('send_group_msg'))
  it.base.bot.seat('a').lost(it.link('a'), 1006, '')
  it.up('a')
  expect(it.policy.snapshot(it.base.now).breakers.send.state).toBe('half-open')
})

test('[UPX19] failures count for the one that took the call: a standby that hangs with its share of reads gets no more, the active one stays', () => {
  const it = bed('aB')
  using _ = it.base
  for (let n = 0; n < 6; n++) {
    it.call('get_group_info', { group_id: n })
    it.answer('a', Math.max(0, it.link('a').sent.length - 1))
    it.later(TIMEOUT)
  }
  expect([it.asked('a').length, it.asked('b').length]).toEqual([3, 3])
  expect([it.active(), it.failing()]).toEqual(['a', [null, 'calls']])
  for (let n = 0; n < 4; n++) it.call('get_group_info', { group_id: 10 + n })
  expect([it.asked('a').length, it.asked('b').length]).toEqual([7, 3])
  // Its own probe, which no other one answers for it.
  it.later(COOL_DOWN)
  expect(it.asked('b').at(-1)).toBe('get_status')
})

test('[UPX19] reads in flight at the one that hangs are asked again, of everything else its answer is waited for', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg', 2)
  it.call('send_group_msg')
  it.later(TIMEOUT / 2)
  const write = it.call('set_group_card')
  const read = it.call('get_group_list')
  it.later(TIMEOUT / 2)
  expect([it.active(), it.asked('b')]).toEqual(['b', ['get_group_list']])
  it.answer('b')
  expect(it.caller.replies.at(-1)).toMatchObject({ echo: read, retcode: 0 })
  // Late, but it is the answer.
  it.answer('a', 3)
  expect(it.caller.replies.filter(({ echo }) => echo === write)).toMatchObject([{ retcode: 0 }])
  expect(it.caller.replies.filter(({ echo }) => echo === read)).toHaveLength(1)
})

test('[UPX19] calls that wait for the circuit to close go to the one that takes over', () => {
  const it = bed('ab')
  using _ = it.base
  it.base.bot.seat('b').lost(it.link('b'), 1006, '')
  it.hangs('send_group_msg')
  it.call('send_group_msg_rate_limited')
  expect([it.active(), it.asked('a').length]).toEqual(['a', 3])
  it.up('b')
  expect([it.active(), it.asked('b')]).toEqual(['b', ['send_group_msg']])
})

test('[UPX18] one that fails alone is left when another one is added, and judged as ever when it is alone again', () => {
  const it = bed('a')
  using _ = it.base
  it.hangs('send_group_msg')
  const [a, b] = ['a', 'b'].map((key) => ({ key, spread: false }))
  if (a === undefined || b === undefined) return expect.unreachable()
  it.base.bot.arrange([a, b])
  expect(it.failing()).toEqual(['calls', null])
  it.up('b')
  expect(it.active()).toBe('b')
  it.base.bot.seat('b').lost(it.link('b'), 1006, '')
  it.base.bot.arrange([a])
  expect([it.active(), it.failing()]).toEqual(['a', [null]])
  it.call('send_group_msg')
  expect(it.retcodes().at(-1)).toBe(1503)
})

test('[UPX19] with circuits turned off nothing is left alone any more', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  it.policy.configure({ bot: {}, preset: 'none', clients: new Map(), breaker: { failures: 0, coolDown: COOL_DOWN } })
  it.base.bot.reconsider()
  expect(it.failing()).toEqual([null, null])
  it.later(STABLE)
  expect(it.active()).toBe('a')
})

test('[UPX19] a place that another implementation gets has a clean slate', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  it.base.bot.seat('a').lost(it.link('a'), 1006, '')
  it.base.bot.arrange([
    { key: 'c', spread: false },
    { key: 'b', spread: false },
  ])
  it.up('c')
  it.later(STABLE)
  expect(it.active()).toBe('c')
  it.hangs('send_group_msg', 2)
  expect(it.active()).toBe('c')
})

test('[UPX20] what one that was left says late ends no call and counts for nobody; nobody waits for it there', () => {
  const it = bed('ab', 1)
  using _ = it.base
  it.call('send_group_msg')
  it.later(TIMEOUT / 2)
  const read = it.call('get_group_list')
  it.later(TIMEOUT / 2)
  const [write, left] = it.link('a').actions
  expect([it.asked('b'), it.link('a').forgotten]).toEqual([['get_group_list'], [left?.echo ?? '', write?.echo ?? '']])
  it.base.bot.seat('a').received(JSON.stringify({ status: 'failed', retcode: 1500, data: null, echo: left?.echo }))
  expect([it.retcodes(), it.failing(), it.base.of('reply-unknown').length]).toEqual([[1504], ['calls', null], 1])
  it.answer('b')
  expect(it.caller.replies.slice(1)).toMatchObject([{ echo: read, retcode: 0 }])
})

test('[UPX20] what it says late of the time before a change is not kept for the next', () => {
  const it = bed('ab', 1, { get_group_list: 60_000 })
  using _ = it.base
  it.call('send_group_msg')
  it.later(TIMEOUT / 2)
  it.call('get_group_list')
  const notice = { self_id: Number(SELF), post_type: 'notice', notice_type: 'group_increase', group_id: 1 }
  it.base.bot.seat('a').received(JSON.stringify(notice))
  it.later(TIMEOUT / 2)
  expect(it.asked('b')).toEqual(['get_group_list'])
  it.answer('a', 1)
  expect(it.caller.replies).toHaveLength(1)
  it.call('get_group_list')
  expect(it.asked('b')).toEqual(['get_group_list'])
  it.answer('b')
  expect(it.retcodes()).toEqual([1504, 0, 0])
})

test('[UPX19] what was asked while there was one, and is lost when there are two, counts for the one', () => {
  const it = bed('a', 1)
  using _ = it.base
  it.call('send_group_msg')
  it.base.bot.arrange(['a', 'b'].map((key) => ({ key, spread: false })))
  it.up('b')
  it.base.bot.seat('a').lost(it.link('a'), 1006, '')
  expect([it.active(), it.failing(), it.retcodes()]).toEqual(['b', [null, null], [1504]])
  it.call('send_group_msg')
  expect(it.asked('b')).toEqual(['send_group_msg'])
})

test('[UPX19] what is lost counts for the one that is alone, whichever place it has', () => {
  const it = bed('ab', 1)
  using _ = it.base
  it.base.bot.seat('a').lost(it.link('a'), 1006, '')
  it.base.bot.arrange([{ key: 'b', spread: false }])
  it.call('send_group_msg')
  it.base.bot.seat('b').lost(it.link('b'), 1006, '')
  expect(it.policy.snapshot(it.base.now, it.base.bot.side).breakers.send.state).toBe('open')
  it.up('b')
  it.call('send_group_msg')
  expect([it.retcodes(), it.asked('b')]).toEqual([[1504, 1503], []])
})

test('[BRK13] what an implementation that has gone has failed at makes nobody ask any more', () => {
  const it = bed('ab')
  using _ = it.base
  it.hangs('send_group_msg')
  it.base.bot.seat('a').lost(it.link('a'), 1006, '')
  expect(it.policy.idle).toBe(false)
  it.base.bot.arrange([{ key: 'b', spread: false }])
  expect(it.policy.idle).toBe(true)
})

test('[UPX17] a try that was meant for it and went to another one does not keep it from being asked', () => {
  const it = bed('ab', 1)
  using _ = it.base
  it.hangs('send_group_msg')
  it.hangs('send_group_msg')
  it.later(COOL_DOWN - TIMEOUT)
  expect([it.active(), it.asked('a').at(-1)]).toEqual(['b', 'get_status'])
  it.later(TIMEOUT)
  expect(it.asked('b')).toEqual(['send_group_msg', 'get_status'])
  // It takes nothing when it is tried, and then another one does the work.
  it.link('b').open = false
  it.call('send_group_msg')
  it.answer('a', 1)
  expect([it.active(), it.asked('a').at(-1)]).toEqual(['a', 'send_group_msg'])
  it.link('b').open = true
  it.later(1)
  expect(it.asked('b')).toEqual(['send_group_msg', 'get_status', 'get_status'])
  it.answer('b', 2)
  expect(it.failing()).toEqual([null, null])
})

test('[UPX21] what is to be sent again goes to no implementation that has not told its account', () => {
  for (const account of [SELF, '20002']) {
    const it = bed('ab')
    using _ = it.base
    it.base.bot.arrange(
      ['a', 'b'].map((key) => ({ key, spread: false })),
      SELF,
    )
    it.base.bot.seat('b').lost(it.link('b'), 1006, '')
    const silent = new FakeUpstream()
    it.base.bot.seat('b').connected(silent, 'b')
    it.call('get_group_list')
    it.base.bot.seat('a').lost(it.link('a'), 1006, '')
    it.call('send_group_msg')
    expect([it.active(), silent.sent, it.base.bot.waiting.waiting]).toEqual(['b', [], 2])
    it.base.bot.seat('b').received(lifecycleOf(account))
    expect(silent.actions.map(({ action }) => action)).toEqual(
      account === SELF ? ['get_group_list', 'send_group_msg'] : [],
    )
  }
})

test('[UPX2] a link that breaks over a call costs nobody a second one', () => {
  const it = bed('ab')
  using _ = it.base
  const link = it.link('a')
  link.send = () => {
    it.base.bot.seat('a').lost(link, 1006, '')
    return false
  }
  const read = it.call('get_group_list')
  expect([it.asked('b'), it.base.bot.waiting]).toMatchObject([['get_group_list'], { replies: 1, waiting: 0 }])
  it.answer('b')
  expect(it.caller.replies).toMatchObject([{ echo: read, retcode: 0 }])
})

test('[CAL20] what waited to be sent again until its time was over is answered once, and goes to nobody', () => {
  const it = bed('abc', 1, {}, 'always')
  using _ = it.base
  const callers = ['x', 'y', 'z'].map((key) => new FakeCaller(key))
  for (const caller of callers) it.base.bot.call(caller, '{"action":"send_group_msg","params":{"group_id":1}}')
  // The next one takes nothing of any of them, and is left in the moment in which their time is over.
  it.link('b').open = false
  it.base.bot.seat('a').lost(it.link('a'), 1006, '')
  for (let n = 0; n < 11; n++) it.later(TIMEOUT / 10)
  expect([it.active(), it.asked('c')]).toEqual(['c', []])
  it.later(TIMEOUT)
  for (const { replies, open } of callers)
    expect([replies, open]).toMatchObject([[{ retcode: 1504 }], { calls: 0, bytes: 0 }])
  expect(callers.map(({ got }) => got.length)).toEqual([1, 1, 1])
})
