// The connection to an implementation that speaks Milky: opened in every way, probed, lost and made again, whatever it does.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import type { Seat, Upstream } from '../../src/broker/ports.ts'
import type { Status } from '../../src/broker/status.ts'
import { MilkyApi } from '../../src/milky/api.ts'
import { milkyHooks } from '../../src/milky/hooks.ts'
import { Wire } from '../../src/milky/http.ts'
import { type MilkyUpstream, type MilkyUpstreamOptions, milkyUpstream } from '../../src/milky/milky.ts'
import { SsePulse } from '../../src/milky/sse-pulse.ts'
import { SseReader } from '../../src/milky/sse-reader.ts'
import { sseSource } from '../../src/milky/sse-source.ts'
import { bunHost } from '../../src/runtime/bun.ts'
import type { HostEnv } from '../../src/runtime/host.ts'
import { Inbox } from '../contract/witness.ts'
import { MilkyServer, type MilkyServerOptions, ok } from '../support/milky-server.ts'
import { FRIEND, GROUP, groupMessage, SELF, text } from '../support/milky-stage.ts'

type Frame = Record<string, unknown>

/** A seat that keeps what it is told, and calls. */
class TestSeat implements Seat {
  readonly name = 'first'
  selfId: string | undefined
  readonly heartbeat = undefined
  readonly frames = new Inbox<Frame>()
  readonly heard: Frame[] = []
  readonly losses = new Inbox<{ code: number; reason: string }>()
  upstream: Upstream | undefined
  connections = 0

  get online(): boolean {
    return this.upstream !== undefined
  }
  connected(upstream: Upstream): void {
    this.upstream = upstream
    this.connections += 1
  }
  lost(upstream: Upstream, code: number, reason: string): void {
    if (this.upstream !== upstream) return
    this.upstream = undefined
    this.losses.push({ code, reason })
  }
  received(raw: string): void {
    const frame: Frame = JSON.parse(raw)
    if (frame['post_type'] === 'meta_event') this.identify(String(frame['self_id']))
    this.heard.push(frame)
    this.frames.push(frame)
  }
  made(raw: string): void {
    this.received(raw)
  }
  identify(selfId: string): boolean {
    this.selfId = selfId
    return true
  }

  /** The next frame that is wanted; others are passed over. */
  async next(wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const frame = await this.frames.take()
      if (wanted(frame)) return frame
    }
  }
  event(): Promise<Frame> {
    return this.next((frame) => frame['post_type'] !== undefined && frame['post_type'] !== 'meta_event')
  }
  async call(action: string, params: object = {}): Promise<Frame> {
    const echo = crypto.randomUUID()
    if (this.upstream?.send(JSON.stringify({ action, params, echo })) !== true) throw new Error('not sent')
    return this.next((frame) => frame['echo'] === echo)
  }
}

interface Bed extends AsyncDisposable {
  readonly server: MilkyServer
  readonly seat: TestSeat
  readonly facts: Status[]
  readonly upstream: MilkyUpstream
  readonly offline: Inbox<string>
  until(kind: Status['kind'], count?: number): Promise<Status>
  /** Resolves once a new link is open on both sides. */
  live(): Promise<void>
}

