// Calls that failed: what is kept of them, for how long, and what sending one again does.

import { expect, test } from 'bun:test'
import type { Caller } from '../../src/broker/caller.ts'
import { Failures } from '../../src/broker/failures.ts'
import { LIMITS } from '../../src/broker/limits.ts'
import { retry } from '../../src/broker/steering.ts'
import { ActionError, refuse } from '../../src/onebot/retcode.ts'
import { answerTo, BotBed, FakeCaller, lifecycleOf } from '../support/broker.ts'
import { later, timeStands } from '../support/time.ts'

timeStands()

const frame = (action: string, echo: unknown = 1, params: unknown = {}) => JSON.stringify({ action, params, echo })
const failedReply = (sent: string, retcode: number, message = 'no') =>
  JSON.stringify({ status: 'failed', retcode, data: null, message, echo: JSON.parse(sent).echo })
const report = () => undefined
const operator = () => ({ key: 'admin', open: { calls: 0, bytes: 0 } })
const again = (bed: BotBed, twice = false) => {
  const [failed] = bed.bot.failures.all()
  if (failed === undefined) throw new Error('nothing has failed')
  return retry(bed.bot, failed, { caller: operator(), twice, report })
}

test('[FLD1] what failed is kept with who asked, its answer, its time and its outcome; what went well is not', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const { caller, session } = bed.join({ name: 'alice' })
  const bare = new FakeCaller('10.0.0.7')
  bed.bot.call(caller, frame('send_msg', 1, { message: 'fine' }))
  bed.bot.received(answerTo(upstream.sent[0] as string))
  expect(bed.bot.failures.all()).toEqual([])
  const before = bed.bot.failures.changes
  // The implementation refuses; it says that it could not; it says nothing; and an action is refused before it is sent.
  bed.bot.call(caller, frame('send_msg', 2, { message: 'refused' }))
  later(bed, 250)
  bed.bot.received(failedReply(upstream.sent[1] as string, 100, 'group not found'))
  bed.bot.call(bare, frame('send_msg_async', 3))
  bed.bot.received(failedReply(upstream.sent[2] as string, 1200, 'Timeout: NTEvent'))
  bed.bot.call(bare, frame('send_msg', 4))
  bed.bot.call(bare, frame('get_msg', 5))
  later(bed, 60_000)
  const { caller: silent } = bed.join({ events: true, calls: false })
  bed.bot.call(silent, frame('send_msg_rate_limited', 6))
  const kept = bed.bot.failures.all()
  const told = kept.map(({ action, mode, client, ms, retcode, outcome }) => [
    action,
    mode,
    client,
    ms,
    retcode,
    outcome,
  ])
  expect(told).toEqual([
    ['send_msg', 'rate-limited', silent.session?.appId, 0, 1403, 'not-sent'],
    ['get_msg', 'plain', '10.0.0.7', 60_000, 1504, 'failed'],
    ['send_msg', 'plain', '10.0.0.7', 60_000, 1504, 'unknown'],
    ['send_msg', 'async', '10.0.0.7', 0, 1200, 'unknown'],
    ['send_msg', 'plain', 'alice', 250, 100, 'failed'],
  ])
  expect(kept.at(-1)).toMatchObject({ appId: session.appId, message: 'group not found', time: bed.now - 60_000 })
  expect(kept.every(({ text, size }) => text !== undefined && size > 0)).toBe(true)
  expect(bed.bot.failures.changes).toBeGreaterThan(before)
  expect(new Set(kept.map(({ id }) => id)).size).toBe(5)
})

test('[FLD1] own actions that fail, reads that share one reply, and calls that waited in vain are kept, too', () => {
  using bed = new BotBed({ own: (name) => (name === 'mine' ? () => refuse('not-found', 'nobody') : undefined) })
  const [a, b] = [new FakeCaller('a'), new FakeCaller('b')]
  bed.bot.call(a, frame('mine'))
  const upstream = bed.online()
  for (const caller of [a, b]) bed.bot.call(caller, frame('get_msg', 1, { message_id: 1 }))
  bed.bot.received(failedReply(upstream.sent[0] as string, 1404))
  bed.bot.lost(upstream, 1006, '')
  bed.bot.call(a, frame('send_msg'))
  later(bed, 30_000)
  const kept = bed.bot.failures.all().map(({ action, client, retcode, outcome }) => [action, client, retcode, outcome])
  expect(kept).toEqual([
    ['send_msg', 'a', 1503, 'not-sent'],
    ['get_msg', 'b', 1404, 'failed'],
    ['get_msg', 'a', 1404, 'failed'],
    ['mine', 'a', 1404, 'not-sent'],
  ])
})

