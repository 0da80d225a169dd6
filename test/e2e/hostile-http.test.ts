import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { HANDSHAKE, OPCODE, request } from '../contract/raw.ts'
import { EAGER } from '../support/gateway.ts'
import { ok } from '../support/implementation.ts'
import { scene } from '../support/scene.ts'
import { linux } from '../support/system.ts'

const WS = 'GET /onebot/v11/ws'

/** What a server sent back to these bytes until it fell silent for the moment or closed, and whether it closed. */
interface Exchange {
  readonly socket: Socket
  /** The first bytes of an answer; empty when it was closed without. */
  readonly answer: Promise<string>
  readonly closed: Promise<void>
}

function exchange(port: number, bytes: string | Buffer): Exchange {
  const socket = connect(port, '127.0.0.1')
  const { promise: answer, resolve } = Promise.withResolvers<string>()
  const closed = new Promise<void>((done) => socket.once('close', () => done()))
  socket.on('error', () => {})
  socket.once('data', (data) => resolve(data.toString('latin1')))
  void closed.then(() => resolve(''))
  socket.write(bytes)
  return { socket, answer, closed }
}

const status = async (port: number, bytes: string | Buffer): Promise<number> => {
  const { socket, answer } = exchange(port, bytes)
  const [, code] = /^HTTP\/1\.1 (\d{3}) /.exec(await answer) ?? []
  socket.destroy()
  return Number(code)
}

const post = (headers: string, body: string) =>
  `POST /onebot/v11/get_status HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`
/** What an attacker would like us to take for a request of its own. */
const SMUGGLED = 'GET /onebot/v11/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'