async function bed(options: Partial<MilkyUpstreamOptions> & { server?: MilkyServerOptions } = {}): Promise<Bed> {
  const stack = new AsyncDisposableStack()
  const server = stack.use(new MilkyServer(options.server))
  const seat = new TestSeat()
  const facts: Status[] = []
  const offline = new Inbox<string>()
  const upstream = milkyUpstream({
    seat,
    url: `${server.url}/`,
    accessToken: '',
    events: 'websocket',
    maxFrame: () => 1024 * 1024,
    host: bunHost,
    patience: { first: 10, most: 50, stable: 60_000, refused: 50 },
    offline: (reason) => void offline.push(reason),
    ...options,
    report: (fact) => {
      facts.push(fact)
      options.report?.(fact)
    },
  })
  stack.defer(() => upstream.stop())
  return {
    server,
    seat,
    facts,
    upstream,
    offline,
    async until(kind, count = 1) {
      for (;;) {
        const found = facts.filter((fact) => fact.kind === kind)
        const last = found[count - 1]
        if (last !== undefined) return last
        await Bun.sleep(2)
      }
    },
    async live() {
      await server.opened.take()
      while (seat.upstream === undefined) await Bun.sleep(1)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const said = (words: string, seq = 77) => groupMessage([text(words)], seq)

for (const events of ['websocket', 'sse'] as const) {
  test(`[MLU1] over ${events} it tells its account first, then what happens, and calls go over HTTP`, async () => {
    await using it = await bed({ events, accessToken: 'T', server: { token: 'T' } })
    const first = await it.seat.frames.take()
    expect(first).toMatchObject({ post_type: 'meta_event', meta_event_type: 'lifecycle', self_id: SELF })
    expect(await it.seat.frames.take()).toMatchObject({
      meta_event_type: 'heartbeat',
      interval: 10_000,
      status: { online: true, good: true },
    })
    it.server.event('message_receive', said('你好'))
    expect(await it.seat.event()).toMatchObject({ post_type: 'message', raw_message: '你好', group_id: GROUP })
    expect(await it.seat.call('send_group_msg', { group_id: GROUP, message: 'hi' })).toMatchObject({
      status: 'ok',
      data: { message_id: expect.any(Number) },
    })
    const { api, input, headers } = await it.server.calls.take()
    expect([api, input]).toEqual(['send_group_message', { group_id: GROUP, message: [text('hi')] }])
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('authorization')).toBe('Bearer T')
  })

  test(`[MLU2] over ${events} it is dialled again when it goes, and comes back`, async () => {
    await using it = await bed({ events })
    for (let round = 1; round <= 3; round++) {
      await it.live()
      await it.seat.next((frame) => frame['meta_event_type'] === 'lifecycle')
      it.server.drop()
      await it.seat.losses.take()
    }
    await it.live()
    await it.server.stop()
    await it.seat.losses.take()
    const retry = await it.until('upstream-retry', 5)
    expect(retry).toMatchObject({ bot: 'first', peer: expect.stringContaining('/prefix') })
    expect(it.seat.upstream).toBeUndefined()
    it.server.start()
    await it.live()
    it.server.event('message_receive', said('back'))
    expect(await it.seat.event()).toMatchObject({ raw_message: 'back' })
  })

  test(`[MLU3] over ${events} a refused token is told once, and tried slowly`, async () => {
    await using it = await bed({ events, accessToken: 'wrong', server: { token: 'T' } })
    expect(await it.until('upstream-refused')).toMatchObject({ reason: expect.stringContaining('401') })
    await Bun.sleep(120)
    expect(it.facts.filter(({ kind }) => kind === 'upstream-refused')).toHaveLength(1)
    expect(JSON.stringify(it.facts)).not.toContain('wrong')
    expect(it.seat.connections).toBe(0)
  })
}

test('[MLU3] a token that is refused after the handshake, with 1008, is a refused one, and told once as well', async () => {
  await using it = await bed({ server: { lateRefusal: true } })
  expect(await it.until('upstream-refused')).toMatchObject({ reason: 'unauthorized' })
  while ((it.server.counts.get('get_impl_info') ?? 0) < 5) await Bun.sleep(2)
  expect(it.facts.filter(({ kind }) => kind === 'upstream-refused')).toHaveLength(1)
})

test('[MLU4] posted events need the token and find their upstream; before it has answered they are refused', async () => {
  await using it = await bed({ events: 'webhook', accessToken: 'T', server: { token: 'T' } })
  await it.seat.next((frame) => frame['meta_event_type'] === 'heartbeat')
  const facts: Status[] = []
  const app = new Hono<HostEnv>()
  const hooks = () => (it.upstream.hook === undefined ? [] : [it.upstream.hook])
  app.post(
    '/milky/event',
    milkyHooks(hooks, (fact) => void facts.push(fact)),
  )
  const post = async (body: string, headers: Record<string, string>) =>
    (await app.request('/milky/event', { method: 'POST', body, headers }, { peer: 'test' } as never)).status
  const event = JSON.stringify({ event_type: 'message_receive', time: 1, self_id: SELF, data: said('posted') })
  expect(await post(event, { Authorization: 'Bearer T' })).toBe(204)
  expect(await it.seat.event()).toMatchObject({ raw_message: 'posted' })
  expect(await post(event, {})).toBe(401)
  expect(await post(event, { Authorization: 'Bearer X' })).toBe(403)
  expect(await post('<html>', { Authorization: 'Bearer T' })).toBe(400)
  expect(facts.map((fact) => fact.kind)).toEqual(['link-refused', 'link-refused', 'link-refused'])
  await it.server.stop()
  it.seat.upstream?.redial('a test')
  expect(await post(event, { Authorization: 'Bearer T' })).toBe(503)
  expect(it.seat.frames.left).toEqual([])
})

test('[MLU4] of several that post, each is known by its token, and those with one token by the account', async () => {
  const heard: string[] = []
  const hook = (name: string, accessToken: string, account?: string) => ({
    accessToken,
    account: () => account,
    heard: () => heard.push(name) > 0,
  })
  const all = [hook('open', ''), hook('a', 'A', '10001'), hook('b', 'A', '10002'), hook('c', 'A'), hook('d', 'D', '1')]
  const app = new Hono<HostEnv>()
  app.post(
    '/',
    milkyHooks(
      () => all,
      () => undefined,
    ),
  )
  for (const [token, self_id] of [
    ['A', 10002],
    ['A', 10001],
    ['A', 10003],
    ['D', 10001],
  ])
    await app.request(
      '/',
      { method: 'POST', body: JSON.stringify({ self_id }), headers: { Authorization: `Bearer ${token}` } },
      { peer: 'x' } as never,
    )
  expect(heard).toEqual(['b', 'a', 'c', 'd'])
  // With accounts of their own none of them is torn from its implementation by what another one says.
  all.splice(3, 1)
  const { status } = await app.request(
    '/',
    { method: 'POST', body: '{"self_id":10003}', headers: { Authorization: 'Bearer A' } },
    { peer: 'x' } as never,
  )
  expect([status, heard.length]).toEqual([503, 4])
})

test('[MLU5] the pulse is a probe: three that fail are a loss, and the next one that works a new beginning', async () => {
  await using it = await bed({ beat: 20 })
  await it.live()
  await it.seat.next((frame) => frame['meta_event_type'] === 'lifecycle')
  await it.seat.next((frame) => frame['meta_event_type'] === 'heartbeat')
  let healthy = false
  it.server.answer = () => (healthy ? undefined : new Response(null, { status: 500 }))
  expect(await it.seat.losses.take()).toMatchObject({ reason: expect.stringMatching(/3 probes in a row/) })
  healthy = true
  await it.live()
  await it.seat.next((frame) => frame['meta_event_type'] === 'lifecycle')
})

test('[MLU6] bot_offline is an event and a state, until QQ can be reached again', async () => {
  await using it = await bed({ beat: 20 })
  await it.live()
  let reachable = false
  it.server.answer = ({ api }) =>
    api === 'get_friend_list' ? (reachable ? ok({ friends: [] }) : new Response(null, { status: 500 })) : undefined
  it.server.event('bot_offline', { reason: '被挤下线' })
  expect(await it.seat.event()).toMatchObject({ notice_type: 'bot_offline', message: '被挤下线' })
  expect(await it.offline.take()).toBe('被挤下线')
  const beat = () => it.seat.next((frame) => frame['meta_event_type'] === 'heartbeat')
  for (let n = 0; n < 3; n++) expect(await beat()).toMatchObject({ status: { online: false } })
  expect(await it.seat.call('get_status')).toMatchObject({ data: { online: false } })
  reachable = true
  await it.seat.next(({ status }) => (status as { online?: boolean } | undefined)?.online === true)
  expect(it.seat.connections).toBe(1)
})

test('[MLU7] another account is another beginning, and none of its events is told of the one before', async () => {
  await using it = await bed()
  await it.live()
  await it.seat.next((frame) => frame['meta_event_type'] === 'heartbeat')
  it.server.event('message_receive', said('foreign'), 10002)
  expect(await it.seat.losses.take()).toMatchObject({ reason: expect.stringContaining('10002') })
  await it.live()
  expect(it.seat.frames.left.some((frame) => frame['post_type'] === 'message')).toBe(false)
})

test('[MLU8] an invitation that is told twice is one', async () => {
  await using it = await bed()
  await it.live()
  const invited = { group_id: GROUP, notification_seq: 4, initiator_id: FRIEND, target_user_id: SELF }
  it.server.event('group_invited_join_request', invited)
  it.server.event('group_invited_join_request', invited)
  it.server.event('group_invitation', { group_id: GROUP, invitation_seq: 5, initiator_id: FRIEND })
  expect(await it.seat.event()).toMatchObject({ sub_type: 'invite', flag: `v|${GROUP}|4` })
  expect(await it.seat.event()).toMatchObject({ sub_type: 'invite', flag: `v|${GROUP}|5` })
})

test('[MLU17] of calls under way when the implementation goes, in line behind each other or not, nothing is said', async () => {
  await using it = await bed()
  await it.live()
  it.server.answer = () => new Promise(() => undefined)
  const go = (action: string, params: object, echo: string) =>
    it.seat.upstream?.send(JSON.stringify({ action, params, echo }))
  go('send_group_msg', { group_id: GROUP, message: 'under way' }, 'gone 1')
  await it.server.calls.take()
  go('send_group_msg', { group_id: GROUP, message: 'behind it' }, 'gone 2')
  go('get_group_list', {}, 'gone 3')
  await it.server.stop()
  await it.seat.losses.take()
  it.server.answer = undefined
  it.server.start()
  await it.live()
  expect(await it.seat.call('send_group_msg', { group_id: GROUP, message: 'x' })).toMatchObject({ retcode: 0 })
  // Whoever spoke for them would have done so by now.
  await Bun.sleep(600)
  expect(JSON.stringify(it.seat.heard)).not.toContain('gone')
})

test('[MLU9] calls use connections again, at most sixteen', async () => {
  await using it = await bed()
  await it.live()
  it.server.answer = ({ api }) => (api === 'get_group_list' ? Bun.sleep(5).then(() => ok({ groups: [] })) : undefined)
  for (let n = 0; n < 20; n++) await it.seat.call('get_group_list')
  const alone = it.server.ports.size
  const calls = Array.from({ length: 100 }, (_, n) =>
    it.seat.upstream?.send(JSON.stringify({ action: 'get_group_list', echo: n })),
  )
  expect(calls.every(Boolean)).toBe(true)
  const echoes = new Set<unknown>()
  while (echoes.size < 100) echoes.add((await it.seat.next((frame) => typeof frame['echo'] === 'number'))['echo'])
  expect(alone).toBeLessThanOrEqual(2)
  expect(it.server.ports.size).toBeLessThanOrEqual(18)
})

const HOSTILE: readonly [what: string, answer: () => Response, retcode: number, words: RegExp][] = [
  ['a web page', () => new Response('<!DOCTYPE html><p>login'), 1502, /web page.*Milky/],
  ['truncated JSON', () => new Response('{"status":"ok","retcode":0,"data":{"a'), 1502, /wanted JSON/],
  ['nothing', () => new Response(''), 1502, /empty answer/],
  ['a list', () => Response.json([]), 1502, /wanted JSON/],
  ['data that is none', () => Response.json({ status: 'ok', retcode: 0, data: 'x' }), 1502, /data: found string/],
  ['500 without a word', () => new Response(null, { status: 500 }), 1200, /HTTP 500/],
  ['503', () => new Response(null, { status: 503 }), 1503, /HTTP 503/],
  ['404', () => new Response('?', { status: 404 }), 1404, /has no API get_group_list/],
  [
    'a failure',
    () => Response.json({ status: 'failed', retcode: -500, message: '群不存在', data: null }),
    1200,
    /群不存在 \(-500\)/,
  ],
  ['a failure of nowhere', () => Response.json({ status: 'failed', retcode: -404, message: 'x' }), 1404, /x \(-404\)/],
  ['415', () => Response.json({ status: 'failed', message: 'type' }, { status: 415 }), 1400, /HTTP 415: type/],
]

for (const [what, answer, retcode, words] of HOSTILE)
  test(`[MLU10] an answer that is ${what} ends in a reply that says so`, async () => {
    await using it = await bed()
    await it.live()
    it.server.answer = ({ api }) => (api === 'get_group_list' ? answer() : undefined)
    expect(await it.seat.call('get_group_list')).toMatchObject({
      status: 'failed',
      retcode,
      message: expect.stringMatching(words),
    })
    it.server.answer = undefined
    expect(await it.seat.call('get_group_list')).toMatchObject({ status: 'ok', data: [] })
    expect(it.seat.connections).toBe(1)
  })

test('[MLU10] a body that never ends is given up with the link; nobody waits for it in vain', async () => {
  await using it = await bed()
  await it.live()
  it.server.answer = ({ api }) =>
    api === 'get_group_list'
      ? new Response(new ReadableStream({ start: (c) => c.enqueue(new TextEncoder().encode('{"sta')) }))
      : undefined
  it.seat.upstream?.send(JSON.stringify({ action: 'get_group_list', echo: 'slow' }))
  await it.server.calls.take()
  expect(await it.seat.call('get_login_info')).toMatchObject({ data: { user_id: SELF } })
  it.seat.upstream?.redial('a test')
  await it.seat.losses.take()
  await it.live()
})

test('[MLU11] events that are none are told and dropped, and the link stays', async () => {
  await using it = await bed()
  await it.live()
  for (const junk of ['<html>', '{"event_type":', '[]', 'null', '{"event_type":"x"}', `"${'x'.repeat(5_000)}"`])
    it.server.say(junk)
  it.server.event('message_receive', said('after'))
  expect(await it.seat.event()).toMatchObject({ raw_message: 'after' })
  const garbage = it.facts.filter((fact) => fact.kind === 'upstream-garbage')
  expect(garbage).toHaveLength(6)
  for (const fact of garbage) expect(JSON.stringify(fact).length).toBeLessThan(500)
  expect(it.seat.connections).toBe(1)
})

test('[MLU11] a stream of events that is a web page, or refused, is told, and tried again', async () => {
  await using page = await bed({
    events: 'sse',
    server: { stream: () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }) },
  })
  expect(await page.until('upstream-retry')).toMatchObject({
    reason: expect.stringContaining('wanted text/event-stream'),
  })
  await using off = await bed({ events: 'sse', server: { stream: () => new Response(null, { status: 404 }) } })
  expect(await off.until('upstream-retry')).toMatchObject({ reason: expect.stringContaining('404') })
})

