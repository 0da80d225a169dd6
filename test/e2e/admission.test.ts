// Who is let in, at every door: token, Origin, Host, and what a proxy in front changes.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { ConfigInput } from '../../src/config/schema.ts'
import { ADMIN } from '../support/admin.ts'
import { Client } from '../support/client.ts'
import { gateway, type TestGateway } from '../support/gateway.ts'
import { type Headers, knock } from '../support/knock.ts'
import { testbed } from '../support/testbed.ts'

const TOKEN = 'the-token-of-tests'

interface Door {
  path: string
  upgrade: boolean
  /** What somebody sees who is let in. */
  opens: number
}

/** Every way in but the page, the two discovery calls and an allotted port. */
const DOORS: Door[] = [
  ...[
    '/',
    '/onebot/v11/ws',
    '/onebot/v11/ws/',
    '/onebot/v11/ws/api',
    '/onebot/v11/ws/event',
    '/api',
    '/event',
    '/event/',
  ].map((path) => ({ path, upgrade: true, opens: 101 })),
  { path: '/onebot/v11/implementation', upgrade: true, opens: 101 },
  { path: '/onebot/v11/get_online_clients', upgrade: false, opens: 200 },
  { path: '/onebot/v11/ws', upgrade: false, opens: 426 },
]
const DISCOVERY: Door[] = ['/api/get_online_clients', '/api/get_ws_port'].map((path) => ({
  path,
  upgrade: false,
  opens: 200,
}))

