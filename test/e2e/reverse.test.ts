// Links that we dial to clients, and links that an implementation dials to us.

import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { Application } from '../support/application.ts'
import { Client } from '../support/client.ts'
import { gateway } from '../support/gateway.ts'
import { groupMessage, heartbeat, lifecycle, ok } from '../support/implementation.ts'
import { knock } from '../support/knock.ts'
import { BRISK, testbed } from '../support/testbed.ts'
import { milky, overOneBot, upstream } from '../support/upstream.ts'

const online = async (address: string) =>
  ((await (await fetch(`${address}/api/get_online_clients`)).json()) as { data: Record<string, unknown>[] }).data

describe('a client that we dial', () => {
  test('[LNK20] is told by headers whose events come, in which role, and the token', async () => {
    await using app = new Application({ token: 'secret' })
    const config = { 'reverse-web-socket': [{ url: app.url, 'access-token': 'secret' }] }
    await using bed = await testbed({ config, bot: { selfId: 20002, answer: (frame) => ok(frame, 'here') } })
    const headers = await app.handshakes.take()
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-self-id': '20002',
      'x-client-role': 'Universal',
      'user-agent': 'OneBot/11',
      authorization: 'Bearer secret',
    })
    expect(headers.has('origin')).toBe(false)
    const link = await app.links.take()
    expect([await link.next(), await link.next(), await link.next()]).toMatchObject([
      { meta_event_type: 'lifecycle', sub_type: 'connect', self_id: 20002 },
      { meta_event_type: 'heartbeat', status: { online: true } },
      { notice_type: 'client_status', client: { transport: 'reverse' }, self_client: true },
    ])
    bed.bot.send(groupMessage('hi', 20002))
    expect(await link.event('message')).toMatchObject({ raw_message: 'hi' })
    expect(await link.call('get_status', {}, { seq: 1 })).toMatchObject({
      data: milky ? { online: true } : 'here',
      echo: { seq: 1 },
    })
    expect(await link.call('set_client_name', { name: 'dialled' })).toMatchObject({ retcode: 0, data: {} })
  })

  test('[LNK21] each entry dials its own, under its own name; empty ones are ignored', async () => {
    await using one = new Application({ token: 'first' })
    await using two = new Application({ token: 'second' })
    const entries = [
      { name: 'one', url: one.url, 'access-token': 'first' },
      { url: '' },
      { name: 'two', url: two.url, 'access-token': 'second' },
      { url: '', 'access-token': '' },
    ]
    await using bed = await testbed({ config: { 'reverse-web-socket': entries } })
    const links = [await one.links.take(), await two.links.take()]
    for (const link of links) await link.event('notice.client_status')
    const there = await online(bed.gateway.address)
    expect(there.map(({ client_name }) => client_name).sort()).toEqual(['one', 'two'])
    bed.bot.send(groupMessage('to both'))
    for (const link of links) expect(await link.event('message')).toMatchObject({ raw_message: 'to both' })
    expect([one.open, two.open, one.refused, two.refused]).toEqual([1, 1, 0, 0])
  })

  test('[LNK22] is dialled once the account is known, not before', async () => {
    await using app = new Application()
    await using bot = upstream({ first: [] })
    const own = bot.own
    await using running = await gateway({ 'ntqq-impl': own, 'reverse-web-socket': [{ url: app.url }] })
    await bot.handshakes.take()
    if (!milky) bot.send(groupMessage('first').replace('"self_id":10001', '"self_id":0'))
    await running.status()
    expect(app.handshakes.left).toEqual([])
    // Every digit of it; over Milky nobody has so many.
    const account = milky ? '20002' : '9007199254740993'
    if (milky) bot.becomes(20002)
    else bot.send(lifecycle().replace('10001', account))
    expect((await app.handshakes.take()).get('x-self-id')).toBe(account)
  })

  test('[LNK23] is dialled again after every end, never while its old link is open', async () => {
    await using app = new Application({ exclusive: true })
    await using bed = await testbed({ config: { 'reverse-web-socket': [{ name: 'it', url: app.url }] }, ...BRISK })
    let link = await app.links.take()
    await link.event('notice.client_status')
    const watcher = await bed.client()
    for (const end of [() => link.close(1000), () => app.drop()]) {
      void end()
      expect(await watcher.event('notice.client_status')).toMatchObject({
        client: { client_name: 'it' },
        online: false,
      })
      link = await app.links.take()
      expect(await watcher.event('notice.client_status')).toMatchObject({ client: { client_name: 'it' }, online: true })
      expect(await link.next()).toMatchObject({ sub_type: 'connect' })
      // No ghost of the one before, and the name is free for it.
      expect((await online(bed.gateway.address)).length).toBe(2)
    }
    expect(app.refused).toBe(0)
  })

  test('[LNK24] that opens and then closes with 1008 is retried ever more slowly', async () => {
    let disliked = 4
    await using app = new Application({ dislikes: () => disliked-- > 0 })
    const patience = { first: 20, most: 1_000, stable: 60_000 }
    await using bed = await testbed({ config: { 'reverse-web-socket': [{ url: app.url }] }, patience })
    const link = await app.links.take()
    expect(await link.next()).toMatchObject({ sub_type: 'connect' })
    const pauses = bed.gateway.facts.flatMap((fact) => (fact.kind === 'link-retry' ? [fact] : []))
    expect(pauses.map(({ tries }) => tries)).toEqual([1, 2, 3, 4])
    for (const [index, { inMs, reason }] of pauses.entries()) {
      expect(inMs).toBeGreaterThanOrEqual(20 * 2 ** index)
      expect(reason).toContain('invalid X-Client-Role')
    }
    await bed.gateway.until(({ links, bots }) => links === 0 && bots[0]?.sessions.length === 1)
  })

  test('[LNK43] is an implementation: its link is closed with 1008, and dialled again', async () => {
    const patience = { first: 20, most: 1_000, stable: 60_000 }
    await using app = new Application()
    await using bed = await testbed({ config: { 'reverse-web-socket': [{ url: app.url }] }, patience })
    const link = await app.links.take()
    link.send(lifecycle(10001))
    // NapCat answers whatever comes: to answer that in turn would go on for ever.
    link.send({ status: 'failed', retcode: 1404, data: null, echo: null })
    expect(await link.closed).toMatchObject({
      code: 1008,
      reason: expect.stringContaining('/onebot/v11/implementation'),
    })
    expect(link.heard.filter((text) => text.includes('"retcode"'))).toEqual([])
    await app.links.take()
    const facts = bed.gateway.facts.flatMap((fact) => (fact.kind === 'implementation-misplaced' ? [fact] : []))
    expect(facts.map(({ session }) => session.link.transport)).toEqual(['reverse'])
  })

  test('[LNK25] that refuses or does not answer disturbs nobody and is found when it comes', async () => {
    await using wrong = new Application({ token: 'other' })
    await using right = new Application()
    const entries = [{ url: wrong.url }, { url: 'ws://127.0.0.1:1/' }, { url: right.url }]
    await using bed = await testbed({ config: { 'reverse-web-socket': entries }, ...BRISK })
    const link = await right.links.take()
    await wrong.handshakes.take()
    await wrong.handshakes.take()
    bed.bot.send(groupMessage('on'))
    expect(await link.event('message')).toMatchObject({ raw_message: 'on' })
    expect((await online(bed.gateway.address)).length).toBe(1)
  })

  test('[LNK34] hears 1001 at the end, and is dialled anew only after its old link has closed', async () => {
    await using app = new Application({ exclusive: true })
    const entry = (name: string) => ({ 'reverse-web-socket': [{ name, url: app.url }] })
    await using bed = await testbed({ config: entry('before'), ...BRISK })
    const old = await app.links.take()
    await old.event('notice.client_status')
    await bed.gateway.apply({ ...entry('after'), 'ntqq-impl': bed.bot.own })
    expect(await old.closed).toMatchObject({ code: 1001 })
    const link = await app.links.take()
    expect(await link.event('notice.client_status')).toMatchObject({ client: { client_name: 'after' } })
    expect(app.refused).toBe(0)
    await bed.gateway.stop()
    expect(await link.closed).toMatchObject({ code: 1001 })
  })

  test('[LNK37] never gets one account’s events on a link that was opened for another', async () => {
    const gate = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const named: (string | null)[] = []
    const second = Promise.withResolvers<void>()
    const first = Promise.withResolvers<number>()
    await using app = Bun.serve<{ turn: number }>({
      port: 0,
      hostname: '127.0.0.1',
      async fetch(request, server) {
        const turn = named.push(request.headers.get('x-self-id'))
        asked.resolve()
        await gate.promise
        return server.upgrade(request, { data: { turn } }) ? undefined : new Response('upgrade')
      },
      websocket: {
        message({ data: { turn } }, text) {
          if (turn === 1) first.reject(new Error(`told ${text}`))
          else second.resolve()
        },
        close: ({ data: { turn } }, code) => void (turn === 1 && first.resolve(code)),
      },
    })
    const config = { 'reverse-web-socket': [{ url: `ws://127.0.0.1:${app.port}/` }] }
    await using bed = await testbed({ config, ...BRISK })
    await asked.promise
    bed.bot.becomes(20002)
    await bed.gateway.until(({ bots }) => bots[0]?.self_id === '20002')
    gate.resolve()
    expect(await first.promise).toBe(1012)
    await second.promise
    expect(named).toEqual(['10001', '20002'])
  })

  test('[LNK26] gets the bot that its entry names', async () => {
    await using app = new Application()
    await using first = upstream({ selfId: 10001 })
    await using second = upstream({ selfId: 20002 })
    await using running = await gateway({
      'ntqq-impl': first.own,
      upstreams: [second.entry],
      'reverse-web-socket': [{ url: app.url, 'self-id': 20002 }],
    })
    const link = await app.links.take()
    expect(await link.next()).toMatchObject({ self_id: 20002 })
    await running.until(({ bots }) => bots.every((bot) => bot.online))
    first.send(groupMessage('not for it', 10001))
    second.send(groupMessage('for it', 20002))
    expect(await link.event('message')).toMatchObject({ raw_message: 'for it' })
  })
})

