// Several implementations of one account, on real sockets: one works, one stands by, and clients notice nothing.

import { expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import { Client } from '../support/client.ts'
import { ADMIN, EAGER, gateway, outside, type TestGateway } from '../support/gateway.ts'
import { type Action, groupMessage, heartbeat, ok } from '../support/implementation.ts'
import { overOneBot, type Upstream, upstream } from '../support/upstream.ts'

/** How long (ms) the first must have been well to take over again: in a process of its own, as long as it ships with. */
const FAILBACK = outside ? 30_000 : 600
const QUICK = outside ? {} : { patience: { ...EAGER, failback: FAILBACK } }

const both = (first: Upstream, second: Upstream, more: ConfigInput = {}): ConfigInput => ({
  ...more,
  'ntqq-impl': { 'external-web-socket': '' },
  upstreams: [
    { name: 'first', ...first.entry, 'self-id': '10001' },
    { name: 'second', ...second.entry, 'self-id': '10001' },
  ],
})

/** Both are connected; the first one, too, had the time to say so. */
const settled = (it: TestGateway, links = 2) =>
  it.until(({ bots, facts }) => bots[0]?.online === true && (facts['upstream-connected'] ?? 0) >= links)

async function come(it: TestGateway): Promise<Client> {
  const client = await Client.connect(`${it.ws}/`)
  await client.next(({ self_client }) => self_client === true)
  return client
}

/** Who has answered last. */
let by = ''
/** An implementation that answers, and is known by it. */
const named = (name: string, selfId = 10001) => upstream({ selfId, answer: answering(name) })
const answering = (name: string) => (frame: Action) => {
  by = name
  return ok(frame)
}
const texts = (client: Client) =>
  client.heard.map((raw): unknown => JSON.parse(raw).raw_message).filter((text) => text !== undefined)
async function whoAnswers(client: Client, action = 'send_group_msg'): Promise<string> {
  expect(await client.call(action, { group_id: 1, user_id: 1, message: 'x' })).toMatchObject({ status: 'ok' })
  return by
}

test('[GOV13] what both tell is heard once, whoever is first, and what only the one that stands by tells is heard, too', async () => {
  await using first = named('first')
  await using second = named('second')
  await using it = await gateway(both(first, second), QUICK)
  await settled(it)
  await using client = await come(it)
  const count = 200
  for (let n = 1; n <= count; n++) {
    // Their numbers for messages are their own; its time is the message's.
    const said = groupMessage(`m${n}`, 10001, n)
    const tell = [() => first.send(said), () => second.send(said.replace(`"message_id":${n}`, `"message_id":${-n}`))]
    for (const one of n % 2 === 0 ? tell : tell.reverse()) one()
    if (n % 20 === 0) await Bun.sleep(1)
  }
  second.send(groupMessage('only the second', 10001, 1_000))
  await client.next(({ raw_message: text }) => text === 'only the second')
  expect(texts(client).toSorted()).toEqual(
    [...Array.from({ length: count }, (_, i) => `m${i + 1}`), 'only the second'].toSorted(),
  )
  // Others may be, too, whose twins a busy machine is slow to hear.
  expect((await it.status()).facts['event-rescued']).toBeGreaterThanOrEqual(1)
})

test('[GOV14] when the one that works is killed the other takes over at once: reads are asked again, what waits goes there, and back once it is well', async () => {
  await using first = named('first')
  await using second = named('second')
  await using it = await gateway(both(first, second), QUICK)
  await settled(it)
  await using client = await come(it)
  expect(await whoAnswers(client)).toBe('first')

  // It takes these and answers none.
  let taken = 0
  first.answer = () => {
    taken += 1
    return undefined
  }
  client.send({ action: 'get_group_list', params: {}, echo: 'read' })
  client.send({ action: 'send_group_msg', params: { group_id: 1, message: 'x' }, echo: 'write' })
  while (taken < 2) await Bun.sleep(1)
  await first.stop()
  const replies = [
    await client.next(({ echo }) => echo !== undefined),
    await client.next(({ echo }) => echo !== undefined),
  ]
  expect(replies.find(({ echo }) => echo === 'read')).toMatchObject({ status: 'ok' })
  expect(by).toBe('second')
  expect(replies.find(({ echo }) => echo === 'write')).toMatchObject({ status: 'failed', retcode: 1504 })
  expect(await whoAnswers(client)).toBe('second')
  second.send(groupMessage('from the second', 10001, 1_000))
  await client.next(({ raw_message: text }) => text === 'from the second')

  first.answer = answering('first')
  const began = performance.now()
  first.start()
  await settled(it, 3)
  while ((await whoAnswers(client)) === 'second') await Bun.sleep(20)
  expect(performance.now() - began).toBeGreaterThanOrEqual(FAILBACK)
  expect(client.heard.some((raw) => raw.includes('"online":false'))).toBe(false)
})

test('[GOV14] with all of them gone calls wait, and go to whichever is back first', async () => {
  await using first = named('first')
  await using second = named('second')
  await using it = await gateway(both(first, second), QUICK)
  await settled(it)
  await using client = await come(it)
  await Promise.all([first.stop(), second.stop()])
  await it.until(({ bots }) => bots[0]?.online === false)
  const held = whoAnswers(client)
  await it.until(({ bots }) => bots[0]?.waiting.held === true)
  second.start()
  expect(await held).toBe('second')
})

overOneBot('a probe is a call there, so what answers none does not beat either')(
  '[GOV21] when the one that works answers nothing any more, though link and heartbeats are well, the other takes over, and it comes back once it is well',
  async () => {
    await using first = named('first')
    await using second = named('second')
    const config: ConfigInput = {
      breaker: { failures: 3, 'cool-down': '300ms' },
      actions: { timeouts: { send_group_msg: '100ms' } },
    }
    await using it = await gateway(both(first, second, config), QUICK)
    await settled(it)
    await using client = await come(it)
    const asked: string[] = []
    // Of the same class, and with all the time that a busy machine may need.
    const whoIs = () => whoAnswers(client, 'send_private_msg')
    const hung = ({ action }: { action: string }) => {
      asked.push(action)
      return undefined
    }
    expect(await whoIs()).toBe('first')
    first.answer = hung
    const beats = setInterval(() => first.send(heartbeat()), 100)
    try {
      for (let n = 0; n < 2; n++) expect((await client.call('send_group_msg'))['retcode']).toBe(1504)
      client.send({ action: 'get_group_list', params: {}, echo: 'read' })
      client.send({ action: 'send_group_msg', params: { group_id: 1, message: 'x' }, echo: 'write' })
      const replies = [
        await client.next(({ echo }) => echo !== undefined),
        await client.next(({ echo }) => echo !== undefined),
      ]
      expect(replies.find(({ echo }) => echo === 'write')).toMatchObject({ retcode: 1504 })
      // Nobody has to do anything for it.
      expect(replies.find(({ echo }) => echo === 'read')).toMatchObject({ status: 'ok' })
      expect(await whoIs()).toBe('second')
      const { bots, facts } = await it.status()
      expect(bots[0]?.upstreams).toMatchObject([
        { connected: true, told: true, active: false, failing: 'calls', since: null },
        { active: true, failing: null },
      ])
      expect(bots[0]?.calls.breakers).toMatchObject({ send: { state: 'closed' } })
      expect(facts).toMatchObject({ 'upstream-failing': 1, 'upstream-active': 2 })
      const metrics = await fetch(`${it.address}/metrics`, { headers: { Authorization: `Bearer ${ADMIN}` } })
      expect(await metrics.text()).toContain('perpetua_upstreams_failing{bot="10001"} 1')

      for (let n = 0; n < 20; n++) expect(await whoIs()).toBe('second')
      const began = performance.now()
      first.answer = (frame) => {
        asked.push(frame.action)
        return answering('first')(frame)
      }
      await it.until((now) => now.facts['upstream-works'] === 1)
      // No client was spent on it.
      expect(asked.filter((action) => action === 'send_group_msg')).toHaveLength(3)
      expect(asked.at(-1)).toBe('get_status')
      while ((await whoIs()) === 'second') await Bun.sleep(20)
      expect(performance.now() - began).toBeGreaterThanOrEqual(FAILBACK)
      expect((await it.status()).facts['upstream-active']).toBe(3)
      expect(client.heard.some((raw) => raw.includes('"online":false'))).toBe(false)
    } finally {
      clearInterval(beats)
    }
  },
)

test('[GOV15] an implementation of the group that has another account is refused and said, and the bot is none the worse', async () => {
  await using first = named('first')
  await using wrong = named('wrong', 20002)
  await using it = await gateway(both(first, wrong), QUICK)
  await it.until(({ facts }) => facts['bot-conflict'] === 1)
  await settled(it)
  await using client = await come(it)
  wrong.send(groupMessage('not ours', 20002))
  first.send(groupMessage('ours'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'ours' })
  await first.stop()
  await it.until(({ bots }) => bots[0]?.online === false)
  wrong.send(groupMessage('still not ours', 20002))
  first.start()
  await it.until(({ bots }) => bots[0]?.online === true)
  expect(await whoAnswers(client)).toBe('first')
  expect(texts(client)).toEqual(['ours'])
})
