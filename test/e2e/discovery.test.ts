// The two calls by which programs find their way in, as programs written long ago make them.

import { describe, expect, test } from 'bun:test'
import { Presence } from '../../src/broker/presence.ts'
import { discovery } from '../../src/downstream/discovery.ts'
import { bench } from '../support/bot.ts'
import { Client } from '../support/client.ts'
import { ADMIN, gateway } from '../support/gateway.ts'
import { testbed } from '../support/testbed.ts'

const ports = async (address: string, query = '') =>
  (await (await fetch(`${address}/api/get_ws_port${query}`)).json()) as { data: { port: number } }

describe('get_ws_port', () => {
  test('[DSC1] the answer is the envelope that clients know, and nothing else', async () => {
    await using bed = await testbed()
    const response = await fetch(`${bed.gateway.address}/api/get_ws_port`)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('application/json'),
    ])
    expect(await response.text()).toMatch(/^\{"status":"ok","retcode":0,"data":\{"port":\d+\}\}$/)
  })

  test('[DSC2] a hundred programs that ask at once all get in by a port of their own', async () => {
    await using bed = await testbed()
    const asked = await Promise.all(Array.from({ length: 100 }, () => ports(bed.gateway.address)))
    const all = asked.map(({ data }) => data?.port)
    expect(new Set(all).size).toBe(100)
    const clients = await Promise.all(all.map((port) => Client.connect(`ws://127.0.0.1:${port}/`)))
    for (const client of clients) expect(await client.next()).toMatchObject({ meta_event_type: 'lifecycle' })
    expect((await bed.gateway.status()).allotments).toBe(100)
    await Promise.all(clients.map((client) => client.close()))
    await bed.gateway.until(({ allotments, links }) => allotments === 0 && links === 0)
  })

  test('[DSC3] name and account may be given with the call; what would be refused later is refused at once', async () => {
    await using bed = await testbed()
    const { data } = await ports(bed.gateway.address, '?client_name=alice&self_id=10001')
    await using alice = await Client.connect(`ws://127.0.0.1:${data.port}`)
    expect(await alice.event('notice.client_status')).toMatchObject({
      client: { client_name: 'alice', transport: 'allotment' },
    })
    const refusals = {
      'client_name=alice': { status: 'failed', retcode: 1409 },
      [`client_name=${'n'.repeat(65)}`]: { status: 'failed', retcode: 1400 },
      'self_id=30003': { status: 'failed', retcode: 1404 },
    }
    for (const [query, wanted] of Object.entries(refusals)) {
      const response = await fetch(`${bed.gateway.address}/api/get_ws_port?${query}`)
      const body = (await response.json()) as Record<string, unknown>
      expect([response.status, body]).toMatchObject([200, { ...wanted, msg: expect.any(String) }])
      expect([body['message'], body['wording']]).toEqual([body['msg'], body['msg']])
    }
    expect((await bed.gateway.status()).allotments).toBe(1)
  })

  test('[DSC4] a link and plain HTTP can ask for a port like anybody', async () => {
    await using bed = await testbed()
    const client = await bed.client()
    const reply = await client.call('get_ws_port', { client_name: 'second' })
    const { port } = reply['data'] as { port: number }
    await using second = await Client.connect(`ws://127.0.0.1:${port}`)
    expect(await second.event('notice.client_status')).toMatchObject({ client: { client_name: 'second' } })
    const posted = await fetch(`${bed.gateway.address}/onebot/v11/get_ws_port`, { method: 'POST' })
    const { data } = (await posted.json()) as { data: { port: number } }
    await using third = await Client.connect(`ws://127.0.0.1:${data.port}`)
    expect(await third.next()).toMatchObject({ sub_type: 'connect' })
  })
})

describe('get_online_clients', () => {
  test('[DSC5] nobody is an empty list, never null', async () => {
    await using bed = await testbed()
    const response = await fetch(`${bed.gateway.address}/api/get_online_clients`)
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringMatching(/^\{"status":"ok","retcode":0,"data":\[\],"version":\d+\}$/),
    ])
  })

  test('[DSC6] clients have app_id and, when named, client_name; additions come after', async () => {
    await using bed = await testbed()
    await bed.client('/')
    await bed.client('/event?client_name=bob')
    const response = await fetch(`${bed.gateway.address}/api/get_online_clients`)
    const { data } = (await response.json()) as { data: Record<string, unknown>[] }
    expect(data.map((client) => Object.keys(client))).toEqual([
      ['app_id', 'transport', 'self_id', 'since', 'state', 'pending', 'calls'],
      ['app_id', 'client_name', 'transport', 'self_id', 'since', 'state', 'pending', 'calls'],
    ])
    expect(data[1]).toMatchObject({ client_name: 'bob', transport: 'forward', self_id: 10001 })
  })
})

describe('before there is a bot', () => {
  test('[DSC7] both calls answer, and a client on an allotted port waits', async () => {
    await using running = await gateway({ 'ntqq-impl': { mode: 'reverse' } })
    const online = await fetch(`${running.address}/api/get_online_clients`)
    expect(await online.text()).toStartWith('{"status":"ok","retcode":0,"data":[]')
    const { data } = await ports(running.address)
    await using client = await Client.connect(`ws://127.0.0.1:${data.port}`)
    await running.until(({ bots }) => bots[0]?.sessions[0]?.state === 'waiting')
    expect(client.heard).toEqual([])
  })
})