const failing = { action: 'send_msg', mode: 'plain', text: '' } as const
const why = { retcode: 1503, message: 'away', outcome: 'not-sent' } as const
const taker = (caller: Caller) => ({ caller, echo: undefined, since: 0, size: 1 })

test('[FLD2] the oldest go first, and who fails by the thousand pushes out its own', () => {
  const failures = new Failures(() => 0)
  const [quiet, loud] = [new FakeCaller('quiet'), new FakeCaller('loud')]
  for (let n = 0; n < 3; n++) failures.add({ ...failing, action: `quiet_${n}` }, taker(quiet), why)
  for (let n = 0; n < 5_000; n++) failures.add({ ...failing, action: `loud_${n}` }, taker(loud), why)
  const kept = failures.all()
  expect(kept).toHaveLength(LIMITS.failedCalls)
  expect(kept.slice(-3).map(({ action }) => action)).toEqual(['quiet_2', 'quiet_1', 'quiet_0'])
  expect(kept[0]?.action).toBe('loud_4999')
  // Others come: it gives its room, oldest first, until it has half.
  const others = Array.from({ length: 150 }, (_, n) => new FakeCaller(`${n}`))
  for (const other of others) failures.add(failing, taker(other), why)
  expect(
    failures
      .all()
      .slice(0, 150)
      .every(({ client }) => client !== 'loud'),
  ).toBe(true)
  expect(failures.size).toBe(LIMITS.failedCalls)
})

test('[FLD2] of frames 1 MiB is kept, of long ones nothing, and of messages the beginning', () => {
  const failures = new Failures(() => 0)
  const caller = new FakeCaller('a')
  const add = (length: number, message = '') =>
    failures.add({ ...failing, text: 'x'.repeat(length) }, taker(caller), { ...why, message })
  add(LIMITS.failedFrame + 1, 'm'.repeat(10_000))
  const [long] = failures.all()
  expect([long?.text, long?.message.length]).toEqual([undefined, 503])
  for (let n = 0; n < 100; n++) add(LIMITS.failedFrame)
  const lengths = failures.all().map(({ text }) => text?.length ?? 0)
  const sum = lengths.reduce((all, one) => all + one, 0)
  expect([lengths.length, sum]).toEqual([101, LIMITS.failedCharacters])
  expect(lengths.indexOf(0)).toBe(LIMITS.failedCharacters / LIMITS.failedFrame)
  for (const { id } of failures.all()) expect(failures.drop(id)).toBe(true)
  // What was dropped gave its room back.
  for (let n = 0; n < 64; n++) add(LIMITS.failedFrame)
  expect(failures.all().every(({ text }) => text !== undefined)).toBe(true)
  expect(failures.drop('nobody')).toBe(false)
})

test('[FLD1] what was sent and lost may have been carried out, also where its client leaves before it is sent again', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  upstream.leaves.add('set_group_card')
  const { session, caller } = bed.join()
  using always = new BotBed({ settings: { resend: 'always' } })
  const lossy = always.online()
  const other = always.join()
  bed.bot.call(caller, frame('set_group_card'))
  always.bot.call(other.caller, frame('set_group_card'))
  // With one of them the implementation had not begun.
  bed.bot.lost(upstream, 1006, '')
  always.bot.lost(lossy, 1006, '')
  bed.bot.leave(session, 1006, '')
  always.bot.leave(other.session, 1006, '')
  expect([bed, always].map(({ bot }) => bot.failures.all().map(({ outcome }) => outcome))).toEqual([
    ['not-sent'],
    ['unknown'],
  ])
})

test('[FLD2] of frames in flight 16 MiB is kept', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller('a')
  const raw = frame('send_msg', 1, { message: 'x'.repeat(LIMITS.failedFrame - 200) })
  const fits = Math.floor(LIMITS.failedInFlight / raw.length)
  const fail = (sent = '') => {
    bed.bot.received(failedReply(sent, 100))
    return bed.bot.failures.all()[0]?.text !== undefined
  }
  for (let n = 0; n <= fits; n++) bed.bot.call(caller, raw)
  expect([fail(upstream.sent.at(-1)), fail(upstream.sent.at(-2)), fail(upstream.sent[0])]).toEqual([false, true, true])
  // What has ended gave back its room.
  bed.bot.call(caller, raw)
  expect(fail(upstream.sent.at(-1))).toBe(true)
})

