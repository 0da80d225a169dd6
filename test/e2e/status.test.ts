// GET /api/status: for the administrator, and for nobody else.

import { expect, test } from 'bun:test'
import { groupMessage } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'

test('[OBS9] the status tells bots, sessions, journal and calls as numbers, and how often each fact happened', async () => {
  await using bed = await testbed()
  await using client = await bed.client('/?client_name=alice')
  client.send({ action: 'get_status', echo: 1 })
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
