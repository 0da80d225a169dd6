// Who is who, by the configuration: at the doors, in what they may do, and when the configuration changes.

import { describe, expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import { Inbox } from '../contract/witness.ts'
import { Application } from '../support/application.ts'
import { Client } from '../support/client.ts'
import { ADMIN } from '../support/gateway.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { knock } from '../support/knock.ts'
import { type Bed, BRISK, testbed } from '../support/testbed.ts'

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
const worker = { name: 'worker', token: 'the workers own' }
const closed = { http: { 'access-token': 'everybodys' } }
const everybody = bearer('everybodys')

/** What the gateway is told when all else stays. */
const change = (bed: Bed, config: ConfigInput) =>
  bed.gateway.apply({
    clients: [],
    defaults: {},
    'reverse-web-socket': [],
    'http-post': [],
    ...config,
    'ntqq-impl': bed.bot.own,
  })

const named = (bed: Bed, name: string) =>
  bed.gateway.status().then(({ bots }) => bots[0]?.sessions.find(({ client_name }) => client_name === name))

const refused = async (bed: Bed, path: string, headers: Record<string, string> = {}, address = bed.gateway.address) => {
  const answer = await knock(address, path, headers, { upgrade: true })
  return [answer.status, answer.status === 101 ? undefined : JSON.parse(answer.body).retcode]
}

/** Resolves with the `resume` event of a link that just opened. */
const resumed = (client: Client) => client.event('meta_event.resume')

describe('a token of its own', () => {
  test('[GST1] opens every door for clients, in every form, and names the client', async () => {
    await using bed = await testbed({ config: { ...closed, clients: [worker] } })
    const token = worker.token
    for (const headers of [
      { Authorization: `Bearer ${token}` },
      { Authorization: `Token ${token}` },
      { Authorization: token },
    ] as Record<string, string>[]) {
      const client = await bed.client('/', { headers })
      expect(await named(bed, 'worker')).toMatchObject({ entry: 'worker', transport: 'forward' })
      await client.close()
      await bed.gateway.until(({ links }) => links === 0)
    }
    const query = `access_token=${encodeURIComponent(token)}`
    for (const path of ['/event', '/onebot/v11/ws/event', '/onebot/v11/ws']) {
      const client = await bed.client(`${path}?${query}&client_name=worker`)
      expect(await named(bed, 'worker')).toMatchObject({ entry: 'worker' })
      await client.close()
      await bed.gateway.until(({ links }) => links === 0)
    }
    await using calls = await bed.client(`/api?${query}`)
    expect(await calls.call('get_online_clients')).toMatchObject({ data: [] })
    const asked = await fetch(`${bed.gateway.address}/api/get_ws_port`, bearer(token))
    const { data } = (await asked.json()) as { data: { port: number } }
    await using allotted = await Client.connect(`ws://127.0.0.1:${data.port}/`, bearer(token))
    expect(await allotted.event('notice.client_status')).toMatchObject({ client: { client_name: 'worker' } })
    const called = await fetch(`${bed.gateway.address}/onebot/v11/get_online_clients`, bearer(token))
    expect(await called.json()).toMatchObject({ data: [{ client_name: 'worker' }] })
  })

  test('[GST2] opens neither what is the operator’s nor the place of an implementation', async () => {
    await using bed = await testbed({ config: { ...closed, clients: [worker] } })
    for (const path of ['/api/status', '/api/qrcode', '/api/status?wait=1s'])
      expect((await fetch(`${bed.gateway.address}${path}`, bearer(worker.token))).status).toBe(403)
    expect(await refused(bed, '/onebot/v11/implementation', bearer(worker.token).headers)).toEqual([403, 1403])
    expect((await fetch(`${bed.gateway.address}/api/status`, bearer(ADMIN))).status).toBe(200)
  })

  test('[GST3] cannot be used under another name', async () => {
    await using bed = await testbed({ config: { clients: [worker] } })
    const { headers } = bearer(worker.token)
    expect(await refused(bed, '/?client_name=somebody', headers)).toEqual([409, 1409])
    expect(await refused(bed, '/', { ...headers, 'X-Client-Name': 'somebody' })).toEqual([409, 1409])
    expect(await refused(bed, '/', { ...headers, 'X-Client-Name': 'worker' })).toEqual([101, undefined])
  })

  test('[GST3] a newer link with it takes the place of the older, which is told so', async () => {
    await using bed = await testbed({ config: { clients: [worker] } })
    const older = await bed.client('/', bearer(worker.token))
    await bed.client('/', bearer(worker.token))
    expect(await older.closed).toMatchObject({ code: 4009 })
    expect((await bed.gateway.status()).bots[0]?.sessions.length).toBe(1)
  })
})

describe('the name of an entry', () => {
  test('[GST4] with a token is nobody’s without that token', async () => {
    await using bed = await testbed({ config: { ...closed, clients: [worker] } })
    const { headers } = everybody
    for (const path of ['/?client_name=worker', '/event?client_name=worker', '/?client_name=worker&resume=1'])
      expect(await refused(bed, path, headers)).toEqual([403, 1403])
    expect(await refused(bed, '/', { ...headers, 'X-Client-Name': 'worker' })).toEqual([403, 1403])
    const asked = await fetch(`${bed.gateway.address}/api/get_ws_port?client_name=worker`, everybody)
    const { data } = (await asked.json()) as { data: { port: number } }
    expect(await refused(bed, '/', headers, `http://127.0.0.1:${data.port}`)).toEqual([403, 1403])
    // The port waits for who can prove it.
    await using owner = await Client.connect(`ws://127.0.0.1:${data.port}/`, bearer(worker.token))
    await owner.event('notice.client_status')
    await owner.close()
    await using client = await bed.client('/', everybody)
    expect(await client.call('set_client_name', { name: 'worker' })).toMatchObject({ status: 'failed', retcode: 1403 })
    expect(await client.call('set_client_name', { name: 'else' })).toMatchObject({ retcode: 0 })
  })

  test('[GST5] without a token counts for whoever says it: in the address, in a header, or later', async () => {
    const clients = [{ name: 'mute', deny: ['send_*'] }]
    await using bed = await testbed({ config: { clients }, bot: { answer: (frame) => ok(frame) } })
    const send = (client: Client) => client.call('send_group_msg', { group_id: 1, message: 'x' })
    for (const [path, headers] of [
      ['/?client_name=mute', {}],
      ['/', { 'X-Client-Name': 'mute' }],
    ] as const) {
      const client = await bed.client(path, { headers })
      expect(await send(client)).toMatchObject({ retcode: 1403, message: expect.stringContaining('client "mute"') })
      expect(await named(bed, 'mute')).toMatchObject({ entry: 'mute' })
      await client.close()
      await bed.gateway.until(({ links }) => links === 0)
    }
    await using client = await bed.client()
    expect(await send(client)).toMatchObject({ retcode: 0 })
    await client.call('set_client_name', { name: 'mute' })
    expect(await send(client)).toMatchObject({ retcode: 1403 })
    await client.call('set_client_name', { name: 'loud' })
    expect(await send(client)).toMatchObject({ retcode: 0 })
  })
})

test('[GST6] what a client may not do is answered with 1403: on its link, over HTTP, in quick operations', async () => {
  const may = { allow: ['send_*', '.handle_quick_operation'], deny: ['send_like'], 'allow-groups': [123456789] }
  await using hook = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const { raw_message: said } = JSON.parse(await request.text())
      return said === undefined ? new Response() : Response.json({ reply: 'pong', delete: said === 'delete it' })
    },
  })
  const config: ConfigInput = {
    clients: [{ ...worker, ...may }],
    defaults: { deny: ['set_restart'] },
    'http-post': [{ url: `http://127.0.0.1:${hook.port}/`, ...may }],
  }
  await using bed = await testbed({ config, bot: { answer: (frame) => ok(frame) } })
  const arrived: string[] = []
  bed.bot.answer = (frame) => {
    arrived.push(frame.action)
    return ok(frame)
  }
  const here = { group_id: 123456789, message: 'x' }
  const cases: [action: string, params: object, retcode: number][] = [
    ['send_group_msg', here, 0],
    ['send_group_msg_async', here, 1],
    ['send_group_msg', { ...here, group_id: 5 }, 1403],
    ['send_like', { user_id: 1 }, 1403],
    ['get_status', {}, 1403],
    ['get_status_async', {}, 1403],
  ]
  await using client = await bed.client('/', bearer(worker.token))
  for (const [action, params, retcode] of cases) {
    expect([action, (await client.call(action, params))['retcode']]).toEqual([action, retcode])
    const response = await fetch(`${bed.gateway.address}/onebot/v11/${action}`, {
      method: 'POST',
      body: JSON.stringify(params),
      ...bearer(worker.token),
    })
    expect([response.status, await response.json()]).toMatchObject([retcode === 1403 ? 403 : 200, { retcode }])
  }
  // What applies to everybody also does to a call without a token.
  const bare = await fetch(`${bed.gateway.address}/onebot/v11/set_restart`, { method: 'POST' })
  expect(await bare.json()).toMatchObject({ retcode: 1403 })
  const operate = (group_id: number, operation: object) =>
    client.call('.handle_quick_operation', {
      context: { post_type: 'message', message_type: 'group', message_id: 7, user_id: 3, group_id },
      operation,
    })
  const before = arrived.length
  // All of it, or nothing.
  expect(await operate(123456789, { reply: 'hi', delete: true })).toMatchObject({ retcode: 1403 })
  expect(await operate(5, { reply: 'hi' })).toMatchObject({ retcode: 1403 })
  expect(await operate(123456789, { reply: 'hi' })).toMatchObject({ retcode: 0 })
  const { facts } = await bed.gateway.status()
  const told = (count: number) => bed.gateway.until((now) => now.facts['frame-refused'] === count)
  bed.bot.send(groupMessage('delete it'))
  await told((facts['frame-refused'] ?? 0) + 1)
  bed.bot.send(groupMessage('answer it'))
  while (arrived.length < before + 2) await Bun.sleep(1)
  expect(arrived.slice(before)).toEqual(['send_group_msg', 'send_group_msg'])
})

