import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPCODE, type RawPeer, rawClient, rawServer } from '../contract/raw.ts'
import { Client, type Frame } from '../support/client.ts'
import { EAGER, gateway } from '../support/gateway.ts'
import { groupMessage, lifecycle, ok } from '../support/implementation.ts'
import { scene } from '../support/scene.ts'
import { milky, overOneBot } from '../support/upstream.ts'
import { seeded, wireFrame } from '../support/wire.ts'

/** Calls only, and so hears replies only: what it sent is answered once each. */
const CALLS = '/onebot/v11/ws/api'
const MiB = 1024 * 1024

/** The code of the close frame that comes; 1006 when the connection ends without one. */
async function closeCode({ frames, closed }: RawPeer): Promise<number> {
  const ended = closed.then(() => undefined)
  for (;;) {
    const frame = await Promise.race([frames.take(), ended])
    if (frame === undefined) return 1006
    if (frame.opcode === OPCODE.close) return frame.payload.readUInt16BE(0)
  }
}

/** The replies to `frames`; fails when there are more. */
async function answers(client: Client, frames: readonly (string | Buffer<ArrayBuffer>)[]): Promise<Frame[]> {
  for (const frame of frames) client.socket.send(frame)
  const replies: Frame[] = []
  while (replies.length < frames.length) replies.push(await client.next())
  client.send({ action: 'get_online_clients', echo: 'and no more' })
  expect(await client.next()).toMatchObject({ echo: 'and no more' })
  return replies
}

test('[HST1] each bad action is answered as it should be, and the link goes on', async () => {
  await using on = await scene()
  const { bed, watcher } = on
  const client = await bed.client(CALLS)
  const asked: unknown[] = []
  const { bot } = bed
  bot.answer = (frame) => {
    asked.push(frame.action)
    return ok(frame)
  }
  const lines = readFileSync(join(import.meta.dir, '../fixtures/bad-actions.jsonl'), 'utf8')
    .trim()
    .split('\n')
  for (const { frame, expect: expected } of lines.map((line) => JSON.parse(line))) {
    client.send(frame)
    const reply = await client.next()
    // Milky has nothing for their names, which are none.
    const wanted = expected !== 'upstream' ? expected : milky ? 1404 : 0
    expect({ frame, retcode: reply['retcode'] }).toEqual({ frame, retcode: wanted })
    if (wanted === 0) expect(asked.pop()).toBe(JSON.parse(frame).action)
    else expect(reply).toMatchObject({ status: 'failed', message: expect.stringMatching(/./), msg: reply['message'] })
    watcher.speak()
  }
  expect(asked).toEqual([])
  await watcher.undisturbed()
})

test('[HST2] random bytes, random texts and cut-off JSON are refused one by one', async () => {
  await using on = await scene()
  const { bed, watcher } = on
  const random = seeded(20_260_101)
  const bytes = () => Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)))
  const alphabet = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    'u',
    'd8',
    '0',
    '-',
    'e',
    ' ',
    '\n',
    '\0',
    'action',
    'echo',
    '群',
    '\u{1f600}',
  ]
  const text = () =>
    Array.from({ length: Math.floor(random() * 30) }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
  const whole = JSON.stringify({ action: 'send_group_msg', params: { message: '你好\n"' }, echo: { seq: 1, s: '\\' } })
  const prefixes = Array.from({ length: whole.length }, (_, i) => whole.slice(0, i))

  const client = await bed.client(CALLS)
  const frames = [...Array.from({ length: 3_000 }, text), ...Array.from({ length: 2_000 }, bytes), ...prefixes]
  for (const reply of await answers(client, frames)) expect(reply).toMatchObject({ status: 'failed', retcode: 1400 })
  expect(client.socket.readyState).toBe(WebSocket.OPEN)
  await watcher.undisturbed()
})

test('[HST3] JSON as deep as anybody likes is answered', async () => {
  await using on = await scene()
  const { bed, watcher } = on
  const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000)
  const client = await bed.client(CALLS)
  const frames = [
    '['.repeat(100_000),
    '{"a":'.repeat(100_000),
    deep('[', ']'),
    `{"action":${deep('[', ']')}}`,
    `{"action":"send_msg","params":${deep('{"a":', '}').replace('}', '1}')}}`,
    `{"action":"send_msg","params":{"message":${deep('[', ']')}},"echo":"deep"}`,
    `{"action":"send_msg","params":{},"echo":${deep('[', ']')}}`,
    `{"action":"set_client_name","params":{"name":${deep('[', ']')}}}`,
    `{"action":".handle_quick_operation","params":{"context":{},"operation":${deep('[', ']')}}}`,
  ]
  const replies = await answers(client, frames)
  for (const { retcode } of replies) expect([0, 1400]).toContain(Number(retcode))
  await watcher.undisturbed()
})

