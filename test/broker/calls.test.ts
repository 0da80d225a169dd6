import { expect, jest, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { LIMITS } from '../../src/broker/limits.ts'
import type { OwnAction, OwnActions } from '../../src/broker/own.ts'
import { OPEN_TERMS } from '../../src/broker/ports.ts'
import { carryOut } from '../../src/broker/quick.ts'
import { refuse } from '../../src/onebot/retcode.ts'
import { answerTo, BotBed, eventOf, FakeCaller, lifecycleOf, SELF } from '../support/broker.ts'
import { later, timeStands } from '../support/time.ts'

timeStands()

const frame = (action: string, echo: unknown = 1, params: unknown = {}) => JSON.stringify({ action, params, echo })

/** Own actions of every kind. */
const table: Record<string, OwnAction> = {
  mine: () => ({ data: { a: 1 } }),
  mine_slow: async () => ({ data: 'slow' }),
  mine_later: () => ({ async: true }),
  mine_refused: () => refuse('conflict', 'taken'),
  mine_broken: () => {
    throw new TypeError('a bug')
  },
  mine_broken_later: () => Promise.reject(new TypeError('a bug')),
}
const own: OwnActions = (action) => (Object.hasOwn(table, action) ? table[action] : undefined)

test('[CAL1] a call goes up once, and its reply comes back with the echo of the client and nothing else changed', () => {
  using bed = new BotBed({ settings: { coalesce: false } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  for (const echo of ['"1"', '2', '{"seq":1}', '"a,b"', 'null', '[ 1 ]'])
    bed.bot.call(caller, `{"action":"get_status","echo":${echo}}`)
  bed.bot.call(caller, '{"action":"get_status"}')
  expect(new Set(upstream.actions.map(({ echo }) => echo)).size).toBe(7)
  for (const sent of upstream.sent) bed.bot.received(answerTo(sent, ',"big":7672696335120716277'))
  expect(caller.got).toEqual([
    ...['"1"', '2', '{"seq":1}', '"a,b"', 'null', '[ 1 ]'].map(
      (echo) => `{"status":"ok","retcode":0,"data":{"a":1},"big":7672696335120716277,"echo":${echo}}`,
    ),
    '{"status":"ok","retcode":0,"data":{"a":1},"big":7672696335120716277}',
  ])
  expect(caller.open).toEqual({ calls: 0, bytes: 0 })
  expect(bed.of('call')).toHaveLength(7)
})

test('[CAL2] replies find their calls in any order', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const callers = Array.from({ length: 50 }, () => new FakeCaller())
  for (const [n, caller] of callers.entries()) bed.bot.call(caller, frame('get_status', n))
  for (const sent of upstream.sent.toReversed()) bed.bot.received(answerTo(sent))
  for (const [n, caller] of callers.entries()) expect(caller.replies).toMatchObject([{ echo: n }])
})

test('[CAL3] a reply that belongs to nothing, or comes again, is dropped and reported', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('send_msg'))
  const reply = answerTo(upstream.sent[0] as string)
  for (const text of [reply, reply, answerTo('{"echo":"x"}'), answerTo('{"echo":7}'), '{"retcode":0}'])
    bed.bot.received(text)
  expect(caller.got).toHaveLength(1)
  expect(bed.of('reply-unknown')).toHaveLength(4)
})

