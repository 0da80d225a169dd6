// Calls that outlive the gateway: kept until they are answered, and sent at most once.

import { expect, test } from 'bun:test'
import type { CallPolicy } from '../../src/broker/policy.ts'
import { giveUp, retry } from '../../src/broker/steering.ts'
import { answerTo, BotBed, FakeCaller, SELF } from '../support/broker.ts'
import { FakeDisk } from '../support/disk.ts'
import { later, timeStands } from '../support/time.ts'

timeStands()

const durable = (n: number, echo = '"e"') =>
  `{"action":"send_msg_async","params":{"durable":true,"user_id":7672696335120716277,"n":${n}},"echo":${echo}}`

const kinds = (bed: BotBed) => bed.facts.map(({ kind }) => kind).filter((kind) => kind.startsWith('durable-'))

test('[CAL23] a durable write is on disk before it is answered and before it is sent, and until it is answered', () => {
  const store = new FakeDisk()
  using bed = new BotBed({ durable: store })
  const upstream = bed.online()
  const caller = new FakeCaller()
  const states: string[][] = []
  caller.reply = (text) => {
    caller.got.push(text)
    states.push(store.states)
  }
  const send = upstream.send.bind(upstream)
  upstream.send = (text) => {
    states.push(store.states)
    return send(text)
  }
  bed.bot.call(caller, durable(1))
  expect(caller.got).toEqual(['{"status":"async","retcode":1,"data":{"id":"d1"},"echo":"e"}'])
  expect(states).toEqual([['d1 queued'], ['d1 sent']])
  expect(upstream.sent[0]?.replace(/"echo":"[^"]+",/, '')).toBe(
    '{"action":"send_msg","params":{"user_id":7672696335120716277,"n":1}}',
  )
  expect(caller.open.calls).toBe(1)
  bed.bot.received(answerTo(upstream.sent[0] as string))
  expect([store.states, caller.open.calls, caller.got.length]).toEqual([[], 0, 1])
  expect(bed.facts.filter(({ kind }) => kind.startsWith('durable-'))).toMatchObject([
    { kind: 'durable-queued', id: 'd1', action: 'send_msg' },
    { kind: 'durable-sent', id: 'd1', action: 'send_msg' },
    { kind: 'durable-done', id: 'd1', action: 'send_msg', retcode: 0 },
  ])
})

test('[CAL24] what was queued when the gateway ended is sent by the next one, once, and to the same account only', () => {
  const store = new FakeDisk()
  {
    using bed = new BotBed({ durable: store })
    bed.bot.lost(bed.online(), 1006, '')
    const caller = new FakeCaller()
    for (let n = 1; n < 4; n++) bed.bot.call(caller, durable(n))
    later(bed, 3_600_000)
    expect([caller.got.length, bed.bot.waiting.waiting]).toEqual([3, 3])
  }
  expect(store.states).toEqual(['d1 queued', 'd2 queued', 'd3 queued'])
  using next = new BotBed({ durable: store })
  const other = next.online('20002')
  expect(other.sent).toEqual([])
  next.bot.lost(other, 1006, '')
  const upstream = next.online(SELF)
  expect(upstream.actions.map(({ params }) => params)).toMatchObject([{ n: 1 }, { n: 2 }, { n: 3 }])
  for (const sent of upstream.sent) next.bot.received(answerTo(sent))
  expect(store.states).toEqual([])
  next.bot.lost(upstream, 1006, '')
  expect(next.online().sent).toEqual([])
})

