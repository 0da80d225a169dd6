// A config that changes under a running gateway: what it concerns changes, everything else stays.

import { expect, test } from 'bun:test'
import { copyFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { startGateway } from '../../src/app.ts'
import type { Status } from '../../src/broker/status.ts'
import { type ConfigInput, configOf } from '../../src/config/schema.ts'
import { openLog } from '../../src/observe/log.ts'
import { host as currentHost } from '../../src/runtime/current.ts'
import type { Host } from '../../src/runtime/host.ts'
import { Application } from '../support/application.ts'
import { Client, type Frame } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { groupMessage } from '../support/implementation.ts'
import { ownPort } from '../support/port.ts'
import { BRISK, testbed } from '../support/testbed.ts'
import { upstream } from '../support/upstream.ts'

test('[REL1] links that a change does not concern stay open', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await bed.gateway.apply({
    'ntqq-impl': bed.bot.own,
    'msg-expire-time': '5m',
    actions: { timeout: '5s' },
    'http-post': [],
  })
  bed.bot.send(groupMessage('still here'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'still here' })
  expect(bed.bot.links.size).toBe(1)
})

test('[REL2] a new token counts for whoever comes from now on, and closes links that came without it', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await bed.gateway.apply({
    'ntqq-impl': bed.bot.own,
    http: { 'access-token': 'new' },
  })
  // Not by `rejects`: it stands in the way of the loop that a program's output needs.
  expect(String(await Client.connect(`${bed.gateway.ws}/`).catch((error: unknown) => error))).toContain('401')
  await using other = await Client.connect(`${bed.gateway.ws}/`, { headers: { Authorization: 'Bearer new' } })
  expect(await other.event('meta_event.lifecycle')).toBeDefined()
  expect(await client.closed).toEqual({ code: 1008, reason: 'its token does not count any more' })
  bed.bot.send(groupMessage('x'))
  expect(await other.event('message')).toMatchObject({ raw_message: 'x' })
})

test('[REL3] another port: the new one serves, the old one takes nobody, its links stay', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  const port = ownPort()
  await bed.gateway.apply({ 'ntqq-impl': bed.bot.own, http: { port } })
  await using other = await Client.connect(`ws://127.0.0.1:${port}/`)
  await other.next(({ self_client }) => self_client === true)
  expect(await fetch(bed.gateway.address).catch((error: unknown) => error)).toBeInstanceOf(Error)
  bed.bot.send(groupMessage('both'))
  for (const link of [client, other]) expect(await link.event('message')).toMatchObject({ raw_message: 'both' })
})

test('[REL4] a port that cannot be had leaves everything as it was', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await using taken = upstream()
  const port = Number(new URL(taken.url).port)
  const change = bed.gateway.apply({ 'ntqq-impl': bed.bot.own, http: { port } })
  await change.catch(() => {})
  expect((await fetch(bed.gateway.address)).status).toBe(200)
  bed.bot.send(groupMessage('here'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'here' })
})

test('[REL5] another implementation: the old link closes, its clients are told to come again', async () => {
  await using bed = await testbed()
  await using client = await bed.client()
  await using next = upstream({ selfId: 10002 })
  await bed.gateway.apply({
    'ntqq-impl': next.own,
  })
  expect((await client.closed).code).toBe(1012)
  expect(await bed.bot.ended.take()).toBeNumber()
  await bed.gateway.until(({ bots }) => bots[0]?.self_id === '10002')
  await using again = await bed.client()
  next.send(groupMessage('from the other', 10002))
  expect(await again.event('message')).toMatchObject({ self_id: 10002 })
})

