// What clients ask of the gateway itself: names, messages to each other, restarts; and frames that are none.

import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { Application } from '../support/application.ts'
import { Client, type Frame } from '../support/client.ts'
import { gateway } from '../support/gateway.ts'
import { groupMessage, now, ok } from '../support/implementation.ts'
import { BRISK, testbed } from '../support/testbed.ts'
import { milky, overOneBot, restarted } from '../support/upstream.ts'

const failed = (retcode: number, text: string) => ({
  status: 'failed',
  retcode,
  data: null,
  msg: expect.stringContaining(text),
  message: expect.stringContaining(text),
  wording: expect.stringContaining(text),
})

/** A client and how the others know it. */
async function known(client: Client): Promise<{ client: Client; me: Frame }> {
  const { data } = await client.call('get_online_clients')
  const newest = (data as Frame[]).at(-1) ?? {} // a list of clients
  // How it fares is nothing that others are told of.
  const { state: _state, pending: _pending, calls: _calls, ...me } = newest
  return { client, me }
}

describe('names', () => {
  test('[CLT1] a name is unique among the clients of a bot, its owner may take it again, and others see it', async () => {
    await using bed = await testbed()
    const [alice, bob] = [await bed.client(), await bed.client()]
    await bed.client() // who has no name stands in nobody's way
    const done = { status: 'ok', retcode: 0, data: {}, echo: expect.anything() }
    expect(await alice.call('set_client_name', { name: 'alice' })).toEqual(done)
    expect(await alice.call('set_client_name', { name: 'alice' })).toEqual(done)
    expect(await bob.call('set_client_name', { name: 'alice' })).toMatchObject(failed(1409, 'alice'))
    expect(await bob.call('set_client_name', { name: '小明'.repeat(32) })).toEqual(done)
    expect(await alice.call('set_client_name', { name: 'constructor' })).toEqual(done)
    expect(await bob.call('set_client_name', { name: 'alice' })).toEqual(done)
    const { data } = await bob.call('get_online_clients')
    expect((data as Frame[]).map(({ client_name }) => client_name)).toEqual(['constructor', 'alice', undefined])
    await bob.close()
    await alice.next(({ online }) => online === false)
    expect(await alice.call('set_client_name', { name: 'alice' })).toEqual(done)
  })

  test('[CLT2] what is no name is refused by its path, and changes nothing', async () => {
    await using bed = await testbed()
    const client = await bed.client('/?client_name=before')
    for (const name of [5, null, '', 'n'.repeat(65), ['a'], { name: 'a' }, undefined])
      expect(await client.call('set_client_name', { name })).toMatchObject(failed(1400, 'params.name'))
    expect(await client.call('get_online_clients')).toMatchObject({ data: [{ client_name: 'before' }] })
  })
})

