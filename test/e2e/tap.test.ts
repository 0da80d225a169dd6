// What an operator watches: the live tap, the log, the numbers of the last hour.

import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { ADMIN, operator } from '../support/admin.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'
import { milky } from '../support/upstream.ts'

test('[TAP1] events, actions and replies are shown as they happen, without the texts of messages', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame) } })
  await using tap = await operator(bed.gateway.address).stream('/api/tap')
  const alice = await bed.client('/?client_name=alice')
  bed.bot.send(groupMessage('a secret'))
  const event = await tap.next('event')
  expect(event).toMatchObject({
    bot: 'ntqq-impl',
    time: expect.any(Number),
    event: { post_type: 'message', group_id: 123456789, message: [{ type: 'text', data: { text: '(8 characters)' } }] },
  })
  await alice.call('send_group_msg', { group_id: 5, message: 'another secret' })
  expect(await tap.next('action')).toMatchObject({
    client: 'alice',
    action: 'send_group_msg',
    params: { group_id: 5, message: '(14 characters)' },
  })
  expect(await tap.next('reply')).toMatchObject({ action: 'send_group_msg', retcode: 0, ms: expect.any(Number) })
})

test('[TAP2] texts are shown to who asks for them, with long numbers as they came', async () => {
  await using bed = await testbed()
  await using tap = await operator(bed.gateway.address).stream('/api/tap?texts=1&kinds=event')
  const id = milky ? '1' : '7672696335120716277'
  bed.bot.send(groupMessage('你好').replace('"message_id":1', `\n"message_id":${id}`))
  const { event } = await tap.next('event')
  expect(event).toMatchObject({ raw_message: '你好', [milky ? 'real_id' : 'message_id']: Number(id) })
})

test('[TAP3] a filter leaves out what is of another bot, kind, type, action, client, group, user or text', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame) } })
  const admin = operator(bed.gateway.address)
  const first = async (query: string, doing: () => unknown) => {
    await using tap = await admin.stream(`/api/tap?texts=1&${query}`)
    await doing()
    const { data } = await tap.inbox.take()
    return (data['event'] as { raw_message?: string } | undefined)?.raw_message ?? data['action']
  }
  const say = (...texts: string[]) => {
    for (const [id, text] of texts.entries()) bed.bot.send(groupMessage(text, 10001, id))
  }
  const alice = await bed.client('/?client_name=alice')
  expect(await first('kinds=event&text=right', () => say('wrong', 'right'))).toBe('right')
  expect(await first('type=message.private&action=x*', () => alice.call('xyz'))).toBe('xyz')
  expect(
    await first('kinds=action&action=get_*', async () => [await alice.call('set_x'), await alice.call('get_x')]),
  ).toBe('get_x')
  const bob = await bed.client('/?client_name=bob')
  expect(await first('kinds=action&client=bob', async () => [await alice.call('a'), await bob.call('b')])).toBe('b')
  const other = groupMessage('other').replace('123456789', '5').replace('2854196310', '6')
  const both = () => [say('one'), bed.bot.send(other)]
  expect(await first('kinds=event&group=5', both)).toBe('other')
  expect(await first('kinds=event&user=6', both)).toBe('other')
  expect(await first('bot=10001&kinds=event', () => say('mine'))).toBe('mine')
  for (const wrong of ['kinds=frames', 'level=loud&kinds=log']) {
    const answer = await admin.get(`/api/tap?${wrong}`)
    expect(answer.status).toBe(400)
  }
})

test('[TAP4] under load a tap is a sample, and says how much it left out', async () => {
  await using bed = await testbed()
  await using tap = await operator(bed.gateway.address).stream('/api/tap?kinds=event')
  // More are shown where a slow machine takes some seconds over it, but of all it is told.
  let [said, shown, skipped] = [0, 0, 0]
  while (skipped === 0) {
    for (let n = 0; n < 1_000; n++) bed.bot.send(groupMessage('x', 10001, n))
    said += 1_000
    while (shown + skipped < said) {
      const { event, data } = await tap.inbox.take()
      if (event === 'event') shown += 1
      else if (event === 'skipped') skipped += Number(data['skipped'])
    }
  }
  expect(shown + skipped).toBe(said)
  const again = setInterval(() => bed.bot.send(groupMessage('later', 10001, 5_000)), 200)
  await tap.next('event', ({ event }) => (event as Record<string, number>)[milky ? 'real_id' : 'message_id'] === 5_000)
  clearInterval(again)
})

