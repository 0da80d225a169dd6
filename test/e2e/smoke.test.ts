// One account, several clients, every way in: the story that each build and each runtime must be able to tell.

import { expect, test } from 'bun:test'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { program } from '../support/program.ts'
import { lacks, windows } from '../support/system.ts'
import { canTell, expectTold, milky, type Upstream, upstream } from '../support/upstream.ts'

const events = (await Bun.file(new URL('../fixtures/events.jsonl', import.meta.url)).text())
  .trim()
  .split('\n')
  .filter(canTell)

/** The whole program, as a user would start it. */
async function started(bot: Upstream) {
  const home = await folder()
  await Bun.write(
    home.at('config', 'config.yml'),
    `ntqq-impl: ${JSON.stringify(bot.own)}\nhttp: {port: 0}\nlog: {colorful: false}\n`,
  )
  const running = program([], { cwd: home.path, as: 'perpetua' })
  const [, address = ''] = await running.says(/started address=(\S+)/)
  await running.says(/bot online/)
  return {
    running,
    address,
    ws: address.replace('http', 'ws'),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

test('[SMK1] clients on fixed and allotted ports hear the same bytes, call, find and message each other', async () => {
  await using bot = upstream({ answer: (frame) => ok(frame, { action: frame.action }) })
  await using it = await started(bot)
  const allotted = await (await fetch(`${it.address}/api/get_ws_port?client_name=bob`)).json()
  expect(allotted).toEqual({ status: 'ok', retcode: 0, data: { port: expect.any(Number) } })
  await using alice = await Client.connect(`${it.ws}/onebot/v11/ws?client_name=alice`)
  await using bob = await Client.connect(`ws://127.0.0.1:${allotted.data.port}/`)
  for (const client of [alice, bob]) {
    expect(await client.next()).toMatchObject({ meta_event_type: 'lifecycle', sub_type: 'connect', self_id: 10001 })
    expect(await client.next()).toMatchObject({ meta_event_type: 'heartbeat' })
    await client.next(({ self_client }) => self_client === true)
  }

  for (const event of events) bot.send(event)
  for (const event of events) {
    const heard = await alice.text(notPresence)
    expectTold(heard, event)
    expect(await bob.text(notPresence)).toBe(heard)
  }

  expect(await alice.call('get_status', {}, { seq: 1 })).toEqual({
    status: 'ok',
    retcode: 0,
    data: milky ? { online: true, good: true } : { action: 'get_status' },
    echo: { seq: 1 },
  })
  const sent = await alice.call('send_broadcast_data', { clients: [{ client_name: 'bob' }], data: 'hi' })
  expect(await bob.event('distributed.broadcast')).toMatchObject({ client: { client_name: 'alice' }, data: 'hi' })
  expect(sent).toMatchObject({ status: 'ok', data: { uuid: expect.any(String) } })

  const online = await (await fetch(`${it.address}/api/get_online_clients`)).json()
  expect(online.data.map((client: { client_name: string }) => client.client_name)).toEqual(['alice', 'bob'])
  const called = await fetch(`${it.address}/onebot/v11/get_login_info`, { method: 'POST' })
  const data = milky ? { user_id: 10001, nickname: '小佩' } : { action: 'get_login_info' }
  expect(await called.json()).toEqual({ status: 'ok', retcode: 0, data })
})

test('[SMK2] the implementation goes and comes back, the clients stay', async () => {
  await using bot = upstream({ answer: (frame) => ok(frame) })
  await using it = await started(bot)
  await using client = await Client.connect(`${it.ws}/`)
  await client.next(({ self_client }) => self_client === true)
  await bot.stop()
  expect(await client.event('meta_event.heartbeat')).toMatchObject({ status: { online: false, good: false } })
  // It waits for the return, and is carried out then.
  const held = client.call('send_group_msg', { group_id: 1, message: 'x' })
  bot.start()
  expect(await held).toMatchObject({ retcode: 0 })
  expect(await client.next(({ status }) => (status as { online?: boolean })?.online === true)).toBeDefined()
  bot.send(groupMessage('back'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'back' })
  expect(await client.call('send_group_msg', { group_id: 1, message: 'x' })).toMatchObject({ status: 'ok' })
})

test.skipIf(lacks(windows, 'Windows has no signals that a program could answer'))(
  '[SMK3] asked to stop, it tells its clients 1001 and exits 0',
  async () => {
    await using bot = upstream()
    await using it = await started(bot)
    await using client = await Client.connect(`${it.ws}/`)
    await client.next(({ self_client }) => self_client === true)
    it.running.signal('SIGTERM')
    expect(await client.closed).toEqual({ code: 1001, reason: 'shutting down' })
    expect((await it.running.ended).code).toBe(0)
  },
)

const notPresence = (frame: Record<string, unknown>) =>
  frame['notice_type'] !== 'client_status' && frame['meta_event_type'] !== 'heartbeat'
