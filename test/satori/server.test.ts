// The doors of Satori on real sockets: who may come in, what is said first, and what is said when things change.

import { expect, test } from 'bun:test'
import { Bots } from '../../src/broker/bots.ts'
import { STRANGERS } from '../../src/broker/ports.ts'
import type { AcceptedSocket } from '../../src/runtime/host.ts'
import { Calls } from '../../src/satori/call.ts'
import { Connection } from '../../src/satori/connection.ts'
import { Lags } from '../../src/satori/lag.ts'
import { Logins } from '../../src/satori/logins.ts'
import { operator } from '../support/admin.ts'
import { Facts } from '../support/bot.ts'
import type { Client, Frame } from '../support/client.ts'
import { groupMessage, heartbeat, Implementation, ok } from '../support/implementation.ts'
import { BRISK } from '../support/testbed.ts'
import { bodyOf, event, OP, satoriBed, TOKEN } from './bed.ts'

const KIB = 1024

test('[SAT25] READY comes first, with who the bots are and how they fare; PING is answered by PONG', async () => {
  await using it = await satoriBed()
  const client = await it.connect()
  // Some send both at once.
  client.send({ op: OP.ping, body: {} })
  client.send({ op: OP.identify, body: { token: TOKEN, sn: null } })
  client.send({ op: OP.ping })
  const ready = await client.next()
  expect(ready).toMatchObject({
    op: OP.ready,
    body: {
      proxy_urls: [],
      logins: [
        {
          sn: 1,
          platform: 'onebot',
          adapter: 'perpetua',
          self_id: '10001',
          status: 1,
          user: { id: '10001', name: 'bot' },
        },
      ],
    },
  })
  expect(await client.next()).toEqual({ op: OP.pong, body: {} })
  it.bed.bot.send(groupMessage('hello'))
  expect(await event(client, 'message-created')).toMatchObject({ message: { content: 'hello' } })
})

test('[SAT25] READY waits for no name that does not come', async () => {
  await using it = await satoriBed()
  it.bed.bot.answer = () => undefined
  const client = await it.ready()
  expect(client.heard).toHaveLength(1)
  expect(JSON.parse(client.heard[0] ?? '')).toMatchObject({ body: { logins: [{ user: { id: '10001' } }] } })
})

test('[SAT26] a wrong token ends with 4004, a bad frame with 4000, and both are reported', async () => {
  await using it = await satoriBed(BRISK)
  const ends = async (frames: (string | object)[], query = '') => {
    const client = await it.connect(query)
    for (const frame of frames) client.send(frame)
    const { code, reason } = await client.closed
    expect(client.heard.filter((text) => !text.startsWith('{"op":4'))).toEqual([])
    return [code, reason]
  }
  const identify = { op: OP.identify, body: { token: TOKEN } }
  expect(await ends([{ op: OP.identify, body: { token: 'wrong' } }])).toEqual([
    4004,
    'wrong token: IDENTIFY: wrong token',
  ])
  expect(await ends([{ op: OP.identify }])).toEqual([4004, 'wrong token: IDENTIFY: no token'])
  // What the handshake showed does not help who says another one.
  const shown = `?access_token=${encodeURIComponent(TOKEN)}`
  expect((await ends([{ op: OP.identify, body: { token: 'x' } }], shown))[0]).toBe(4004)
  const bad: [string | object, string][] = [
    ['nonsense', 'found no JSON object, or a long one, want op 3 (IDENTIFY)'],
    ['[]', 'found no JSON object'],
    ['{}', 'found no op'],
    [{ op: 0, body: {} }, 'found op 0'],
    [{ op: '3' }, 'found op "3"'],
    [{ op: 99 }, 'found op 99'],
    [{ op: OP.identify, body: { token: TOKEN, pad: 'x'.repeat(64 * KIB) } }, 'or a long one'],
  ]
  for (const [frame, why] of bad) {
    const [code, reason] = await ends([frame])
    expect([code, String(reason)]).toEqual([4000, expect.stringContaining(why)])
  }
  expect((await ends([identify, identify]))[0]).toBe(4000)
  const refused = it.bed.gateway.facts.filter(({ kind }) => kind === 'link-refused')
  if (refused.length > 0) expect(refused).toHaveLength(11)
  await it.bed.gateway.until(({ links }) => links === 0)
})