test('[REL6] reverse links and web hooks come and go with their entries', async () => {
  await using bed = await testbed()
  const heard: string[] = []
  let came = Promise.withResolvers<void>()
  const hook = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      heard.push(await request.text())
      came.resolve()
      came = Promise.withResolvers()
      return new Response(null, { status: 204 })
    },
  })
  const base = {
    'ntqq-impl': bed.bot.own,
  }
  await using nonebot = new Application()
  await bed.gateway.apply({
    ...base,
    'http-post': [{ url: `http://127.0.0.1:${hook.port}/` }],
    'reverse-web-socket': [{ url: nonebot.url }],
  })
  const dialled = await nonebot.links.take()
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 2)
  bed.bot.send(groupMessage('posted'))
  expect(await dialled.event('message')).toMatchObject({ raw_message: 'posted' })
  while (!heard.some((text) => text.includes('posted'))) await came.promise
  await bed.gateway.apply(base)
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 0)
  expect(await dialled.closed).toMatchObject({ code: 1001 })
  await hook.stop(true)
})

test('[REL7] there and back again: links of every address stay, the first takes clients as before', async () => {
  const [here, there] = [ownPort(), ownPort()]
  await using bed = await testbed({ config: { http: { port: here } } })
  const own = { 'ntqq-impl': bed.bot.own }
  const clients: Client[] = []
  for (const port of [here, there, here, there, here]) {
    await bed.gateway.apply({ ...own, http: { port } })
    const client = await Client.connect(`ws://127.0.0.1:${port}/`)
    await client.next(({ self_client }) => self_client === true)
    clients.push(client)
  }
  bed.bot.send(groupMessage('all'))
  for (const client of clients) expect(await client.event('message')).toMatchObject({ raw_message: 'all' })
  await bed.gateway.stop()
  for (const client of clients) expect((await client.closed).code).toBe(1001)
})

test('[REL8] another host on the same port', async () => {
  const port = ownPort()
  await using bed = await testbed({ config: { http: { port } } })
  await using client = await bed.client()
  const http = { port, host: '0.0.0.0', 'allow-anonymous': true }
  await bed.gateway.apply({ 'ntqq-impl': bed.bot.own, http })
  await using other = await Client.connect(`ws://127.0.0.1:${port}/`)
  await other.next(({ self_client }) => self_client === true)
  bed.bot.send(groupMessage('both'))
  for (const link of [client, other]) expect(await link.event('message')).toMatchObject({ raw_message: 'both' })
})

const pem = (name: string) => new URL(`../fixtures/tls/${name}.pem`, import.meta.url).pathname

/** Whose certificate is shown there. */
function shownAt(address: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(address).port), rejectUnauthorized: false }, () => {
    resolve(String(socket.getPeerCertificate().subject.CN))
    socket.destroy()
  })
  socket.on('error', reject)
  return promise
}

test('[REL9] a certificate renewed in place is shown once a reload is asked for; one that is none changes nothing', async () => {
  await using at = await folder()
  const put = async (name: string) => {
    await copyFile(pem(`${name}cert`), at.at('cert.pem'))
    await copyFile(pem(`${name}key`), at.at('key.pem'))
  }
  await put('')
  const port = ownPort()
  const http = { port, tls: { cert: at.at('cert.pem'), key: at.at('key.pem') } }
  await using bed = await testbed({ config: { http } })
  await using client = await bed.client('/onebot/v11/ws', { tls: { rejectUnauthorized: false } })
  const reload = () => bed.gateway.apply({ 'ntqq-impl': bed.bot.own }).catch(String)
  expect(await shownAt(bed.gateway.address)).toBe('localhost')
  await Bun.write(at.at('cert.pem'), 'no certificate')
  await reload()
  expect(await shownAt(bed.gateway.address)).toBe('localhost')
  await put('renewed-')
  await reload()
  expect(await shownAt(bed.gateway.address)).toBe('renewed')
  const { port: allotted } = (
    (await (await fetch(`${bed.gateway.address}/api/get_ws_port`, { tls: { rejectUnauthorized: false } })).json()) as {
      data: { port: number }
    }
  ).data
  expect(await shownAt(`https://127.0.0.1:${allotted}`)).toBe('renewed')
  bed.bot.send(groupMessage('still'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'still' })
})

