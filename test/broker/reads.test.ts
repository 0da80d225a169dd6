// Reads that ask for the same: one call upstream, and a reply for each.

import { expect, test } from 'bun:test'
import { LIMITS } from '../../src/broker/limits.ts'
import type { CallPolicy, Verdict } from '../../src/broker/policy.ts'
import { answerTo, BotBed, FakeCaller, FakeUpstream, lifecycleOf, SELF } from '../support/broker.ts'
import { later, timeStands } from '../support/time.ts'

timeStands()

const slot = (key: string) => ({ key, spread: false })
/** An implementation that is well. */
function seated(bed: BotBed, key: string): FakeUpstream {
  const upstream = new FakeUpstream()
  bed.bot.seat(key).connected(upstream, key)
  bed.bot.seat(key).received(lifecycleOf(SELF))
  return upstream
}

/** Says of every call what it was told last. */
class Limited implements CallPolicy {
  #verdict: Verdict = { kind: 'go' }
  readonly verdict = (verdict: Verdict) => {
    this.#verdict = verdict
  }
  admit = () => this.#verdict
  ended(): void {}
}

const frame = (action: string, echo: unknown = 1, params: unknown = {}) => JSON.stringify({ action, params, echo })
const notice = (more: object) => JSON.stringify({ time: 1, self_id: Number(SELF), post_type: 'notice', ...more })

test('[RDS1] equal reads in flight are one call upstream, and each caller gets its own echo back', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const [a, b] = [new FakeCaller('a'), new FakeCaller('b')]
  bed.bot.call(a, '{"action":"get_group_info","params":{"group_id":7672696335120716277},"echo":{"seq":1}}')
  bed.bot.call(b, '{"echo" : "x","params":{"group_id":7672696335120716277},"action":"get_group_info"}')
  bed.bot.call(b, '{"action":"get_group_info","params":{"group_id":7672696335120716277}}')
  expect([upstream.sent.length, a.open.calls, b.open.calls, bed.bot.waiting.replies]).toEqual([1, 1, 2, 1])
  bed.bot.received(answerTo(upstream.sent[0] as string, ',"big":7672696335120716277'))
  const reply = '{"status":"ok","retcode":0,"data":{"a":1},"big":7672696335120716277'
  expect(a.got).toEqual([`${reply},"echo":{"seq":1}}`])
  expect(b.got).toEqual([`${reply},"echo":"x"}`, `${reply}}`])
  expect([a.open, b.open]).toEqual([
    { calls: 0, bytes: 0 },
    { calls: 0, bytes: 0 },
  ])
  expect([bed.of('call').length, bed.of('call-shared').length]).toEqual([3, 2])
  // It is answered: the next one asks anew.
  bed.bot.call(a, '{"action":"get_group_info","params":{"group_id":7672696335120716277}}')
  expect(upstream.sent).toHaveLength(2)
})

test('[RDS1] what is shared counts for each of its callers', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const [greedy, other] = [new FakeCaller('greedy'), new FakeCaller('other')]
  for (let n = 0; n <= LIMITS.callsOpen; n++) bed.bot.call(greedy, frame('get_status', n))
  bed.bot.call(other, frame('get_status'))
  expect(upstream.sent).toHaveLength(1)
  expect(greedy.replies).toMatchObject([{ retcode: 1413 }])
  bed.bot.received(answerTo(upstream.sent[0] as string))
  expect([greedy.got.length, other.got.length]).toEqual([LIMITS.callsOpen + 1, 1])
})