/** Refuses everybody, and notes when they came (ms). */
function refusing(count: number) {
  const came: number[] = []
  const all = Promise.withResolvers<void>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch() {
      if (came.push(performance.now()) === count) all.resolve()
      return new Response('no', { status: 503 })
    },
  })
  return { server, url: `ws://127.0.0.1:${server.port}/`, came, all: all.promise }
}

describe('at a start', () => {
  const MANY = 40
  const numbered = (url: string) => Array.from({ length: MANY }, (_, n) => ({ url: `${url}?n=${n}` }))

  overOneBot('whom it dials refuses before a word is said')(
    '[LNK42] [UPS8] neither clients nor implementations of many accounts are dialled in one moment',
    async () => {
      const clients = refusing(MANY)
      const implementations = refusing(MANY)
      await using _clients = clients.server
      await using _implementations = implementations.server
      await using bot = upstream()
      await using _ = await gateway({
        'ntqq-impl': bot.own,
        upstreams: numbered(implementations.url),
        'reverse-web-socket': numbered(clients.url),
      })
      await Promise.all([clients.all, implementations.all])
      // All of them by chance within a sixth of the time: less than once in 10^28.
      for (const { came } of [clients, implementations])
        expect(Math.max(...came) - Math.min(...came)).toBeGreaterThan(50)
    },
  )
})