test('[HST4] `__proto__` and its like are names as any other', async () => {
  await using on = await scene()
  const { bed, watcher } = on
  const { bot } = bed
  const seen: string[] = []
  bot.answer = (frame, raw) => {
    seen.push(raw)
    return ok(frame)
  }
  const client = await bed.client(CALLS)
  const params =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":null,"hasOwnProperty":0}'
  for (const action of ['__proto__', 'toString', 'valueOf', 'send_msg_async', '__proto___async']) {
    client.send(`{"action":"${action}","params":${params},"echo":{"__proto__":{"polluted":2}}}`)
    expect(await client.text()).toContain('"echo":{"__proto__":{"polluted":2}}')
  }
  expect(seen.every((raw) => raw.includes(params))).toBe(true)
  expect(seen).toHaveLength(milky ? 0 : 5)
  for (const action of [
    'set_client_name',
    'send_broadcast_data',
    'send_broadcast_data_callback',
    '.handle_quick_operation',
  ])
    expect(await client.call(action, JSON.parse(`{"__proto__":{"name":"x","clients":[],"data":"x"}}`))).toMatchObject({
      retcode: 1400,
    })
  bot.raw('{"__proto__":{"post_type":"message"},"self_id":10001}')
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  await watcher.undisturbed()
})

test('[HST5] a frame of 65 MiB, whole, in pieces or only announced, closes its link with 1009', async () => {
  await using on = await scene()
  const { bed, port, watcher } = on
  const whole = await bed.client(CALLS)
  whole.send('x'.repeat(65 * MiB))
  expect((await whole.closed).code).toBe(1009)

  const announced = await rawClient(port, CALLS)
  announced.socket.write(wireFrame({ opcode: OPCODE.text, length: BigInt(65 * MiB), payload: '{' }))
  expect(await closeCode(announced)).toBe(1009)

  const absurd = await rawClient(port, CALLS)
  absurd.socket.write(wireFrame({ opcode: OPCODE.text, length: 0xffff_ffff_ffff_ffffn, payload: '{' }))
  expect(await closeCode(absurd)).toBe(1009)

  const pieces = await rawClient(port, CALLS)
  const code = closeCode(pieces)
  const piece = Buffer.alloc(5 * MiB, 'x')
  for (let i = 0; i < 13; i++)
    pieces.socket.write(wireFrame({ opcode: i === 0 ? OPCODE.text : 0, fin: false, payload: piece }))
  expect(await code).toBe(1009)
  await bed.gateway.until(({ links }) => links === 1)
  await watcher.undisturbed()
})

const BROKEN = {
  'an unmasked frame': wireFrame({ opcode: 1, payload: 'x', masked: false }),
  'a reserved bit': wireFrame({ opcode: 1, payload: 'x', reserved: 4 }),
  'an unknown opcode': wireFrame({ opcode: 3, payload: 'x' }),
  'an unknown control opcode': wireFrame({ opcode: 11, payload: 'x' }),
  'a ping in pieces': wireFrame({ opcode: OPCODE.ping, payload: 'x', fin: false }),
  'a ping of 126 bytes': wireFrame({ opcode: OPCODE.ping, payload: 'x'.repeat(126) }),
  'a continuation of nothing': wireFrame({ opcode: 0, payload: 'x' }),
  'a text inside a text': Buffer.concat([
    wireFrame({ opcode: 1, payload: 'x', fin: false }),
    wireFrame({ opcode: 1, payload: 'x' }),
  ]),
  'close code 1': wireFrame({ opcode: OPCODE.close, payload: Buffer.from([0, 1]) }),
  'close code 1005': wireFrame({ opcode: OPCODE.close, payload: Buffer.from([3, 0xed]) }),
  'half a close code': wireFrame({ opcode: OPCODE.close, payload: Buffer.from([3]) }),
  'another HTTP request': Buffer.from('GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n'),
}

test('[HST6] what breaks the WebSocket protocol closes its link with 1002 and nobody else', async () => {
  await using on = await scene()
  const { bed, port, watcher } = on
  for (const [what, bytes] of Object.entries(BROKEN)) {
    const peer = await rawClient(port, '/')
    peer.socket.write(bytes)
    expect({ what, code: await closeCode(peer) }).toEqual({ what, code: 1002 })
    peer.socket.destroy()
  }
  const latin = await rawClient(port, CALLS)
  latin.socket.write(wireFrame({ opcode: OPCODE.text, payload: Buffer.from([0xc3, 0x28]) }))
  expect(await closeCode(latin)).toBe(1007)
  await bed.gateway.until(({ links }) => links === 1)
  await watcher.undisturbed()
})