const NO_HTTP: Record<string, string | Buffer> = {
  'random bytes': Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7_919) % 256)),
  'other text': 'hello\r\n\r\n',
  'empty lines': '\r\n\r\n\r\n\r\n',
  'another version': 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n',
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'a space before the colon': 'GET / HTTP/1.1\r\nHost : localhost\r\n\r\n',
  'a NUL in a header': 'GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n',
  'a folded header': 'GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  TLS: Buffer.from('16030100c8010000c40303', 'hex'),
  'length and chunks': post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${SMUGGLED}`),
  'two encodings': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${SMUGGLED}`),
  'an odd encoding': post('Transfer-Encoding: xchunked', `0\r\n\r\n${SMUGGLED}`),
  'two lengths': post('Content-Length: 0\r\nContent-Length: 56', SMUGGLED),
  'a negative length': post('Content-Length: -1', SMUGGLED),
  'an absurd length': post('Content-Length: 99999999999999999999', SMUGGLED),
  'a length in hex': post('Content-Length: 0x38', SMUGGLED),
  'a bad chunk': post('Transfer-Encoding: chunked', `zz\r\n${SMUGGLED}0\r\n\r\n`),
  'a header of 1 MiB': `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(1 << 20)}\r\n\r\n`,
  '100,000 headers': `GET / HTTP/1.1\r\nHost: localhost\r\n${'x: y\r\n'.repeat(100_000)}\r\n`,
  'an address of 1 MiB': `GET /${'x'.repeat(1 << 20)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
}

test('[HST13] a body after a handshake is no request', async () => {
  await using on = await scene()
  const { bed, port, watcher } = on
  const asked: string[] = []
  bed.bot.answer = (frame) => {
    asked.push(frame.action)
    return ok(frame)
  }
  const peer = request(port, WS, { ...HANDSHAKE, 'content-length': String(SMUGGLED.length) })
  peer.socket.write(SMUGGLED)
  expect(await peer.head).toStartWith('HTTP/1.1 101')
  // Whatever is made of it, the next frame comes after it.
  peer.send(OPCODE.text, '{"action":"get_status","echo":"after"}')
  const answered = async () => {
    while (!String((await peer.frames.take()).payload).includes('"after"')) {}
  }
  await Promise.race([answered(), peer.closed])
  peer.socket.destroy()
  await watcher.undisturbed()
  expect(asked).not.toContain('smuggled')
})

test('[HST14] wrong tokens, foreign pages and rebound names are refused, however often they try', async () => {
  const token = 'the right token'
  await using on = await scene({
    patience: EAGER,
    config: { http: { 'access-token': token } },
    headers: { authorization: `Bearer ${token}` },
  })
  const { bed, port, watcher } = on
  const handshake = (headers: Record<string, string>) =>
    `${WS} HTTP/1.1\r\n${Object.entries({ ...HANDSHAKE, ...headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`
  const tries: [number, Record<string, string>][] = [
    [401, {}],
    [401, { authorization: '' }],
    [403, { authorization: 'Bearer wrong' }],
    [403, { authorization: `Bearer ${token}x` }],
    [403, { authorization: `Bearer ${token.slice(0, -1)}` }],
    [403, { authorization: `Basic ${btoa(`a:${token}`)}` }],
    [403, { authorization: 'x'.repeat(8_000) }],
    [403, { authorization: `Bearer ${token}`, origin: 'http://evil.example' }],
    [403, { authorization: `Bearer ${token}`, origin: 'null' }],
  ]
  for (let round = 0; round < 100; round++) {
    const found = await Promise.all(tries.map(([, headers]) => status(port, handshake(headers))))
    expect(found).toEqual(tries.map(([wanted]) => wanted))
    watcher.speak()
  }
  expect(await status(port, handshake({ authorization: `Bearer ${token}` }))).toBe(101)
  await bed.gateway.until(({ links }) => links === 1)
  await watcher.undisturbed()
  // What failed to get in is told, the tokens are not.
  const refused = bed.gateway.facts.filter((fact) => fact.kind === 'link-refused')
  expect(refused).toHaveLength(tries.length * 100)
  expect(JSON.stringify(refused)).not.toContain(token)
})

test('[HST14] without a token, a name that somebody made point at us opens nothing', async () => {
  await using on = await scene()
  const { port, watcher } = on
  const hosts = [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost, evil.example',
  ]
  for (const host of hosts)
    for (const line of [
      `${WS}?x=1`,
      'GET /api/get_ws_port',
      'GET /api/get_online_clients',
      'POST /onebot/v11/send_msg',
    ]) {
      const peer = request(port, line, { ...HANDSHAKE, host })
      expect({ host, line, head: await peer.head }).toMatchObject({
        head: expect.stringMatching(/^HTTP\/1.1 40[034] /),
      })
      peer.socket.destroy()
    }
  await watcher.undisturbed()
})

/** As many as asked for, or as the limit of open files allows, some hundred left for everything else. */
function sockets(wanted: number): number {
  // Elsewhere nobody can be asked.
  const limits = linux ? readFileSync('/proc/self/limits', 'utf8') : ''
  const [, , hard] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(limits) ?? []
  return Math.min(wanted, Number(hard ?? 1_024) - 500)
}

// Some of it is cut by patience alone, as are the unfinished handshakes below: at the same time.
test.concurrent('[HST12] what is no HTTP, or HTTP that could be read in two ways, is refused and carries nothing out', async () => {
  await using on = await scene()
  const { bed, port, watcher } = on
  const asked: string[] = []
  bed.bot.answer = (frame) => {
    asked.push(frame.action)
    return ok(frame)
  }
  for (const [what, bytes] of Object.entries(NO_HTTP)) {
    const { answer, closed } = exchange(port, bytes)
    // A peer that is still writing when it is refused may see the reset before the answer.
    expect({ what, answer: await answer }).toEqual({
      what,
      answer: expect.stringMatching(/^(?:HTTP\/1\.1 (?:4\d\d|505) |$)/),
    })
    await closed
    watcher.speak()
  }
  await watcher.undisturbed()
  expect(new Set(asked)).toEqual(new Set(['get_version_info']))
})

test.concurrent('[HST15] [HST16] 10,000 handshakes that never finish are cut; neither they nor bodies that never end disturb anybody', async () => {
  // Apart: each end needs its own open files.
  await using on = await scene({ apart: true })
  const { port, watcher } = on
  const half: Promise<void>[] = []
  const openings = [
    '',
    'G',
    `${WS} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n`,
    'POST /onebot/v11/send_msg HTTP/1.1\r\nHost: localhost\r\nContent-Ty',
  ]
  const many = sockets(10_000)
  while (half.length < many) {
    const batch = Array.from({ length: 100 }, (_, i) =>
      Bun.connect({
        hostname: '127.0.0.1',
        port,
        socket: {
          data() {},
          open: (socket) => void socket.write(openings[i % openings.length] ?? ''),
          close: (socket) => socket.data.resolve(),
        },
        data: Promise.withResolvers<void>(),
      }),
    )
    for (const socket of await Promise.all(batch)) half.push(socket.data.promise)
    watcher.speak()
  }
  const slow = Array.from({ length: 200 }, () => exchange(port, post('Content-Length: 1000000', '{"a":"')))
  await watcher.undisturbed()
  const dripping = setInterval(() => {
    for (const { socket } of slow) socket.write('x')
  }, 1_000)
  // Meanwhile others come, and what never began ends.
  const latecomer = await on.bed.client()
  expect(await latecomer.call('get_status')).toMatchObject({ retcode: 0 })
  await Promise.all(half)
  clearInterval(dripping)
  for (const { socket } of slow) socket.destroy()
  await watcher.undisturbed()
  expect((await on.bed.gateway.status()).bots[0]?.waiting.replies).toBe(0)
})