test('[FLD3] sent again it goes up plain, as the operator, under a new token; its end stands with the call that failed', async () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller('a')
  bed.bot.call(
    caller,
    '{"action":"send_msg_async","params":{"message":"一","id":7672696335120716277},"echo":{"mine":1}}',
  )
  const first = upstream.sent[0] as string
  bed.bot.received(failedReply(first, 100))
  const [failed] = bed.bot.failures.all()
  let reply = again(bed)
  expect(failed?.again).toEqual({ time: bed.now, retcode: undefined, message: '' })
  const second = upstream.sent[1] as string
  expect(JSON.parse(second).echo).not.toBe(JSON.parse(first).echo)
  expect(second).toContain('"params":{"message":"一","id":7672696335120716277}')
  expect(JSON.parse(second).action).toBe('send_msg')
  later(bed, 5)
  bed.bot.received(failedReply(second, 102, 'still not'))
  expect(JSON.parse(await reply)).toEqual({ status: 'failed', retcode: 102, data: null, message: 'still not' })
  expect(bed.bot.failures.all()).toHaveLength(1)
  expect(failed?.again).toEqual({ time: bed.now, retcode: 102, message: 'still not' })
  reply = again(bed)
  bed.bot.received(answerTo(upstream.sent[2] as string))
  expect(JSON.parse(await reply)).toEqual({ status: 'ok', retcode: 0, data: { a: 1 } })
  expect([failed?.again?.retcode, bed.bot.failures.size, caller.got.length]).toEqual([0, 1, 1])
})

test('[FLD4] what is under way, has worked, has no frame, or may have been carried out is refused, with what to do', async () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const caller = new FakeCaller('a')
  const refusal = (twice = false) => {
    try {
      void again(bed, twice)
    } catch (error) {
      return String(error)
    }
    return undefined
  }
  bed.bot.call(caller, frame('send_msg'))
  later(bed, 60_000)
  expect(refusal()).toMatch(/ActionError: send_msg \S+: it may have been carried out.* twice=1/)
  const reply = again(bed, true)
  expect(refusal(true)).toContain('being sent again already')
  bed.bot.received(answerTo(upstream.sent[1] as string))
  await reply
  expect(refusal(true)).toContain('worked')
  // One that was refused and, sent again, got no answer is in doubt from then on.
  bed.bot.call(caller, frame('set_group_card'))
  bed.bot.received(failedReply(upstream.sent[2] as string, 100))
  const late = again(bed)
  later(bed, 60_000)
  expect(JSON.parse(await late).retcode).toBe(1504)
  expect(refusal()).toContain('twice=1')
  bed.bot.call(caller, frame('send_msg', 1, { message: 'x'.repeat(LIMITS.failedFrame) }))
  bed.bot.received(failedReply(upstream.sent[4] as string, 100))
  expect(refusal(true)).toContain('frame is not kept')
  expect(upstream.sent).toHaveLength(5)
})

test('[FLD4] a read is asked again without more ado, and one that waits meanwhile ends as any other', async () => {
  using bed = new BotBed()
  const upstream = bed.online()
  bed.bot.call(new FakeCaller('a'), frame('get_msg'))
  later(bed, 60_000)
  bed.bot.lost(upstream, 1006, '')
  const reply = again(bed)
  later(bed, 30_000)
  expect(JSON.parse(await reply).retcode).toBe(1503)
  expect(bed.bot.failures.all()).toMatchObject([{ outcome: 'failed', again: { retcode: 1503 } }])
})

test('[FLD5] nothing that was asked of one account is kept for the next', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  bed.bot.call(new FakeCaller('a'), frame('send_msg'))
  bed.bot.received(failedReply(upstream.sent[0] as string, 100))
  bed.bot.call(new FakeCaller('a'), frame('send_msg'))
  expect(bed.bot.failures.size).toBe(1)
  bed.bot.received(lifecycleOf('10002'))
  expect([bed.bot.selfId, bed.bot.failures.size]).toEqual(['10002', 0])
})

test('[FLD5] what was asked of one account and fails when there is another is not kept either', async () => {
  const hung = Promise.withResolvers<{ data: null }>()
  using bed = new BotBed({ own: (name) => (name === 'mine' ? () => hung.promise : undefined) })
  bed.online()
  const caller = new FakeCaller('a')
  bed.bot.call(caller, frame('mine'))
  bed.bot.received(lifecycleOf('10002'))
  hung.reject(new ActionError('no-port', 'none is left'))
  while (caller.replies.length === 0) await Promise.resolve()
  expect([caller.replies[0]?.['retcode'], bed.bot.failures.size]).toEqual([10001, 0])
})

test('[FLD6] what the gateway asks in its own name is not kept', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  bed.bot.restart(0)
  later(bed, 1)
  expect(upstream.actions.map(({ action }) => action)).toEqual(['set_restart'])
  bed.bot.received(failedReply(upstream.sent[0] as string, 100))
  expect(bed.bot.failures.size).toBe(0)
})