test('[HST7] frames in pieces, with control frames between them, and bytes that trickle are understood', async () => {
  await using on = await scene()
  const { port, watcher } = on
  const peer = await rawClient(port, CALLS)
  const call = '{"action":"get_status","echo":"群"}'
  const cut = Buffer.from(call).indexOf('群') + 1 // inside a character
  const bytes = Buffer.concat([
    wireFrame({ opcode: 1, payload: Buffer.from(call).subarray(0, cut), fin: false }),
    wireFrame({ opcode: OPCODE.ping, payload: 'p'.repeat(125) }),
    wireFrame({ opcode: 0, fin: false }),
    wireFrame({ opcode: OPCODE.pong, payload: 'nobody asked' }),
    wireFrame({ opcode: 0, payload: Buffer.from(call).subarray(cut) }),
    wireFrame({ opcode: OPCODE.binary, payload: call }),
  ])
  for (const byte of bytes) await new Promise((resolve) => peer.socket.write(Buffer.from([byte]), resolve))
  expect(await peer.frames.take()).toEqual({ opcode: OPCODE.pong, payload: Buffer.from('p'.repeat(125)) })
  for (let i = 0; i < 2; i++)
    expect(JSON.parse(String((await peer.frames.take()).payload))).toMatchObject({ retcode: 0, echo: '群' })
  peer.socket.destroy()
  await watcher.undisturbed()
})

test('[HST8] of 5,000 calls at once, those above 4,096 are refused and all others answered', async () => {
  await using on = await scene()
  const { bed, watcher } = on
  const { bot } = bed
  const held: string[] = []
  bot.answer = (frame) => {
    if (frame.action !== 'send_group_msg') return ok(frame)
    held.push(ok(frame))
    return undefined
  }
  const client = await bed.client(CALLS)
  for (let i = 0; i < 5_000; i++)
    client.send(`{"action":"send_group_msg","params":{"group_id":${i},"message":"x"},"echo":${i}}`)
  // As many as there are connections, over Milky; the others wait for one.
  const reached = milky ? 16 : 4_096
  await bed.gateway.until(({ bots }) => bots[0]?.waiting.replies === 4_096 && held.length === reached)
  await watcher.undisturbed()
  bot.answer = (frame) => ok(frame)
  for (const reply of held) bot.send(reply)
  const retcodes = new Map<unknown, unknown>()
  for (let i = 0; i < 5_000; i++) {
    const { echo, retcode } = await client.next()
    retcodes.set(echo, retcode)
  }
  expect(retcodes.size).toBe(5_000)
  expect([...retcodes.values()].filter((code) => code === 0)).toHaveLength(4_096)
  expect([...retcodes.values()].filter((code) => code === 1413)).toHaveLength(904)
  expect(await client.call('get_status')).toMatchObject({ retcode: 0 })
  await watcher.undisturbed()
})

test('[HST9] a client that calls and never reads is closed with 4013 once its replies pile up', async () => {
  await using on = await scene({ patience: EAGER })
  const { bed, port, watcher } = on
  const { bot } = bed
  const data = 'x'.repeat(64 * 1024)
  bot.answer = (frame) => ok(frame, frame.action === 'get_group_list' ? [{ group_name: data }] : null)
  const peer = await rawClient(port, CALLS)
  peer.socket.pause()
  const closed = () => bed.gateway.facts.find((fact) => fact.kind === 'session-closed')
  const call = wireFrame({ opcode: OPCODE.text, payload: '{"action":"get_group_list","echo":1}' })
  for (let sent = 0; closed() === undefined; sent++) {
    peer.socket.write(call)
    if (sent % 20 === 0) await watcher.undisturbed()
  }
  expect(closed()).toMatchObject({ code: 4013 })
  const code = closeCode(peer)
  peer.socket.resume()
  expect(await code).toBe(4013)
  await bed.gateway.until(({ links, bots }) => links === 1 && bots[0]?.waiting.replies === 0)
  await watcher.undisturbed()
})

