// Steering the simulator over HTTP.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { rawClient, request } from '../contract/raw.ts'
import { client, simulated } from './bed.ts'

const GROUP = 123_456_789
const FRIEND = 2_854_196_310

test('[SIM21] an injected event arrives byte for byte, on every link', async () => {
  await using at = await simulated()
  using other = await client(at.sim.url)
  await at.sim.linked(2)
  const events = readFileSync('test/fixtures/events.jsonl', 'utf8').trimEnd().split('\n')
  for (const event of [...events, '\n{"post_type" :\t"x", "n": 1e400, "é": "\\u0000"}\n ']) {
    expect(await (await at.control('event', event)).json()).toEqual({ links: 2 })
    for (const { frames } of [at.bot, other]) expect(await frames.take()).toBe(event)
  }
  for (const refused of ['', '[]', '1', 'null', '{', '{}{}'])
    expect((await at.control('event', refused)).status).toBe(400)
  expect(at.bot.frames.left).toEqual([])
  at.sim.emit('not even JSON')
  expect(await at.bot.frames.take()).toBe('not even JSON')
})

test('[SIM22] somebody says something: in a group unless told otherwise, by JSON, form or query', async () => {
  await using at = await simulated()
  const heard = async (path: string, body: string | object) => {
    const response = await at.control(path, body)
    const event = await response.json()
    expect(await at.bot.next()).toEqual(event as never)
    return event
  }
  expect(await heard('say', { text: 'hi [CQ:at,qq=10001]' })).toEqual({
    time: expect.any(Number),
    self_id: 10001,
    post_type: 'message',
    message_type: 'group',
    sub_type: 'normal',
    message_id: expect.any(Number),
    group_id: GROUP,
    user_id: FRIEND,
    anonymous: null,
    message: [
      { type: 'text', data: { text: 'hi ' } },
      { type: 'at', data: { qq: '10001' } },
    ],
    raw_message: 'hi [CQ:at,qq=10001]',
    font: 0,
    sender: expect.objectContaining({ user_id: FRIEND, nickname: '小冰', card: '', role: 'admin' }),
  } as never)
  const privately = await heard('say', `text=a+b&user_id=${FRIEND}`)
  expect(privately).toMatchObject({ message_type: 'private', sub_type: 'friend', user_id: FRIEND, raw_message: 'a b' })
  expect(privately).not.toHaveProperty('group_id')
  expect(await heard('say?text=query&group_id=987654321', '')).toMatchObject({ group_id: 987654321 })
  expect(await heard('request', { type: 'friend' })).toMatchObject({ request_type: 'friend' })
  const refused: [object, string][] = [
    [{}, 'text: found nothing, wanted a value'],
    [{ text: 'x', group_id: 5 }, 'group 5: the account is not in it'],
    [{ text: 'x', user_id: 5 }, 'user 5: nobody knows that account'],
    [{ text: 'x', txt: 'x' }, 'txt: found "txt", wanted no such key'],
    [{ text: '' }, 'text: '],
  ]
  for (const [body, error] of refused) {
    const response = await at.control('say', body)
    expect({ body, status: response.status, answer: await response.json() }).toEqual({
      body,
      status: 400,
      answer: { error: expect.stringContaining(error) } as never,
    })
  }
})

test('[SIM23] what clients called is listed with its exact params, and can be waited for', async () => {
  await using at = await simulated()
  const sent = async (query = '') => (await at.control(`sent${query}`)).text()
  expect(await sent()).toBe('[]\n')
  const waiting = sent('?wait=60000')
  const params = '{"message_id":7672696335120716277, "z":1,"a":"\\u4f60"}'
  await at.bot.ask(`{"params":${params},"action":"get_msg","echo":1}`)
  const call = { n: 1, time: expect.any(Number), action: 'get_msg' }
  const text = await waiting
  expect(text).toContain(`"params":${params}`)
  expect(JSON.parse(text)).toMatchObject([call])
  await at.bot.ask('{"action":"get_status"}')
  await fetch(`${at.sim.address}/get_image?file=a`)
  expect(JSON.parse(await sent('?after=1'))).toMatchObject([
    { n: 2, action: 'get_status', params: {} },
    { n: 3, action: 'get_image', params: { file: 'a' } },
  ])
  expect(JSON.parse(await sent('?after=3&wait=1'))).toEqual([])
  for (let more = 0; more < 3_000; more++) at.bot.socket.send('{"action":"get_status"}')
  await at.bot.call('get_login_info')
  const kept = JSON.parse(await sent())
  expect(kept.length).toBeGreaterThanOrEqual(1_000)
  expect(kept.length).toBeLessThanOrEqual(2_000)
  expect(JSON.parse(await sent('?after=3003&wait=5000')).at(-1)).toMatchObject({ n: 3004, action: 'get_login_info' })
})

