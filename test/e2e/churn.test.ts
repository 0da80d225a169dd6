import { expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { HANDSHAKE, OPCODE, request } from '../contract/raw.ts'
import { bystander } from '../support/bystander.ts'
import { native } from '../support/gateway.ts'
import { ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'

const BATCH = 100

/** The ways in which links begin and end; each resolves when the peer is done with it. */
const VISITS = [
  async function politely(port: number) {
    const peer = request(port, 'GET /onebot/v11/ws', HANDSHAKE)
    await peer.head
    peer.send(OPCODE.close, Buffer.from([0x03, 0xe8]))
    await peer.closed
  },
  async function withoutAWord(port: number) {
    const peer = request(port, 'GET /', HANDSHAKE)
    await peer.head
    peer.socket.resetAndDestroy()
    await peer.closed
  },
  async function inTheMiddleOfACall(port: number) {
    const peer = request(port, 'GET /onebot/v11/ws', HANDSHAKE)
    await peer.head
    peer.send(OPCODE.text, '{"action":"get_login_info","echo":1}')
    peer.send(OPCODE.text, '{"action":"send_msg","params":{},"echo":2}')
    peer.socket.end()
    await peer.closed
  },
  async function callingOnly(port: number) {
    const peer = request(port, 'GET /api', HANDSHAKE)
    await peer.head
    peer.send(OPCODE.text, '{"action":"get_online_clients"}')
    await peer.frames.take()
    peer.socket.destroy()
    await peer.closed
  },
  async function listeningOnly(port: number) {
    const peer = request(port, 'GET /event', HANDSHAKE)
    await peer.frames.take()
    peer.socket.destroy()
    await peer.closed
  },
] as const

/** Handshakes that come to nothing, each left as soon as it was sent or answered. */
const FAILURES = [
  (port: number) => half(port, 'GET /onebot/v11/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: webso'),
  (port: number) => half(port, `GET /onebot/v11/ws HTTP/1.1\r\n${lines(HANDSHAKE)}\r\n`),
  (port: number) => answered(port, { ...HANDSHAKE, 'sec-websocket-version': '12' }),
  (port: number) => answered(port, { ...HANDSHAKE, 'sec-websocket-key': 'no key' }),
  (port: number) => answered(port, { ...HANDSHAKE, origin: 'http://elsewhere.example' }),
  (port: number) => answered(port, { ...HANDSHAKE, 'x-self-id': '99' }),
]

const lines = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')

async function half(port: number, text: string): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await new Promise((resolve) => socket.write(text, resolve))
  socket.resetAndDestroy()
}

async function answered(port: number, headers: Record<string, string>): Promise<void> {
  const peer = request(port, 'GET /onebot/v11/ws', headers)
  expect(await peer.head).toMatch(/^HTTP\/1.1 4\d\d /)
  peer.socket.destroy()
}

const VISITORS = native ? 10_000 : 2_000

test('[LOAD9] [LOAD10] 10,000 clients that come and go leave nothing behind but their notices', async () => {
  await using bed = await testbed()
  const { bot, gateway } = bed
  bot.answer = (frame) => ok(frame)
  const port = Number(new URL(gateway.address).port)
  const watcher = await bystander(bed)
  for (let visitor = 0; visitor < VISITORS; visitor += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) => VISITS[(visitor + i) % VISITS.length] ?? VISITS[0])
    await Promise.all(batch.map((visit) => visit(port)))
    await Promise.all(FAILURES.map((fail) => fail(port)))
    watcher.speak()
  }
  const after = await gateway.until(({ links }) => links === 1)
  const [one] = after.bots
  expect(after.allotments).toBe(0)
  expect(one?.sessions).toHaveLength(1)
  expect(one?.waiting).toEqual({ replies: 0, waiting: 0, held: false, paced: 0, catchingUp: 0, away: 0 })
  await watcher.undisturbed()

  // Who came for events was told of to the others, once for coming and once for leaving.
  const seen = new Map<string, number>()
  for (const raw of watcher.client.heard) {
    const { notice_type, client, online } = JSON.parse(raw)
    if (notice_type === 'client_status') seen.set(client.app_id, (seen.get(client.app_id) ?? 0) + (online ? 1 : -1))
  }
  seen.delete(one?.sessions[0]?.app_id ?? '')
  // Calls-only links are not announced; a whole handshake that was dropped at once may have been too late or not.
  const announced = VISITORS * 0.8
  expect(seen.size).toBeWithin(announced, announced + VISITORS / BATCH + 1)
  expect([...seen.values()].every((sum) => sum === 0)).toBe(true)
})

test('[LOAD10] allotted ports that are asked for, used and left are all free again', async () => {
  await using bed = await testbed()
  const { gateway } = bed
  for (let round = 0; round < 20; round++) {
    const leases = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`${gateway.address}/api/get_ws_port`)).json()),
    )
    await Promise.all(leases.map(({ data }) => VISITS[round % 3]?.(data.port)))
  }
  const after = await gateway.until(({ links, allotments }) => links === 0 && allotments === 0)
  expect(after.bots[0]?.sessions).toEqual([])
})