/** A connection that is alone in the world, and no socket under it yet. */
function connectionOf(patience: number, settled: string[] = []): Connection {
  const bots = new Bots()
  return new Connection({
    bots,
    logins: new Logins(bots, new Calls()),
    lags: new Lags(),
    guests: STRANGERS,
    report: new Facts().report,
    channel: { publish: () => 0 },
    peer: 'test',
    path: '/',
    name: undefined,
    shown: undefined,
    opens: () => true,
    patience,
    opened: () => undefined,
    settled: () => settled.push('settled'),
    ended: () => undefined,
  })
}

test('[SAT25] who reads nothing gets no PONGs piled up, and one again once it reads', async () => {
  const sent: number[] = []
  const ready = Promise.withResolvers<void>()
  const socket = {
    open: true,
    buffered: 0,
    send(text: string) {
      const { op } = JSON.parse(text)
      sent.push(op)
      if (op === OP.ready) ready.resolve()
      return true
    },
    close: () => undefined,
    terminate: () => undefined,
  }
  const accepted = socket as unknown as AcceptedSocket // the cast: nothing else of it is used
  const connection = connectionOf(60_000)
  connection.open(accepted)
  connection.text(accepted, JSON.stringify({ op: OP.identify, body: {} }))
  await ready.promise
  socket.buffered = 5 * KIB * KIB
  for (let n = 0; n < 100; n++) connection.text(accepted, JSON.stringify({ op: OP.ping }))
  socket.buffered = 0
  connection.text(accepted, JSON.stringify({ op: OP.ping }))
  expect(sent).toEqual([OP.ready, OP.pong])
  connection.close(accepted, 1000, '')
})

test('[SAT26] who sends no IDENTIFY in time is closed with 4000', async () => {
  const closed = Promise.withResolvers<[number, string]>()
  const socket = {
    open: true,
    buffered: 0,
    send: () => true,
    close: (...args: [number, string]) => closed.resolve(args),
    terminate: () => undefined,
  }
  const settled: string[] = []
  const connection = connectionOf(1, settled)
  connection.open(socket as unknown as AcceptedSocket) // the cast: nothing else of it is used
  expect(await closed.promise).toEqual([4000, 'no IDENTIFY in time'])
  expect(settled).toEqual(['settled'])
})

test('[SAT26] an address has so many connections that have not said who they are, and no more', async () => {
  await using it = await satoriBed()
  const waiting = await Promise.all(Array.from({ length: 256 }, () => it.connect()))
  await expect(it.connect()).rejects.toThrow()
  const [first] = waiting
  first?.send({ op: OP.identify, body: { token: TOKEN } })
  await first?.next(({ op }) => op === OP.ready)
  const next = await it.connect()
  for (const client of [...waiting, next]) await client.close()
  await it.bed.gateway.until(({ links }) => links === 0)
})