const SPELLED: [string, Headers, string?][] = [
  ['Bearer', { authorization: `Bearer ${TOKEN}` }],
  ['bearer', { authorization: `bearer ${TOKEN}` }],
  ['Token', { authorization: `Token ${TOKEN}` }],
  ['bare', { authorization: TOKEN }],
  ['in the query', {}, `access_token=${TOKEN}`],
]
const WRONG: [string, Headers, string?][] = [
  ['Bearer', { authorization: 'Bearer wrong' }],
  ['a prefix', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ['longer', { authorization: `Bearer ${TOKEN}s` }],
  ['another scheme', { authorization: `Basic ${TOKEN}` }],
  ['in the query', {}, 'access_token=wrong'],
  ['a right query under a wrong header', { authorization: 'Bearer wrong' }, `access_token=${TOKEN}`],
]

let open: TestGateway
let closed: TestGateway
beforeAll(async () => {
  const base: ConfigInput = { 'ntqq-impl': { mode: 'reverse' } }
  open = await gateway(base)
  closed = await gateway({ ...base, http: { 'access-token': TOKEN } })
})
afterAll(async () => {
  await open?.stop()
  await closed?.stop()
})

const enter = async (to: TestGateway, { path, upgrade }: Door, headers: Headers, query?: string) => {
  const answer = await knock(to.address, query === undefined ? path : `${path}?${query}`, headers, { upgrade })
  if (answer.status >= 400 && answer.status !== 426) {
    const body = JSON.parse(answer.body)
    // The envelope that OneBot software reads, the same text in all three places.
    expect(body).toEqual({
      status: 'failed',
      retcode: 1000 + answer.status,
      data: null,
      msg: body.message,
      message: expect.stringMatching(/./),
      wording: body.message,
    })
    expect(answer.body).not.toContain(TOKEN)
  }
  return answer.status
}

describe('with a token', () => {
  for (const door of DOORS)
    test(`[SEC1] ${door.path}${door.upgrade ? ' (WebSocket)' : ''}: 401 without, 403 with a wrong one, in with the right one however spelled`, async () => {
      expect(await enter(closed, door, {})).toBe(401)
      for (const [how, headers, query] of WRONG)
        expect([how, await enter(closed, door, headers, query)]).toEqual([how, 403])
      for (const [how, headers, query] of SPELLED)
        expect([how, await enter(closed, door, headers, query)]).toEqual([how, door.opens])
      // A name that nobody knows is no matter for somebody who shows the token.
      const [, right] = SPELLED[0] ?? []
      expect(await enter(closed, door, { ...right, host: 'perpetua.example:8080' })).toBe(door.opens)
      expect(await enter(closed, door, { ...right, origin: 'https://evil.example' })).toBe(403)
    })

  test('[SEC2] a stranger at an allotted port is refused in the same way, and does not use it up', async () => {
    const response = await fetch(`${closed.address}/api/get_ws_port`)
    const { data } = (await response.json()) as { data: { port: number } }
    const door = `http://127.0.0.1:${data.port}`
    const status = async (headers: Headers) => (await knock(door, '/any', headers, { upgrade: true })).status
    expect(await status({})).toBe(401)
    for (const [how, headers, query] of WRONG)
      expect([how, (await knock(door, `/?${query ?? ''}`, headers, { upgrade: true })).status]).toEqual([how, 403])
    expect(await status({ authorization: TOKEN, origin: 'https://evil.example' })).toBe(403)
    expect(await status({ authorization: TOKEN })).toBe(101)
  })

  test("[SEC3] it is the implementation's where clients have none of their own", async () => {
    await using both = await gateway({ 'ntqq-impl': { mode: 'reverse', 'external-access-token': TOKEN } })
    const door = { path: '/', upgrade: true, opens: 101 }
    expect(await enter(both, door, {})).toBe(401)
    expect(await enter(both, door, { authorization: TOKEN })).toBe(101)
    await using own = await gateway({
      'ntqq-impl': { mode: 'reverse', 'external-access-token': 'another' },
      http: { 'access-token': TOKEN },
    })
    expect(await enter(own, door, { authorization: 'another' })).toBe(403)
    expect(await enter(own, door, { authorization: TOKEN })).toBe(101)
  })
})

describe('the discovery calls', () => {
  for (const door of DISCOVERY)
    test(`[SEC4] ${door.path} is open to this machine, and to nobody who comes through a proxy`, async () => {
      expect(await enter(closed, door, {})).toBe(200)
      for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP']) {
        const forwarded = { [name]: name === 'Forwarded' ? 'for=192.0.2.1' : '192.0.2.1' }
        expect([name, await enter(closed, door, forwarded)]).toEqual([name, 401])
        expect(await enter(closed, door, { ...forwarded, authorization: 'wrong' })).toBe(403)
        expect(await enter(closed, door, { ...forwarded, authorization: TOKEN })).toBe(200)
      }
      // A page in a browser on this machine is not this machine.
      expect(await enter(closed, door, { origin: 'https://evil.example' })).toBe(403)
      expect(await enter(closed, door, { host: 'evil.example' })).toBe(403)
    })

  test('[SEC5] http.open-discovery opens these two to everybody, and nothing else', async () => {
    await using wide = await gateway({
      'ntqq-impl': { mode: 'reverse' },
      http: { 'access-token': TOKEN, 'open-discovery': true },
    })
    const forwarded = { 'x-forwarded-for': '192.0.2.1' }
    for (const door of DISCOVERY) {
      expect(await enter(wide, door, forwarded)).toBe(200)
      expect(await enter(wide, door, { ...forwarded, origin: 'https://evil.example' })).toBe(403)
    }
    expect(await enter(wide, { path: '/', upgrade: true, opens: 101 }, forwarded)).toBe(401)
    expect(await enter(wide, { path: '/api/status', upgrade: false, opens: 200 }, forwarded)).toBe(401)
  })
})