test('[REL10] a change of which one file cannot be read changes nothing, and is made once it can', async () => {
  await using at = await folder()
  await using app = new Application()
  await using bed = await testbed()
  await using client = await bed.client()
  const next = {
    'ntqq-impl': bed.bot.own,
    upstreams: [{ url: 'wss://127.0.0.1:1/', ca: at.at('ca.pem') }],
    'reverse-web-socket': [{ url: app.url }],
  }
  await bed.gateway.apply(next).catch(String)
  expect((await bed.gateway.status()).bots).toHaveLength(1)
  expect(app.handshakes.left).toEqual([])
  await copyFile(pem('ca'), at.at('ca.pem'))
  await bed.gateway.apply(next)
  expect(await (await app.links.take()).next()).toMatchObject({ sub_type: 'connect' })
  expect((await bed.gateway.status()).bots).toHaveLength(2)
  bed.bot.send(groupMessage('same link'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'same link' })
})

test('[REL11] bots keep the order of the config: whoever names none gets the first, also when its entry has changed', async () => {
  await using second = upstream({ selfId: 20002 })
  await using app = new Application()
  const others = { upstreams: [second.entry], 'reverse-web-socket': [{ url: app.url }] }
  await using bed = await testbed({ config: others, ...BRISK })
  const old = await app.links.take()
  expect(await old.next()).toMatchObject({ self_id: 10001 })
  await bed.gateway.until(({ bots }) => bots.every(({ online }) => online))
  const own = { ...bed.bot.own, 'external-access-token': 'new' }
  await bed.gateway.apply({ ...others, 'ntqq-impl': own })
  expect((await old.closed).code).toBe(1012)
  await bed.gateway.until(({ bots }) => bots.every(({ online }) => online))
  expect((await bed.gateway.status()).bots.map(({ self_id }) => self_id)).toEqual(['10001', '20002'])
  expect(await (await app.links.take()).next()).toMatchObject({ self_id: 10001 })
})

test('[REL12] another limit for frames counts for links that are dialled from now on', async () => {
  const small = { 'max-frame': '64KiB' }
  await using bed = await testbed({ config: { 'web-socket': small }, ...BRISK })
  await using client = await bed.client()
  const long = groupMessage('x'.repeat(100_000))
  await bed.bot.handshakes.take()
  bed.bot.send(long)
  expect(await bed.bot.ended.take()).toBe(1009)
  await bed.gateway.apply({
    'ntqq-impl': bed.bot.own,
    'web-socket': { 'max-frame': '1MiB' },
  })
  // It may have come back before the change.
  await bed.bot.handshakes.take()
  bed.bot.drop()
  await bed.bot.handshakes.take()
  await bed.gateway.until(({ bots }) => bots[0]?.online === true)
  bed.bot.send(long)
  expect(String((await client.event('message'))['raw_message']).length).toBe(100_000)
})

test('[REL13] changes are made one after the other', async () => {
  await using one = upstream({ selfId: 20002 })
  await using bed = await testbed()
  const first = { 'ntqq-impl': one.own }
  const both = { 'ntqq-impl': bed.bot.own, upstreams: [one.entry] }
  await Promise.all([first, both, first, both].map((config) => bed.gateway.apply(config)))
  const { bots } = await bed.gateway.until(({ bots }) => bots.every(({ online }) => online))
  expect(bots.map(({ self_id }) => self_id)).toEqual(['10001', '20002'])
})

test('[REL14] what a change opens while the gateway stops is closed with the rest', async () => {
  const gate = Promise.withResolvers<void>()
  let held = false
  const host: Host = {
    ...currentHost,
    async listen(options) {
      if (held) await gate.promise
      return currentHost.listen(options)
    },
  }
  const port = ownPort()
  const log = openLog(configOf({ log: { dir: '', level: 'error' } }).log)
  const running = await startGateway({ config: configOf({ http: { port: 0 } }), log, host })
  held = true
  const change = running.apply(configOf({ http: { port } }))
  const end = running.stop()
  gate.resolve()
  await Promise.all([change, end])
  expect(await fetch(`http://127.0.0.1:${port}/`).catch((error: unknown) => error)).toBeInstanceOf(Error)
})

const ONLY_UPSTREAMS: ConfigInput = { 'ntqq-impl': { 'external-web-socket': '' } }