test('[MLU12] a flood of events arrives whole and in order', async () => {
  await using it = await bed()
  await it.live()
  const count = 20_000
  for (let n = 0; n < count; n++) it.server.event('message_receive', said(String(n), n))
  for (let n = 0; n < count; n++) expect((await it.seat.event())['raw_message']).toBe(String(n))
  expect(it.facts.filter(({ kind }) => kind === 'upstream-garbage')).toEqual([])
})

test('[MLU10] a call that nobody answers is given up, and says that its outcome is not known', async () => {
  await using server = new MilkyServer({ answer: () => new Promise<Response>(() => undefined) })
  const api = new MilkyApi({ base: server.url, accessToken: '' })
  const late = api.call('get_login_info', {}, 50)
  await expect(late).rejects.toMatchObject({ retcode: 1504, message: expect.stringContaining('timeout') })
  await server.stop()
  const away = api.call('get_login_info', {}, 5_000)
  await expect(away).rejects.toMatchObject({ retcode: 1503 })
  api.close('done')
})

test('[MLU13] stopped, it dials no more and leaves nothing open', async () => {
  const it = await bed({ events: 'sse', beat: 10 })
  await it.live()
  await it.upstream.stop()
  await it.server.ended.take()
  const before = it.facts.length
  await Bun.sleep(100)
  expect([it.server.streams, it.facts.length]).toEqual([0, before])
  await it[Symbol.asyncDispose]()
})