describe('pages in browsers', () => {
  for (const door of [...DOORS, ...DISCOVERY])
    test(`[SEC6] ${door.path}${door.upgrade ? ' (WebSocket)' : ''}: without a token no other origin comes in, and no name of another's`, async () => {
      const { host } = new URL(open.address)
      const port = host.split(':')[1]
      const origins: [string, boolean][] = [
        [`http://${host}`, true],
        [`https://${host}`, false],
        ['http://127.0.0.1', false],
        ['null', false],
        ['https://evil.example', false],
        [`http://${host}.evil.example`, false],
      ]
      for (const [origin, allowed] of origins)
        expect([origin, await enter(open, door, { origin })]).toEqual([origin, allowed ? door.opens : 403])
      const hosts: [string | undefined, boolean][] = [
        [`localhost:${port}`, true],
        [`LOCALHOST:${port}`, true],
        [`bot.localhost:${port}`, true],
        [`192.168.1.5:${port}`, true],
        [`[::1]:${port}`, true],
        ['evil.example', false],
        [`evil.example:${port}`, false],
        [`127.0.0.1.evil.example:${port}`, false],
        [`localhost.evil.example:${port}`, false],
      ]
      for (const [name, allowed] of hosts)
        expect([name, await enter(open, door, { host: name })]).toEqual([name, allowed ? door.opens : 403])
      // A page whose own name leads to us is of the same origin, and is not let in all the same.
      expect(await enter(open, door, { host: 'evil.example', origin: 'http://evil.example' })).toBe(403)
    })

  test('[SEC7] names and origins of the configuration come in', async () => {
    await using known = await gateway({
      'ntqq-impl': { mode: 'reverse' },
      http: { 'allowed-hosts': ['perpetua.example'], 'allowed-origins': ['https://panel.example'] },
    })
    const door = { path: '/', upgrade: true, opens: 101 }
    expect(await enter(known, door, { host: 'Perpetua.example:8080' })).toBe(101)
    expect(await enter(known, door, { host: 'sub.perpetua.example' })).toBe(403)
    expect(await enter(known, door, { origin: 'https://panel.example' })).toBe(101)
    expect(await enter(known, door, { origin: 'https://panel.example:8443' })).toBe(403)
    expect(await enter(known, door, { origin: 'http://panel.example' })).toBe(403)
    expect(await enter(known, door, { host: 'perpetua.example', origin: 'https://panel.example' })).toBe(101)
  })

  test('[SEC8] the page at / shows nothing of anybody', async () => {
    await using bed = await testbed({ bot: { selfId: 20002 }, config: { http: { 'access-token': TOKEN } } })
    await bed.client('/?client_name=somebody', { headers: { Authorization: TOKEN } })
    const { status, body } = await knock(bed.gateway.address, '/', { host: 'evil.example' })
    expect(status).toBe(200)
    const shown = ['20002', 'somebody', TOKEN, ADMIN].filter((secret) => body.includes(secret))
    expect(shown).toEqual([])
  })
})

describe('the status', () => {
  test('[SEC9] needs the admin token wherever it is asked from, which no client token opens', async () => {
    const door = { path: '/api/status', upgrade: false, opens: 200 }
    for (const one of [open, closed]) {
      expect(await enter(one, door, {})).toBe(401)
      expect(await enter(one, door, { authorization: `Bearer ${TOKEN}` })).toBe(403)
      expect(await enter(one, door, { authorization: 'Bearer admin-token-of-tests' })).toBe(200)
      expect(await enter(one, door, {}, 'access_token=admin-token-of-tests')).toBe(200)
      const admin = { authorization: 'Bearer admin-token-of-tests' }
      expect(await enter(one, door, { ...admin, origin: 'https://evil.example' })).toBe(403)
    }
    // And it opens nothing but what is its own.
    expect(
      await enter(closed, { path: '/', upgrade: true, opens: 101 }, { authorization: 'admin-token-of-tests' }),
    ).toBe(403)
  })
})

describe('https', () => {
  test('[SEC10] serves every door over TLS, allotted ports too, and nothing without', async () => {
    const file = (name: string) => new URL(`../fixtures/tls/${name}.pem`, import.meta.url).pathname
    const ca = readFileSync(file('ca'), 'utf8')
    await using bed = await testbed({ config: { http: { tls: { cert: file('cert'), key: file('key') } } } })
    const { address, ws } = bed.gateway
    expect([new URL(address).protocol, new URL(ws).protocol]).toEqual(['https:', 'wss:'])
    await using client = await Client.connect(ws, { tls: { ca } })
    expect(await client.next()).toMatchObject({ sub_type: 'connect' })
    const response = await fetch(`${address}/api/get_ws_port`, { tls: { ca } })
    const { data } = (await response.json()) as { data: { port: number } }
    expect(await knock(`http://127.0.0.1:${data.port}`, '/').catch(() => 'refused')).toBe('refused')
    await using allotted = await Client.connect(`wss://127.0.0.1:${data.port}/`, { tls: { ca } })
    expect(await allotted.next()).toMatchObject({ sub_type: 'connect' })
    // The same origin is now one of https.
    const status = async (origin: string) => (await knock(address, '/', { origin }, { upgrade: true })).status
    expect(await status(address)).toBe(101)
    expect(await status(address.replace('https', 'http'))).toBe(403)
  })
})