test('[TAP5] who does not read costs nobody anything: what has no room is left out, and told', async () => {
  await using bed = await testbed()
  const { port } = new URL(bed.gateway.address)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`GET /api/tap?kinds=event&texts=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${ADMIN}\r\n\r\n`)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  const text = 'y'.repeat(30_000)
  // More than sockets hold, in three seconds so that it is not the sampling that leaves it out.
  for (let second = 0; second < 3; second++) {
    for (let n = 0; n < 190; n++) bed.bot.send(groupMessage(text, 10001, n))
    await bed.gateway.until(({ facts }) => facts.event === (second + 1) * 190)
    await Bun.sleep(1_100)
  }
  let [size, skipped] = [0, 0]
  const told = Promise.withResolvers<void>()
  socket.on('data', (chunk) => {
    size += chunk.length
    for (const [, count] of String(chunk).matchAll(/"skipped":(\d+)/g)) skipped += Number(count)
    if (skipped > 100) told.resolve()
  })
  socket.resume()
  await told.promise
  expect(size).toBeLessThan(20 * 2 ** 20)
  socket.destroy()
})

test('[TAP6] one stream has it all: the status, each second, the log, and facts', async () => {
  await using bed = await testbed({ config: { log: { level: 'info' } } })
  await using tap = await operator(bed.gateway.address).stream('/api/tap?kinds=status,second,fact')
  expect(await tap.next('status')).toMatchObject({ bots: [{ online: true }] })
  bed.bot.send(groupMessage('x'))
  expect(await tap.next('second', ({ events }) => Number(events) > 0)).toMatchObject({ calls: 0 })
  await bed.client('/?client_name=alice')
  expect(await tap.next('fact')).toMatchObject({ kind: 'session-opened', client: 'alice' })
  await tap.next('status', ({ bots }) => JSON.stringify(bots).includes('alice'))
})

test('[TAP7] streams end with the gateway, and with whoever listens', async () => {
  await using bed = await testbed()
  const admin = operator(bed.gateway.address)
  const open = await Promise.all(Array.from({ length: 64 }, () => admin.stream('/api/tap')))
  expect((await admin.get('/api/tap')).status).toBe(503)
  await open[0]?.[Symbol.asyncDispose]()
  await using again = await until(() => admin.stream('/api/tap'))
  await bed.gateway.stop()
  await Promise.all([again.ended, ...open.map(({ ended }) => ended)])
})

/** Tries until it works. */
async function until<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    const done = await work().catch(() => undefined)
    if (done !== undefined) return done
    await Bun.sleep(10)
  }
}

test('[TAP8] the numbers of the last hour tell events, calls, errors and how long calls took', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame) } })
  const admin = operator(bed.gateway.address)
  const alice = await bed.client()
  bed.bot.send(groupMessage('x'))
  await alice.call('get_status')
  await alice.call('ack_event')
  await using tap = await admin.stream('/api/tap?kinds=second')
  await tap.next('second')
  const chart = await admin.json<{
    events: number[]
    calls: number[]
    errors: number[]
    sent: number[]
    p99: number[]
  }>('/api/history')
  const sum = (numbers: number[]) => Math.round(numbers.reduce((total, one) => total + one, 0))
  expect(chart).toMatchObject({ step: 1, from: expect.any(Number) })
  expect([sum(chart.events), sum(chart.calls), sum(chart.errors)]).toEqual([1, 2, 1])
  expect(sum(chart.sent)).toBeGreaterThan(1)
  expect(chart.p99.some((ms) => ms > 0)).toBe(true)
  expect(await admin.json('/api/history?step=60')).toMatchObject({ step: 60, events: [] })
  expect((await admin.get('/api/history?step=5')).status).toBe(400)
})

test('[TAP16] a change of who is there is in the status before the second is over', async () => {
  await using bed = await testbed()
  await using tap = await operator(bed.gateway.address).stream('/api/tap?kinds=status,second')
  // A machine with much to do may be late; a gateway that waits for the second always is.
  for (let n = 0, early = false; !early; n++) {
    await tap.next('second')
    await bed.client(`/?client_name=client-${n}`)
    while (!early) {
      const { event, data } = await tap.inbox.take()
      if (event === 'second') break
      early = JSON.stringify(data).includes(`client-${n}`)
    }
  }
})