describe('broadcasts', () => {
  test('[CLT3] reach the clients named, by id or by name, once, and never their sender', async () => {
    await using bed = await testbed()
    const alice = await known(await bed.client('/?client_name=alice'))
    const bob = await bed.client('/event?client_name=bob')
    const carol = await known(await bed.client())
    const dave = await bed.client()
    const online = (await alice.client.call('get_online_clients'))['data'] as Frame[]
    const clients = [{ client_name: 'bob' }, { app_id: online[1]?.['app_id'] }, carol.me, alice.me]
    const reply = await alice.client.call('send_broadcast_data', { clients, data: '{"any":"text"} <&> 好' })
    expect(reply).toEqual({
      status: 'ok',
      retcode: 0,
      data: { uuid: expect.stringMatching(UUID) },
      echo: reply['echo'],
    })
    const { uuid } = reply['data'] as { uuid: string }
    for (const client of [bob, carol.client]) {
      const event = await client.event('distributed')
      expect(event).toEqual({
        time: expect.any(Number),
        self_id: 10001,
        post_type: 'distributed',
        distributed_type: 'broadcast',
        client: alice.me,
        uuid,
        data: '{"any":"text"} <&> 好',
      })
      expect(Math.abs(Number(event['time']) - now())).toBeLessThan(5)
    }
    bed.bot.send(groupMessage('after'))
    for (const client of [alice.client, bob, carol.client, dave]) await client.event('message')
    const count = (client: Client) => client.heard.filter((text) => text.includes('"distributed"')).length
    expect([alice.client, bob, carol.client, dave].map(count)).toEqual([0, 1, 1, 0])
  })

  test('[CLT4] without anybody to reach, or with data that is no text, are refused', async () => {
    await using bed = await testbed()
    const client = await bed.client()
    const send = (params: unknown) => client.call('send_broadcast_data', params)
    const { me } = await known(client)
    expect(await send({ data: 'x' })).toMatchObject(failed(1400, 'params.clients'))
    expect(await send({ clients: [], data: 'x' })).toMatchObject(failed(1400, 'params.clients'))
    expect(await send({ clients: 'alice', data: 'x' })).toMatchObject(failed(1400, 'params.clients'))
    expect(await send({ clients: ['alice'], data: 'x' })).toMatchObject(failed(1400, 'params.clients.0'))
    expect(await send({ clients: [{}], data: 'x' })).toMatchObject(failed(1400, 'params.clients.0'))
    for (const data of [{ o: 1 }, 5, null, undefined, ['x']])
      expect(await send({ clients: [me], data })).toMatchObject(failed(1400, 'params.data'))
    expect(await send({ clients: [{ client_name: 'nobody' }], data: 'x' })).toMatchObject(failed(1404, 'nobody'))
    expect(await send({ clients: [{ app_id: 'nobody' }], data: 'x' })).toMatchObject(failed(1404, 'clients.0'))
    expect(await send({ clients: [me], data: 'x' })).toMatchObject({ retcode: 0 })
  })

  test('[CLT5] are answered to their sender alone, with their uuid', async () => {
    await using bed = await testbed()
    const [alice, bob, carol] = [await bed.client('/?client_name=alice'), await bed.client(), await bed.client()]
    const { me } = await known(carol)
    const { data } = await alice.call('send_broadcast_data', { clients: [me], data: 'question' })
    const question = await carol.event('distributed.broadcast')
    const answer = { client: question['client'], uuid: question['uuid'], data: 'answer' }
    expect(await carol.call('send_broadcast_data_callback', answer)).toMatchObject({
      status: 'ok',
      retcode: 0,
      data: {},
    })
    expect(await alice.next(isCallback)).toEqual({
      time: expect.any(Number),
      self_id: 10001,
      post_type: 'distributed',
      distributed_type: 'broadcast_callback',
      client: me,
      uuid: (data as { uuid: string }).uuid,
      data: 'answer',
    })
    const call = (params: unknown) => carol.call('send_broadcast_data_callback', params)
    expect(await call({ ...answer, client: { client_name: 'nobody' } })).toMatchObject(failed(1404, 'nobody'))
    expect(await call({ ...answer, client: 'alice' })).toMatchObject(failed(1400, 'params.client'))
    expect(await call({ ...answer, uuid: 5 })).toMatchObject(failed(1400, 'params.uuid'))
    expect(await call({ ...answer, data: {} })).toMatchObject(failed(1400, 'params.data'))
    await bob.call('get_online_clients')
    expect(bob.heard.filter((text) => text.includes('"distributed"'))).toEqual([])
  })

  test('[CLT6] pass between forward, allotted and reverse links, in order with the events', async () => {
    await using app = new Application()
    await using bed = await testbed({ config: { 'reverse-web-socket': [{ name: 'reverse', url: app.url }] } })
    const reverse = await app.links.take()
    const forward = await bed.client('/?client_name=forward')
    const { data } = await forward.call('get_ws_port', { client_name: 'allotted' })
    await using allotted = await Client.connect(`ws://127.0.0.1:${(data as { port: number }).port}`)
    await allotted.event('notice')
    const names = ['reverse', 'forward', 'allotted']
    const clients = [reverse, forward, allotted]
    for (const [index, client] of clients.entries()) {
      bed.bot.send(groupMessage(`before ${index}`))
      for (const each of clients) await each.event('message')
      await client.call('send_broadcast_data', {
        clients: names.map((client_name) => ({ client_name })),
        data: `${index}`,
      })
      bed.bot.send(groupMessage(`after ${index}`))
      for (const each of clients)
        if (each === client) expect(await each.event('message')).toMatchObject({ raw_message: `after ${index}` })
        else
          expect([await each.next(isNews), await each.next(isNews)]).toMatchObject([
            {
              client: {
                client_name: names[index],
                transport: names[index] === 'allotted' ? 'allotment' : names[index],
              },
            },
            { raw_message: `after ${index}` },
          ])
    }
  })
})

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/
const isNews = ({ post_type }: Frame) => post_type === 'distributed' || post_type === 'message'
const isCallback = ({ distributed_type }: Frame) => distributed_type === 'broadcast_callback'

describe('where own actions work', () => {
  test('[CLT7] also while the implementation is away, and with the suffix _async', async () => {
    await using running = await gateway({ 'ntqq-impl': { mode: 'reverse' }, actions: { hold: '0s' } })
    await using client = await Client.connect(running.ws)
    expect(await client.call('set_client_name', { name: 'early' })).toMatchObject({ retcode: 0 })
    expect(await client.call('get_online_clients')).toMatchObject({ data: [{ client_name: 'early' }] })
    expect(await client.call('set_client_name_async', { name: 'later' })).toMatchObject({ status: 'async', retcode: 1 })
    expect(await client.call('get_online_clients')).toMatchObject({ data: [{ client_name: 'later' }] })
    expect(await client.call('get_status')).toMatchObject(failed(1503, 'not connected'))
  })

  test('[CLT8] on HTTP and on links for calls only, where no client is needed', async () => {
    await using bed = await testbed()
    await bed.client('/?client_name=alice')
    const calls = await bed.client('/api')
    expect(await calls.call('get_online_clients')).toMatchObject({ retcode: 0, data: [{ client_name: 'alice' }] })
    expect(await calls.call('set_client_name', { name: 'bob' })).toMatchObject(failed(1400, 'no client'))
    const params = { clients: [{ client_name: 'alice' }], data: 'x' }
    expect(await calls.call('send_broadcast_data', params)).toMatchObject(failed(1400, 'no client'))
    const overHttp = await fetch(`${bed.gateway.address}/onebot/v11/get_online_clients`)
    expect(await overHttp.json()).toMatchObject({ status: 'ok', retcode: 0, data: [{ client_name: 'alice' }] })
    const named = await fetch(`${bed.gateway.address}/onebot/v11/set_client_name?name=bob`)
    expect(await named.json()).toMatchObject(failed(1400, 'no client'))
  })
})

