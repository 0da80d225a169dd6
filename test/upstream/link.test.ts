// One connection to an implementation, with a socket that is not there.

import { expect, test } from 'bun:test'
import type { Seat } from '../../src/broker/ports.ts'
import type { Socket } from '../../src/runtime/host.ts'
import { ImplementationLink } from '../../src/upstream/link.ts'

function linked() {
  const sent: string[] = []
  const closed: number[] = []
  const socket = {
    buffered: 0,
    open: true,
    send(text: string) {
      sent.push(text)
      return true
    },
    ping() {},
    close: (code: number) => void closed.push(code),
    terminate() {},
  } satisfies Socket
  const ends: { code: number; reason: string; refused: boolean }[] = []
  const lost: number[] = []
  // The cast: of a bot the link needs no more than this.
  const bot = {
    name: 'b',
    online: false,
    heartbeat: undefined,
    received() {},
    lost: (_: unknown, code: number) => lost.push(code),
  }
  const link = new ImplementationLink(socket, {
    bot: bot as unknown as Seat,
    peer: 'p',
    report() {},
    ended: (end) => ends.push(end),
  })
  return { socket, sent, closed, ends, lost, link }
}

test('[UPS4] an implementation that does not read gets no more than fits, and the caller is told', () => {
  const { link, socket, sent } = linked()
  expect(link.send('one')).toBe(true)
  socket.buffered = 128 * 1024 * 1024
  expect(link.send('two')).toBe(false)
  socket.buffered = 0
  expect(link.send('three')).toBe(true)
  expect(sent).toEqual(['one', 'three'])
  link.close(1000, '')
})

test('[UPS5] a connection ends once, whoever ends it, and takes nothing afterwards', () => {
  const { link, ends, lost, closed } = linked()
  link.redial('asked')
  link.over(1000, 'asked')
  link.close(1001, 'again')
  expect(closed).toEqual([1000])
  expect(lost).toEqual([1006])
  expect(ends).toEqual([{ code: 1006, reason: 'asked', refused: false }])
  expect(link.send('late')).toBe(false)
})

test('[UPS6] a 1403 frame without an echo, or a close with 1008, is a refused token', () => {
  for (const end of ['frame', 'code']) {
    const { link, ends } = linked()
    if (end === 'frame') link.heard('{"status":"failed","retcode":1403,"data":null,"echo":null}')
    link.over(end === 'code' ? 1008 : 1000, 'bye')
    expect(ends).toMatchObject([{ code: end === 'code' ? 1008 : 1000, refused: true }])
  }
  const { link, ends } = linked()
  link.heard('{"status":"failed","retcode":1403,"data":null,"echo":"a client of ours may not do that"}')
  link.over(1006, '')
  expect(ends).toEqual([{ code: 1006, reason: '', refused: false }])
})
