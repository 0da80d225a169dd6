// The contract of silence: who is cut, who is not, and that nobody is pinged meanwhile.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Host } from '../../src/runtime/host.ts'
import { bed, MAX_FRAME } from './bed.ts'
import { type Case, type Own, owning } from './case.ts'
import { OPCODE, RawPeer, rawServer, request, type WireFrame } from './raw.ts'
import { witness } from './witness.ts'

interface Silence {
  /** Milliseconds until the last unfinished handshake was cut. */
  cutAfter: number
  keptAnswer: string
  /** What an accepted and a dialled socket sent during all that time. */
  frames: WireFrame[]
  open: boolean[]
}

async function silence(host: Host, own: Own): Promise<Silence> {
  const since = performance.now()
  const b = await own(bed(host))
  const server = await own(rawServer())
  const accepted = await b.raw()
  const near = await host.dial({
    url: server.url,
    headers: {},
    maxFrame: MAX_FRAME,
    timeout: 60_000,
    events: witness().on,
  })
  const dialled = await server.next()

  const mute = new RawPeer(connect(b.listener.port, '127.0.0.1'), 'client')
  const half = new RawPeer(connect(b.listener.port, '127.0.0.1'), 'client')
  half.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n')
  const forgotten = request(b.listener.port, 'GET /gate', { host: 'localhost' })
  const kept = request(b.listener.port, 'GET /kept-gate', { host: 'localhost' })
  await Promise.all([mute.closed, half.closed])
  const cutAfter = performance.now() - since
  await forgotten.closed

  b.open()
  const keptAnswer = await kept.head
  const open = [accepted.far.open, near.open]
  near.terminate()
  return { cutAfter, keptAnswer, frames: [...accepted.peer.frames.left, ...dialled.frames.left], open }
}

const known = new WeakMap<Host, Promise<Silence>>()

/** Takes as long as a host is patient: started early, it is over when the other cases are. */
export function startSilence(host: Host): Promise<Silence> {
  const running = known.get(host) ?? owning((own) => silence(host, own))
  known.set(host, running)
  running.catch(() => {}) // the cases that ask for it report it
  return running
}

export const patience: readonly Case[] = [
  {
    name: '[RUN28] a handshake that does not finish is cut after some 12 seconds',
    async run(host) {
      const { cutAfter } = await startSilence(host)
      assert.ok(cutAfter > 8_000 && cutAfter < 20_000, `cut after ${cutAfter} ms`)
    },
  },
  {
    name: '[RUN29] a request that was told to keep open outlives the default patience',
    async run(host) {
      assert.match((await startSilence(host)).keptAnswer, /^HTTP\/1.1 200 /)
    },
  },
  {
    name: '[RUN30] silence closes no WebSocket, and nobody is sent a PING',
    async run(host) {
      const { frames, open } = await startSilence(host)
      assert.deepEqual(
        frames.filter(({ opcode }) => opcode === OPCODE.ping),
        [],
      )
      assert.deepEqual([frames, open], [[], [true, true]])
    },
  },
]
