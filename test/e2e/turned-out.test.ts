// What becomes of links and requests under way when a changed configuration would not let them in any more.

import { expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import { event, OP, satoriBed, TOKEN } from '../satori/bed.ts'
import { operator } from '../support/admin.ts'
import { Client } from '../support/client.ts'
import { ADMIN } from '../support/gateway.ts'
import { type Action, groupMessage, ok } from '../support/implementation.ts'
import { type Bed, type BedOptions, testbed } from '../support/testbed.ts'
import { upstream } from '../support/upstream.ts'

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
const GENERAL = { http: { 'access-token': 'everybodys' } }
const GONE = { code: 1008, reason: 'its token does not count any more' }
const worker = { name: 'worker', token: 'the workers own' }

/** With what arrives at the implementation. */
async function stage(options: BedOptions): Promise<{ bed: Bed; arrived: string[] }> {
  const arrived: string[] = []
  const answer = (frame: Action) => {
    arrived.push(frame.action)
    return ok(frame)
  }
  return { bed: await testbed({ ...options, bot: { answer } }), arrived }
}

const change = (bed: Bed, config: ConfigInput) =>
  bed.gateway.apply({ clients: [], defaults: {}, ...config, 'ntqq-impl': bed.bot.own })

const sessions = async (bed: Bed) =>
  (await bed.gateway.status()).bots[0]?.sessions.map(({ client_name, state }) => [client_name, state])

test('[GST12] an entry that is removed takes its links along: those for calls, and on allotted ports, too', async () => {
  const clients = [{ ...worker, allow: [], resume: true }]
  const { bed, arrived } = await stage({ config: { ...GENERAL, clients } })
  await using _bed = bed
  const asked = await fetch(`${bed.gateway.address}/api/get_ws_port`, bearer('everybodys'))
  const { data } = (await asked.json()) as { data: { port: number } }
  const allotted = await Client.connect(`ws://127.0.0.1:${data.port}/`, bearer('everybodys'))
  await allotted.event('notice.client_status')
  const own = await bed.client('/', bearer(worker.token))
  const calls = await bed.client('/api', bearer(worker.token))
  const other = await bed.client('/?client_name=other', bearer('everybodys'))
  expect(await own.call('send_group_msg')).toMatchObject({ retcode: 1403 })
  // It goes on asking: nothing of that is to come through meanwhile.
  const asking = setInterval(() => {
    for (const client of [own, calls])
      if (client.socket.readyState === WebSocket.OPEN) client.send({ action: 'send_x' })
  }, 1)
  await change(bed, {})
  expect([await own.closed, await calls.closed]).toEqual([GONE, GONE])
  clearInterval(asking)
  for (const client of [other, allotted]) expect(await client.call('get_status')).toMatchObject({ retcode: 0 })
  expect(arrived.filter((action) => action.startsWith('send_'))).toEqual([])
  expect(await sessions(bed)).toEqual([
    [undefined, 'live'],
    ['other', 'live'],
  ])
})

test('[GST12] another token for an entry closes its link; with the new one it comes back to its place', async () => {
  const clients = [{ ...worker, resume: true }]
  await using bed = await testbed({ config: { ...GENERAL, clients } })
  const before = await bed.client('/', bearer(worker.token))
  await change(bed, { clients: [{ ...worker, token: 'a newer one', resume: true }] })
  expect(await before.closed).toEqual(GONE)
  expect(await sessions(bed)).toEqual([['worker', 'away']])
  bed.bot.send(groupMessage('missed'))
  await bed.gateway.until(({ facts }) => facts.event === 1)
  await expect(Client.connect(`${bed.gateway.ws}/`, bearer(worker.token))).rejects.toThrow('403')
  await using after = await Client.connect(`${bed.gateway.ws}/`, bearer('a newer one'))
  expect(await after.event('meta_event.resume')).toMatchObject({ recovered: true })
  expect(await after.event('message')).toMatchObject({ raw_message: 'missed' })
})

test('[GST12] a token that is another’s now closes the link: it would be somebody else', async () => {
  await using bed = await testbed({ config: { ...GENERAL, clients: [worker] } })
  const own = await bed.client('/', bearer(worker.token))
  const other = await bed.client('/', bearer('everybodys'))
  // The client has another name, and everybody's token is one client's.
  const clients = [
    { name: 'renamed', token: worker.token },
    { name: 'one', token: 'everybodys' },
  ]
  await change(bed, { clients, http: { 'access-token': 'changed' } })
  expect([await own.closed, await other.closed]).toEqual([GONE, GONE])
})

test('[GST12] where no token is needed any more, who showed none or the general one stays', async () => {
  await using bed = await testbed({ config: { ...GENERAL, clients: [worker] } })
  const shown = await bed.client('/', bearer('everybodys'))
  const own = await bed.client('/', bearer(worker.token))
  await change(bed, { clients: [{ ...worker, 'message-format': 'string' }], http: { 'access-token': '' } })
  const none = await bed.client('/')
  // The same token, said anew.
  await change(bed, { clients: [worker], http: { 'access-token': 'everybodys' } })
  expect(await none.closed).toEqual(GONE)
  bed.bot.send(groupMessage('x'))
  for (const client of [shown, own]) expect(await client.event('message')).toMatchObject({ raw_message: 'x' })
})

test('[GST13] a name that has got a token is nobody’s without it: its link closes, and its owner comes in', async () => {
  const plain = { name: 'worker', allow: [], resume: true }
  await using bed = await testbed({ config: { clients: [plain] } })
  const client = await bed.client('/?client_name=worker')
  const later = await bed.client('/')
  await later.call('set_client_name', { name: 'second' })
  await change(bed, { clients: [worker, { name: 'second', token: 'of the second' }] })
  const owned = { code: 1008, reason: 'its name belongs to a token now' }
  expect([await client.closed, await later.closed]).toEqual([owned, owned])
  expect(await sessions(bed)).toEqual([])
  await bed.client('/', bearer(worker.token))
  expect(await sessions(bed)).toEqual([['worker', 'live']])
})

test('[GST14] a Satori connection whose token does not count any more is closed with 4004', async () => {
  const alice = { name: 'alice', token: 'of alice' }
  await using it = await satoriBed({ config: { http: { 'access-token': TOKEN }, clients: [alice] } })
  const [own, other] = [await it.ready({ token: 'of alice' }), await it.ready({}, '?client_name=other')]
  const early = await it.connect()
  const GONE_THERE = { code: 4004, reason: GONE.reason }
  await change(it.bed, { satori: { enabled: true } })
  expect(await own.closed).toEqual(GONE_THERE)
  expect(await sessions(it.bed)).toEqual([['other', 'live']])
  // Satori's own token takes the place of everybody's.
  await change(it.bed, { satori: { enabled: true, token: 'of satori' } })
  expect(await other.closed).toEqual(GONE_THERE)
  early.send({ op: OP.identify, body: { token: TOKEN } })
  expect((await early.closed).code).toBe(4004)
})

test('[GST14] a Satori connection that stays has the rights of now with a bot that comes later', async () => {
  const alice = { name: 'alice', token: 'of alice' }
  await using second = upstream({ selfId: 10002 })
  await using it = await satoriBed({ config: { http: { 'access-token': TOKEN }, clients: [alice] } })
  const client = await it.ready({ token: 'of alice' })
  const clients = [{ ...alice, filter: { keywords: ['wanted'] } }]
  const satori = { enabled: true }
  await change(it.bed, { clients, satori })
  await change(it.bed, { clients, satori, upstreams: [second.entry] })
  await event(client, 'login-added')
  await it.bed.gateway.until(({ bots }) => bots[1]?.sessions[0]?.state === 'live')
  for (const text of ['left out', 'wanted']) second.send(groupMessage(text, 10002))
  expect(await event(client, 'message-created')).toMatchObject({ message: { content: 'wanted' } })
})

test('[GST15] a request that waits is refused at once when its token does not count any more', async () => {
  await using bed = await testbed({ config: GENERAL })
  const forwarded = { headers: { ...bearer('everybodys').headers, 'X-Forwarded-For': '192.0.2.1' } }
  const waiting = fetch(`${bed.gateway.address}/api/get_online_clients?wait=5m`, forwarded)
  await bed.gateway.until(({ polls }) => polls === 1)
  await change(bed, { http: { 'access-token': 'changed' } })
  expect((await waiting).status).toBe(403)
})

test('[GST15] streams and long polls of an operator end when the admin token changes', async () => {
  await using bed = await testbed()
  const tap = await operator(bed.gateway.address).stream('/api/tap?kinds=second')
  const waiting = fetch(`${bed.gateway.address}/api/status?wait=5m`, bearer(ADMIN))
  await bed.gateway.until(({ polls }) => polls === 1)
  await change(bed, { admin: { token: 'another admin token' } })
  expect((await waiting).status).toBe(403)
  await tap.ended
  const answer = await fetch(`${bed.gateway.address}/api/status`, bearer('another admin token'))
  expect(answer.status).toBe(200)
})
