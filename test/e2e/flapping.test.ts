// Clients that connect again and again wait, where they are known; clients that we dial and that keep failing are left alone.

import { expect, test } from 'bun:test'
import { Arrivals } from '../../src/downstream/arrivals.ts'
import { Application } from '../support/application.ts'
import { Client } from '../support/client.ts'
import { EAGER, outside } from '../support/gateway.ts'
import { knock } from '../support/knock.ts'
import { testbed } from '../support/testbed.ts'

const FREE = 15

/** Connects and leaves, so many times. */
async function flap(url: string, times: number, headers: Record<string, string> = {}): Promise<void> {
  for (let n = 0; n < times; n++) {
    const client = await Client.connect(url, { headers })
    await client.close()
  }
}

// The five seconds of each pass at the same time.
test.concurrent('[LNK38] a client known by name that comes for the sixteenth time in a minute waits, and then comes in', async () => {
  await using bed = await testbed()
  const alice = `${bed.gateway.ws}/?client_name=alice`
  await flap(alice, FREE)
  const began = performance.now()
  await using client = await Client.connect(alice)
  expect(performance.now() - began).toBeGreaterThan(4_900)
  expect(await client.event('notice.client_status')).toMatchObject({ client: { client_name: 'alice' } })
  expect((await bed.gateway.status()).facts['client-flapping']).toBe(1)
  if (outside) return
  expect(bed.gateway.facts.find(({ kind }) => kind === 'client-flapping')).toMatchObject({
    client: 'alice',
    peer: '127.0.0.1',
    inMs: 5_000,
  })
})

test.concurrent('[LNK38] by its token it is known under any name, and its links for events and for calls are two', async () => {
  await using bed = await testbed({ config: { clients: [{ name: 'w', token: 'tw' }] } })
  const headers = { Authorization: 'Bearer tw' }
  await flap(`${bed.gateway.ws}/event`, FREE, headers)
  await flap(`${bed.gateway.ws}/api`, 1, headers)
  expect((await bed.gateway.status()).facts['client-flapping']).toBeUndefined()
  const began = performance.now()
  await flap(`${bed.gateway.ws}/?client_name=w`, 1, headers)
  expect(performance.now() - began).toBeGreaterThan(4_900)
  expect((await bed.gateway.status()).facts['client-flapping']).toBe(1)
})

test.concurrent('[LNK38] a second handshake meanwhile is refused with 503 and Retry-After', async () => {
  await using bed = await testbed()
  const path = '/?client_name=alice'
  await flap(`${bed.gateway.ws}${path}`, FREE)
  const waiting = Client.connect(`${bed.gateway.ws}${path}`)
  await bed.gateway.until(({ facts }) => facts['client-flapping'] === 1)
  const answer = await knock(bed.gateway.address, path, {}, { upgrade: true })
  expect([answer.status, JSON.parse(answer.body)]).toMatchObject([503, { status: 'failed', retcode: 1503 }])
  expect(answer.head).toMatch(/^retry-after: 5\r?$/m)
  await using _ = await waiting
})

test('[LNK39] unnamed clients, and many names of one address, never wait', async () => {
  await using bed = await testbed()
  await flap(`${bed.gateway.ws}/`, 3 * FREE)
  for (let n = 0; n < 3 * FREE; n++) await flap(`${bed.gateway.ws}/?client_name=bot-${n}`, 1)
  expect((await bed.gateway.status()).facts['client-flapping']).toBeUndefined()
})

test('[LNK39] who is refused for another reason has not come', async () => {
  await using bed = await testbed()
  await using owner = await bed.client('/?client_name=alice')
  for (let n = 0; n < 3 * FREE; n++)
    expect((await knock(bed.gateway.address, '/?client_name=alice', {}, { upgrade: true })).status).toBe(409)
  await owner.close()
  await bed.gateway.until(({ links }) => links === 0)
  await flap(`${bed.gateway.ws}/?client_name=alice`, 1)
  expect((await bed.gateway.status()).facts['client-flapping']).toBeUndefined()
})

test('[LNK40] a client that gives up while it waits leaves no trace', async () => {
  const arrivals = new Arrivals(60_000)
  for (let n = 0; n < FREE; n++) await arrivals.admit('a', new AbortController().signal, () => undefined)
  const gone = new AbortController()
  const told: number[] = []
  const waiting = arrivals.admit('a', gone.signal, (inMs) => told.push(inMs))
  expect(await arrivals.admit('a', gone.signal, () => undefined)).toEqual({ kind: 'busy', inMs: 60_000 })
  gone.abort()
  expect(await waiting).toEqual({ kind: 'gone' })
  expect(told).toEqual([expect.any(Number)])
  // Its turn to wait is free again.
  expect(await arrivals.admit('a', gone.signal, () => undefined)).toEqual({ kind: 'gone' })
})

test('[LNK41] a client that we dial and that keeps failing is left alone for the cool-down, and the status says so', async () => {
  await using app = new Application()
  app.closed = true
  const patience = { ...EAGER, stable: 200 }
  await using bed = await testbed({
    config: {
      'reverse-web-socket': [{ name: 'it', url: app.url }],
      breaker: { failures: 3, 'cool-down': '400ms' },
    },
    patience,
  })
  // Again after each pause: a slow machine sees a later one.
  const { reverse } = await bed.gateway.until(({ reverse: [it] }) => it?.breaker.state === 'open')
  expect(reverse).toMatchObject([{ name: 'it', state: 'pausing' }])
  expect(reverse[0]?.breaker.failures).toBeGreaterThanOrEqual(3)
  while (app.refused < 4) await Bun.sleep(1)
  expect(Number(app.times[3]) - Number(app.times[2])).toBeGreaterThanOrEqual(390)
  app.closed = false
  const link = await app.links.take()
  await link.event('notice.client_status')
  const after = await bed.gateway.until(({ facts }) => facts['circuit-closed'] === 1)
  // A link that is open proves nothing before it has lasted.
  expect(performance.now() - Number(app.times.at(-1))).toBeGreaterThanOrEqual(patience.stable - 10)
  expect(after.bots[0]?.sessions[0]?.breaker).toEqual({ state: 'closed', failures: 0 })
  expect(after.facts['circuit-opened']).toBe(1)
})