const pem = (name: string) => new URL(`../fixtures/tls/${name}.pem`, import.meta.url).pathname

describe('wss', () => {
  test('[LNK27] clients and implementations are dialled over TLS, their certificates checked unless told not to', async () => {
    const tls = { cert: readFileSync(pem('cert'), 'utf8'), key: readFileSync(pem('key'), 'utf8') }
    await using trusted = new Application({ tls })
    await using careless = new Application({ tls })
    await using distrusted = new Application({ tls })
    await using implementation = upstream({ tls })
    await using running = await gateway({
      'ntqq-impl': { 'external-web-socket': '' },
      upstreams: [{ ...implementation.entry, ca: pem('ca') }],
      'reverse-web-socket': [
        { url: distrusted.url },
        { url: trusted.url, ca: pem('ca') },
        { url: careless.url, insecure: true },
      ],
    })
    await running.until(({ bots }) => bots[0]?.online === true)
    expect(await (await trusted.links.take()).next()).toMatchObject({ sub_type: 'connect' })
    expect(await (await careless.links.take()).next()).toMatchObject({ sub_type: 'connect' })
    expect(distrusted.handshakes.left).toEqual([])
  })
})

/** An implementation that dials us: what it hears are actions. */
const dialIn = (ws: string, headers: Record<string, string> = { 'X-Self-ID': '10001' }) =>
  Client.connect(`${ws}/onebot/v11/implementation`, { headers: { 'X-Client-Role': 'Universal', ...headers } })