/** In this process, with a folder, and everything that it reports. */
async function keeping(config: ConfigInput) {
  const stack = new AsyncDisposableStack()
  const home = stack.use(await folder())
  const facts: Status[] = []
  const whole = (more: ConfigInput) =>
    configOf({
      http: { port: 0 },
      log: { dir: '', level: 'error' },
      journal: { persist: true },
      ...ONLY_UPSTREAMS,
      ...more,
    })
  const first = whole(config)
  const running = stack.use(
    await startGateway({
      config: first,
      log: openLog(first.log),
      dataDir: home.at('data'),
      report: (fact) => facts.push(fact),
    }),
  )
  const [bot] = running.bots.all()
  while (!bot?.online) await sleep(1)
  return {
    facts,
    running,
    apply: (more: ConfigInput) => running.apply(whole(more)),
    come: (token: string, path = '/onebot/v11/ws') =>
      Client.connect(running.address.replace('http', 'ws') + path, { headers: { Authorization: `Bearer ${token}` } }),
    kinds: (...wanted: Status['kind'][]) => facts.map(({ kind }) => kind).filter((kind) => wanted.includes(kind)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const CLIENT = { name: 'w', token: 'tw', resume: true }
const isMe = (frame: Frame) => frame['self_client'] === true
const isResume = (frame: Frame) => frame['meta_event_type'] === 'resume'

test('[REL15] an entry that says something else of the same implementation goes on with what is on disk', async () => {
  await using bot = upstream()
  const entry = { name: 'one', ...bot.entry }
  await using bed = await keeping({ upstreams: [entry], clients: [CLIENT] })
  await using before = await bed.come('tw')
  const { client: me } = await before.next(isMe)
  bot.send(groupMessage('missed by nobody'))
  await before.event('message')
  await bed.apply({ upstreams: [{ ...entry, 'access-token': 'new' }], clients: [CLIENT] })
  expect((await before.closed).code).toBe(1012)
  await using after = await bed.come('tw')
  expect(await after.next(isResume)).toMatchObject({ recovered: true })
  expect((await after.next(isMe))['client']).toMatchObject({ app_id: (me as { app_id: string }).app_id })
  expect(bed.kinds('storage-failed', 'storage-restored')).toEqual(['storage-restored'])
})

test('[REL16] an implementation that is added to an account must have it: otherwise it is left out', async () => {
  await using bot = upstream()
  await using stranger = upstream({ selfId: 10002 })
  const [one, two] = [bot, stranger].map(({ entry }) => ({ ...entry, 'self-id': '10001' }))
  if (one === undefined || two === undefined) throw new Error('there are two')
  await using bed = await keeping({ upstreams: [one], clients: [CLIENT] })
  await using client = await bed.come('tw')
  await client.next(isMe)
  await bed.apply({ upstreams: [one, two], clients: [CLIENT] })
  while (bed.kinds('bot-conflict').length === 0) await sleep(1)
  expect(bed.facts.find(({ kind }) => kind === 'bot-conflict')).toMatchObject({ selfId: '10002', wanted: '10001' })
  bot.send(groupMessage('still here'))
  expect(await client.event('message')).toMatchObject({ raw_message: 'still here' })
  expect([bed.running.bots.all().map(({ selfId }) => selfId), bed.kinds('bot-changed')]).toEqual([['10001'], []])
})

test('[REL17] what a client may do changes for its link for calls, too', async () => {
  await using bot = upstream()
  const upstreams = [bot.entry]
  await using bed = await keeping({ upstreams, clients: [CLIENT] })
  await using calls = await bed.come('tw', '/onebot/v11/ws/api')
  await using events = await bed.come('tw', '/onebot/v11/ws/event')
  await events.next(isMe)
  await bed.apply({ upstreams, clients: [{ ...CLIENT, deny: ['send_*'] }] })
  expect(await calls.call('send_group_msg')).toMatchObject({ retcode: 1403 })
  // Beside each other they are one client: neither takes the other's place.
  bot.send(groupMessage('to one'))
  expect(await events.event('message')).toMatchObject({ raw_message: 'to one' })
  await using api = await bed.come('tw', '/onebot/v11/ws/api')
  expect(await api.call('get_online_clients')).toMatchObject({ data: [{ client_name: 'w' }] })
})
