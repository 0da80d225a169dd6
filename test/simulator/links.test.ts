// How the simulated implementation is reached, and what can be made to go wrong there.

import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { Hono } from 'hono'
import { bunHost } from '../../src/runtime/bun.ts'
import type { HostEnv } from '../../src/runtime/host.ts'
import { type SimulatorFact, startSimulator } from '../../src/simulator/simulator.ts'
import { Inbox } from '../contract/witness.ts'
import { client, handshake, reverseEndpoint, simulated } from './bed.ts'

const GROUP = 123_456_789

test('[SIM11] a link is greeted by lifecycle and heartbeat at once, and heartbeats go on', async () => {
  await using sim = await startSimulator({ selfId: 42, heartbeat: 20 })
  using link = await client(sim.url, {}, true)
  const meta = { time: expect.any(Number), self_id: 42, post_type: 'meta_event' }
  expect(await link.next()).toEqual({ ...meta, meta_event_type: 'lifecycle', sub_type: 'connect' })
  for (let beats = 0; beats < 3; beats++)
    expect(await link.next()).toEqual({
      ...meta,
      meta_event_type: 'heartbeat',
      status: { online: true, good: true },
      interval: 20,
    })
})

test('[SIM12] any path takes a WebSocket: /api for calls only, /event for events only', async () => {
  await using sim = await startSimulator({ heartbeat: 0 })
  const at = (path: string) => client(`ws://127.0.0.1:${new URL(sim.address).port}${path}`)
  for (const path of ['/', '/onebot/v11/ws', '/onebot/v11/ws/', '/what/ever']) {
    using link = await at(path)
    expect(await link.call('get_status')).toMatchObject({ retcode: 0 })
    const said = sim.say({ text: 'to all' })
    expect(await link.next()).toEqual(said)
  }
  for (const path of ['/api', '/onebot/v11/ws/api/']) {
    using calls = await at(path)
    sim.say({ text: 'unheard' })
    expect(await calls.call('get_status')).toMatchObject({ retcode: 0 })
  }
  for (const path of ['/event', '/onebot/v11/ws/event']) {
    using events = await at(path)
    const before = sim.sent.length
    events.socket.send('{"action":"get_status"}')
    using calls = await at('/api')
    await calls.call('get_login_info')
    const said = sim.say({ text: 'heard' })
    expect(await events.next()).toEqual(said)
    expect(sim.sent.length).toBe(before + 1)
  }
})

test('[SIM13] with a token: 401 without one, 403 with a wrong one, before the upgrade; shown in any of the usual ways', async () => {
  await using sim = await startSimulator({ token: 'hush' })
  const wrong = { authorization: 'Bearer wrong' }
  expect(await handshake(sim.url)).toBe(401)
  expect(await handshake(sim.url, wrong)).toBe(403)
  expect(await handshake(`${sim.url}?access_token=wrong`)).toBe(403)
  for (const authorization of ['Bearer hush', 'bearer hush', 'Token hush', 'hush'])
    expect(await handshake(sim.url, { authorization })).toBe(101)
  expect(await handshake(`${sim.url}?access_token=hush`)).toBe(101)
  const status = async (query = '', headers = {}) => {
    const response = await fetch(`${sim.address}/get_status${query}`, { headers })
    return [response.status, ((await response.json()) as { retcode: number }).retcode]
  }
  expect(await status()).toEqual([401, 1401])
  expect(await status('', wrong)).toEqual([403, 1403])
  expect(await status('?access_token=hush')).toEqual([200, 0])
  // The token is no param.
  expect(sim.sent.at(-1)?.params).toEqual({})
})

test('[SIM14] HTTP actions take query, form and JSON; 404, 406 and 400 as the standard says', async () => {
  await using sim = await startSimulator()
  const post = async (body: string, type?: string, action = 'send_group_msg') => {
    const response = await fetch(`${sim.address}/${action}`, {
      method: 'POST',
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    })
    return [response.status, ((await response.json()) as { retcode: number }).retcode]
  }
  const json = `{"group_id":${GROUP},"message":"hi"}`
  const form = `group_id=${GROUP}&message=hi&auto_escape=true`
  expect(await post(json, 'application/json; charset=utf-8')).toEqual([200, 0])
  expect(await post(form, 'application/x-www-form-urlencoded')).toEqual([200, 0])
  expect((await fetch(`${sim.address}/send_group_msg?${form}`)).status).toBe(200)
  expect(sim.sent.map(({ params }) => params['message'])).toEqual(['hi', 'hi', 'hi'])
  expect(await post('', undefined, 'get_status')).toEqual([200, 0])
  expect(await post(json, 'application/json', 'nope')).toEqual([404, 1404])
  expect(await post(json, 'text/plain')).toEqual([406, 1406])
  expect(await post('[]', 'application/json')).toEqual([400, 1400])
  expect(await post('{"group_id":1}', 'application/json')).toEqual([200, 1400])
})

test('[SIM15] the same seed makes the same people', async () => {
  await using one = await simulated()
  await using same = await simulated()
  await using other = await simulated({ seed: 2 })
  const members = async ({ bot }: typeof one) =>
    (await bot.call('get_group_member_list', { group_id: GROUP })).data.map(
      ({ user_id, age, sex, role }: Record<string, unknown>) => ({ user_id, age, sex, role }),
    )
  expect(await members(one)).toEqual(await members(same))
  expect(await members(one)).not.toEqual(await members(other))
})

