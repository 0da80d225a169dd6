// A handshake becomes a session, or not.

import { expect, test } from 'bun:test'
import { Hono } from 'hono'
import { acceptClient, LinkCount } from '../../src/downstream/client.ts'
import type { AcceptedSocket, HostEnv, Listener } from '../../src/runtime/host.ts'
import { bench, eagerLink } from '../support/bot.ts'

const listener: Listener = {
  host: '127.0.0.1',
  port: 1,
  publish: () => 0,
  stop: async () => {},
  [Symbol.asyncDispose]: async () => {},
}

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
    acceptClient(c, bed.bot, { transport: 'forward', events: true, calls: false, report: bed.facts.report, count }),
  )
  const env: HostEnv['Bindings'] = {
    peer: '127.0.0.1',
    listener,
    keepOpen() {},
    async upgrade(_c, on) {
      // While this one is under way, the other arrives.
      bed.bot.join(eagerLink([]), { events: true, calls: true, name: 'alice' })
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