test('[CAL4] a call without a reply is answered 1504 at its deadline, and a late reply is dropped', () => {
  using bed = new BotBed({ settings: { timeout: 1_000, timeouts: { slow_one: 5_000, get_fast: 100 } } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  const answered = () => caller.replies.map(({ echo, retcode }) => [echo, retcode])
  for (const action of ['slow_one', 'send_msg', 'get_fast']) bed.bot.call(caller, frame(action, action))
  later(bed, 99)
  expect(answered()).toEqual([])
  later(bed, 1)
  expect(answered()).toEqual([['get_fast', 1504]])
  later(bed, 1_000)
  expect(answered()).toEqual([
    ['get_fast', 1504],
    ['send_msg', 1504],
  ])
  later(bed, 4_000)
  expect(answered().at(-1)).toEqual(['slow_one', 1504])
  for (const sent of upstream.sent) bed.bot.received(answerTo(sent))
  expect(caller.got).toHaveLength(3)
  expect(caller.open).toEqual({ calls: 0, bytes: 0 })
  expect([bed.bot.waiting.replies, bed.of('call-timeout').length]).toEqual([0, 3])
})

test('[CAL28] what a lost link had not begun with is sent by the next, in order and once; of the rest nobody knows', () => {
  using bed = new BotBed({ settings: { timeout: 10_000 } })
  const first = bed.online()
  first.leaves.add('send_group_msg')
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('send_private_msg', 'begun'))
  for (const echo of ['one', 'two']) bed.bot.call(caller, frame('send_group_msg', echo))
  const untouched = first.sent.slice(1)
  bed.bot.lost(first, 1006, '')
  expect(caller.replies).toMatchObject([{ echo: 'begun', retcode: 1504 }])
  const second = bed.online()
  expect(second.sent).toEqual(untouched)
  for (const sent of second.sent) bed.bot.received(answerTo(sent))
  expect(caller.replies.slice(1)).toMatchObject([
    { echo: 'one', retcode: 0 },
    { echo: 'two', retcode: 0 },
  ])
  expect(caller.open).toEqual({ calls: 0, bytes: 0 })
})

test('[CAL28] what nobody began with and is not sent again was not sent, and what was answered already waits on', () => {
  using bed = new BotBed({ settings: { timeout: 10_000, hold: 60_000 } })
  const first = bed.online()
  first.leaves.add('send_group_msg')
  const [caller, other] = [new FakeCaller('a'), new FakeCaller('b')]
  bed.bot.call(caller, frame('send_group_msg', 'late', { group_id: 1 }))
  bed.bot.call(caller, frame('send_group_msg_async', 'answered', { group_id: 2 }))
  bed.bot.call(other, frame('send_group_msg', 'given up', { group_id: 3 }))
  later(bed, 5_000)
  bed.bot.lost(first, 1006, '')
  const given = [...bed.bot.held()].find(({ call }) => call.caller === other)
  expect(bed.bot.giveUp(given?.call.token ?? '', 'given up')).toBe(true)
  expect(other.replies).toMatchObject([{ retcode: 1503, message: 'given up; the call was not sent' }])
  expect(caller.replies).toMatchObject([{ retcode: 1 }])
  later(bed, 5_000)
  expect(caller.replies.slice(1)).toMatchObject([
    { echo: 'late', retcode: 1503, message: expect.stringContaining('for 5 s; the call was not sent') },
  ])
  later(bed, 50_000)
  const second = bed.online()
  expect(second.actions.map(({ params }) => params)).toEqual([{ group_id: 2 }])
  // Its time counts anew.
  later(bed, 9_999)
  bed.bot.received(answerTo(second.sent[0] as string))
  expect(bed.bot.failures.all().map(({ outcome }) => outcome)).toEqual(['not-sent', 'not-sent'])
  expect(caller.open).toEqual({ calls: 0, bytes: 0 })
})

test('[CAL27] the link of a call is told when its time is over, and by none that was answered', () => {
  using bed = new BotBed({ settings: { timeout: 1_000 } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  for (const echo of ['answered', 'late']) bed.bot.call(caller, frame('send_msg', echo))
  bed.bot.received(answerTo(upstream.sent[0] ?? ''))
  later(bed, 1_000)
  expect(upstream.forgotten).toEqual([upstream.actions[1]?.echo ?? ''])
})

test('[CAL4] what carries files may take ten minutes, unless its own time is configured', () => {
  using bed = new BotBed({ settings: { timeout: 1_000, timeouts: { upload_private_file: 2_000 } } })
  bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('upload_group_file', 'ten minutes', { file: 'x' }))
  bed.bot.call(caller, frame('upload_private_file', 'configured', { file: 'x' }))
  later(bed, 3_000)
  expect(caller.replies.map(({ echo }) => echo)).toEqual(['configured'])
  later(bed, 590_000)
  expect(caller.got).toHaveLength(1)
  later(bed, 8_000)
  expect(caller.got).toHaveLength(2)
})

test('[CAL4] thousands that are late one by one cost a look now and then, and none is forgotten', () => {
  let reads = 0
  using bed = new BotBed({ settings: { timeout: 1_000 } })
  bed.online()
  const caller = new FakeCaller()
  const base = bed.now
  for (let n = 0; n < 2_000; n++) {
    bed.now = base + n
    bed.bot.call(caller, frame('send_msg', n))
  }
  Object.defineProperty(bed, 'now', {
    get() {
      reads += 1
      return at
    },
  })
  let at = base + 2_000
  for (let ms = 0; ms < 1_200; ms += 10) {
    at += 10
    jest.advanceTimersByTime(10)
  }
  expect(caller.got).toHaveLength(2_000)
  // Three times for each that is late; the rest are looks.
  expect(reads).toBeLessThan(2_000 * 3 + 200)
})

test('[CAL5] where nothing is held, a call before the implementation ever came is answered 1503 at once', () => {
  using bed = new BotBed({ settings: { hold: 0 } })
  const caller = new FakeCaller()
  for (const action of ['get_status', 'send_msg', 'send_msg_async', 'send_msg_rate_limited'])
    bed.bot.call(caller, frame(action, action))
  expect(caller.replies.map(({ retcode, echo }) => [echo, retcode])).toEqual([
    ['get_status', 1503],
    ['send_msg', 1503],
    ['send_msg_async', 1503],
    ['send_msg_rate_limited', 1503],
  ])
  expect(caller.open).toEqual({ calls: 0, bytes: 0 })
})

test('[CAL5] a link that no longer takes anything means the same, and so does one that throws', () => {
  using bed = new BotBed({ settings: { hold: 0 } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  upstream.open = false
  bed.bot.call(caller, frame('get_status', 1))
  bed.bot.call(caller, frame('send_msg_async', 2))
  upstream.send = () => {
    throw new Error('broken')
  }
  bed.bot.call(caller, frame('send_msg', 3))
  later(bed, 120_000)
  expect(caller.replies.map(({ echo, retcode }) => [echo, retcode])).toEqual([
    [1, 1503],
    [2, 1503],
    [3, 1503],
  ])
  expect([bed.bot.waiting.replies, caller.open.calls]).toEqual([0, 0])
})

test('[CAL6] when the implementation is lost, writes are answered 1504 and reads are asked again, once', () => {
  using bed = new BotBed()
  const first = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('send_msg', 'write'))
  bed.bot.call(caller, frame('get_msg', 'read'))
  const asked = first.sent[1] as string
  bed.bot.lost(first, 1006, '')
  expect(caller.replies).toMatchObject([{ echo: 'write', retcode: 1504 }])
  // Gone again before it said whose it is, and once more.
  for (let n = 0; n < 3; n++) bed.bot.lost(bed.connect(), 1006, '')
  const last = bed.connect()
  expect(last.sent).toEqual([])
  bed.bot.received(lifecycleOf(SELF))
  expect(last.sent).toEqual([asked])
  bed.bot.received(answerTo(asked))
  expect(caller.replies.at(-1)).toMatchObject({ echo: 'read', retcode: 0 })
  expect(bed.of('reply-unknown')).toEqual([])
})

test('[CAL6] a link that takes the place of another means the same', () => {
  using bed = new BotBed()
  bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('send_msg', 'write'))
  bed.bot.call(caller, frame('get_msg', 'read'))
  const second = bed.online()
  expect(caller.replies).toMatchObject([{ echo: 'write', retcode: 1504 }])
  expect(second.actions.map(({ action }) => action)).toEqual(['get_msg'])
})

test('[CAL6] a read that waits for its return keeps its deadline', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('get_msg', 'read'))
  bed.bot.lost(upstream, 1006, '')
  later(bed, 61_000)
  expect(caller.replies).toMatchObject([{ echo: 'read', retcode: 1504 }])
  expect(bed.online().sent).toEqual([])
})

