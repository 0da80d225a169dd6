// A handshake becomes a session, or not.

import { expect, test } from 'bun:test'
import { Hono } from 'hono'
import { STRANGERS } from '../../src/broker/ports.ts'
import { acceptClient, LinkCount } from '../../src/downstream/client.ts'
import type { AcceptedSocket, HostEnv, Listener, SocketEvents } from '../../src/runtime/host.ts'
import { bench, eagerLink } from '../support/bot.ts'

const listener: Listener = {
  host: '127.0.0.1',
  port: 1,
  publish: () => 0,
  stop: async () => {},
  [Symbol.asyncDispose]: async () => {},
}

/** Anybody may come in. */
const open = () => ({ token: '', openDiscovery: false, hosts: [], origins: [] })

/** Notes how it was closed. */
function socket(closed: [number, string][]): AcceptedSocket {
  return {
    buffered: 0,
    open: true,
    send: () => true,
    ping() {},
    close: (code, reason) => void closed.push([code, reason]),
    terminate() {},
    subscribe() {},
    unsubscribe() {},
  }
}

test('[LNK16] of two handshakes that want one name at the same moment one is closed with 1008, and reported', async () => {
  using bed = bench()
  const count = new LinkCount(10)
  const closed: [number, string][] = []
  const app = new Hono<HostEnv>()
  app.get('/event', (c) =>
    acceptClient(c, bed.bot, {
      transport: 'forward',
      events: true,
      calls: false,
      report: bed.facts.report,
      count,
      guests: STRANGERS,
      access: open,
    }),
  )
  const env: HostEnv['Bindings'] = {
    peer: '127.0.0.1',
    listener,
    keepOpen() {},
    async upgrade(_c, on) {
      // While this one is under way, the other arrives.
      bed.bot.join(eagerLink([]), { events: true, calls: true, claim: { name: 'alice' } })
      on.open?.(socket(closed))
      return new Response(null, { status: 200 })
    },
  }
  await app.request('/event?client_name=alice', {}, env)
  expect(closed).toEqual([[1008, 'refused']])
  const why = 'client_name: another client is named "alice"'
  expect(bed.facts.of('link-refused')).toEqual([
    { kind: 'link-refused', peer: '127.0.0.1', path: '/event', status: 409, why },
  ])
  expect([...bed.bot.sessions.all()].length).toBe(1)
})

test('[LNK18] where there are as many links as there may be, the next is refused with 503 before the upgrade', async () => {
  using bed = bench()
  const count = new LinkCount(2)
  const door = {
    transport: 'forward',
    events: true,
    calls: true,
    report: bed.facts.report,
    count,
    guests: STRANGERS,
    access: open,
  } as const
  const app = new Hono<HostEnv>().get('/', (c) => acceptClient(c, bed.bot, door))
  const came: SocketEvents<AcceptedSocket>[] = []
  const env: HostEnv['Bindings'] = {
    peer: '127.0.0.1',
    listener,
    keepOpen() {},
    async upgrade(_c, on) {
      came.push(on)
      on.open?.(socket([]))
      return new Response(null, { status: 200 })
    },
  }
  const come = async () => (await app.request('/', {}, env)).status
  expect([await come(), await come(), await come()]).toEqual([200, 200, 503])
  expect([came.length, bed.facts.of('link-refused').map(({ status }) => status)]).toEqual([2, [503]])
  // Somebody leaves.
  came[0]?.close(socket([]), 1000, '')
  expect([await come(), await come()]).toEqual([200, 503])
})