test('[CAL25] what was sent and not answered is named as unknown, and not sent again', () => {
  const store = new FakeDisk()
  {
    using bed = new BotBed({ durable: store, settings: { timeout: 1_000 } })
    const upstream = bed.online()
    const caller = new FakeCaller()
    bed.bot.call(caller, durable(1))
    bed.bot.lost(upstream, 1006, '')
    expect(bed.of('durable-unknown')).toMatchObject([{ id: 'd1', action: 'send_msg' }])
    expect(bed.online().sent).toEqual([])
    bed.bot.call(caller, durable(2))
    later(bed, 1_000)
    expect(bed.of('durable-unknown')).toMatchObject([{ id: 'd1' }, { id: 'd2' }])
    // In flight at the end: the next one will say so.
    bed.bot.call(caller, durable(3))
  }
  expect(store.states).toEqual(['d3 sent'])
  using next = new BotBed({ durable: store })
  expect(next.online().sent).toEqual([])
  expect([next.of('durable-unknown'), store.states]).toMatchObject([[{ id: 'd3', action: 'send_msg' }], []])
})

test('[CAL25] where everything is to be sent again, it is', () => {
  const store = new FakeDisk()
  const settings = { resend: 'always' } as const
  {
    using bed = new BotBed({ durable: store, settings })
    const upstream = bed.online()
    bed.bot.call(new FakeCaller(), durable(1))
    bed.bot.lost(upstream, 1006, '')
    expect(bed.online().sent).toHaveLength(1)
  }
  expect(store.states).toEqual(['d1 sent'])
  using next = new BotBed({ durable: store, settings })
  const upstream = next.online()
  expect(upstream.actions).toMatchObject([{ action: 'send_msg', params: { n: 1 } }])
  next.bot.received(answerTo(upstream.sent[0] as string))
  expect([store.states, next.of('durable-unknown')]).toEqual([[], []])
})

test('[CAL26] a disk that does not take it: nothing is promised, and what cannot be noted is not sent until it can', () => {
  const store = new FakeDisk()
  using bed = new BotBed({ durable: store })
  const upstream = bed.online()
  const caller = new FakeCaller()
  store.full = true
  bed.bot.call(caller, durable(1))
  expect(caller.replies).toMatchObject([{ retcode: 1503, message: expect.stringContaining('the disk is full') }])
  expect([upstream.sent, caller.open.calls, kinds(bed)]).toEqual([[], 0, ['durable-trouble']])
  // Full right after it was kept.
  store.full = false
  caller.reply = (text) => {
    caller.got.push(text)
    store.full = true
  }
  bed.bot.call(caller, durable(2))
  expect([caller.replies.at(-1)?.['retcode'], upstream.sent, store.states]).toEqual([1, [], ['d1 queued']])
  store.full = false
  later(bed, 5_000)
  expect([upstream.sent.length, store.states]).toEqual([1, ['d1 sent']])
})

test('[CAL26] without a disk, for reads and own actions, and where the wish is none, the call is refused with 1400', () => {
  using bed = new BotBed({ own: (name) => (name === 'mine' ? () => ({ data: 1 }) : undefined) })
  const upstream = bed.online()
  const caller = new FakeCaller()
  for (const [action, wish] of [
    ['send_msg_async', 'true'],
    ['get_msg_async', 'true'],
    ['mine_async', '"true"'],
    ['send_msg_async', '7'],
    ['send_msg', 'true'],
    ['send_msg_rate_limited', 'true'],
  ])
    bed.bot.call(caller, `{"action":"${action}","params":{"durable":${wish}}}`)
  expect(caller.replies.map(({ retcode, message }) => [retcode, message])).toMatchObject([
    [1400, expect.stringContaining('journal.persist: true')],
    [1400, expect.stringContaining('get_msg')],
    [1400, expect.stringContaining('mine')],
    [1400, 'params.durable: wanted true or false'],
    [1400, 'params.durable: only an action with the suffix _async is kept'],
    [1400, 'params.durable: only an action with the suffix _async is kept'],
  ])
  expect([upstream.sent, caller.open.calls]).toEqual([[], 0])
  bed.bot.call(caller, '{"action":"send_msg_async","params":{"durable":false}}')
  expect(upstream.sent).toHaveLength(1)
})