test('[CAL7] every piece of a streamed reply reaches its client, and the last one ends the call', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const { caller, link } = bed.join()
  bed.bot.call(caller, frame('get_file_stream', 'x'))
  const piece = (type: string) =>
    `{"status":"ok","retcode":0,"data":{"type":"${type}"},"stream":"stream-action","echo":"${upstream.actions[0]?.echo}"}`
  for (const type of ['stream', 'stream', 'response', 'stream']) bed.bot.received(piece(type))
  expect(link.replies.map(({ data, echo }) => [data, echo])).toEqual([
    [{ type: 'stream' }, 'x'],
    [{ type: 'stream' }, 'x'],
    [{ type: 'response' }, 'x'],
  ])
  expect([caller.open.calls, bed.of('reply-unknown').length]).toEqual([0, 1])
})

test('[CAL7] over HTTP the last piece is the answer', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, frame('download_file_stream', 'x'))
  const piece = (type: string) =>
    `{"status":"ok","retcode":0,"data":{"type":"${type}"},"stream":"stream-action","echo":"${upstream.actions[0]?.echo}"}`
  for (const type of ['stream', 'error']) bed.bot.received(piece(type))
  expect(caller.replies).toMatchObject([{ data: { type: 'error' } }])
})

test('[CAL7] a stream that has begun is not asked for again when the implementation is lost', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const { caller, link } = bed.join()
  bed.bot.call(caller, frame('get_file_stream', 'x'))
  bed.bot.received(
    `{"status":"ok","retcode":0,"data":{"type":"stream"},"stream":"stream-action","echo":"${upstream.actions[0]?.echo}"}`,
  )
  bed.bot.lost(upstream, 1006, '')
  expect(link.replies).toMatchObject([{ data: { type: 'stream' } }, { retcode: 1504, echo: 'x' }])
  expect(bed.online().sent).toEqual([])
})