/** What a call has answered that waits for a change. */
const poll = async (address: string, query: string) => {
  const response = await fetch(`${address}/api/get_online_clients${query}`)
  return (await response.json()) as { status: string; retcode: number; data: unknown[]; version: number }
}

// The longest wait is that of all.
describe.concurrent('?wait=', () => {
  test('[DSC18] a call waits until somebody comes, and is told at once of what it has missed', async () => {
    await using bed = await testbed()
    const { version } = await poll(bed.gateway.address, '')
    const waiting = poll(bed.gateway.address, '?wait=60s')
    await bed.gateway.until(({ polls }) => polls === 1)
    const alice = await bed.client('/?client_name=alice')
    const first = await waiting
    expect(first.data).toMatchObject([{ client_name: 'alice' }])
    expect(first.version).toBeGreaterThan(version)
    // Between two calls somebody has left.
    await alice.close()
    await bed.gateway.until(({ links }) => links === 0)
    const second = await poll(bed.gateway.address, `?wait=60s&version=${first.version}`)
    expect(second).toMatchObject({ status: 'ok', data: [] })
    // A number of an earlier run is one of before.
    expect((await poll(bed.gateway.address, '?wait=60s&version=17')).version).toBe(second.version)
    const again = poll(bed.gateway.address, `?wait=60&version=${second.version}`)
    await bed.gateway.until(({ polls }) => polls === 1)
    await bed.client('/?client_name=bob')
    expect((await again).data).toMatchObject([{ client_name: 'bob' }])
  })

  test('[DSC18] the status can be waited for, too', async () => {
    await using bed = await testbed()
    const asked = { headers: { Authorization: `Bearer ${ADMIN}` } }
    const { presence } = await bed.gateway.status()
    const waiting = fetch(`${bed.gateway.address}/api/status?wait=1m&version=${presence}`, asked)
    await bed.gateway.until(({ polls }) => polls === 1)
    await bed.client()
    expect(await (await waiting).json()).toMatchObject({ links: 1, polls: 0 })
  })

  test('[DSC18] with nothing new it is answered when its time is over, with the same number', async () => {
    await using bed = await testbed()
    const { version } = await poll(bed.gateway.address, '')
    for (const query of ['?wait=300ms', `?wait=300ms&version=${version}`]) {
      const began = performance.now()
      expect(await poll(bed.gateway.address, query)).toMatchObject({ status: 'ok', data: [], version })
      expect(performance.now() - began).toBeGreaterThanOrEqual(290)
    }
    expect(await poll(bed.gateway.address, '?wait=0')).toMatchObject({ version })
  })

  test('[DSC18] a call may wait for longer than the runtime lets others idle', async () => {
    await using bed = await testbed()
    const { version } = await poll(bed.gateway.address, '')
    expect(await poll(bed.gateway.address, '?wait=13s')).toMatchObject({ status: 'ok', version })
  })

  test('[DSC19] what it cannot read is refused at once', async () => {
    await using bed = await testbed()
    const asked = { headers: { Authorization: `Bearer ${ADMIN}` } }
    for (const query of ['?wait=soon', '?wait=-1', '?wait=', '?wait=1h&version=x', '?wait=1h&version=']) {
      expect(await poll(bed.gateway.address, query)).toMatchObject({ status: 'failed', retcode: 1400 })
      const status = await fetch(`${bed.gateway.address}/api/status${query}`, asked)
      expect([status.status, await status.json()]).toMatchObject([400, { retcode: 1400 }])
    }
  })

  test('[DSC19] who goes away waits no more', async () => {
    await using bed = await testbed()
    const gone = new AbortController()
    const calls = Array.from({ length: 20 }, () =>
      fetch(`${bed.gateway.address}/api/get_online_clients?wait=5m`, { signal: gone.signal }).catch(() => undefined),
    )
    await bed.gateway.until(({ polls }) => polls === 20)
    gone.abort()
    await Promise.all(calls)
    await bed.gateway.until(({ polls }) => polls === 0)
  })

  test('[DSC19] more than 4,096 do not wait at a time', async () => {
    using bed = bench()
    const presence = new Presence()
    const gone = new AbortController()
    const waiting = Array.from({ length: 4_096 }, () => presence.wait(presence.version, 1e9, gone.signal))
    const app = discovery({
      bots: bed.bots,
      access: () => ({ token: '', openDiscovery: true, hosts: [], origins: [] }),
      report: bed.facts.report,
      lease: async () => 0,
      clients: () => [],
      presence,
    })
    const env = { peer: '127.0.0.1', keepOpen: () => undefined }
    const ask = async () => (await app.request('http://localhost/api/get_online_clients?wait=1s', {}, env)).json()
    expect(await ask()).toMatchObject({ status: 'failed', retcode: 1503 })
    gone.abort()
    await Promise.all(waiting)
    expect(presence.waiting).toBe(0)
    expect(await ask()).toMatchObject({ status: 'ok', version: presence.version })
  })
})