test('[SIM24] state is shown, faults are set and links dropped over HTTP', async () => {
  await using at = await simulated()
  const json = async (path: string, body?: string | object) => (await at.control(path, body)).json()
  const wanted = { silent: true, 'slow-replies': 5, 'lost-replies': 0.5 }
  expect(await json('faults', wanted)).toEqual(wanted as never)
  expect(await json('faults', { 'lost-replies': true })).toEqual({ ...wanted, 'lost-replies': 1 } as never)
  expect(await json('faults', { 'lost-replies': false, silent: false, 'slow-replies': 0 })).toMatchObject({
    silent: false,
  })
  expect(await json('state')).toMatchObject({
    self_id: 10001,
    links: 1,
    sent: 0,
    faults: { silent: false, 'slow-replies': 0, 'lost-replies': 0 },
    friends: expect.arrayContaining([expect.objectContaining({ nickname: '小冰' })]),
    groups: expect.arrayContaining([expect.objectContaining({ group_id: GROUP, members: expect.any(Array) })]),
  } as never)
  for (const wrong of [{ silent: 'perhaps' }, { 'lost-replies': 2 }, { loud: true }])
    expect((await at.control('faults', wrong)).status).toBe(400)
  for (const wrong of ['999', '1005', '1006', '5000', 'x'])
    expect((await at.control(`drop?close=${wrong}`, '')).status).toBe(400)
  expect(await json('drop?close=4321', '')).toEqual({ dropped: 1 } as never)
  expect(await at.bot.closed).toEqual({ code: 4321 })
  using next = await client(at.sim.url)
  expect(await json('drop', '')).toEqual({ dropped: 1 } as never)
  expect(await next.closed).toEqual({ code: 1006 })
})

test('[SIM25] only this machine steers, and no other site in its browser', async () => {
  await using at = await simulated()
  const { port } = new URL(at.sim.address)
  const status = async (headers: Record<string, string>, line = 'POST /simulator/drop') => {
    const peer = request(Number(port), line, {
      connection: 'close',
      'content-length': '0',
      host: `127.0.0.1:${port}`,
      ...headers,
    })
    return Number((await peer.head).split(' ')[1])
  }
  expect(await status({ origin: 'https://example.com' })).toBe(403)
  expect(await status({ origin: 'null' })).toBe(403)
  expect(await status({ host: 'example.com', origin: 'http://example.com' })).toBe(403)
  expect(await status({ host: 'example.com' }, 'GET /simulator/state')).toBe(403)
  expect(await status({ 'x-forwarded-for': '10.0.0.1' })).toBe(403)
  expect(await status({ host: `[::1]:${port}` }, 'GET /simulator/state')).toBe(200)
  expect(await at.bot.call('get_status')).toMatchObject({ retcode: 0 })
  expect(await status({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toBe(200)
  expect(await at.bot.closed).toEqual({ code: 1006 })
})

test('[SIM26] a burst arrives whole and in order, its ids growing by one', async () => {
  await using at = await simulated()
  const response = at.control('burst', { count: 20_000, size: 100 })
  let last = 0
  for (let n = 1; n <= 20_000; n++) {
    const { message_id, raw_message, message, sent_at, group_id } = await at.bot.next()
    if (last !== 0 && message_id !== last + 1) throw new Error(`burst: ${last} was followed by ${message_id}`)
    last = message_id
    if (n > 1 && n < 20_000) continue
    expect(raw_message).toBe(`#${n}`.padEnd(100, ' x'))
    expect({ message, group_id }).toEqual({ message: [{ type: 'text', data: { text: raw_message } }], group_id: GROUP })
    expect(Math.abs(Date.now() - sent_at)).toBeLessThan(60_000)
  }
  expect(await (await response).json()).toEqual({ count: 20_000, ms: expect.any(Number) } as never)
})

test('[SIM27] a burst keeps to its rate', async () => {
  await using at = await simulated()
  const { count, ms } = await at.sim.burst({ count: 101, rate: 500 })
  expect(count).toBe(101)
  expect(ms).toBeGreaterThanOrEqual(199)
})

test('[SIM28] a burst waits for whoever reads slowly, loses nothing, and ends when it is not wanted any more', async () => {
  await using at = await simulated()
  const slow = await rawClient(Number(new URL(at.sim.address).port))
  await at.sim.linked(2)
  slow.socket.pause()
  // More than the kernel takes on top of what may wait.
  for (let n = 0; n < 30; n++) at.sim.emit(JSON.stringify({ filler: 'x'.repeat(1024 * 1024) }))
  let over = false
  const burst = at.sim.burst({ count: 500 }).then(({ count }) => {
    over = true
    return count
  })
  for (let heard = ''; !heard.includes('"raw_message":"#1"'); ) heard = await at.bot.frames.take()
  // The first has crossed the network: a burst that does not wait would long be through its turn.
  expect(over).toBe(false)
  slow.socket.resume()
  expect(await burst).toBe(500)
  let next = 1
  while (next <= 500) {
    const number = /"raw_message":"#(\d+)"/.exec((await slow.frames.take()).payload.toString())?.[1]
    if (number === undefined) continue
    expect(Number(number)).toBe(next)
    next++
  }

  const stop = new AbortController()
  const unwanted = at.sim.burst({ count: Number.POSITIVE_INFINITY, signal: stop.signal })
  await at.bot.next()
  stop.abort()
  expect((await unwanted).count).toBeGreaterThan(0)
  const orphaned = at.sim.burst({ count: Number.POSITIVE_INFINITY, rate: 1 })
  await at.sim[Symbol.asyncDispose]()
  expect((await orphaned).count).toBe(1)
  slow.socket.destroy()
})