describe('set_restart', () => {
  test('[CLT9] answers first, waits for its delay, asks the implementation and dials it anew; clients stay', async () => {
    await using bed = await testbed(BRISK)
    await bed.bot.handshakes.take()
    const [client, other] = [await bed.client(), await bed.client()]
    const since = performance.now()
    const asking = restarted(bed.bot)
    const answer = client.call('set_restart', { delay: 600 }, 7)
    // The first of the two, however slow the machine is.
    expect(await Promise.race([asking, answer])).toEqual({ status: 'async', retcode: 1, data: null, echo: 7 })
    expect(await other.call('set_restart')).toMatchObject(failed(1409, 'bot instance is restarting'))
    await asking
    expect(performance.now() - since).toBeGreaterThan(590)
    await bed.gateway.until(({ bots }) => bots[0]?.online === true)
    bed.bot.send(groupMessage('again'))
    for (const each of [client, other]) expect(await each.event('message')).toMatchObject({ raw_message: 'again' })
    // It is over: another one may come.
    expect(await other.call('set_restart', { delay: 60_000 })).toMatchObject({ status: 'async', retcode: 1 })
  })

  test('[CLT10] without a delay comes at once; what is no delay is refused', async () => {
    await using bed = await testbed(BRISK)
    await bed.bot.handshakes.take()
    const client = await bed.client()
    for (const delay of [-1, 'soon', {}, [5], 1e12])
      expect(await client.call('set_restart', { delay })).toMatchObject(failed(1400, 'params.delay'))
    expect(await client.call('set_restart')).toMatchObject({ status: 'async', retcode: 1 })
    await restarted(bed.bot)
  })

  test('[CLT13] is not forgotten when the implementation comes and goes meanwhile', async () => {
    await using bed = await testbed({ ...BRISK, bot: { selfId: 10001 } })
    await bed.bot.handshakes.take()
    const client = await bed.client()
    expect(await client.call('set_restart', { delay: 3_000 })).toMatchObject({ status: 'async' })
    bed.bot.drop()
    await bed.bot.handshakes.take()
    await bed.gateway.until(({ bots }) => bots[0]?.online === true)
    expect(await client.call('set_restart')).toMatchObject(failed(1409, 'bot instance is restarting'))
    await restarted(bed.bot)
  })

  overOneBot('implementations that speak Milky dial nobody')(
    '[CLT11] drops an implementation that dials us, which comes back by itself',
    async () => {
      await using running = await gateway({ 'ntqq-impl': { mode: 'reverse' } })
      const dial = () =>
        Client.connect(`${running.ws}/onebot/v11/implementation`, { headers: { 'X-Self-ID': '10001' } })
      await using bot = await dial()
      await using client = await Client.connect(running.ws)
      expect(await client.call('set_restart')).toMatchObject({ status: 'async' })
      bot.send(ok(await bot.next()))
      expect(await bot.closed).toMatchObject({ code: 1000 })
      await using _again = await dial()
      await running.until(({ bots }) => bots[0]?.online === true)
    },
  )
})

describe('frames that are no actions', () => {
  test('[CLT12] get a reply that says so, and the next action is served as ever', async () => {
    await using bed = await testbed({ bot: { answer: (frame) => ok(frame, frame.action) } })
    const client = await bed.client()
    const lines = readFileSync(new URL('../fixtures/bad-actions.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n')
    for (const line of lines) {
      const { frame, expect: wanted } = JSON.parse(line) as { frame: string; expect: number | 'upstream' }
      client.send(frame)
      const reply = await client.next(({ post_type }) => post_type === undefined)
      if (wanted === 'upstream' && milky) expect([frame, reply['retcode']]).toEqual([frame, 1404])
      else if (wanted === 'upstream')
        expect([frame, reply]).toMatchObject([frame, { retcode: 0, data: JSON.parse(frame).action }])
      else expect([frame, reply]).toMatchObject([frame, { status: 'failed', retcode: wanted, msg: expect.any(String) }])
      const echo = /"echo":"(\w+)"/.exec(frame)?.[1]
      expect([frame, reply['echo']]).toEqual([frame, echo])
      expect(await client.call('get_status')).toMatchObject({ data: milky ? { online: true } : 'get_status' })
    }
  })
})