test('[CAL8] `_async` is answered at once and goes up without its suffix; the true reply reaches nobody', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller()
  bed.bot.call(caller, '{"action":"send_msg_async","params":{"a":1},"echo":"e"}')
  expect(caller.got).toEqual(['{"status":"async","retcode":1,"data":null,"echo":"e"}'])
  expect(upstream.actions).toMatchObject([{ action: 'send_msg', params: { a: 1 } }])
  // Until the implementation is done with it, it counts.
  expect([caller.open.calls, bed.bot.waiting.replies]).toEqual([1, 1])
  bed.bot.received(answerTo(upstream.sent[0] as string))
  expect([caller.got.length, caller.open.calls, bed.of('reply-unknown').length]).toEqual([1, 0, 0])
  bed.bot.call(caller, frame('send_msg_async'))
  later(bed, 61_000)
  expect([caller.got.length, caller.open.calls, bed.bot.waiting.replies]).toEqual([2, 0, 0])
})

test('[CAL9] `_rate_limited` actions leave in order, one per interval', () => {
  using bed = new BotBed({ settings: { rateLimitedInterval: 500 } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  for (let n = 0; n < 4; n++) bed.bot.call(caller, frame('send_msg_rate_limited', n, { n }))
  expect(caller.replies.map(({ echo, status, retcode }) => [echo, status, retcode])).toEqual(
    [0, 1, 2, 3].map((n) => [n, 'async', 1]),
  )
  const counts = [0, 499, 1, 500, 500, 10_000].map((ms) => {
    later(bed, ms)
    return upstream.sent.length
  })
  expect(counts).toEqual([1, 1, 2, 3, 4, 4])
  expect(upstream.actions.map(({ action, params }) => [action, params])).toEqual(
    [0, 1, 2, 3].map((n) => ['send_msg', { n }]),
  )
  bed.bot.call(caller, frame('send_msg_rate_limited'))
  later(bed, 0)
  expect(upstream.sent).toHaveLength(5)
})

test('[CAL9] they wait while the implementation is away, and go on in order', () => {
  using bed = new BotBed({ settings: { rateLimitedInterval: 500 } })
  const upstream = bed.online()
  const caller = new FakeCaller()
  for (let n = 0; n < 3; n++) bed.bot.call(caller, frame('send_msg_rate_limited', n, { n }))
  later(bed, 0)
  bed.bot.lost(upstream, 1006, '')
  later(bed, 60_000)
  expect(bed.bot.waiting.paced).toBe(2)
  const second = bed.online()
  later(bed, 0)
  later(bed, 500)
  expect(second.actions.map(({ params }) => params)).toEqual([{ n: 1 }, { n: 2 }])
  expect([bed.bot.waiting.paced, bed.bot.waiting.replies]).toEqual([0, 2])
})

test('[CAL9] a caller that lets too many wait is refused with 1413, and others are not', () => {
  using bed = new BotBed()
  bed.online()
  const callers = [new FakeCaller(), new FakeCaller('other')] as const
  for (let n = 0; n < LIMITS.callsOpen; n++) bed.bot.call(callers[0], frame('send_msg_rate_limited'))
  for (const caller of callers) bed.bot.call(caller, frame('send_msg_rate_limited'))
  expect(callers.map(({ replies }) => replies.at(-1))).toMatchObject([
    { retcode: 1413, status: 'failed' },
    { retcode: 1 },
  ])
  bed.bot.stop()
  // The first one was on its way.
  expect(bed.of('paced-abandoned')).toEqual([{ kind: 'paced-abandoned', bot: 'first', actions: LIMITS.callsOpen }])
  expect(bed.bot.waiting.paced).toBe(0)
})

test('[CAL10] calls in flight are bounded per caller, by number and by bytes; others do not notice', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const [greedy, other] = [new FakeCaller(), new FakeCaller()]
  for (let n = 0; n < LIMITS.callsOpen; n++) bed.bot.call(greedy, frame(n % 2 ? 'send_msg' : 'send_msg_async', n))
  const before = greedy.got.length
  bed.bot.call(greedy, frame('send_msg', 'one more'))
  expect(greedy.replies.slice(before)).toMatchObject([{ echo: 'one more', retcode: 1413 }])
  bed.bot.call(other, frame('send_msg', 'fine'))
  expect(upstream.sent).toHaveLength(LIMITS.callsOpen + 1)
  bed.bot.received(answerTo(upstream.sent[0] as string))
  bed.bot.call(greedy, frame('send_msg', 'again'))
  expect(upstream.sent).toHaveLength(LIMITS.callsOpen + 2)

  const big = new FakeCaller()
  const raw = frame('send_msg', 1, { message: 'x'.repeat(1_000) })
  // As if it had sent as much as that already.
  big.open.bytes = LIMITS.callBytesOpen - raw.length * 2
  for (let n = 0; n < 3; n++) bed.bot.call(big, raw)
  expect(big.replies).toMatchObject([{ retcode: 1413 }])
  expect(big.open).toEqual({ calls: 2, bytes: LIMITS.callBytesOpen })
})

test('[CAL11] a link for events only takes no actions: 1403', () => {
  using bed = new BotBed({ own })
  const upstream = bed.online()
  const { caller, link } = bed.join({ calls: false })
  for (const action of ['send_msg', 'mine', 'send_msg_async']) bed.bot.call(caller, frame(action, action))
  expect(link.replies.map(({ echo, retcode }) => [echo, retcode])).toEqual([
    ['send_msg', 1403],
    ['mine', 1403],
    ['send_msg_async', 1403],
  ])
  expect(upstream.sent).toEqual([])
})

test('[CAL12] bad frames get their 1400 and disturb nothing', () => {
  using bed = new BotBed({ own })
  const upstream = bed.online()
  const lines = readFileSync(new URL('../fixtures/bad-actions.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  for (const line of lines) {
    const { frame: raw, expect: wanted }: { frame: string; expect: number | 'upstream' } = JSON.parse(line)
    // Params of our own actions are another story: test/actions.
    if (/set_client_name|send_broadcast/.test(raw)) continue
    const caller = new FakeCaller()
    const before = upstream.sent.length
    bed.bot.call(caller, raw)
    if (wanted === 'upstream') expect([raw, upstream.sent.length]).toEqual([raw, before + 1])
    else expect([raw, caller.replies]).toMatchObject([raw, [{ status: 'failed', retcode: wanted }]])
  }
})

test('[CAL13] own actions are answered here, whatever happens in them, once and with the echo', async () => {
  using bed = new BotBed({ own })
  const upstream = bed.online()
  const caller = new FakeCaller()
  const names = ['mine', 'mine_slow', 'mine_later', 'mine_refused', 'mine_broken', 'mine_broken_later', 'mine_async']
  for (const name of names) bed.bot.call(caller, frame(name, name))
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  const answers = Object.fromEntries(caller.replies.map(({ echo, ...reply }) => [echo, reply]))
  expect(caller.got).toHaveLength(names.length)
  expect(answers).toMatchObject({
    mine: { status: 'ok', retcode: 0, data: { a: 1 } },
    mine_slow: { status: 'ok', retcode: 0, data: 'slow' },
    mine_later: { status: 'async', retcode: 1, data: null },
    mine_refused: { status: 'failed', retcode: 1409, msg: 'taken', message: 'taken', wording: 'taken' },
    mine_broken: { status: 'failed', retcode: 1503 },
    mine_broken_later: { status: 'failed', retcode: 1503 },
    mine_async: { status: 'async', retcode: 1, data: null },
  })
  expect([upstream.sent.length, caller.open.calls]).toEqual([0, 0])
})

test('[CAL14] when a client has left, its replies are dropped and reported, and its calls end all the same', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const { caller, link, session } = bed.join()
  for (const action of ['send_msg', 'get_msg']) bed.bot.call(caller, frame(action))
  const before = link.got.length
  bed.bot.leave(session, 1006, '')
  link.open = false
  bed.bot.received(answerTo(upstream.sent[0] as string))
  later(bed, 61_000)
  expect([link.got.length, session.open.calls, bed.bot.waiting.replies]).toEqual([before, 0, 0])
  expect(bed.of('reply-orphaned')).toHaveLength(2)
})

test('[CAL15] stopping answers what is open: 1504 for writes, 1503 for reads; no timer is left', () => {
  const bed = new BotBed()
  const upstream = bed.online()
  const { caller, link } = bed.join()
  for (const action of ['send_msg', 'get_msg', 'send_msg_async', 'send_msg_rate_limited'])
    bed.bot.call(caller, frame(action, action))
  bed.bot.stop()
  expect(link.replies.map(({ echo, retcode }) => [echo, retcode])).toEqual([
    ['send_msg_async', 1],
    ['send_msg_rate_limited', 1],
    ['send_msg', 1504],
    ['get_msg', 1503],
  ])
  expect(link.closed?.code).toBe(1001)
  // What still arrives, or is asked, starts nothing.
  bed.bot.received('{"post_type":"meta_event","meta_event_type":"heartbeat","self_id":10001,"interval":50}')
  bed.bot.received(eventOf(1))
  bed.bot.call(caller, frame('get_msg'))
  const bare = new FakeCaller()
  bed.bot.call(bare, frame('get_msg'))
  expect(bare.replies).toMatchObject([{ retcode: 1503 }])
  expect([bed.bot.waiting.replies, upstream.redials.length, jest.getTimerCount()]).toEqual([0, 0, 0])
})

test('[CAL16] replies that pile up unread close the link with 4013; a big event that is unread does not', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const { caller, link, session } = bed.join({ stuck: true })
  const reply = (text: string) => {
    bed.bot.call(caller, frame('get_msg'))
    const { echo } = JSON.parse(upstream.sent.at(-1) as string)
    bed.bot.received(`{"status":"ok","retcode":0,"data":"${text}","echo":"${echo}"}`)
  }
  link.buffered = LIMITS.repliesUnread * 2
  reply('small')
  expect(link.open).toBe(true)
  link.buffered = 0
  bed.bot.drained(session)
  const big = 'x'.repeat(LIMITS.repliesUnread / 4)
  let given = 0
  while (link.open && given < 10) {
    reply(big)
    given += 1
  }
  expect(link.closed?.code).toBe(4013)
  expect(given).toBe(5)
  expect(bed.of('session-closed')).toMatchObject([{ code: 4013 }])
})

