// The contract of dialled sockets: the handshake, its refusals, and limits.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { DialError, type DialOptions, type Host } from '../../src/runtime/host.ts'
import { bed, MAX_FRAME } from './bed.ts'
import type { Case } from './case.ts'
import { OPCODE, rawServer } from './raw.ts'
import { witness } from './witness.ts'

const defaults = { headers: {}, maxFrame: MAX_FRAME, timeout: 60_000 }

async function refusal(host: Host, options: Partial<DialOptions> & { url: string }): Promise<DialError> {
  const sees = witness()
  const dialled = host.dial({ ...defaults, events: sees.on, ...options })
  const error: unknown = await dialled.then(
    () => assert.fail('the dial succeeded'),
    (reason) => reason,
  )
  assert.ok(error instanceof DialError, `${error}`)
  await turn()
  assert.deepEqual(sees.facts.left, [], 'a failed dial calls nothing back')
  return error
}

export const dialling: readonly Case[] = [
  {
    name: '[RUN21] a dial carries its headers and its query, and offers no compression',
    async run(host, own) {
      const server = await own(rawServer())
      const headers = { 'X-Self-ID': '10001', Authorization: 'Bearer tö', 'User-Agent': 'OneBot/11' }
      const url = `${server.url}path?access_token=a%20b`
      const near = await host.dial({ ...defaults, url, headers, events: witness().on })
      const head = await (await server.next()).head
      near.terminate()
      assert.match(head, /^GET \/path\?access_token=a%20b HTTP\/1.1\r\n/)
      assert.match(head, /^x-self-id: 10001\r?$/im)
      assert.match(head, /^user-agent: OneBot\/11\r?$/im)
      assert.doesNotMatch(head, /^sec-websocket-extensions/im)
    },
  },
  {
    name: '[RUN22] a refused dial tells the status of the answer',
    async run(host, own) {
      const b = await own(bed(host))
      for (const status of [400, 401, 403, 404, 409, 429, 500, 503]) {
        const error = await refusal(host, { url: `${b.url}status/${status}` })
        assert.equal(error.status, status)
        assert.match(error.message, new RegExp(`the peer answered ${status}$`))
      }
      assert.equal((await refusal(host, { url: `${b.url}peer` })).status, 200)
    },
  },
  {
    name: '[RUN23] a dial that reaches nobody fails without a status, and says why',
    async run(host) {
      const b = await bed(host)
      await b.listener[Symbol.asyncDispose]()
      const closed = await refusal(host, { url: b.url })
      assert.equal(closed.status, undefined)
      assert.match(closed.message, /ECONNREFUSED/)
      assert.ok(closed.cause instanceof Error && 'code' in closed.cause)
      assert.equal(closed.cause.code, 'ECONNREFUSED')
      assert.match((await refusal(host, { url: 'mailto:someone' })).message, /wanted ws:\/\/ or wss:\/\/$/)
    },
  },
  {
    name: '[RUN24] a handshake that is not answered is given up after the timeout, or when the caller says so',
    async run(host, own) {
      const server = await own(rawServer({ mute: true }))
      const late = await refusal(host, { url: server.url, timeout: 50 })
      assert.match(late.message, /no answer to the handshake within 50 ms$/)
      await (await server.next()).closed

      const controller = new AbortController()
      const reason = new Error('shutting down')
      const dialled = refusal(host, { url: server.url, signal: controller.signal })
      const peer = await server.next()
      controller.abort(reason)
      assert.equal((await dialled).cause, reason)
      await peer.closed
      assert.equal((await refusal(host, { url: server.url, signal: AbortSignal.abort(reason) })).cause, reason)
    },
  },
  {
    name: '[RUN25] what a failed dial says holds no token of its address',
    async run(host, own) {
      const b = await own(bed(host))
      const secret = '?access_token=secret'
      const closed = await bed(host)
      await closed.listener[Symbol.asyncDispose]()
      for (const url of [`${b.url}status/403${secret}`, `${closed.url}${secret}`, `mailto:someone${secret}`]) {
        const { message, stack, cause } = await refusal(host, { url })
        const { message: why, stack: where } = cause instanceof Error ? cause : { message: '', stack: '' }
        assert.doesNotMatch(`${message}${stack}${why}${where}`, /secret/)
      }
    },
  },
  {
    name: '[RUN26] a frame longer than maxFrame closes a dialled socket with 1009, one of exactly maxFrame passes',
    async run(host, own) {
      const server = await own(rawServer())
      const sees = witness()
      await host.dial({ ...defaults, url: server.url, maxFrame: 1_000, events: sees.on })
      const peer = await server.next()
      peer.send(OPCODE.text, 'é'.repeat(500))
      peer.send(OPCODE.text, `${'é'.repeat(500)}e`)
      await sees.facts.take()
      assert.deepEqual(await sees.facts.take(), { kind: 'text', text: 'é'.repeat(500) })
      const { opcode, payload } = await peer.frames.take()
      assert.deepEqual([opcode, payload.readUInt16BE()], [OPCODE.close, 1009])
      peer.send(OPCODE.close, payload)
      peer.socket.end()
      assert.partialDeepStrictEqual(await sees.facts.take(), { kind: 'close', code: 1009 })
    },
  },
  {
    name: '[RUN27] a dialled socket whose peer does not read shows it in buffered, and drains',
    async run(host, own) {
      const server = await own(rawServer())
      const sees = witness()
      const near = await host.dial({ ...defaults, url: server.url, events: sees.on })
      const peer = await server.next()
      peer.socket.pause()
      let sent = 0
      for (; near.buffered < MAX_FRAME; sent++) {
        near.send('x'.repeat(200_000))
        await turn()
      }
      peer.socket.resume()
      while (near.buffered > 0) await sees.drains.take()
      for (; sent > 0; sent--) assert.equal((await peer.frames.take()).payload.length, 200_000)
      near.terminate()
    },
  },
]