test('[MLU13] stopped while nobody answers, it stops at once', async () => {
  await using it = await bed({ server: { answer: () => new Promise<Response>(() => undefined) } })
  while ((it.server.counts.get('get_impl_info') ?? 0) === 0) await Bun.sleep(2)
  await it.upstream.stop()
  expect(it.seat.connections).toBe(0)
})

const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8')

for (const events of ['websocket', 'sse'] as const)
  test(`[MLU15] over TLS and ${events} it trusts what it is told to, and nothing else`, async () => {
    const server = { tls: { cert: pem('cert'), key: pem('key') } }
    for (const tls of [{ ca: pem('ca') }, { insecure: true }]) {
      await using it = await bed({ events, tls, server })
      await it.live()
      it.server.event('message_receive', said('safe'))
      expect(await it.seat.event()).toMatchObject({ raw_message: 'safe' })
      expect(await it.seat.call('get_login_info')).toMatchObject({ status: 'ok' })
    }
    await using it = await bed({ events, server })
    expect(await it.until('upstream-retry')).toMatchObject({
      reason: expect.stringMatching(/certificate|verif|issuer/i),
    })
    expect(it.seat.connections).toBe(0)
  })

test('[MLU16] a stream that has shown that it lives is given up when it does so no more; silence alone means nothing', () => {
  const pulse = new SsePulse(0)
  pulse.heard(1, false)
  pulse.heard(60_000, true)
  expect(pulse.dead(10_000_000)).toBe(false)
  pulse.heard(120_000, true)
  expect([pulse.dead(120_000 + 180_000), pulse.dead(120_000 + 181_000)]).toEqual([false, true])
  pulse.heard(290_000, false)
  expect(pulse.dead(310_000)).toBe(false)
  const quick = new SsePulse(0)
  for (const now of [1, 2]) quick.heard(now, true)
  expect([quick.dead(30_002), quick.dead(30_003)]).toEqual([false, true])
})