test('[CAL19] what is forbidden is answered 1403 with the reason: own actions, suffixes and quick operations too', () => {
  const forbids = (action: string, params: object) =>
    action === 'set_group_kick' || 'secret' in params ? `${action} is not allowed to the client "x"` : undefined
  using bed = new BotBed({ own })
  const upstream = bed.online()
  const { caller, link, session } = bed.join({ terms: { forbids } })
  const bare = new FakeCaller()
  bare.terms = { ...OPEN_TERMS, forbids }
  for (const who of [caller, bare]) {
    bed.bot.call(who, frame('set_group_kick', 1))
    bed.bot.call(who, frame('set_group_kick_async', 2))
    bed.bot.call(who, frame('set_group_kick_rate_limited', 3))
    bed.bot.call(who, frame('mine', 4, { secret: 1 }))
  }
  for (const replies of [link.replies, bare.replies])
    expect(replies.map(({ echo, retcode, message }) => [echo, retcode, message])).toEqual([
      [1, 1403, 'set_group_kick is not allowed to the client "x"'],
      [2, 1403, 'set_group_kick is not allowed to the client "x"'],
      [3, 1403, 'set_group_kick is not allowed to the client "x"'],
      [4, 1403, 'mine is not allowed to the client "x"'],
    ])
  // All of it or nothing.
  const event = '{"post_type":"message","message_type":"group","group_id":1,"user_id":2,"message_id":3}'
  const asked = { open: session.open, terms: session.terms, key: session.appId }
  expect(() => carryOut(bed.bot, event, '{"reply":"x","kick":true}', asked)).toThrow('not allowed')
  expect(upstream.sent).toEqual([])
  carryOut(bed.bot, event, '{"reply":"x"}', asked)
  expect(upstream.actions.map(({ action }) => action)).toEqual(['send_group_msg'])
})

test('[CAL20] where everything is to be sent again, writes are, in their order and once, within their deadline', () => {
  using bed = new BotBed({ settings: { resend: 'always', timeout: 10_000 } })
  const first = bed.online()
  const caller = new FakeCaller()
  for (let n = 0; n < 3; n++) bed.bot.call(caller, frame(n === 1 ? 'get_msg' : 'send_msg', n))
  bed.bot.received(answerTo(first.sent[0] as string))
  const sent = first.sent.slice(1)
  bed.bot.lost(first, 1006, '')
  bed.bot.call(caller, frame('send_msg', 'later'))
  const second = bed.online()
  expect([second.sent.slice(0, 2), second.sent.length]).toEqual([sent, 3])
  bed.bot.lost(second, 1006, '')
  later(bed, 10_000)
  expect(caller.replies.map(({ echo, retcode }) => [echo, retcode])).toEqual([
    [0, 0],
    [1, 1504],
    [2, 1504],
    ['later', 1504],
  ])
  expect([bed.online().sent, caller.open.calls]).toEqual([[], 0])
})