test('[RDS2] time-outs and losses answer all who share a call', () => {
  using bed = new BotBed({ settings: { timeout: 1_000 } })
  const upstream = bed.online()
  const callers = [new FakeCaller('a'), new FakeCaller('b')]
  for (const caller of callers) bed.bot.call(caller, frame('get_status'))
  later(bed, 1_000)
  for (const { replies, open } of callers) expect([replies, open.calls]).toMatchObject([[{ retcode: 1504 }], 0])
  expect([bed.of('call-timeout').length, bed.of('call').length]).toEqual([1, 2])
  for (const caller of callers) bed.bot.call(caller, frame('get_status', 2))
  bed.bot.lost(upstream, 1006, '')
  const second = bed.online()
  expect(second.sent).toHaveLength(1)
  bed.bot.received(answerTo(second.sent[0] as string))
  for (const { replies } of callers) expect(replies).toMatchObject([{}, { echo: 2, retcode: 0 }])
  for (const caller of callers) bed.bot.call(caller, frame('get_status', 3))
  bed.bot.stop()
  for (const { replies } of callers) expect(replies.at(-1)).toMatchObject({ echo: 3, retcode: 1503 })
})

test('[RDS2] who leaves takes only itself away', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const first = bed.join()
  const second = new FakeCaller('b')
  bed.bot.call(first.caller, frame('get_status'))
  bed.bot.call(second, frame('get_status', 'x'))
  first.link.open = false
  bed.bot.leave(first.session, 1006, '')
  // Also where it must be asked again.
  bed.bot.lost(upstream, 1006, '')
  const again = bed.online()
  expect(again.sent).toHaveLength(1)
  bed.bot.received(answerTo(again.sent[0] as string))
  expect(second.replies).toMatchObject([{ echo: 'x', retcode: 0 }])
  expect(first.session.open.calls).toBe(0)
})

test('[RDS2] what is refused, or given up by its last one, while it waits to be asked again, nobody joins any more', () => {
  const ends = [
    ({ verdict }: Limited, _leave: () => void) => verdict({ kind: 'full', retryAfter: 1, why: 'too many' }),
    ({ verdict }: Limited, leave: () => void) => {
      verdict({ kind: 'wait', until: Number.POSITIVE_INFINITY })
      leave()
    },
  ]
  for (const end of ends) {
    const limited = new Limited()
    using bed = new BotBed({ policy: limited, slots: [slot('a'), slot('b')] })
    const upstreams = ['a', 'b'].map((key) => seated(bed, key))
    const { session, caller } = bed.join()
    bed.bot.call(caller, frame('get_status'))
    let left = false
    end(limited, () => {
      left = true
    })
    bed.bot.seat('a').lost(upstreams[0] as FakeUpstream, 1006, '')
    if (left) bed.bot.leave(session, 1006, '')
    expect([session.open.calls, bed.bot.waiting.replies, bed.bot.waiting.waiting]).toEqual([0, 0, 0])
    limited.verdict({ kind: 'go' })
    const other = new FakeCaller('other')
    bed.bot.call(other, frame('get_status', 'x'))
    const [sent = ''] = upstreams[1]?.sent ?? []
    bed.bot.seat('b').received(answerTo(sent))
    expect(other.replies).toMatchObject([{ echo: 'x', retcode: 0 }])
  }
})

test('[RDS2] an equal read that goes on because another one got no answer does not share its end', () => {
  let failing = false
  const policy: CallPolicy = {
    admit: ({ caller }, now) =>
      caller === 'limited' && !failing ? { kind: 'wait', until: now + 60_000 } : { kind: 'go' },
    ended: (_call, outcome) => {
      failing ||= outcome === 'timeout'
    },
    failing: (side) => (failing && side === 0 ? { why: 'no answers' } : undefined),
  }
  using bed = new BotBed({ policy, slots: [slot('a'), slot('b')], settings: { timeout: 1_000 } })
  const [first, second] = ['a', 'b'].map((key) => seated(bed, key)) as [FakeUpstream, FakeUpstream]
  const [limited, free] = [new FakeCaller('limited'), new FakeCaller('free')]
  bed.bot.call(limited, frame('get_status'))
  bed.bot.call(free, frame('get_status'))
  expect([first.sent.length, bed.bot.waiting.waiting]).toEqual([1, 1])
  later(bed, 1_000)
  expect([free.replies, limited.replies, second.sent.length]).toMatchObject([[{ retcode: 1504 }], [], 1])
  bed.bot.seat('b').received(answerTo(second.sent[0] as string))
  expect(limited.replies).toMatchObject([{ retcode: 0 }])
})