test('[CAL26] durable calls that come to light late are sent, and an open circuit only makes them wait', () => {
  const store = new FakeDisk()
  let open = true
  const policy = {
    admit: (_call: unknown, now: number) =>
      open ? ({ kind: 'open', until: now + 1_000, why: 'failing' } as const) : ({ kind: 'go' } as const),
    ended: () => undefined,
  }
  using bed = new BotBed({ durable: store, policy })
  const upstream = bed.online()
  store.add({ account: SELF, action: 'send_msg', text: '{"action":"send_msg","params":{"n":9}}', since: 1 })
  store.add({ account: SELF, action: 'send_msg', text: 'broken', since: 1 })
  bed.bot.foundDurable()
  expect([upstream.sent, bed.of('durable-unknown')]).toMatchObject([[], [{ id: 'd2' }]])
  open = false
  later(bed, 1_000)
  expect(upstream.actions).toMatchObject([{ action: 'send_msg', params: { n: 9 } }])
})

test('[FLD7] an earlier run’s durable call of which nobody knows what has become is kept, and can be sent again', async () => {
  const store = new FakeDisk()
  {
    using bed = new BotBed({ durable: store })
    bed.online()
    bed.bot.call(new FakeCaller(), durable(1))
  }
  expect(store.states).toEqual(['d1 sent'])
  using next = new BotBed({ durable: store })
  const upstream = next.online()
  const [failed] = next.bot.failures.all()
  expect(failed).toMatchObject({ action: 'send_msg', client: undefined, retcode: 1504, outcome: 'unknown' })
  if (failed === undefined) return
  const caller = { key: 'admin', open: { calls: 0, bytes: 0 } }
  const reply = retry(next.bot, failed, { caller, twice: true, report: () => undefined })
  expect(upstream.sent[0]).toContain('"user_id":7672696335120716277')
  next.bot.received(answerTo(upstream.sent[0] as string))
  expect(JSON.parse(await reply)).toMatchObject({ status: 'ok' })
})

test('[HLD15] a durable call that is given up leaves the disk, and is not sent by a later run', () => {
  const store = new FakeDisk()
  {
    using bed = new BotBed({ durable: store })
    bed.bot.lost(bed.online(), 1006, '')
    const caller = new FakeCaller()
    for (let n = 1; n < 3; n++) bed.bot.call(caller, durable(n))
    const [first] = bed.bot.held()
    expect(first).toMatchObject({ call: { durable: 'd1', action: 'send_msg' }, why: 'away', until: undefined })
    expect(giveUp(bed.bot, first?.call.token ?? '', (fact) => bed.facts.push(fact))).toBe(true)
    expect([store.states, caller.got.length]).toEqual([['d2 queued'], 2])
    expect(bed.of('durable-done')).toMatchObject([{ id: 'd1', retcode: 1503 }])
    // Not yet sent, so it may be after all.
    expect(bed.bot.failures.all()).toMatchObject([{ action: 'send_msg', mode: 'async', outcome: 'not-sent' }])
  }
  using next = new BotBed({ durable: store })
  expect(next.online().actions.map(({ params }) => params)).toMatchObject([{ n: 2 }])
})

test('[FLD7] what an earlier run has sent may have been carried out, also where this one gives it up before it is sent again', () => {
  const store = new FakeDisk()
  const id = store.add({ account: SELF, action: 'send_msg', text: '{"action":"send_msg","params":{"n":1}}', since: 0 })
  store.sent(id)
  const policy: CallPolicy = { admit: (_call, now) => ({ kind: 'wait', until: now + 60_000 }), ended: () => undefined }
  using bed = new BotBed({ durable: store, policy, settings: { resend: 'always' } })
  const upstream = bed.online()
  const [held] = bed.bot.held()
  expect(bed.bot.giveUp(held?.call.token ?? '', 'given up')).toBe(true)
  expect([upstream.sent, store.states]).toEqual([[], []])
  expect(bed.bot.failures.all()).toMatchObject([{ action: 'send_msg', outcome: 'unknown', retcode: 1504 }])
})