describe('an implementation that dials us', () => {
  const dialling = overOneBot('implementations that speak Milky dial nobody')
  const reverse = { 'ntqq-impl': { mode: 'reverse' as const } }

  dialling('[LNK28] serves clients as one that we dial does, known by its header at once', async () => {
    await using running = await gateway({ ...reverse, actions: { hold: '0s' } })
    await using early = await Client.connect(running.ws)
    await using bot = await dialIn(running.ws)
    expect(await early.next()).toMatchObject({ meta_event_type: 'lifecycle', self_id: 10001 })
    bot.send(groupMessage('hi'))
    expect(await early.event('message')).toMatchObject({ raw_message: 'hi' })
    early.send({ action: 'get_status', echo: [1] })
    const action = await bot.next()
    expect(action).toMatchObject({ action: 'get_status' })
    bot.send(ok(action, 'fine'))
    expect(await early.next(({ retcode }) => retcode === 0)).toEqual({
      status: 'ok',
      retcode: 0,
      data: 'fine',
      echo: [1],
    })
    await bot.close()
    await running.until(({ bots }) => bots[0]?.online === false)
    expect((await early.call('send_msg'))['retcode']).toBe(1503)
    await using again = await dialIn(running.ws)
    await running.until(({ bots }) => bots[0]?.online === true)
    again.send(groupMessage('back'))
    expect(await early.event('message')).toMatchObject({ raw_message: 'back' })
  })

  dialling('[LNK29] without the header is known by its first frame', async () => {
    await using running = await gateway(reverse)
    await using client = await Client.connect(running.ws)
    await using bot = await dialIn(running.ws, {})
    bot.send(heartbeat(5000, 30003))
    expect(await client.next()).toMatchObject({ meta_event_type: 'lifecycle', self_id: 30003 })
  })

  dialling('[LNK30] shows its token before the upgrade', async () => {
    await using running = await gateway({ 'ntqq-impl': { mode: 'reverse', 'external-access-token': 'its-own' } })
    const status = async (headers: Record<string, string>) =>
      (await knock(running.address, '/onebot/v11/implementation', { 'x-self-id': '1', ...headers }, { upgrade: true }))
        .status
    expect(await status({})).toBe(401)
    expect(await status({ authorization: 'Bearer wrong' })).toBe(403)
    for (const spelled of ['Bearer its-own', 'Token its-own', 'its-own'])
      expect(await status({ authorization: spelled })).toBe(101)
  })

  dialling('[LNK31] is refused before the upgrade when account, role or place is wrong', async () => {
    await using running = await gateway({
      'ntqq-impl': { 'external-web-socket': '' },
      upstreams: [{ kind: 'reverse', 'self-id': '10001' }],
    })
    const refused = async (headers: Record<string, string>, address = running.address) => {
      const answer = await knock(address, '/onebot/v11/implementation', headers, { upgrade: true })
      return [answer.status, JSON.parse(answer.body || '{}').retcode]
    }
    expect(await refused({ 'x-self-id': '20002' })).toEqual([403, 1403])
    expect(await refused({ 'x-self-id': '10001', 'x-client-role': 'Event' })).toEqual([400, 1400])
    expect(await refused({ 'x-self-id': '10001', 'x-client-role': 'API' })).toEqual([400, 1400])
    const plain = await knock(running.address, '/onebot/v11/implementation', { 'x-self-id': '10001' })
    expect(plain.status).toBe(426)
    expect(await refused({ 'x-self-id': '10001', 'x-client-role': 'universal' })).toEqual([101, undefined])
    await using other = await gateway(reverse)
    expect(await refused({ 'x-self-id': 'abc' }, other.address)).toEqual([400, 1400])
    await using bed = await testbed()
    expect(await refused({ 'x-self-id': '10001' }, bed.gateway.address)).toEqual([404, 1404])
  })

  dialling('[LNK32] replaces its older link, which is closed with 4009; clients notice nothing', async () => {
    await using running = await gateway(reverse)
    await using old = await dialIn(running.ws)
    await using client = await Client.connect(running.ws)
    await client.event('notice.client_status')
    await using young = await dialIn(running.ws)
    expect(await old.closed).toMatchObject({ code: 4009 })
    young.send(groupMessage('from the newer'))
    expect(await client.event('message')).toMatchObject({ raw_message: 'from the newer' })
    client.send({ action: 'send_msg', echo: 'e' })
    young.send(ok(await young.next(), 'newer'))
    expect(await client.next(({ echo }) => echo === 'e')).toMatchObject({ data: 'newer' })
    expect((await running.status()).bots[0]?.online).toBe(true)
  })

  dialling('[LNK35] cannot put a working link aside without saying that it has the same account', async () => {
    await using running = await gateway(reverse)
    await using bot = await dialIn(running.ws)
    await using client = await Client.connect(running.ws)
    await client.event('notice.client_status')
    const stranger = (headers: Record<string, string>) =>
      knock(running.address, '/onebot/v11/implementation', headers, { upgrade: true })
    expect((await stranger({})).status).toBe(409)
    expect((await stranger({ 'x-self-id': '20002' })).status).toBe(403)
    bot.send(groupMessage('still there'))
    expect(await client.event('message')).toMatchObject({ raw_message: 'still there' })
  })

  dialling('[LNK36] may bring another account where none is prescribed and the old one is away', async () => {
    await using running = await gateway(reverse)
    const old = await dialIn(running.ws)
    await using client = await Client.connect(running.ws)
    await client.event('notice.client_status')
    await old.close()
    await running.until(({ bots }) => bots[0]?.online === false)
    await using bot = await dialIn(running.ws, { 'X-Self-ID': '20002' })
    expect(await client.closed).toMatchObject({ code: 1012 })
    await using again = await Client.connect(running.ws)
    await again.event('notice.client_status')
    bot.send(groupMessage('the other', 20002))
    expect(await again.event('message')).toMatchObject({ self_id: 20002 })
  })

  dialling('[LNK33] finds its place among several by its account', async () => {
    await using running = await gateway({
      'ntqq-impl': { 'external-web-socket': '' },
      upstreams: [
        { kind: 'reverse', 'self-id': '10001', 'access-token': 'one' },
        { kind: 'reverse', 'self-id': '20002', 'access-token': 'two' },
      ],
    })
    await using second = await dialIn(running.ws, { 'X-Self-ID': '20002', Authorization: 'Bearer two' })
    await using first = await dialIn(running.ws, { 'X-Self-ID': '10001', Authorization: 'Bearer one' })
    await running.until(({ bots }) => bots.every((bot) => bot.online))
    const wrong = { 'x-self-id': '20002', authorization: 'Bearer one' }
    expect((await knock(running.address, '/onebot/v11/implementation', wrong, { upgrade: true })).status).toBe(403)
    await using client = await Client.connect(`${running.ws}/?self_id=20002`)
    await client.event('notice.client_status')
    first.send(groupMessage('one', 10001))
    second.send(groupMessage('two', 20002))
    expect(await client.event('message')).toMatchObject({ raw_message: 'two' })
  })
})
