// The contract of open sockets: frames, topics, pressure, pings and the ways to close.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { bed, MAX_FRAME } from './bed.ts'
import type { Case } from './case.ts'
import { OPCODE, rawServer } from './raw.ts'
import { witness } from './witness.ts'

const text = (said: string) => ({ kind: 'text', text: said })
const close = (code: number, reason: string) => ({ kind: 'close', code, reason })

/** A close frame's payload. */
const farewell = (code: number, reason: string) => Buffer.from([code >> 8, code & 0xff, ...Buffer.from(reason)])

export const sockets: readonly Case[] = [
  {
    name: '[RUN1] text goes both ways unchanged, binary only comes in',
    async run(host, own) {
      const b = await own(bed(host))
      const { near, nearSees, far, farSees } = await b.dial()
      assert.deepEqual(await nearSees.facts.take(), { kind: 'open' })
      assert.deepEqual(await farSees.facts.take(), { kind: 'open' })
      for (const said of ['', 'a', '\u0000 "群" 🐧\n', 'x'.repeat(126), 'é'.repeat(40_000)]) {
        assert.equal(near.send(said), true)
        assert.deepEqual(await farSees.facts.take(), text(said))
        assert.equal(far.send(said), true)
        assert.deepEqual(await nearSees.facts.take(), text(said))
      }
      const { peer, farSees: rawSees } = await b.raw()
      peer.send(OPCODE.binary, Buffer.from([1, 2, 255]))
      await rawSees.facts.take()
      assert.deepEqual(await rawSees.facts.take(), { kind: 'binary', bytes: [1, 2, 255] })
    },
  },
  {
    name: '[RUN2] a published frame reaches the subscribed sockets of its listener, and publish says whether there are any',
    async run(host, own) {
      const b = await own(bed(host))
      const one = await b.raw()
      const two = await b.raw()
      assert.equal(b.listener.publish('news', 'nobody'), 0)
      one.far.subscribe('news')
      two.far.subscribe('news')
      two.far.subscribe('other')
      assert.ok(b.listener.publish('news', 'both') > 0)
      two.far.unsubscribe('news')
      assert.ok(b.listener.publish('news', 'one') > 0)
      assert.ok(b.listener.publish('other', 'two') > 0)
      const said = async ({ peer }: typeof one) => (await peer.frames.take()).payload.toString()
      assert.deepEqual([await said(one), await said(one)], ['both', 'one'])
      assert.deepEqual([await said(two), await said(two)], ['both', 'two'])
      one.peer.socket.destroy()
      await one.farSees.facts.take()
      await one.farSees.facts.take()
      assert.equal(b.listener.publish('news', 'nobody'), 0)
    },
  },
  {
    name: '[RUN3] published and sent frames arrive in the order in which they were given',
    async run(host, own) {
      const b = await own(bed(host))
      const { peer, far } = await b.raw()
      far.subscribe('news')
      const wanted = Array.from({ length: 300 }, (_, i) => `${i}`)
      for (const [i, said] of wanted.entries()) {
        if (i % 3 === 1) far.send(said)
        else b.listener.publish('news', said)
        if (i % 50 === 0) await turn()
      }
      for (const said of wanted) assert.equal((await peer.frames.take()).payload.toString(), said)
    },
  },
  {
    name: '[RUN4] a peer that does not read shows in buffered and as -1; drain tells when it reads again, and nothing is lost',
    async run(host, own) {
      const b = await own(bed(host))
      const { peer, far, farSees } = await b.raw()
      far.subscribe('news')
      assert.equal(far.buffered, 0)
      peer.socket.pause()
      const filler = 'x'.repeat(200_000)
      let sent = 0
      for (let verdict = 1; verdict !== -1 || far.buffered < MAX_FRAME; sent++) {
        verdict = b.listener.publish('news', filler)
        if (sent === 0) assert.ok(verdict > 0)
        assert.notEqual(verdict, 0)
        await turn()
      }
      peer.socket.resume()
      while (far.buffered > 0) await farSees.drains.take()
      assert.ok(b.listener.publish('news', 'last') > 0)
      for (; sent > 0; sent--) assert.equal((await peer.frames.take()).payload.length, filler.length)
      assert.equal((await peer.frames.take()).payload.toString(), 'last')
    },
  },
  {
    name: '[RUN5] beyond the last limit a frame is dropped for that socket alone, and the caller is told',
    async run(host, own) {
      const b = await own(bed(host))
      const stuck = await b.raw()
      const fine = await b.raw()
      stuck.far.subscribe('news')
      fine.far.subscribe('news')
      stuck.peer.socket.pause()
      const filler = 'x'.repeat(1_000_000)
      while (b.listener.publish('news', filler) !== 0) await fine.peer.frames.take()
      assert.ok(stuck.far.buffered > 64 * 1024 * 1024)
      assert.equal(stuck.far.send('more'), false)
      assert.equal((await fine.peer.frames.take()).payload.length, filler.length)
      assert.equal(fine.far.send('hello'), true)
      assert.equal((await fine.peer.frames.take()).payload.toString(), 'hello')
    },
  },
  {
    name: '[RUN6] close codes and reasons go both ways; a lost connection is 1006',
    async run(host, own) {
      const b = await own(bed(host))
      const asks = await b.dial()
      asks.far.close(4002, 'genug für heute')
      for (const { facts } of [asks.nearSees, asks.farSees]) {
        await facts.take()
        assert.deepEqual(await facts.take(), close(4002, 'genug für heute'))
      }
      const leaves = await b.dial()
      leaves.near.close(1000, 'bye')
      for (const { facts } of [leaves.nearSees, leaves.farSees]) {
        await facts.take()
        assert.deepEqual(await facts.take(), close(1000, 'bye'))
      }
      const silent = await b.raw()
      silent.peer.send(OPCODE.close)
      const lost = await b.raw()
      lost.peer.socket.destroy()
      await silent.farSees.facts.take()
      assert.deepEqual(await silent.farSees.facts.take(), close(1005, ''))
      await lost.farSees.facts.take()
      assert.deepEqual(await lost.farSees.facts.take(), close(1006, ''))
    },
  },
  {
    name: '[RUN7] a close reason is cut to the 123 bytes that fit, never inside a character',
    async run(host, own) {
      const b = await own(bed(host))
      const accepted = await b.raw()
      accepted.far.close(4008, 'ü'.repeat(100))
      assert.deepEqual((await accepted.peer.frames.take()).payload, farewell(4008, 'ü'.repeat(61)))
      const dialled = await b.dial()
      dialled.near.close(4008, `a${'🐧'.repeat(50)}`)
      await dialled.farSees.facts.take()
      assert.deepEqual(await dialled.farSees.facts.take(), close(4008, `a${'🐧'.repeat(30)}`))
    },
  },
  {
    name: '[RUN8] terminate drops the connection without a close frame',
    async run(host, own) {
      const b = await own(bed(host))
      const { peer, far, farSees } = await b.raw()
      far.terminate()
      await peer.closed
      assert.deepEqual(peer.frames.left, [])
      await farSees.facts.take()
      assert.deepEqual(await farSees.facts.take(), close(1006, ''))

      const server = await own(rawServer())
      const sees = witness()
      const near = await host.dial({
        url: server.url,
        headers: {},
        maxFrame: MAX_FRAME,
        timeout: 60_000,
        events: sees.on,
      })
      const other = await server.next()
      near.terminate()
      await other.closed
      assert.deepEqual(other.frames.left, [])
      await sees.facts.take()
      assert.deepEqual(await sees.facts.take(), close(1006, ''))
    },
  },
  {
    name: '[RUN9] close is told once, last, and never from inside another callback; a closed socket takes everything calmly',
    async run(host, own) {
      const b = await own(bed(host))
      const { near, nearSees, far, farSees } = await b.dial()
      near.send('close')
      near.send('too late')
      await farSees.facts.take()
      assert.deepEqual(await farSees.facts.take(), text('close'))
      assert.deepEqual(await farSees.facts.take(), close(4001, 'asked'))
      await nearSees.facts.take()
      assert.deepEqual(await nearSees.facts.take(), close(4001, 'asked'))
      for (const socket of [near, far]) {
        assert.equal(socket.open, false)
        assert.equal(socket.send('x'), false)
        assert.equal(socket.buffered, 0)
        socket.ping('x')
        socket.close(1000, '')
        socket.terminate()
      }
      far.subscribe('news')
      far.unsubscribe('news')
      assert.equal(b.listener.publish('news', 'x'), 0)
      await turn()
      assert.deepEqual([nearSees.facts.left, farSees.facts.left], [[], []])
    },
  },
  {
    name: '[RUN10] a frame longer than maxFrame closes an accepted socket with 1009, one of exactly maxFrame passes',
    async run(host, own) {
      const b = await own(bed(host))
      const { peer, farSees } = await b.raw()
      await farSees.facts.take()
      peer.send(OPCODE.text, 'x'.repeat(MAX_FRAME))
      assert.deepEqual(await farSees.facts.take(), text('x'.repeat(MAX_FRAME)))
      peer.send(OPCODE.text, 'x'.repeat(MAX_FRAME + 1))
      const { opcode, payload } = await peer.frames.take()
      assert.deepEqual([opcode, payload.readUInt16BE()], [OPCODE.close, 1009])
      peer.socket.destroy()
      assert.partialDeepStrictEqual(await farSees.facts.take(), { kind: 'close', code: 1009 })
    },
  },
  {
    name: '[RUN11] a PING is answered, and one that was asked for brings its data back',
    async run(host, own) {
      const b = await own(bed(host))
      const { peer, far, farSees } = await b.raw()
      await farSees.facts.take()
      peer.send(OPCODE.ping, 'are you there')
      assert.deepEqual(await peer.frames.take(), { opcode: OPCODE.pong, payload: Buffer.from('are you there') })
      far.ping('7')
      assert.deepEqual(await peer.frames.take(), { opcode: OPCODE.ping, payload: Buffer.from('7') })
      peer.send(OPCODE.pong, '7')
      assert.deepEqual(await farSees.facts.take(), { kind: 'pong', data: '7' })

      const { near, nearSees } = await b.dial()
      await nearSees.facts.take()
      near.ping('8')
      assert.deepEqual(await nearSees.facts.take(), { kind: 'pong', data: '8' })
    },
  },
]
