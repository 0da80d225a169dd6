// Starting and stopping a gateway: what is told to whom, and what is left behind.

import { expect, test } from 'bun:test'
import { Client } from '../support/client.ts'
import { EAGER, gateway } from '../support/gateway.ts'
import { type Action, ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'
import { milky, upstream } from '../support/upstream.ts'

test('[LIF1] HTTP is up at once, whether or not there is an implementation; clients that come early wait', async () => {
  await using bot = upstream()
  await bot.stop()
  const config = { 'ntqq-impl': bot.own, actions: { hold: '0s' } }
  await using running = await gateway(config, { patience: EAGER })
  expect((await fetch(running.address)).status).toBe(200)
  await using early = await Client.connect(`${running.ws}/`)
  expect(await early.call('get_status')).toMatchObject({ status: 'failed', retcode: 1503 })
  bot.start()
  expect(await early.event('meta_event.lifecycle')).toMatchObject({ self_id: 10001, sub_type: 'connect' })
  expect(await early.event('notice.client_status')).toMatchObject({ self_client: true, online: true })
})

test('[LIF2] stopping answers open calls, closes every link with 1001, and frees the ports', async () => {
  const bed = await testbed()
  await using client = await bed.client()
  const allotted = await (await fetch(`${bed.gateway.address}/api/get_ws_port`)).json()
  await using other = await Client.connect(`ws://127.0.0.1:${allotted.data.port}/`)
  await other.next(({ self_client }) => self_client === true)
  client.send({ action: 'send_group_msg', params: { group_id: 1, message: 'x' }, echo: 'open' })
  await bed.bot.next()
  await bed.gateway.stop()
  expect(await client.next(({ echo }) => echo === 'open')).toMatchObject({ status: 'failed', retcode: 1504 })
  for (const link of [client, other]) expect(await link.closed).toEqual({ code: 1001, reason: 'shutting down' })
  for (const port of [new URL(bed.gateway.address).port, allotted.data.port])
    expect(await fetch(`http://127.0.0.1:${port}/`).catch((error: unknown) => error)).toBeInstanceOf(Error)
  expect(await bed.bot.ended.take()).toBeNumber()
  await bed[Symbol.asyncDispose]()
})

test('[LIF5] what was asked of the implementation before the end is still answered, what comes later is refused', async () => {
  const bed = await testbed()
  await using client = await bed.client()
  const asked = Promise.withResolvers<Action>()
  bed.bot.answer = (frame) => (frame.action === 'get_status' ? ok(frame) : void asked.resolve(frame))
  client.send({ action: 'send_group_msg', params: { group_id: 1, message: 'x' }, echo: 'before' })
  const before = await asked.promise
  const stopped = bed.gateway.stop()
  let after = await client.call('get_status')
  while (after['retcode'] === 0) after = await client.call('get_status')
  expect(after).toMatchObject({ retcode: 1503, message: 'shutting down' })
  bed.bot.send(ok(before, { message_id: 1 }))
  expect(await client.next(({ echo }) => echo === 'before')).toMatchObject({
    status: 'ok',
    data: { message_id: milky ? expect.any(Number) : 1 },
  })
  expect((await client.closed).code).toBe(1001)
  await stopped
  await bed[Symbol.asyncDispose]()
})

test('[LIF3] a client that never answers the closing handshake does not hold up the end', async () => {
  const bed = await testbed()
  const { rawClient } = await import('../contract/raw.ts')
  const mute = await rawClient(Number(new URL(bed.gateway.address).port), '/onebot/v11/ws')
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 1)
  const began = performance.now()
  await bed.gateway.stop()
  expect(performance.now() - began).toBeLessThan(9_000)
  mute.socket.destroy()
  await bed[Symbol.asyncDispose]()
})

test('[LIF4] two gateways: one listener each, and a port in use is an error that leaves nothing running', async () => {
  await using bed = await testbed()
  const port = Number(new URL(bed.gateway.address).port)
  const second = gateway({ http: { port }, 'ntqq-impl': bed.bot.own }, { patience: EAGER })
  expect(await second.catch((error: unknown) => error)).toMatchObject({ code: 'EADDRINUSE' })
  await using client = await bed.client()
  expect(client.heard.length).toBeGreaterThan(0)
})