test('[RDS3] what differs, writes, comes in pieces or gives each caller its own is not shared; nor is anything unwanted', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller()
  const twice = ['send_msg', 'get_file_stream', 'get_event', 'get_status_async', 'set_group_card']
  for (const action of [...twice, ...twice]) bed.bot.call(caller, frame(action))
  expect(upstream.sent).toHaveLength(10)
  for (const params of [{ a: 1 }, { a: 2 }, { a: '1' }, {}]) bed.bot.call(caller, frame('get_msg', 1, params))
  bed.bot.call(caller, frame('get_record', 1, { a: 1 }))
  expect(upstream.sent).toHaveLength(15)
  // Without params, with null and with none in them it is the same.
  for (const more of ['', ',"params":null']) bed.bot.call(caller, `{"action":"get_msg"${more},"echo":1}`)
  expect(upstream.sent).toHaveLength(15)
  const long = { file: 'x'.repeat(LIMITS.sharedParams) }
  for (let n = 0; n < 2; n++) bed.bot.call(caller, frame('ocr_image', 1, long))
  expect(upstream.sent).toHaveLength(17)
  using alone = new BotBed({ settings: { coalesce: false } })
  const other = alone.online()
  for (let n = 0; n < 2; n++) alone.bot.call(caller, frame('get_msg'))
  expect(other.sent).toHaveLength(2)
})