test('[SAT27] the door of Satori has its own token, else that of all clients; tokens of single clients open it, too', async () => {
  await using it = await satoriBed({
    satori: { token: 'satori only' },
    config: { http: { 'access-token': TOKEN }, clients: [{ name: 'alice', token: 'of alice' }] },
  })
  const status = async (token?: string, headers: Record<string, string> = {}) =>
    (await it.call('login.get', {}, { Authorization: token === undefined ? '' : `Bearer ${token}`, ...headers })).status
  expect(await status('satori only')).toBe(200)
  expect(await status('of alice')).toBe(200)
  expect(await status(TOKEN)).toBe(403)
  expect(await status()).toBe(401)
  expect(await status('satori only', { Origin: 'https://evil.example' })).toBe(403)
  expect(await status('satori only', { 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
  await expect(it.connect('', { headers: { Origin: 'https://evil.example' } })).rejects.toThrow()
  await expect(it.connect('', { headers: { Authorization: 'Bearer wrong' } })).rejects.toThrow()
  // Behind a proxy the name by which we are called is any; who has the token may come.
  const named = await it.connect('', { headers: { Host: 'bots.example' } })
  named.send({ op: OP.identify, body: { token: 'of alice' } })
  await named.next(({ op }) => op === OP.ready)
  await it.bed.gateway.until(
    ({ bots }) => bots[0]?.sessions.some(({ client_name }) => client_name === 'alice') === true,
  )
  // By the header alone.
  const header = await it.connect('', { headers: { Authorization: 'Bearer satori only' } })
  header.send({ op: OP.identify, body: {} })
  await header.next(({ op }) => op === OP.ready)
})

test('[SAT27] without any token a name that is not ours is refused, as a page of another site would use it', async () => {
  await using it = await satoriBed({ config: { http: { 'access-token': '' } } })
  await expect(it.connect('', { headers: { Host: 'rebound.example' } })).rejects.toThrow()
  expect((await it.call('login.get', {}, { Host: 'rebound.example' })).status).toBe(403)
  const client = await it.ready({ token: undefined })
  await client.close()
})

test('[SAT28] how a bot fares is told when it changes, once', async () => {
  await using it = await satoriBed(BRISK)
  const client = await it.ready()
  it.bed.bot.send(heartbeat(30_000))
  it.bed.bot.send(heartbeat(30_000).replace('"online":true', '"online":false'))
  expect(await event(client, 'login-updated')).toMatchObject({
    login: { status: 0, user: { id: '10001', name: 'bot' } },
  })
  it.bed.bot.send(heartbeat(30_000))
  expect(await event(client, 'login-updated')).toMatchObject({ login: { status: 1 } })
  it.bed.bot.drop()
  expect(await event(client, 'login-updated')).toMatchObject({ login: { status: 4 } })
  expect(await event(client, 'login-updated')).toMatchObject({ login: { status: 1 } })
  it.bed.bot.send(groupMessage('still here'))
  await event(client, 'message-created')
  const told = client.heard.map((text) => bodyOf(JSON.parse(text)) ?? {}).filter(({ type }) => type === 'login-updated')
  expect(told.map(({ login }) => (login as Frame)['status'])).toEqual([0, 1, 4, 1])
})

test('[SAT51] a login event says all of its login, an event whose it is', async () => {
  await using it = await satoriBed(BRISK)
  const client = await it.ready()
  it.bed.bot.send(groupMessage('hi'))
  expect(await event(client, 'message-created')).toMatchObject({ platform: 'onebot', self_id: '10001' })
  it.bed.bot.send(heartbeat(30_000))
  it.bed.bot.send(heartbeat(30_000).replace('"online":true', '"online":false'))
  const { login } = await event(client, 'login-updated')
  expect(login).toEqual((await it.call('login.get')).body)
  expect(login).toMatchObject({ status: 0, adapter: 'perpetua', features: expect.arrayContaining(['message.create']) })
  // It speaks all the same.
  it.bed.bot.send(groupMessage('still here'))
  expect((await event(client, 'message-created', (body) => said(body) === 'still here'))['login']).toEqual({
    sn: 1,
    platform: 'onebot',
    user: expect.objectContaining({ id: '10001', name: 'bot' }),
  })
})

test('[SAT28] a bot that gets an account, another one, or leaves is a login that is added or removed', async () => {
  await using second = new Implementation({ selfId: 10002, first: [], answer: (frame) => ok(frame) })
  await using it = await satoriBed({
    ...BRISK,
    config: { http: { 'access-token': TOKEN }, upstreams: [{ name: 'second', url: second.url }] },
  })
  const client = await it.ready()
  second.send('{"time":1,"self_id":10002,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}')
  expect(await event(client, 'login-added')).toMatchObject({ login: { sn: 2, user: { id: '10002' }, status: 1 } })
  second.send(groupMessage('from the second', 10002))
  expect(await event(client, 'message-created')).toMatchObject({ self_id: '10002' })
  second.send('{"time":1,"self_id":10003,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}')
  // As one that was online: NoneBot reads no event of any other.
  expect(await event(client, 'login-removed')).toMatchObject({ login: { user: { id: '10002' }, status: 1 } })
  expect(await event(client, 'login-added')).toMatchObject({ login: { user: { id: '10003' } } })
  await it.bed.gateway.apply({
    http: { 'access-token': TOKEN },
    satori: { enabled: true },
    upstreams: [],
    'ntqq-impl': { 'external-web-socket': it.bed.bot.url },
  })
  expect(await event(client, 'login-removed')).toMatchObject({ login: { user: { id: '10003' } } })
  it.bed.bot.send(groupMessage('the first is still here'))
  await event(client, 'message-created', ({ self_id }) => self_id === '10001')
})

const said = ({ message }: Frame) => (message as Frame | undefined)?.['content']

test('[SAT29] who comes back with the last sn gets what it missed, in order, and then what is new', async () => {
  await using it = await satoriBed()
  const first = await it.ready()
  it.bed.bot.send(groupMessage('1'))
  const { sn } = await event(first, 'message-created')
  await first.close()
  await it.bed.gateway.until(({ links }) => links === 0)
  for (const text of ['2', '3']) it.bed.bot.send(groupMessage(text))
  const watcher = await it.ready()
  await it.bed.gateway.until(({ bots }) => (bots[0]?.journal.entries ?? 0) >= 5)
  const again = await it.ready({ sn })
  it.bed.bot.send(groupMessage('4'))
  const heard: unknown[] = []
  while (heard.at(-1) !== '4') heard.push(said(await event(again, 'message-created')))
  expect(heard).toEqual(['2', '3', '4'])
  expect(again.heard.map((text) => JSON.parse(text).op)[0]).toBe(OP.ready)
  // Who begins anew gets what is new.
  expect(said(await event(watcher, 'message-created'))).toBe('4')
})

test('[SAT29] a position that is gone is said by a login-updated before everything else, and reported', async () => {
  await using it = await satoriBed({
    ...BRISK,
    config: { http: { 'access-token': TOKEN }, journal: { 'max-bytes': '16KiB' } },
  })
  const first = await it.ready()
  it.bed.bot.send(groupMessage('0'))
  const { sn } = await event(first, 'message-created')
  await first.close()
  await it.bed.gateway.until(({ links }) => links === 0)
  for (let n = 1; n <= 200; n++) it.bed.bot.send(groupMessage(`${n}`))
  const watcher = await it.bed.client('/onebot/v11/ws', { headers: { Authorization: `Bearer ${TOKEN}` } })
  it.bed.bot.send(groupMessage('last'))
  await watcher.event('message')
  for (const known of [Number(sn), 1, 12345678901]) {
    const again = await it.ready({ sn: known })
    const update = bodyOf(await again.next(({ op }) => op === OP.event))
    expect(update).toMatchObject({ type: 'login-updated', login: { status: 1 } })
    let newest: Frame = {}
    while (said(newest) !== 'last') newest = await event(again, 'message-created')
    await again.close()
    // Who has heard the last has missed nothing.
    const next = await it.ready({ sn: newest['sn'] })
    await event(next, 'internal')
    expect(next.heard.filter((frame) => frame.includes('login-updated'))).toEqual([])
    await next.close()
  }
  const lost = it.bed.gateway.facts.filter(({ kind }) => kind === 'resume-lost')
  if (it.bed.gateway.facts.length > 0) expect(lost).toHaveLength(3)
})

test('[SAT29] who has no sn begins anew, and what is no sn is a position that is gone', async () => {
  await using it = await satoriBed()
  const first = await it.ready()
  it.bed.bot.send(groupMessage('1'))
  const { sn } = await event(first, 'message-created')
  it.bed.bot.send(groupMessage('2'))
  await event(first, 'message-created', (body) => said(body) === '2')
  const heardAfter = async (known: unknown) => {
    const client = await it.ready({ sn: known })
    const mark = `after ${JSON.stringify(known)}`
    it.bed.bot.send(groupMessage(mark))
    const heard: unknown[] = []
    while (heard.at(-1) !== mark) {
      const body = bodyOf(await client.next(({ op }) => op === OP.event)) ?? {}
      heard.push(body['type'] === 'message-created' ? said(body) : body['type'])
    }
    await client.close()
    // Clients that come and go are told of, too.
    return heard.filter((one) => one !== 'internal' && !String(one).startsWith('after '))
  }
  for (const nothing of [null, '', 0, '0', -1]) expect([nothing, await heardAfter(nothing)]).toEqual([nothing, []])
  // As a number that was kept as text.
  expect(await heardAfter(String(sn))).toEqual(['2'])
  for (const wrong of [1.5, 2 ** 60, 'x', true, {}, Number(sn) + 4096 * 1000]) {
    const heard = await heardAfter(wrong)
    expect([wrong, heard[0], heard.slice(-2)]).toEqual([wrong, 'login-updated', ['1', '2']])
  }
})

test('[SAT30] several bots are several logins on one connection, and none of their events is left out after a break', async () => {
  await using second = new Implementation({ selfId: 10002, answer: (frame) => ok(frame) })
  await using it = await satoriBed({
    config: { http: { 'access-token': TOKEN }, upstreams: [{ name: 'second', url: second.url }] },
  })
  await it.bed.gateway.until(({ bots }) => bots.every(({ online }) => online))
  const first = await it.ready()
  it.bed.bot.send(groupMessage('a1'))
  second.send(groupMessage('b1', 10002))
  const heardFrom = async (client: Client, last: Set<string>) => {
    const heard: [unknown, unknown, unknown][] = []
    while (last.size > 0) {
      const body = await event(client, 'message-created')
      heard.push([body['self_id'], said(body), body['sn']])
      last.delete(String(said(body)))
    }
    return heard
  }
  const before = await heardFrom(first, new Set(['a1', 'b1']))
  await first.close()
  await it.bed.gateway.until(({ links }) => links === 0)
  it.bed.bot.send(groupMessage('a2'))
  second.send(groupMessage('b2', 10002))
  for (const [, , sn] of before) {
    const again = await it.ready({ sn })
    const heard = await heardFrom(again, new Set(['a2', 'b2']))
    expect(new Set(heard.map(([self, text]) => `${self} ${text}`))).toContain('10001 a2')
    expect(new Set(heard.map(([self, text]) => `${self} ${text}`))).toContain('10002 b2')
    await again.close()
  }
})

test('[SAT30] what waited while another bot went on is not left out after a break, for whoever it waited', async () => {
  await using second = new Implementation({ selfId: 10002, answer: (frame) => ok(frame) })
  await using it = await satoriBed({
    config: { http: { 'access-token': TOKEN }, upstreams: [{ name: 'second', url: second.url }] },
  })
  await it.bed.gateway.until(({ bots }) => bots.every(({ online }) => online))
  const admin = operator(it.bed.gateway.address)
  for (const query of ['', '?client_name=named']) {
    const client = await it.ready({}, query)
    const sessions = (await it.bed.gateway.status()).bots.map(({ sessions }) => sessions[0]?.app_id)
    // For the operator's sake it waits as it would for a full socket.
    await admin.json(`/api/clients/${sessions[1]}/pause`, {})
    const { entries = 0 } = (await it.bed.gateway.status()).bots[1]?.journal ?? {}
    second.send(groupMessage('b1', 10002))
    await it.bed.gateway.until(({ bots }) => bots[1]?.journal.entries === entries + 1)
    // The other bot's event is of a later moment.
    for (const then = performance.now() + 2; performance.now() < then; ) await Bun.sleep(1)
    it.bed.bot.send(groupMessage('a1'))
    const { sn } = await event(client, 'message-created', (body) => said(body) === 'a1')
    expect(client.heard.join()).not.toContain('"content":"b1"')
    await client.close()
    await it.bed.gateway.until(({ links }) => links === 0)
    const again = await it.ready({ sn }, query)
    await event(again, 'message-created', (body) => said(body) === 'b1')
    expect(again.heard.join()).not.toContain('"content":"a1"')
    await again.close()
    await it.bed.gateway.until(({ links }) => links === 0)
  }
})

test('[SAT29] who last heard of a login goes on after the last event it got, of whichever bot', async () => {
  await using second = new Implementation({ selfId: 10002, first: [], answer: (frame) => ok(frame) })
  await using it = await satoriBed({
    ...BRISK,
    config: { http: { 'access-token': TOKEN }, upstreams: [{ name: 'second', url: second.url }] },
  })
  const client = await it.ready()
  it.bed.bot.send(groupMessage('a1'))
  await event(client, 'message-created')
  const account = (id: number) =>
    second.send(
      `{"time":1,"self_id":${id},"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}`,
    )
  await second.handshakes.take()
  account(10002)
  const sns = [(await event(client, 'login-added'))['sn']]
  account(10003)
  sns.push((await event(client, 'login-removed'))['sn'], (await event(client, 'login-added'))['sn'])
  await client.close()
  it.bed.bot.send(groupMessage('a2'))
  for (const sn of sns) {
    const again = await it.ready({ sn })
    expect(said(await event(again, 'message-created'))).toBe('a2')
    expect(again.heard.join()).not.toContain('login-updated')
    await again.close()
  }
})

test('[SAT29] what waited for the operator when a login was told of is not left out', async () => {
  await using it = await satoriBed(BRISK)
  const client = await it.ready()
  const [session] = (await it.bed.gateway.status()).bots[0]?.sessions ?? []
  await operator(it.bed.gateway.address).json(`/api/clients/${session?.app_id}/pause`, {})
  it.bed.bot.send(heartbeat(30_000))
  it.bed.bot.send(groupMessage('waits'))
  it.bed.bot.send(heartbeat(30_000).replace('"online":true', '"online":false'))
  const { sn } = await event(client, 'login-updated')
  await client.close()
  await it.bed.gateway.until(({ links }) => links === 0)
  const again = await it.ready({ sn })
  expect(said(await event(again, 'message-created'))).toBe('waits')
})

test('[SAT30] headers choose the bot of a call, in their new and their old form', async () => {
  await using second = new Implementation({
    selfId: 10002,
    answer: ({ echo }) =>
      JSON.stringify({ status: 'ok', retcode: 0, data: { user_id: 5, nickname: 'of the second' }, echo }),
  })
  await using it = await satoriBed({
    config: { http: { 'access-token': TOKEN }, upstreams: [{ name: 'second', url: second.url }] },
  })
  await it.bed.gateway.until(({ bots }) => bots.every(({ online }) => online))
  it.replies['get_stranger_info'] = { user_id: 5, nickname: 'of the first' }
  const name = async (headers: Record<string, string>) => {
    const { status, body } = await it.call('user.get', { user_id: '5' }, headers)
    return status === 200 ? (body as Frame)['name'] : status
  }
  expect(await name({})).toBe('of the first')
  expect(await name({ 'Satori-Platform': 'onebot', 'Satori-User-ID': '10002' })).toBe('of the second')
  expect(await name({ 'X-Platform': 'onebot', 'X-Self-ID': '10002' })).toBe('of the second')
  expect(await name({ 'Satori-User-ID': '10003' })).toBe(403)
  expect(await name({ 'Satori-Platform': 'discord', 'Satori-User-ID': '10002' })).toBe(403)
})

test('[SAT31] a Satori client has a name and is there like any other', async () => {
  await using it = await satoriBed({ config: { http: { 'access-token': TOKEN, 'open-discovery': true } } })
  const auth = { headers: { Authorization: `Bearer ${TOKEN}` } }
  const other = await it.bed.client('/onebot/v11/ws', auth)
  const client = await it.ready({}, '?client_name=koishi')
  expect(await other.event('notice.client_status')).toMatchObject({
    client: { client_name: 'koishi', transport: 'satori' },
    online: true,
  })
  const { data } = (await other.call('get_online_clients')) as { data: Frame[] }
  expect(data.map(({ client_name, transport }) => [client_name, transport])).toEqual([
    [undefined, 'forward'],
    ['koishi', 'satori'],
  ])
  await it.bed.gateway.until(({ bots }) => bots[0]?.sessions.some(({ transport }) => transport === 'satori') === true)
  // Somebody else bears the name: said where it can be said.
  const twin = await it.connect('?client_name=koishi')
  twin.send({ op: OP.identify, body: { token: TOKEN } })
  expect((await twin.closed).code).toBe(1008)
  await expect(it.connect(`?client_name=${'x'.repeat(65)}`)).rejects.toThrow()
  // What others say to it arrives, too.
  await other.call('send_broadcast_data', { clients: [{ client_name: 'koishi' }], data: 'hello' })
  expect(await event(client, 'internal', ({ _type }) => _type === 'onebot/distributed.broadcast')).toMatchObject({
    _data: { data: 'hello' },
  })
  await client.close()
  expect(await other.event('notice.client_status')).toMatchObject({ client: { client_name: 'koishi' }, online: false })
})

test('[SAT32] everybody gets the same bytes, also of big events and when slow', async () => {
  await using it = await satoriBed()
  const clients = await Promise.all(Array.from({ length: 5 }, () => it.ready()))
  const big = 'x'.repeat(600 * KIB)
  it.bed.bot.send(groupMessage('small'))
  it.bed.bot.send(groupMessage(big))
  it.bed.bot.send(groupMessage('after'))
  const frames = await Promise.all(
    clients.map(async (client) => {
      const texts: string[] = []
      while (!texts.at(-1)?.includes('"content":"after"'))
        texts.push(await client.text((frame) => bodyOf(frame)?.['type'] === 'message-created'))
      return texts
    }),
  )
  expect(frames[0]?.map((text) => JSON.parse(text).body.message.content.length)).toEqual([5, big.length, 5])
  for (const texts of frames) expect(texts).toEqual(frames[0]!)
})

test('[SAT36] without satori.enabled nothing is there; it comes, moves and goes with the configuration', async () => {
  await using it = await satoriBed({ satori: { enabled: false } })
  const status = async (path: string) =>
    (
      await fetch(`${it.bed.gateway.address}${path}/v1/meta`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${TOKEN}` },
      })
    ).status
  expect(await status('/satori')).toBe(404)
  const own = { 'external-web-socket': it.bed.bot.url }
  const apply = (satori: Record<string, unknown>) =>
    it.bed.gateway.apply({ http: { 'access-token': TOKEN }, 'ntqq-impl': own, satori })
  await apply({ enabled: true })
  expect(await status('/satori')).toBe(200)
  const client = await it.ready()
  await apply({ enabled: true, path: '/other/' })
  expect([await status('/satori'), await status('/other')]).toEqual([404, 200])
  await apply({ enabled: true, path: '/' })
  expect([await status('/other'), await status('')]).toEqual([404, 200])
  await apply({ enabled: false })
  expect((await client.closed).code).toBe(1012)
  expect(await status('')).toBe(404)
})

test('[SAT36] at the end every Satori link is closed with 1001', async () => {
  await using it = await satoriBed()
  const [client, early] = [await it.ready(), await it.connect()]
  await it.bed.gateway.stop()
  expect((await client.closed).code).toBe(1001)
  expect((await early.closed).code).toBe(1001)
})

test('[SAT37] calls are those of the session from the same address, and wait in its name', async () => {
  await using it = await satoriBed()
  it.bed.bot.answer = ({ action, echo }) =>
    action === 'get_login_info' ? JSON.stringify({ status: 'ok', retcode: 0, data: {}, echo }) : undefined
  await it.ready({}, '?client_name=one')
  const calls = async () =>
    Object.fromEntries(
      ((await it.bed.gateway.status()).bots[0]?.sessions ?? []).map((session) => [
        session.client_name,
        (session as unknown as { calls: number }).calls,
      ]),
    )
  const until = async (wanted: Record<string, number>) => {
    while (!Bun.deepEquals(await calls(), wanted)) await Bun.sleep(5)
  }
  void it.call('user.get', { user_id: 1 })
  await until({ one: 1 })
  await it.ready({}, '?client_name=two')
  // Which of the two it is, it has to say.
  void it.call('user.get', { user_id: 2 })
  void it.call('user.get?client_name=two', { user_id: 3 })
  await until({ one: 1, two: 1 })
})

test('[SAT37] a token of one client decides in whose name a call is made, and what it may do; its name alone does not', async () => {
  await using it = await satoriBed({
    config: {
      http: { 'access-token': TOKEN },
      clients: [{ name: 'alice', token: 'of alice', deny: ['send_*'] }],
    },
  })
  it.replies['send_group_msg'] = { message_id: 1 }
  const say = async (token: string, query = '') =>
    (await it.call(`message.create${query}`, { channel_id: '7', content: 'x' }, { Authorization: `Bearer ${token}` }))
      .status
  const others = [
    ['internal/onebot11/send_group_msg', { group_id: 7, message: 'x' }],
    ['internal/onebot/10001/_api/sendGroupMsg', [{ group_id: 7, message: 'x' }]],
  ] as const
  // Without a connection, and with one from the same address that may do more.
  for (const connect of [() => undefined, () => it.ready({}, '?client_name=bob')]) {
    await connect()
    expect(await say('of alice')).toBe(403)
    expect(await say('of alice', '?client_name=bob')).toBe(403)
    expect(await say(TOKEN, '?client_name=alice')).toBe(403)
    for (const [path, body] of others)
      expect((await it.call(path, body, { Authorization: 'Bearer of alice' })).status).toBe(403)
    expect(it.asked.filter(({ action }) => action === 'send_group_msg')).toEqual([])
  }
  expect(await say(TOKEN)).toBe(200)
  expect(await say(TOKEN, '?client_name=bob')).toBe(200)
})

test('[SAT37] the connection of a client with a token of its own is found by that token, and by nothing else', async () => {
  await using it = await satoriBed({
    config: { http: { 'access-token': TOKEN }, clients: [{ name: 'alice', token: 'of alice', deny: ['send_*'] }] },
  })
  it.replies['send_group_msg'] = { message_id: 1 }
  const alice = await it.connect()
  alice.send({ op: OP.identify, body: { token: 'of alice' } })
  await alice.next(({ op }) => op === OP.ready)
  const say = (token: string) =>
    it.call('message.create', { channel_id: '7', content: 'x' }, { Authorization: `Bearer ${token}` })
  // It is the only one from this address, and not who asks.
  expect((await say(TOKEN)).status).toBe(200)
  expect((await say('of alice')).status).toBe(403)
})