describe('a changed configuration', () => {
  test('[GST7] settles anew what clients get and may do, and closes no link whose token still counts', async () => {
    await using app = new Application()
    const dialled = { name: 'dialled', url: app.url }
    await using bed = await testbed({
      config: { clients: [worker, { name: 'plain' }], 'reverse-web-socket': [dialled] },
      bot: { answer: (frame) => ok(frame) },
    })
    const reverse = await app.links.take()
    const own = await bed.client('/', bearer(worker.token))
    const plain = await bed.client('/?client_name=plain')
    const other = await bed.client()
    const all = [own, plain, other, reverse]
    const retcodes = () => Promise.all(all.map(async (client) => (await client.call('get_status'))['retcode']))
    expect(await retcodes()).toEqual([0, 0, 0, 0])
    const deny = ['get_status']
    const filter = { keywords: ['wanted'] }
    await change(bed, {
      clients: [
        { ...worker, deny },
        { name: 'plain', filter },
      ],
      'reverse-web-socket': [{ ...dialled, deny, 'message-format': 'string' }],
    })
    expect(await retcodes()).toEqual([1403, 0, 0, 1403])
    bed.bot.send(groupMessage('x'))
    bed.bot.send(groupMessage('wanted'))
    for (const client of [own, other]) expect((await client.event('message'))['raw_message']).toBe('x')
    expect((await plain.event('message'))['raw_message']).toBe('wanted')
    expect((await reverse.event('message'))['message']).toBe('x')
    // Gone from the config, a name is anybody's; what holds for everybody holds for it.
    await change(bed, { clients: [worker], defaults: { deny }, 'reverse-web-socket': [dialled] })
    expect(await retcodes()).toEqual([1403, 1403, 1403, 1403])
    await change(bed, { clients: [worker], 'reverse-web-socket': [dialled] })
    expect(await retcodes()).toEqual([0, 0, 0, 0])
    expect(await named(bed, 'plain')).not.toContainKey('entry')
    expect(app.handshakes.left.length).toBe(1)
    expect((await bed.gateway.status()).facts['session-closed']).toBeUndefined()
  })

  test('[GST8] an entry that is removed is waited for no more, and its name is free', async () => {
    const waited = [
      { ...worker, resume: true },
      { name: 'plain', resume: true },
    ]
    await using bed = await testbed({ config: { clients: waited } })
    for (const [path, options] of [
      ['/', bearer(worker.token)],
      ['/?client_name=plain', {}],
    ] as const)
      await (await bed.client(path, options)).close()
    const away = await bed.gateway.until(({ bots }) => bots[0]?.waiting.away === 2)
    for (const session of away.bots[0]?.sessions ?? [])
      expect(session).toMatchObject({
        state: 'away',
        away_until: expect.any(Number),
        unacknowledged: expect.any(Number),
      })
    await change(bed, { clients: waited })
    expect((await bed.gateway.status()).bots[0]?.waiting.away).toBe(2)
    await change(bed, {})
    const { bots, facts } = await bed.gateway.status()
    expect([bots[0]?.waiting.away, bots[0]?.sessions, facts['session-expired']]).toEqual([0, [], 2])
    for (const name of ['worker', 'plain']) await bed.client(`/?client_name=${name}`)
  })

  test('[GST8] who asked itself to be waited for still is', async () => {
    await using bed = await testbed({ config: { clients: [worker] } })
    const client = await Client.connect(`${bed.gateway.ws}/?client_name=mine&resume=1`)
    const { secret } = await resumed(client)
    await client.event('notice.client_status')
    await client.close()
    await bed.gateway.until(({ bots }) => bots[0]?.waiting.away === 1)
    await change(bed, {})
    await using back = await Client.connect(`${bed.gateway.ws}/?client_name=mine&resume=${secret}`)
    expect(await resumed(back)).toMatchObject({ recovered: true })
  })
})