test('[SIM16] silence, slow replies and lost replies come and go while it runs', async () => {
  await using at = await simulated({ heartbeat: 10 })
  const { sim, bot } = at
  sim.faults.silent = true
  using deaf = await client(sim.url, {}, true)
  sim.say({ text: 'unheard' })
  expect(await deaf.call('get_status')).toMatchObject({ retcode: 0 })
  expect(deaf.frames.left).toEqual([])
  sim.faults.silent = false
  expect(await deaf.next()).toMatchObject({ meta_event_type: 'heartbeat' })

  sim.faults.slowReplies = 60
  const start = performance.now()
  await bot.call('get_status')
  expect(performance.now() - start).toBeGreaterThan(55)
  sim.faults.slowReplies = 0

  sim.faults.lostReplies = 0.25
  for (let echo = 1; echo <= 8; echo++) bot.socket.send(`{"action":"get_status","echo":${echo}}`)
  const echoes = []
  for (let replies = 0; replies < 6; replies++) echoes.push((await bot.next()).echo)
  expect(echoes).toEqual([1, 2, 3, 5, 6, 7])
  sim.faults.lostReplies = 1
  const last = sim.sent.at(-1)?.n ?? 0
  bot.socket.send('{"action":"get_status","echo":9}')
  expect(await sim.sentAfter(last, 60_000)).toHaveLength(1)
  sim.faults.lostReplies = 0
  expect(await bot.ask('{"action":"get_status","echo":10}')).toMatchObject({ echo: 10 })
})

test('[SIM17] links are dropped abruptly or with a code; set_restart replies before it drops them', async () => {
  await using sim = await startSimulator({ heartbeat: 0 })
  using abrupt = await client(sim.url)
  sim.dropLinks()
  expect(await abrupt.closed).toEqual({ code: 1006 })
  using polite = await client(sim.url)
  sim.dropLinks(4000)
  expect(await polite.closed).toEqual({ code: 4000 })
  using restarted = await client(sim.url)
  expect(await restarted.call('set_restart', { delay: 1 })).toEqual({ status: 'async', retcode: 1, data: null })
  expect(await restarted.closed).toEqual({ code: 1001 })
  using again = await client(sim.url)
  expect(await again.call('get_status')).toMatchObject({ retcode: 0 })
})

test('[SIM18] a reverse link shows the headers of the standard, works like any other, and is dialled again', async () => {
  await using bot = await reverseEndpoint()
  await using sim = await startSimulator({ reverse: [{ url: bot.url, token: 'hush' }], heartbeat: 1_000, redial: 1 })
  for (let dials = 0; dials < 3; dials++) {
    const { headers, socket, frames } = await bot.links.take()
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-self-id': '10001',
      'x-client-role': 'Universal',
      authorization: 'Bearer hush',
      'user-agent': 'OneBot/11',
    })
    expect(await frames.take()).toContain('"sub_type":"connect"')
    expect(await frames.take()).toContain('"meta_event_type":"heartbeat"')
    await sim.linked()
    const said = sim.say({ text: 'hello' })
    expect(JSON.parse(await frames.take())).toEqual(said)
    socket.send('{"action":"get_status","echo":1}')
    expect(await frames.take()).toContain('"echo":1')
    socket.terminate()
  }
})

test('[SIM18] a reverse address that nobody listens at is told, and dialled until somebody does', async () => {
  const url = await (async () => {
    await using gone = await reverseEndpoint()
    return gone.url
  })()
  const facts = new Inbox<SimulatorFact>()
  await using sim = await startSimulator({ reverse: [{ url }], redial: 1, report: (fact) => facts.push(fact) })
  for (let dials = 0; dials < 3; dials++)
    expect(await facts.take()).toMatchObject({ kind: 'dial failed', url, why: expect.stringContaining(url) })
  expect(sim.links).toBe(0)
})

test('[SIM19] events are posted in order, signed, and quick operations in the answers are carried out', async () => {
  const posts = new Inbox<{ body: string; headers: Headers }>()
  const app = new Hono<HostEnv>()
  app.post('/hook', async (c) => {
    const body = await c.req.text()
    posts.push({ body, headers: new Headers(c.req.raw.headers) })
    return body.includes('quick') ? c.json({ reply: 'answer' }) : c.body(null, 204)
  })
  await using listener = await bunHost.listen({ host: '127.0.0.1', port: 0, app, maxFrame: 1024 * 1024 })
  const url = `http://127.0.0.1:${listener.port}`
  const facts = new Inbox<SimulatorFact>()
  await using sim = await startSimulator({
    post: [{ url: `${url}/hook`, secret: 'hush' }, { url: `${url}/none` }],
    heartbeat: 0,
    reportSelf: true,
    report: (fact) => facts.push(fact),
  })
  const said = ['first', 'quick', 'third'].map((text) => JSON.stringify(sim.say({ text })))
  for (const event of said) {
    const { body, headers } = await posts.take()
    expect(body).toBe(event)
    const signature = createHmac('sha1', 'hush').update(event).digest('hex')
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/json',
      'x-self-id': '10001',
      'x-signature': `sha1=${signature}`,
    })
  }
  expect(JSON.parse((await posts.take()).body)).toMatchObject({ post_type: 'message_sent', group_id: GROUP })
  expect(await facts.take()).toEqual({ kind: 'post failed', url: `${url}/none`, why: 'it answered 404' })
})

test('[SIM20] a taken port is refused with the system’s error; what ended leaves its port free', async () => {
  const sim = await startSimulator()
  const port = Number(new URL(sim.address).port)
  await expect(startSimulator({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  using link = await client(sim.url)
  await sim[Symbol.asyncDispose]()
  expect(await link.closed).toMatchObject({ code: expect.any(Number) })
  await using next = await startSimulator({ port })
  expect(next.address).toBe(sim.address)
})
