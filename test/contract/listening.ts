// The contract of listeners: handshakes, refusals, ports, stopping, addresses, TLS and body limits.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { bed, MAX_FRAME } from './bed.ts'
import type { Case } from './case.ts'
import { HANDSHAKE, OPCODE, request } from './raw.ts'

const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8')

/** How often an IPv4 or IPv6 peer shows itself to the app. */
const peerSeen = async (port: number, host: string) => {
  const peer = request(port, 'GET /peer', { host: 'localhost', connection: 'close' }, host)
  await peer.closed
  return peer.body
}

export const listening: readonly Case[] = [
  {
    name: '[RUN12] a request that is no proper WebSocket handshake is not upgraded, and the app answers it',
    async run(host, own) {
      const b = await own(bed(host))
      const { 'sec-websocket-key': _, ...keyless } = HANDSHAKE
      const tries: [string, Record<string, string>][] = [
        ['GET /plain', { host: 'localhost' }],
        ['GET /keyless', keyless],
        ['GET /old', { ...HANDSHAKE, 'sec-websocket-version': '7' }],
        ['POST /post', HANDSHAKE],
      ]
      for (const [line, headers] of tries) {
        const peer = request(b.listener.port, line, { ...headers, 'content-length': '0' })
        assert.match(await peer.head, /^HTTP\/1.1 426 /)
        assert.equal(await b.refused.take(), line.split(' ')[1])
        peer.socket.destroy()
      }
      // A handshake for another protocol, as Java's client offers HTTP/2, is an ordinary request.
      const h2c = { host: 'localhost', connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAAA' }
      const peer = request(b.listener.port, 'POST /length', { ...h2c, 'content-length': '4' })
      peer.socket.write('four')
      assert.match(await peer.head, /^HTTP\/1.1 200 /)
      peer.socket.destroy()
      assert.deepEqual(b.accepted.left, [])
    },
  },
  {
    name: '[RUN13] a refused handshake gets the whole answer: status, headers and body',
    async run(host, own) {
      const b = await own(bed(host))
      const peer = request(b.listener.port, 'GET /status/401', HANDSHAKE)
      assert.match(await peer.head, /^HTTP\/1.1 401 Unauthorized\r\n/)
      assert.match(await peer.head, /^x-why: because\r?$/im)
      assert.match(await peer.head, /^content-length: 7\r?$/im)
      peer.socket.end()
      await peer.closed
      assert.equal(peer.body, 'refused')
    },
  },
  {
    name: '[RUN14] a peer that left before its handshake was answered opens no socket',
    async run(host, own) {
      const b = await own(bed(host))
      const peer = request(b.listener.port, 'GET /slow', HANDSHAKE)
      await peerSeen(b.listener.port, '127.0.0.1')
      peer.socket.resetAndDestroy()
      await peer.closed
      await peerSeen(b.listener.port, '127.0.0.1')
      b.open()
      assert.equal(await b.refused.take(), '/slow')
      assert.deepEqual(b.accepted.left, [])
    },
  },
  {
    name: '[RUN38] a peer that leaves while its handshake waits is told by the signal of its request',
    async run(host, own) {
      const b = await own(bed(host))
      const peer = request(b.listener.port, 'GET /left', HANDSHAKE)
      await peerSeen(b.listener.port, '127.0.0.1')
      peer.socket.destroy()
      assert.equal(await b.refused.take(), '/left')
      assert.deepEqual(b.accepted.left, [])
    },
  },
  {
    name: '[RUN39] subprotocols that make no sense refuse no handshake, of others the first is chosen',
    async run(host, own) {
      const b = await own(bed(host))
      for (const protocols of ['11.Satori, v2', 'a, a', '', ',,', 'a b;"', 'v2,']) {
        const peer = request(b.listener.port, 'GET /', { ...HANDSHAKE, 'sec-websocket-protocol': protocols })
        const head = await peer.head
        assert.match(head, /^HTTP\/1.1 101 /, protocols)
        const [, chosen] = /^sec-websocket-protocol: ([\w.]+)\r?$/im.exec(head) ?? []
        const [first = ''] = protocols.split(',')
        if (/^[\w.]+$/.test(first)) assert.equal(chosen, first)
        // It is open on both sides.
        const { facts } = await b.accepted.take()
        assert.deepEqual(await facts.take(), { kind: 'open' })
        peer.send(OPCODE.text, 'heard')
        assert.deepEqual(await facts.take(), { kind: 'text', text: 'heard' })
        peer.socket.destroy()
      }
    },
  },
  {
    name: '[RUN40] a handshake may name its host before its path; without a host or a path it gets 400',
    async run(host, own) {
      const b = await own(bed(host))
      const { host: _, ...hostless } = HANDSHAKE
      const tries: [RegExp, string, Record<string, string>][] = [
        [/^HTTP\/1.1 101 /, 'GET http://localhost/news?x=1', HANDSHAKE],
        [/^HTTP\/1.1 400 /, 'GET /news', hostless],
        [/^HTTP\/1.1 400 /, 'GET *', HANDSHAKE],
      ]
      for (const [wanted, line, headers] of tries) {
        const peer = request(b.listener.port, line, headers)
        assert.match(await peer.head, wanted, line)
        peer.socket.destroy()
      }
      assert.equal((await b.accepted.take()).facts.left.length > 0, true)
      assert.deepEqual([b.accepted.left, b.refused.left], [[], []])
    },
  },
  {
    name: '[RUN15] port 0 gets a free port, and a port in use is refused with EADDRINUSE',
    async run(host, own) {
      const b = await own(bed(host))
      assert.ok(b.listener.port > 0)
      await assert.rejects(bed(host, { port: b.listener.port }), { code: 'EADDRINUSE' })
      await assert.rejects(bed(host, { host: 'no-such-host.invalid' }), (error: NodeJS.ErrnoException) =>
        ['ENOTFOUND', 'EAI_AGAIN'].includes(error.code ?? ''),
      )
    },
  },
  {
    name: '[RUN16] stop frees the port and lets open sockets and running requests live on',
    async run(host, own) {
      const b = await own(bed(host))
      const { near, nearSees, far, farSees } = await b.dial()
      far.subscribe('news')
      const running = request(b.listener.port, 'GET /gate', { host: 'localhost' })
      await peerSeen(b.listener.port, '127.0.0.1')
      await b.listener.stop()
      await own(bed(host, { port: b.listener.port }))
      await nearSees.facts.take()
      await farSees.facts.take()
      assert.ok(b.listener.publish('news', 'still here') > 0)
      assert.deepEqual(await nearSees.facts.take(), { kind: 'text', text: 'still here' })
      near.send('me too')
      assert.deepEqual(await farSees.facts.take(), { kind: 'text', text: 'me too' })
      b.open()
      assert.match(await running.head, /^HTTP\/1.1 200 /)
    },
  },
  {
    name: '[RUN17] disposing drops sockets and requests, tells their owners first, and frees the port',
    async run(host, own) {
      const b = await bed(host)
      const { peer, farSees } = await b.raw()
      const slow = request(b.listener.port, 'GET /slow', HANDSHAKE)
      const running = request(b.listener.port, 'GET /gate', { host: 'localhost' })
      await peerSeen(b.listener.port, '127.0.0.1')
      await b.listener[Symbol.asyncDispose]()
      assert.deepEqual(
        farSees.facts.left.map(({ kind }) => kind),
        ['open', 'close'],
      )
      await own(bed(host, { port: b.listener.port }))
      await Promise.all([peer.closed, slow.closed, running.closed])
      b.open()
    },
  },
  {
    name: '[RUN18] the peer is the address of the socket, IPv4 without its IPv6 clothes',
    async run(host, own) {
      const four = await own(bed(host))
      assert.equal(await peerSeen(four.listener.port, '127.0.0.1'), '127.0.0.1')
      const both = await own(bed(host, { host: '::' }))
      assert.equal(await peerSeen(both.listener.port, '127.0.0.1'), '127.0.0.1')
      assert.equal(await peerSeen(both.listener.port, '::1'), '::1')
    },
  },
  {
    name: '[RUN19] TLS: a certificate is checked against the given authority or the system, unless told not to',
    async run(host, own) {
      const b = await own(bed(host, { tls: { cert: pem('cert'), key: pem('key') } }))
      for (const tls of [{ ca: pem('ca') }, { insecure: true }]) {
        const { near, farSees } = await b.dial({ tls })
        near.send('hidden')
        await farSees.facts.take()
        assert.deepEqual(await farSees.facts.take(), { kind: 'text', text: 'hidden' })
      }
      await assert.rejects(b.dial(), { name: 'DialError', status: undefined })
      await assert.rejects(b.dial({ tls: { ca: pem('ca') }, url: b.url.replace('127.0.0.1', '127.0.0.2') }), {
        name: 'DialError',
      })
    },
  },
  {
    name: '[RUN20] a body longer than maxFrame is answered with 413, whether its length was told or not',
    async run(host, own) {
      const b = await own(bed(host))
      const post = async (headers: Record<string, string>, ...chunks: string[]) => {
        const peer = request(b.listener.port, 'POST /length', { host: 'localhost', connection: 'close', ...headers })
        for (const chunk of chunks) peer.socket.write(chunk)
        return Number((await peer.head).split(' ')[1])
      }
      const half = 'x'.repeat(MAX_FRAME / 2)
      const chunked = { 'transfer-encoding': 'chunked' }
      const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`
      assert.equal(await post({ 'content-length': `${MAX_FRAME}` }, half, half), 200)
      assert.equal(await post({ 'content-length': `${MAX_FRAME + 1}` }), 413)
      assert.equal(await post(chunked, chunk(half), chunk(half), '0\r\n\r\n'), 200)
      assert.equal(await post(chunked, chunk(half), chunk(half), chunk('x'), '0\r\n\r\n'), 413)
    },
  },
]