/** A web hook that says when it answers; notices of clients are passed over. */
class Hook implements AsyncDisposable {
  readonly got = new Inbox<string>()
  status = 204
  readonly #server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const body = await request.text()
      const text = (JSON.parse(body) as { raw_message?: string }).raw_message
      if (text !== undefined) this.got.push(text)
      return new Response(null, { status: text === undefined ? 204 : this.status })
    },
  })
  readonly url = `http://127.0.0.1:${this.#server.port}/`
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true)
  }
}

describe('a web hook', () => {
  const entry = { name: 'hook', 'retries-interval': '20ms' }
  const ready = (bed: Bed) =>
    bed.gateway.until(({ bots }) => bots[0]?.sessions.some((s) => s.state === 'live') === true)
  const says = (bed: Bed, from: number, to: number) => {
    for (let n = from; n < to; n++) bed.bot.send(groupMessage(`${n}`, 10001, n))
  }
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}`)
  const taken = (hook: Hook, count: number) => Array.fromAsync({ length: count }, () => hook.got.take())

  test('[GST9] keeps its place when its settings change, and when its address does under the same name', async () => {
    await using one = new Hook()
    await using two = new Hook()
    await using bed = await testbed({ config: { 'http-post': [{ ...entry, url: one.url }] } })
    await ready(bed)
    const id = (await named(bed, 'hook'))?.app_id
    says(bed, 0, 20)
    expect(await taken(one, 20)).toEqual(numbers(0, 20))
    // From here on the first is down; meanwhile its secret, its settings and at last its address change.
    one.status = 500
    says(bed, 20, 60)
    expect(await one.got.take()).toBe('20')
    await change(bed, { 'http-post': [{ ...entry, url: one.url, secret: 's' }] })
    expect(await one.got.take()).toBe('20')
    await change(bed, { 'http-post': [{ ...entry, url: one.url, secret: 's', 'message-format': 'string' }] })
    says(bed, 60, 80)
    await change(bed, { 'http-post': [{ ...entry, url: two.url, secret: 's' }] })
    says(bed, 80, 100)
    expect(await taken(two, 80)).toEqual(numbers(20, 100))
    const { facts } = await bed.gateway.until(({ bots }) => bots[0]?.sessions[0]?.state === 'live')
    expect([(await named(bed, 'hook'))?.app_id, facts['session-behind'], two.got.left]).toEqual([id, undefined, []])
    await change(bed, {})
    expect((await bed.gateway.status()).bots[0]?.sessions).toEqual([])
  })

  test('[RSM13] goes on where its last answered event was, also as another entry of the same name', async () => {
    await using one = new Hook()
    await using two = new Hook()
    await using bed = await testbed({ config: { 'http-post': [{ ...entry, url: one.url }] } })
    await ready(bed)
    says(bed, 0, 3)
    expect(await taken(one, 3)).toEqual(numbers(0, 3))
    await ready(bed)
    // Nothing is on its way: nothing comes twice.
    await change(bed, { 'http-post': [{ ...entry, url: two.url }] })
    says(bed, 3, 6)
    expect(await taken(two, 3)).toEqual(numbers(3, 6))
    await ready(bed)
    two.status = 503
    says(bed, 6, 9)
    expect(await two.got.take()).toBe('6')
    // It was not answered as wanted, and so is the first that comes now.
    one.status = 204
    await change(bed, { 'http-post': [{ ...entry, url: one.url }] })
    expect(await taken(one, 3)).toEqual(numbers(6, 9))
  })

  test('[RSM13] told not to keep its place, it begins with what is new', async () => {
    await using one = new Hook()
    await using two = new Hook()
    const forgetful = { ...entry, resume: false }
    await using bed = await testbed({ config: { 'http-post': [{ ...forgetful, url: one.url }] } })
    await ready(bed)
    one.status = 500
    says(bed, 0, 3)
    expect(await one.got.take()).toBe('0')
    await change(bed, { 'http-post': [{ ...forgetful, url: two.url }] })
    await ready(bed)
    says(bed, 3, 4)
    expect(await two.got.take()).toBe('3')
  })
})

test('[GST10] a client that we dial may be waited for: it needs no secret, and gets what it missed', async () => {
  await using app = new Application()
  const entry = { name: 'it', url: app.url, resume: true }
  await using bed = await testbed({ config: { 'reverse-web-socket': [entry] }, ...BRISK })
  const first = await app.links.take()
  expect(await resumed(first)).toMatchObject({ recovered: false, missed: 0, secret: expect.any(String) })
  const id = (await named(bed, 'it'))?.app_id
  bed.bot.send(groupMessage('before'))
  await first.event('message')
  await bed.gateway.until(({ bots }) => bots[0]?.sessions[0]?.unacknowledged === 0)
  app.closed = true
  app.drop()
  await bed.gateway.until(({ bots }) => bots[0]?.waiting.away === 1)
  for (const text of ['one', 'two']) bed.bot.send(groupMessage(text))
  await bed.gateway.until(({ facts }) => facts.event === 3)
  expect(await refused(bed, '/?client_name=it')).toEqual([409, 1409])
  app.closed = false
  const second = await app.links.take()
  const event = await resumed(second)
  expect(event).toMatchObject({ recovered: true, lost: 0 })
  expect(event).not.toContainKey('secret')
  bed.bot.send(groupMessage('after'))
  for (const text of ['one', 'two', 'after']) expect((await second.event('message'))['raw_message']).toBe(text)
  expect((await named(bed, 'it'))?.app_id).toBe(id)
})

describe('entries with one address and no name', () => {
  test('[GST16] are as many clients where they say the same', async () => {
    await using app = new Application()
    const entry = { url: app.url }
    await using bed = await testbed({ config: { 'reverse-web-socket': [entry, entry] } })
    const links = [await app.links.take(), await app.links.take()]
    await bed.gateway.until(({ bots }) => bots[0]?.sessions.filter(({ state }) => state === 'live').length === 2)
    bed.bot.send(groupMessage('to both'))
    for (const link of links) expect(await link.event('message')).toMatchObject({ raw_message: 'to both' })
    expect([app.open, app.handshakes.left.length]).toEqual([2, 2])
  })

  test('[GST16] are each under their own terms, whichever come and go', async () => {
    await using app = new Application()
    const one = { url: app.url, deny: ['get_online_clients'] }
    const two = { url: app.url, deny: ['set_client_name'] }
    await using bed = await testbed({ config: { 'reverse-web-socket': [one] } })
    const may = async (link: Client) => [
      (await link.call('get_online_clients'))['retcode'],
      (await link.call('set_client_name', { name: crypto.randomUUID() }))['retcode'],
    ]
    const [likeOne, likeTwo] = [
      [1403, 0],
      [0, 1403],
    ]
    const first = await app.links.take()
    expect(await may(first)).toEqual(likeOne)
    await change(bed, { 'reverse-web-socket': [two, one] })
    const second = await app.links.take()
    expect([await may(first), await may(second)]).toEqual([likeTwo, likeOne])
    await change(bed, { 'reverse-web-socket': [two] })
    await second.closed
    expect([app.open, await may(first)]).toEqual([1, likeTwo])
  })
})

test('[GST11] a port may be asked for by the name of a client that may come back; at the port it must prove it', async () => {
  await using bed = await testbed()
  const lease = async () => {
    const response = await fetch(`${bed.gateway.address}/api/get_ws_port?client_name=alice`)
    return (await response.json()) as { retcode: number; data: { port: number } }
  }
  const { data: first } = await lease()
  const alice = await Client.connect(`ws://127.0.0.1:${first.port}/?resume=1`)
  const { secret } = await resumed(alice)
  await alice.event('notice.client_status')
  await alice.close()
  await bed.gateway.until(({ bots, allotments }) => bots[0]?.waiting.away === 1 && allotments === 0)
  bed.bot.send(groupMessage('missed'))
  const { retcode, data } = await lease()
  expect(retcode).toBe(0)
  const address = `http://127.0.0.1:${data.port}`
  for (const path of ['/', '/?resume=1', '/?resume=wrong'])
    expect(await refused(bed, path, {}, address)).toEqual([409, 1409])
  await using back = await Client.connect(`ws://127.0.0.1:${data.port}/?resume=${secret}`)
  expect(await resumed(back)).toMatchObject({ recovered: true })
  expect(await back.event('message')).toMatchObject({ raw_message: 'missed' })
})
