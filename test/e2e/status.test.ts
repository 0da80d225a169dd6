// GET /api/status: for the administrator, and for nobody else.

import { expect, test } from 'bun:test'
import { Application } from '../support/application.ts'
import { Client } from '../support/client.ts'
import { gateway } from '../support/gateway.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'
import { upstream } from '../support/upstream.ts'

test('[OBS9] the status tells bots, sessions, journal and calls as numbers, and how often each fact happened', async () => {
  await using bed = await testbed()
  await using client = await bed.client('/?client_name=alice')
  client.send({ action: 'get_group_list', echo: 1 })
  await bed.bot.next()
  bed.bot.send(groupMessage('x'))
  await client.event('message')
  expect(await bed.gateway.status()).toMatchObject({
    version: expect.any(String),
    uptime: expect.any(Number),
    rss: expect.any(Number),
    links: 1,
    allotments: 0,
    bots: [
      {
        self_id: '10001',
        online: true,
        journal: { entries: 3, bytes: expect.any(Number) },
        waiting: { replies: 1, waiting: 0, held: false, paced: 0, catchingUp: 0, away: 0 },
        sessions: [
          { client_name: 'alice', transport: 'forward', state: 'live', peer: '127.0.0.1', pending: 0, calls: 1 },
        ],
      },
    ],
    facts: { event: 1, action: 1, 'session-opened': 1 },
  })
})

test('[SEC9] the status wants the admin token: from this machine too, and no client token will do', async () => {
  await using bed = await testbed({ config: { http: { 'access-token': 'client' } } })
  const ask = async (headers: Record<string, string>) =>
    (await fetch(`${bed.gateway.address}/api/status`, { headers })).status
  expect(await ask({})).toBe(401)
  expect(await ask({ Authorization: 'Bearer client' })).toBe(403)
  expect(await (await fetch(`${bed.gateway.address}/api/status`)).text()).toContain('no admin token (admin.token, or')
  expect(await ask({ Authorization: 'Bearer admin-token-of-tests' })).toBe(200)
  expect(await ask({ Authorization: 'Bearer admin-token-of-tests', Origin: 'https://example.com' })).toBe(403)
})

test('[OBS12] of each implementation it tells what it is to the bot, of each client whose settings it has and how it fares', async () => {
  await using first = upstream()
  await using second = upstream()
  await using app = new Application()
  await using running = await gateway({
    'ntqq-impl': { 'external-web-socket': '' },
    upstreams: [
      { ...first.entry, 'self-id': 10001 },
      { ...second.entry, 'self-id': 10001, spread: true },
    ],
    pools: { workers: {} },
    clients: [{ name: 'worker', pool: 'workers', resume: true }],
    'reverse-web-socket': [{ name: 'it', url: app.url }],
  })
  await running.until(({ bots }) => bots[0]?.upstreams.filter(({ told }) => told).length === 2)
  const event = groupMessage('twice')
  first.send(event)
  second.send(event)
  await running.until(({ bots }) => bots[0]?.twins.dropped === 1)
  const worker = await Client.connect(`${running.ws}/?client_name=worker`)
  await worker.event('notice.client_status')
  await (await app.links.take()).event('notice.client_status')
  await worker.close()
  const before = Math.floor(Date.now() / 1000)
  const status = await running.until(({ bots }) => bots[0]?.waiting.away === 1)
  // In seconds.
  for (const { since } of status.bots[0]?.upstreams ?? []) expect(since).toBeWithin(before - 60, before + 60)
  expect(status.bots[0]).toMatchObject({
    upstreams: [
      { peer: first.url, connected: true, told: true, active: true, spread: false, failing: null },
      { peer: second.url, connected: true, told: true, active: false, spread: true },
    ],
    twins: { dropped: 1, rescued: 0, held: 0 },
    calls: { breakers: { send: { state: 'closed' } }, limited: { refused: 0 } },
    pools: [{ name: 'workers', members: 0 }],
  })
  const sessions = new Map(status.bots[0]?.sessions.map((session) => [session.client_name, session]))
  expect(sessions.get('it')).toMatchObject({ state: 'live', breaker: { state: 'closed', failures: 0 } })
  expect(sessions.get('worker')).toMatchObject({ state: 'away', entry: 'worker', pool: 'workers' })
  expect(sessions.get('worker')?.unacknowledged).toBeGreaterThan(0)
  expect(sessions.get('worker')?.away_until).toBeWithin(before + 1_790, before + 1_810)
  expect(status.reverse).toMatchObject([{ name: 'it', target: app.url, state: 'open', breaker: { state: 'closed' } }])
})

test('[OBS13] to ask for it changes nothing: what was limited still is', async () => {
  const send = { rate: '1/h', burst: 1, mode: 'reject' } as const
  await using bed = await testbed({
    config: { 'rate-limit': { bot: { send } } },
    bot: { answer: (frame) => ok(frame) },
  })
  await using client = await bed.client()
  const call = async () => (await client.call('send_group_msg', { group_id: 1, message: 'x' }))['retcode']
  expect([await call(), await call()]).toEqual([0, 1429])
  for (let n = 0; n < 3; n++) await bed.gateway.status()
  expect(await call()).toBe(1429)
  expect((await bed.gateway.status()).bots[0]?.calls.limited).toMatchObject({ refused: 2 })
})