test('[MLU16] a stream that has fallen silent ends once, and says why', async () => {
  const stream = new TransformStream<Uint8Array, Uint8Array>()
  const server = Bun.serve({
    port: 0,
    fetch: () => new Response(stream.readable, { headers: { 'Content-Type': 'text/event-stream' } }),
  })
  const wire = new Wire({ base: `http://127.0.0.1:${server.port}`, accessToken: '' })
  const ends = new Inbox<{ reason: string }>()
  const heard = new Inbox<string>()
  let now = 0
  const writer = stream.writable.getWriter()
  const write = (text: string) => writer.write(new TextEncoder().encode(text))
  void write(': hello\n\ndata: 1\n\n')
  const on = {
    opened: () => undefined,
    heard: (text: string) => void heard.push(text),
    ended: (end: { reason: string }) => void ends.push(end),
  }
  const source = await sseSource(
    wire,
    () => 1024,
    () => now,
  )(on, new AbortController().signal)
  await heard.take()
  now = 10_000
  void write(': hello\n\ndata: 2\n\n')
  await heard.take()
  source.check?.()
  now = 41_000
  source.check?.()
  source.check?.()
  expect((await ends.take()).reason).toContain('silent')
  await server.stop(true)
  expect(ends.left).toEqual([])
  wire.close()
})

test('[MLU14] server-sent events are read however they are cut', () => {
  const stream = 'event: milky_event\r\ndata: {"a":1}\r\n\r\n: hi\n\ndata:x\ndata: y\n\nid: 1\n\ndata: end\n\n'
  for (let size = 1; size < stream.length; size++) {
    const heard: string[] = []
    const reader = new SseReader(1_000, (data) => void heard.push(data))
    for (let at = 0; at < stream.length; at += size) reader.push(stream.slice(at, at + size))
    expect(heard).toEqual(['{"a":1}', 'x\ny', 'end'])
    expect(reader.overfull).toBe(false)
  }
  const reader = new SseReader(100, () => undefined)
  for (let n = 0; n < 100; n++) reader.push('x'.repeat(10))
  expect(reader.overfull).toBe(true)
})
