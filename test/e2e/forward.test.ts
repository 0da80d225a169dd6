// Clients that connect to the fixed paths: what they are told first, what they hear, and what becomes of their calls.

import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { Client, type Frame } from '../support/client.ts'
import { EAGER, gateway } from '../support/gateway.ts'
import { groupMessage, heartbeat, lifecycle, now, ok } from '../support/implementation.ts'
import { knock } from '../support/knock.ts'
import { BRISK, testbed } from '../support/testbed.ts'
import { canTell, expectTold, milky, overOneBot, upstream } from '../support/upstream.ts'

const lines = (name: string) =>
  readFileSync(new URL(`../fixtures/${name}.jsonl`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')

/** Milliseconds; over Milky it is ours. */
const BEAT = milky ? 10_000 : 5_000

/** Facts are told only there. */
const IN_PROCESS = { patience: EAGER }

const isOffline = ({ meta_event_type, status }: Frame) =>
  meta_event_type === 'heartbeat' && !(status as { online: boolean }).online // heartbeats have one

describe('an implementation that comes as a client', () => {
  test('[LNK43] gets no answer to its events and replies: 1008 says where it belongs', async () => {
    await using bed = await testbed({ ...IN_PROCESS })
    for (const frame of [lifecycle(10001), { status: 'failed', retcode: 1404, data: null, echo: null }]) {
      await using lost = await Client.connect(`${bed.gateway.ws}/onebot/v11/ws`)
      lost.send(frame)
      lost.send(frame)
      expect(await lost.closed).toEqual({
        code: 1008,
        reason: 'this link is for clients, and you are an implementation: yours is /onebot/v11/implementation',
      })
      expect(lost.heard.filter((text) => text.includes('"retcode"'))).toEqual([])
    }
    const told = bed.gateway.facts.filter(({ kind }) => kind === 'implementation-misplaced')
    expect(told).toHaveLength(2)
  })
})

describe('paths', () => {
  test('[LNK1] every fixed path, with a slash at its end or without, carries what it says', async () => {
    await using bed = await testbed({ bot: { answer: (frame) => ok(frame, frame.action) } })
    const paths = {
      '/': [true, true],
      '/onebot/v11/ws': [true, true],
      '/onebot/v11/ws/': [true, true],
      '/onebot/v11/ws/api': [false, true],
      '/onebot/v11/ws/api/': [false, true],
      '/onebot/v11/ws/event': [true, false],
      '/onebot/v11/ws/event/': [true, false],
      '/api': [false, true],
      '/api/': [false, true],
      '/event': [true, false],
      '/event/': [true, false],
    }
    const clients: [Client, string, boolean | undefined, boolean | undefined][] = []
    for (const [path, [events, calls]] of Object.entries(paths))
      clients.push([await bed.client(path), path, events, calls])
    expect((await bed.gateway.status()).bots[0]?.sessions.length).toBe(7)
    bed.bot.send(groupMessage('to all'))
    for (const [client, path, events, calls] of clients) {
      if (events) expect([path, (await client.event('message'))['raw_message']]).toEqual([path, 'to all'])
      const reply = await client.call('get_status')
      expect([path, reply['retcode']]).toEqual([path, calls ? 0 : 1403])
      // Whatever was sent before the reply has come by now.
      if (!events) expect(client.heard.length).toBe(1)
    }
  })

  test('[LNK2] GET / is a page, a WebSocket where one asks for it, and other paths ask for one', async () => {
    await using bed = await testbed()
    const shown = await fetch(bed.gateway.address)
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
    expect(await shown.text()).toContain('perpetua')
    const plain = await fetch(`${bed.gateway.address}/onebot/v11/ws`)
    expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket'])
    expect(await plain.json()).toMatchObject({
      status: 'failed',
      retcode: 1400,
      message: expect.stringContaining('WebSocket'),
    })
    expect((await knock(bed.gateway.address, '/elsewhere', {}, { upgrade: true })).status).toBe(404)
  })
})

describe('first frames', () => {
  test('[LNK3] lifecycle, heartbeat and client_status come first, in this order, of the account and of now', async () => {
    await using bed = await testbed({ bot: { selfId: 20002 } })
    for (const path of ['/', '/onebot/v11/ws', '/onebot/v11/ws/event', '/event']) {
      await using client = await Client.connect(`${bed.gateway.ws}${path}`)
      const frames = [await client.next(), await client.next(), await client.next()]
      expect(frames).toMatchObject([
        { post_type: 'meta_event', meta_event_type: 'lifecycle', sub_type: 'connect' },
        { post_type: 'meta_event', meta_event_type: 'heartbeat', status: { online: true, good: true }, interval: BEAT },
        { post_type: 'notice', notice_type: 'client_status', online: true, self_client: true },
      ])
      for (const { time, self_id } of frames) {
        expect(self_id).toBe(20002)
        expect(Math.abs(Number(time) - now())).toBeLessThan(5)
      }
      expect(frames[2]?.['client']).toEqual({
        app_id: expect.stringMatching(/^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/),
        transport: 'forward',
        self_id: 20002,
        since: expect.any(Number),
      })
    }
  })

  overOneBot('Milky has neither lifecycles nor heartbeats')(
    '[LNK4] what the implementation adds to lifecycle and heartbeat stays as it wrote it',
    async () => {
      const first = [
        '{ "time":1,"self_id":10001,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"enable","vendor":7386372819283746512 }',
        '{ "interval":5000.0, "time":1,"self_id":10001,"post_type":"meta_event","meta_event_type":"heartbeat","status":{"app_good":true,"online":true,"good":true,"stat":{"packets":1e21}} }',
      ]
      await using bed = await testbed({ bot: { first } })
      await using client = await Client.connect(bed.gateway.ws)
      const [life = '', beat = ''] = [await client.text(), await client.text()]
      expect(life.replace(/"time":\d{10}/, '"time":1')).toBe((first[0] ?? '').replace('"enable"', '"connect"'))
      expect(beat.replace(/"time":\d{10}/, '"time":1')).toBe(first[1] ?? '')
    },
  )

  test('[LNK5] a client that comes before the bot was ever online gets its first frames when it comes', async () => {
    await using bot = upstream({ first: [] })
    await using running = await gateway({ 'ntqq-impl': bot.own }, BRISK)
    await using early = await Client.connect(running.ws)
    await running.until(({ bots }) => bots[0]?.sessions[0]?.state === 'waiting')
    expect(early.heard).toEqual([])
    await bot.handshakes.take()
    bot.becomes(30003)
    expect([await early.next(), await early.next(), await early.event('notice')]).toMatchObject([
      { meta_event_type: 'lifecycle', self_id: 30003 },
      { meta_event_type: 'heartbeat', self_id: 30003, status: { online: true } },
      { notice_type: 'client_status', self_id: 30003, self_client: true },
    ])
    bot.send(groupMessage('hello', 30003))
    expect((await early.event('message'))['raw_message']).toBe('hello')
  })
})

describe('heartbeats', () => {
  overOneBot('Milky has no heartbeats')(
    "[LNK6] they come at the implementation's interval; its own, and its lifecycles, are not passed on",
    async () => {
      await using bed = await testbed({ bot: { first: [lifecycle(), heartbeat(400)] } })
      const since = performance.now()
      const client = await bed.client()
      const before = client.heard.length
      bed.bot.send(lifecycle())
      // Its own bear a time of long ago, ours come by the clock and bear the time of now.
      for (let beat = 0; beat < 3; beat++) {
        bed.bot.send(heartbeat(400).replace(/"time":\d+/, '"time":1'))
        expect(await client.event('meta_event')).toMatchObject({ meta_event_type: 'heartbeat', interval: 400 })
      }
      expect(performance.now() - since).toBeGreaterThan(700)
      expect(client.heard.slice(before).filter((text) => /lifecycle|"time":1,/.test(text))).toEqual([])
    },
  )

  overOneBot('Milky has no heartbeats, and so nothing that makes ours quick enough to wait for')(
    '[LNK7] while the implementation is away they go on and say so, also to who comes then',
    async () => {
      await using bed = await testbed({ bot: { first: [lifecycle(), heartbeat(300)] }, ...BRISK })
      const client = await bed.client()
      await bed.bot.stop()
      for (let beat = 0; beat < 3; beat++)
        expect(await client.next(isOffline)).toMatchObject({ status: { online: false, good: false } })
      await using late = await Client.connect(bed.gateway.ws)
      expect([await late.next(), await late.next()]).toMatchObject([
        { meta_event_type: 'lifecycle', self_id: 10001 },
        { meta_event_type: 'heartbeat', status: { online: false, good: false } },
      ])
      bed.bot.start()
      expect(await client.next((frame) => frame['meta_event_type'] === 'heartbeat' && !isOffline(frame))).toMatchObject(
        {
          status: { online: true, good: true },
        },
      )
    },
  )
})

describe('who is there', () => {
  test('[LNK8] everybody is told who comes and goes', async () => {
    await using bed = await testbed()
    const alice = await bed.client('/?client_name=alice')
    const bob = await bed.client('/event', { headers: { 'X-Client-Name': 'bob' } })
    const came = await alice.event('notice.client_status')
    expect(came).toMatchObject({ client: { client_name: 'bob' }, online: true, self_client: false })
    await bob.close()
    expect(await alice.event('notice.client_status')).toMatchObject({
      client: came['client'],
      online: false,
      self_client: false,
    })
  })

  test('[LNK9] a name from the handshake is checked before the upgrade', async () => {
    await using bed = await testbed()
    await bed.client('/?client_name=alice')
    const taken = await knock(bed.gateway.address, '/?client_name=alice', {}, { upgrade: true })
    expect([taken.status, JSON.parse(taken.body)]).toMatchObject([409, { status: 'failed', retcode: 1409 }])
    const long = await knock(bed.gateway.address, `/?client_name=${'n'.repeat(65)}`, {}, { upgrade: true })
    expect([long.status, JSON.parse(long.body)]).toMatchObject([400, { status: 'failed', retcode: 1400 }])
    await bed.client(`/?client_name=${'n'.repeat(64)}`)
  })
})

test('[LNK15] whoever is not let in is reported, once, with the reason', async () => {
  await using bed = await testbed({ config: { http: { 'access-token': 'secret' } }, ...IN_PROCESS })
  const authorization = 'Bearer secret'
  await bed.client('/?client_name=taken', { headers: { Authorization: authorization } })
  const { data } = (await (await fetch(`${bed.gateway.address}/api/get_ws_port`)).json()) as { data: { port: number } }
  const allotted = `http://127.0.0.1:${data.port}`
  await using _ = await Client.connect(allotted.replace('http', 'ws'), { headers: { Authorization: authorization } })
  const knocks: [number, string, string, Record<string, string>, boolean?][] = [
    [401, bed.gateway.address, '/', {}],
    [403, bed.gateway.address, '/event', { authorization: 'wrong' }],
    [403, bed.gateway.address, '/onebot/v11/ws/api', { authorization, origin: 'null' }],
    [404, bed.gateway.address, '/', { authorization, 'x-self-id': '5' }],
    [409, bed.gateway.address, '/', { authorization, 'x-client-name': 'taken' }],
    [400, bed.gateway.address, '/', { authorization, 'x-client-name': 'n'.repeat(65) }],
    [426, bed.gateway.address, '/event', { authorization }, false],
    [409, allotted, '/', { authorization }],
    [401, allotted, '/', {}],
  ]
  const reported = () => bed.gateway.facts.filter(({ kind }) => kind === 'link-refused')
  for (const [status, address, path, headers, upgrade = true] of knocks) {
    const before = reported().length
    const answer = await knock(address, path, headers, { upgrade })
    expect([answer.status, reported().slice(before)]).toEqual([
      status,
      [{ kind: 'link-refused', peer: '127.0.0.1', path, status, why: JSON.parse(answer.body).message }],
    ])
  }
})

describe('two accounts', () => {
  test('[LNK10] self_id or X-Self-ID chooses the bot, the first is the default, an unknown one is refused', async () => {
    await using first = upstream({ selfId: 10001 })
    await using second = upstream({ selfId: 20002 })
    await using running = await gateway({
      'ntqq-impl': first.own,
      upstreams: [{ name: 'second', ...second.entry, 'self-id': '20002' }],
    })
    await running.until(({ bots }) => bots.length === 2 && bots.every(({ online }) => online))
    const heardOf = async (path: string, headers: Record<string, string> = {}) => {
      await using client = await Client.connect(`${running.ws}${path}`, { headers })
      await client.event('notice.client_status')
      first.send(groupMessage('from the first', 10001))
      second.send(groupMessage('from the second', 20002))
      const message = await client.event('message')
      client.send({ action: 'send_msg', params: { group_id: 1, message: 'x' }, echo: 1 })
      const { echo } = await (message['self_id'] === 10001 ? first : second).next()
      ;(message['self_id'] === 10001 ? first : second).send(ok({ echo }))
      await client.next(({ echo: mine }) => mine === 1)
      return message['raw_message']
    }
    expect(await heardOf('/')).toBe('from the first')
    expect(await heardOf('/?self_id=10001')).toBe('from the first')
    expect(await heardOf('/?self_id=20002')).toBe('from the second')
    expect(await heardOf('/onebot/v11/ws', { 'X-Self-ID': '20002' })).toBe('from the second')
    const refused = await knock(running.address, '/?self_id=30003', {}, { upgrade: true })
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([
      404,
      { retcode: 1404, message: expect.stringContaining('10001, 20002') },
    ])
  })

  test('[DSC15] an allotted port is of the bot it was asked for, whatever its handshake says', async () => {
    await using first = upstream({ selfId: 10001 })
    await using second = upstream({ selfId: 20002 })
    await using running = await gateway({
      'ntqq-impl': first.own,
      upstreams: [{ name: 'second', ...second.entry, 'self-id': '20002' }],
    })
    await running.until(({ bots }) => bots.length === 2 && bots.every(({ online }) => online))
    const lease = await fetch(`${running.address}/api/get_ws_port?self_id=20002`)
    const { data } = (await lease.json()) as { data: { port: number } }
    await using allotted = await Client.connect(`ws://127.0.0.1:${data.port}/?self_id=10001`)
    expect(await allotted.next()).toMatchObject({ self_id: 20002 })
    await allotted.close()
    await running.until(({ links }) => links === 0)
    const online = await fetch(`${running.address}/api/get_online_clients?self_id=20002`)
    expect(await online.json()).toMatchObject({ status: 'ok', retcode: 0, data: [] })
  })
})

describe('bytes', () => {
  test('[LNK11] an event reaches every kind of link as it was written', async () => {
    await using bed = await testbed()
    const { port } = (
      (await (await fetch(`${bed.gateway.address}/api/get_ws_port`)).json()) as { data: { port: number } }
    ).data
    await using allotted = await Client.connect(`ws://127.0.0.1:${port}`)
    const clients = [await bed.client('/'), await bed.client('/event'), allotted]
    const events = lines('events').filter(canTell)
    for (const event of events) bed.bot.send(event)
    for (const client of clients)
      for (const event of events)
        expectTold(
          await client.text(({ notice_type, meta_event_type }) => notice_type !== 'client_status' && !meta_event_type),
          event,
        )
  })

  overOneBot('no frame of a client goes over Milky')(
    '[LNK12] an action reaches the implementation as it was written but for its echo, and the echo comes back',
    async () => {
      await using bed = await testbed()
      const client = await bed.client('/onebot/v11/ws/api')
      for (const line of lines('actions')) {
        const { frame } = JSON.parse(line) as { frame: string }
        const { echo, ...sent } = JSON.parse(frame)
        client.send(frame)
        // Those with a suffix are answered at once.
        const early = /_(?:async|rate_limited)"/.test(frame) ? await client.next() : undefined
        const { raw, echo: token, ...arrived } = await bed.bot.next()
        expect(arrived as unknown).toEqual(
          early === undefined ? sent : { ...sent, action: sent.action.replace(/_(?:async|rate_limited)$/, '') },
        )
        if (early !== undefined) {
          expect(early).toEqual({ status: 'async', retcode: 1, data: null, echo })
          continue
        }
        // Around our token it is the client's own text.
        const ours = JSON.stringify(token)
        const pieces = raw.replace(echo === undefined ? `"echo":${ours},` : '', '').split(ours)
        expect(frame.startsWith(pieces[0] ?? '') && frame.endsWith(pieces.at(-1) ?? '')).toBe(true)
        for (const piece of pieces) expect(frame).toContain(piece)
        bed.bot.send(`{"status":"ok", "retcode":0,"data":{"id":7672696335120716277},"echo":${JSON.stringify(token)} }`)
        const reply = await client.text()
        expect(reply).toContain('"data":{"id":7672696335120716277}')
        if (echo === undefined) expect(reply).not.toContain('echo')
        else expect(JSON.parse(reply).echo).toEqual(echo)
        if (frame.includes('9007199254740993')) expect(reply).toContain('"echo":9007199254740993')
      }
    },
  )

  test('[LNK13] text in a binary frame is an action like any other', async () => {
    await using bed = await testbed({ bot: { answer: (frame) => ok(frame, '好') } })
    const client = await bed.client()
    client.socket.send(new TextEncoder().encode('{"action":"get_status","echo":"好"}'))
    expect(await client.next(({ echo }) => echo === '好')).toMatchObject(milky ? { retcode: 0 } : { data: '好' })
  })
  test('[LNK14] a frame sent the moment a link opens is not lost', async () => {
    await using bed = await testbed({ bot: { answer: (frame) => ok(frame) } })
    for (let round = 0; round < 30; round++) {
      await using client = await Client.connect(`${bed.gateway.ws}/api`)
      expect(await client.call('get_status', {}, round)).toMatchObject({ retcode: 0 })
    }
  })
})