test('[HST10] whatever the implementation sends, it is counted and nobody is disturbed', async () => {
  await using on = await scene({ patience: EAGER })
  const { bed, watcher } = on
  const { bot, gateway } = bed
  const random = seeded(7)
  const noise = Array.from({ length: 2_000 }, () =>
    String.fromCharCode(...Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 0xd000))),
  )
  const garbage = [
    '',
    'null',
    '[]',
    '1',
    '"x"',
    '{',
    '[{"post_type":"message"}]',
    '['.repeat(100_000),
    'x'.repeat(10 * MiB),
  ]
  const unknown = [
    '{"status":"ok","retcode":0,"data":null,"echo":"nobody asked"}',
    '{"status":"ok","retcode":0,"data":null,"echo":5}',
    '{"status":"ok","retcode":0,"data":null,"echo":null}',
    '{"status":"ok","retcode":0,"data":null,"echo":{"a":[1]}}',
    '{"status":"ok","retcode":0,"data":null,"echo":"__proto__"}',
  ]
  const before = gateway.facts.length
  for (const frame of [...noise, ...garbage, ...unknown]) bot.raw(frame)
  bot.raw(Buffer.from([0xff, 0x00, 0xfe]))

  // A reply to somebody who has left meanwhile.
  const gone = await bed.client(CALLS)
  bot.answer = undefined
  gone.send({ action: 'send_group_msg', params: { group_id: 1, message: 'x' }, echo: 'gone' })
  const asked = await bot.next()
  await gone.close()
  await gateway.until(({ links }) => links === 1)
  bot.send(ok(asked))
  bot.send(ok(asked))
  bot.answer = (frame) => ok(frame)

  await watcher.undisturbed()
  const count = (kind: string) => gateway.facts.slice(before).filter((fact) => fact.kind === kind).length
  // Over Milky what comes by itself is an event or nothing.
  expect(count('upstream-garbage')).toBe(noise.length + garbage.length + 1 + (milky ? unknown.length : 0))
  expect(count('reply-unknown')).toBe(milky ? 0 : unknown.length + 1)
  expect(count('upstream-lost')).toBe(0)
  expect((await gateway.status()).bots[0]?.waiting.replies).toBe(0)
})

overOneBot('its events go through as they are: [MLU11] has the absurd ones of Milky')(
  '[HST11] events with absurd contents go through as they are',
  async () => {
    await using on = await scene()
    const { bed, watcher } = on
    const events = [
      groupMessage('\u0000\ud800 \u2028'),
      groupMessage('x').replace('"self_id":10001', '"self_id":"10001"'),
      groupMessage('x').replace('"font":0', `"font":${'['.repeat(1_000)}${']'.repeat(1_000)}`),
      groupMessage('x').replace('"font":0', '"font":123456789012345678901234567890.50,"__proto__":{"a":1}'),
      groupMessage('x').replace('"time":', '"echo":"e","time":1,"time":'),
      '{"post_type":"message"}',
      '{"post_type":"no such type","self_id":-1}',
    ]
    for (const event of events) bed.bot.send(event)
    await watcher.undisturbed()
    for (const event of events) expect(watcher.client.heard).toContain(event)
  },
)

overOneBot('one link for calls and events: those of Milky go over HTTP, bounded as [MLU10] says')(
  '[HST17] an implementation that stops reading is given no more than 128 MiB, and goes on when it reads again',
  async () => {
    await using server = await rawServer()
    const config = { 'ntqq-impl': { 'external-web-socket': server.url }, actions: { hold: '0s' } }
    await using running = await gateway(config, { patience: EAGER })
    const stuck = await server.next()
    stuck.send(OPCODE.text, lifecycle())
    await running.until(({ bots }) => bots[0]?.online === true)
    stuck.socket.pause()
    await using one = await Client.connect(`${running.ws}${CALLS}`)
    await using other = await Client.connect(`${running.ws}${CALLS}`)
    // Nobody waits for the answers, and so it is not the clients' own bounds that hold.
    const call = { action: 'send_msg_async', params: { message: 'x'.repeat(8 * MiB) } }
    const retcodes: unknown[] = []
    while (retcodes.at(-1) !== 1503 && retcodes.length < 40)
      retcodes.push((await (retcodes.length % 2 ? one : other).call(call.action, call.params))['retcode'])
    expect(retcodes.slice(0, -1).every((code) => code === 1)).toBe(true)
    expect(retcodes.at(-1)).toBe(1503)
    expect(retcodes.length).toBeWithin(16, 20)

    // Counted, not taken apart: they are many.
    let bytes = 0
    stuck.socket.removeAllListeners('data').on('data', (chunk) => {
      bytes += chunk.length
    })
    stuck.socket.resume()
    while (bytes < (retcodes.length - 1) * 8 * MiB) await Bun.sleep(1)
    // It is tried again a moment later only, since nothing tells when there is room.
    let retcode: unknown
    do retcode = (await one.call('send_msg_async'))['retcode']
    while (retcode === 1503)
    expect(retcode).toBe(1)
    expect(running.facts.filter(({ kind }) => kind === 'upstream-lost')).toEqual([])
  },
)