test('[RDS4] replies to the reads that are named are kept for so long, and answer the next ones; failures are not', () => {
  using bed = new BotBed({ settings: { cache: { get_group_list: 5_000 } } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  const ask = (echo: unknown) => bed.bot.call(caller, frame('get_group_list', echo))
  ask(1)
  const [sent = ''] = upstream.sent
  bed.bot.received(answerTo(sent).replace('"ok","retcode":0', '"failed","retcode":1200'))
  ask(2)
  expect(upstream.sent).toHaveLength(2)
  bed.bot.received(answerTo(upstream.sent[1] as string))
  later(bed, 4_999)
  bed.bot.call(caller, '{"action":"get_group_list","params":{},"echo":[ 3 ]}')
  expect([upstream.sent.length, caller.got.at(-1)]).toEqual([
    2,
    '{"status":"ok","retcode":0,"data":{"a":1},"echo":[ 3 ]}',
  ])
  expect([bed.of('call').length, bed.of('call-shared')]).toMatchObject([3, [{ kept: true }]])
  later(bed, 1)
  ask(4)
  expect(upstream.sent).toHaveLength(3)
  // Another read is not named.
  for (let n = 0; n < 2; n++) {
    bed.bot.call(caller, frame('get_friend_list'))
    bed.bot.received(answerTo(upstream.sent.at(-1) as string))
  }
  expect(upstream.sent).toHaveLength(5)
})

test('[RDS5] what is kept is bounded: the least recently used goes first', () => {
  using bed = new BotBed({ settings: { cache: { get_msg: 60_000 } } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  const ask = (message_id: number) => {
    const before = upstream.sent.length
    bed.bot.call(caller, frame('get_msg', 1, { message_id }))
    if (upstream.sent.length > before) bed.bot.received(answerTo(upstream.sent.at(-1) as string))
    return upstream.sent.length > before
  }
  for (let n = 0; n < LIMITS.repliesKept; n++) ask(n)
  expect(ask(0)).toBe(false)
  ask(-1)
  // 1 had not been used for longest, and has made room.
  expect([ask(0), ask(1)]).toEqual([false, true])
  const big = `"${'x'.repeat(LIMITS.replyBytesKept / 5)}"`
  for (let n = 10_000; n < 10_010; n++) {
    bed.bot.call(caller, frame('get_msg', 1, { message_id: n }))
    bed.bot.received(answerTo(upstream.sent.at(-1) as string).replace('{"a":1}', big))
  }
  expect([ask(0), ask(10_009), ask(10_000)]).toEqual([true, false, true])
})

test('[RDS6] what a notice or a write may have changed is neither kept nor shared from then on', () => {
  const reads = [
    'get_group_list',
    'get_group_member_list',
    'get_friend_list',
    'get_group_msg_history',
    'get_login_info',
  ]
  const cache = Object.fromEntries(reads.map((read) => [read, 60_000]))
  const recall = { notice_type: 'group_recall', group_id: 1 }
  for (const [change, outdated] of [
    [notice({ notice_type: 'group_increase', group_id: 1 }), [0, 1, 3]],
    [notice({ notice_type: 'group_card', group_id: 1 }), [0, 1, 3]],
    [notice({ notice_type: 'notify', sub_type: 'title' }), [0, 1, 3]],
    [notice({ notice_type: 'notify', sub_type: 'poke' }), []],
    [notice({ notice_type: 'friend_add' }), [2]],
    [notice(recall), [3]],
    [notice({ notice_type: 'of_tomorrow' }), [0, 1, 2, 3, 4]],
    [JSON.stringify({ self_id: Number(SELF), post_type: 'message', message_type: 'group' }), [3]],
    ['set_group_card', [0, 1, 3]],
    ['send_msg', [3]],
    ['set_qq_profile', [0, 1, 2, 3, 4]],
    ['refused set_qq_profile', []],
    ['stuck set_qq_profile', [0, 1, 2, 3, 4]],
  ] as const) {
    using bed = new BotBed({ settings: { cache } })
    const upstream = bed.online()
    const caller = new FakeCaller()
    const happens = () => {
      if (change.startsWith('{')) return bed.bot.received(change)
      const [action = '', how] = change.split(' ').reverse()
      bed.bot.call(caller, frame(action))
      const retcode = how === 'refused' ? 1200 : how === 'stuck' ? 1500 : 0
      bed.bot.received(answerTo(upstream.sent.at(-1) as string).replace('"retcode":0', `"retcode":${retcode}`))
    }
    for (const read of reads) bed.bot.call(caller, frame(read))
    for (const sent of [...upstream.sent]) bed.bot.received(answerTo(sent))
    happens()
    // Those that are still in flight, when it happens once more.
    const asked = reads.map((read) => {
      const before = upstream.sent.length
      bed.bot.call(caller, frame(read))
      return upstream.sent.length > before
    })
    expect([change, reads.flatMap((_, n) => (asked[n] ? [n] : []))]).toEqual([change, [...outdated]])
    happens()
    const shared = reads.map((read) => {
      const before = upstream.sent.length
      bed.bot.call(caller, frame(read))
      return upstream.sent.length === before
    })
    expect([change, reads.flatMap((_, n) => (shared[n] ? [] : [n]))]).toEqual([change, [...outdated]])
  }
})

test('[RDS6] a reply to what was asked before a change is not kept', () => {
  using bed = new BotBed({ settings: { cache: { get_group_list: 60_000 } } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('get_group_list', 'before'))
  bed.bot.received(notice({ notice_type: 'group_decrease', group_id: 1 }))
  bed.bot.received(answerTo(upstream.sent[0] as string))
  bed.bot.call(caller, frame('get_group_list', 'after'))
  expect([upstream.sent.length, caller.replies.length]).toEqual([2, 1])
})

test('[RDS7] nothing is kept beyond the connection, or for another account', () => {
  using bed = new BotBed({ settings: { cache: { get_login_info: 60_000 } } })
  let upstream = bed.online()
  const caller = new FakeCaller()
  const asks = () => {
    bed.bot.call(caller, frame('get_login_info'))
    const asked = upstream.sent.length > 0
    for (const sent of upstream.sent.splice(0)) bed.bot.received(answerTo(sent))
    return asked
  }
  expect([asks(), asks()]).toEqual([true, false])
  bed.bot.lost(upstream, 1006, '')
  upstream = bed.online()
  expect([asks(), asks()]).toEqual([true, false])
  upstream = bed.online('20002')
  expect([asks(), asks()]).toEqual([true, false])
})
