import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Hono } from 'hono'
import { STRANGERS } from '../../src/broker/ports.ts'
import { guard } from '../../src/downstream/auth.ts'
import { httpApi } from '../../src/downstream/http-api.ts'
import { host } from '../../src/runtime/current.ts'
import type { HostEnv, Listener } from '../../src/runtime/host.ts'
import { type Bench, bench } from '../support/bot.ts'
import { until } from '../support/broker.ts'
import { ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'

interface Door extends AsyncDisposable {
  readonly url: string
  readonly app: Hono<HostEnv>
  /** Of the requests that came, in order: aborted once their client has hung up. */
  readonly signals: readonly AbortSignal[]
}

/** A listener with the action API where the gateway has it. */
async function door(bed: Bench, token = ''): Promise<Door> {
  const access = () => ({ token, openDiscovery: false, hosts: [], origins: [] })
  const app = new Hono<HostEnv>()
  const signals: AbortSignal[] = []
  app.use('*', (c, next) => {
    signals.push(c.req.raw.signal)
    return next()
  })
  app.use('/onebot/v11/*', guard(access, bed.facts.report))
  app.route('/onebot/v11', httpApi({ bots: bed.bots, guests: STRANGERS, report: bed.facts.report }))
  const listener: Listener = await host.listen({ host: '127.0.0.1', port: 0, app, maxFrame: 64 * 1024 * 1024 })
  return {
    url: `http://127.0.0.1:${listener.port}/onebot/v11`,
    app,
    signals,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

const bed = bench()
let url = ''
let closeDoor: () => PromiseLike<void>
beforeAll(async () => {
  const opened = await door(bed)
  url = opened.url
  closeDoor = () => opened[Symbol.asyncDispose]()
})
afterAll(async () => {
  await closeDoor()
  bed[Symbol.dispose]()
})

const json = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') => ({
  method: 'POST',
  headers: { 'Content-Type': type },
  body,
})

/** Calls, and gives what reached the implementation: our frame without the echo. */
async function passed(path: string, init?: RequestInit): Promise<string> {
  bed.answer = (frame) => ok(frame)
  const response = await fetch(`${url}${path}`, init)
  expect([response.status, await response.text()]).toEqual([200, '{"status":"ok","retcode":0,"data":null}'])
  return (await bed.sent.take()).replace(/"echo":"[\w.]+",/, '')
}

/** Calls something that must not reach the implementation, or whose frame nobody looks at. */
async function answered(path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, init)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> } // our own envelope
}

test('[HTTP1] a JSON body is the params as the client wrote them', async () => {
  for (const body of [
    '{"message_id":7672696335120716277,"b":1.0,"a":1e21, "10":3,"2":4,"user_id":"\\u4f60\\/"}',
    '{}',
    '{"__proto__":{"x":1},"constructor":5,"echo":{"mine":9007199254740993}}',
    '{"message":"😀 <&> \\"echo\\":\\"x\\""}',
  ])
    expect(await passed('/delete_msg', json(body))).toBe(`{"action":"delete_msg","params":${body}}`)
  expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
})

test('[HTTP1] a 10 MiB image passes', async () => {
  const body = `{"message":[{"type":"image","data":{"file":"base64://${'QUJD'.repeat(2_600_000)}"}}]}`
  expect((await passed('/send_msg', json(body))) === `{"action":"send_msg","params":${body}}`).toBe(true)
})

test("[HTTP2] the reply is the implementation's, byte for byte, without our echo", async () => {
  const reply = (echo: unknown) =>
    `{"status":"ok", "retcode":0,"z":1,"data":{"id":7672696335120716277,"x":1.0,"echo":"e"},"echo":"${echo}","stream":"normal-action"}`
  bed.answer = ({ echo }) => reply(echo)
  const response = await fetch(`${url}/get_msg?message_id=1`)
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(await response.text()).toBe(reply('').replace(',"echo":""', ''))
  await bed.sent.take()
})

test('[HTTP3] params come as query, form or multipart form, as strings', async () => {
  const wanted = '{"action":"send_msg","params":{"user_id":"7672696335120716277","message":"a&b=c 你 [1]"}}'
  const pairs = new URLSearchParams({ user_id: '7672696335120716277', message: 'a&b=c 你 [1]' })
  expect(await passed(`/send_msg?${pairs}`)).toBe(wanted)
  expect(await passed('/send_msg', { method: 'POST', body: pairs })).toBe(wanted)
  const form = new FormData()
  for (const [key, value] of pairs) form.set(key, value)
  expect(await passed('/send_msg', { method: 'POST', body: form })).toBe(wanted)
  expect(await passed('/get_status', { method: 'POST' })).toBe('{"action":"get_status","params":{}}')
})

test('[HTTP3] segments and other objects in a query or form stay JSON', async () => {
  const message = '[{"type":"at","data":{"qq":7672696335120716277}}]'
  for (const [text, wanted] of [
    [message, message],
    ['{"type":"face"}', '{"type":"face"}'],
    ['[CQ:face,id=1]', '"[CQ:face,id=1]"'],
    ['[1,2]', '"[1,2]"'],
    ['{no', '"{no"'],
  ] as const)
    expect(await passed(`/send_msg?message=${encodeURIComponent(text)}`)).toBe(
      `{"action":"send_msg","params":{"message":${wanted}}}`,
    )
})

test('[HTTP3] JSON that curl calls a form, or that comes without a type, is JSON', async () => {
  const body = '{"user_id":7672696335120716277}'
  const wanted = `{"action":"get_stranger_info","params":${body}}`
  expect(await passed('/get_stranger_info', json(body, 'application/x-www-form-urlencoded'))).toBe(wanted)
  const bare = new Uint8Array(new TextEncoder().encode(body))
  expect(await passed('/get_stranger_info', { method: 'POST', body: bare })).toBe(wanted)
})

test('[HTTP4] the body hides the query, the last of several values counts, and echo is a parameter', async () => {
  expect(await passed('/x?a=1&a=2&b=3&echo=e&access_token=secret&self_id=10001', json('{ "b":4}'))).toBe(
    '{"action":"x","params":{"a":"2","echo":"e", "b":4}}',
  )
  expect(await passed('/x?a=1', json('{ }'))).toBe('{"action":"x","params":{"a":"1" }}')
  const form = new URLSearchParams({ a: '2' })
  expect(await passed('/x?a=1&__proto__=p', { method: 'POST', body: form })).toBe(
    '{"action":"x","params":{"a":"2","__proto__":"p"}}',
  )
})

test('[HTTP5] bad bodies are refused with 400 and reach nobody', async () => {
  const file = new FormData()
  file.set('file', new File(['x'], 'x.png'))
  for (const init of [
    ...['[]', 'null', '1', '"x"', '{', '{"a":1', 'a=1', '{}{}', '{},"action":"get_status"', '{"a":\u00001}'].map(
      (body) => json(body),
    ),
    json(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
    json('{"a":1}}', 'application/x-www-form-urlencoded'),
    json('--x', 'multipart/form-data'),
    { method: 'POST', body: file },
  ]) {
    const { status, body } = await answered('/send_msg', init)
    expect([status, body['status'], body['retcode']]).toEqual([400, 'failed', 1400])
    expect(body['message']).toStartWith('body: found ')
  }
  expect(bed.sent.left).toEqual([])
})

test('[HTTP5] other content types are refused with 406, other methods with 405', async () => {
  for (const type of ['text/plain', 'application/xml', 'application/octet-stream'])
    expect((await answered('/send_msg', json('{}', type))).status).toBe(406)
  const put = await fetch(`${url}/send_msg`, { method: 'PUT', body: '{}' })
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST'])
  expect((await fetch(`${url}/send_msg?user_id=1&message=x`, { method: 'HEAD' })).status).toBe(405)
  expect(bed.sent.left).toEqual([])
})

test('[HTTP5] a body longer than a frame may be is refused with 413', async () => {
  const response = await fetch(`${url}/send_msg`, json(`{"message":"${'x'.repeat(65 * 1024 * 1024)}"}`))
  expect(response.status).toBe(413)
  expect(bed.sent.left).toEqual([])
})

test('[HTTP6] an unknown action is a 404, whichever way the implementation says so; other failures are a 200', async () => {
  for (const [retcode, status] of [
    [404, 404],
    [1404, 404],
    [1400, 400],
    [1200, 200],
    [100, 200],
    [-1, 200],
  ] as const) {
    bed.answer = ({ echo }) => JSON.stringify({ status: 'failed', retcode, data: null, echo })
    const { status: found, body } = await answered('/no_such_thing')
    expect([found, body]).toEqual([status, { status: 'failed', retcode, data: null }])
    await bed.sent.take()
  }
})

test('[HTTP6] while the implementation is away a call fails with 200', async () => {
  using away = bench({ settings: { hold: 0 } })
  await using opened = await door(away)
  away.bot.lost(away.upstream, 1006, '')
  const response = await fetch(`${opened.url}/send_msg?message=x`)
  expect([response.status, await response.json()]).toMatchObject([200, { status: 'failed', retcode: 1503 }])
  const context = '{"post_type":"request","request_type":"friend","flag":"f"}'
  const operation = json(`{"context":${context},"operation":{"approve":true}}`)
  const second = await fetch(`${opened.url}/.handle_quick_operation`, operation)
  expect([second.status, await second.json()]).toMatchObject([200, { status: 'failed', retcode: 1503 }])
})

test('[HLD6] over HTTP a refusal that names a time is a 200 with `Retry-After`, in whole seconds', async () => {
  const retries: [string, string | null][] = [
    ['"retcode":1429,"retry_after":0.2', '1'],
    ['"retcode":1503,"retry_after":2.5', '3'],
    ['"retcode":1503', null],
    ['"retcode":0,"retry_after":"soon"', null],
  ]
  for (const [more, wanted] of retries) {
    bed.answer = ({ echo }) => `{"status":"failed",${more},"data":null,"echo":${JSON.stringify(echo)}}`
    const response = await fetch(`${url}/send_msg?message=x`)
    expect([response.status, response.headers.get('retry-after')]).toEqual([200, wanted])
    await bed.sent.take()
  }
})

test('[HLD3] what a program asked for over HTTP that has hung up is not sent', async () => {
  using away = bench()
  await using opened = await door(away)
  away.bot.lost(away.upstream, 1006, '')
  const hangsUp = new AbortController()
  const cut = fetch(`${opened.url}/send_msg?message=cut`, { signal: hangsUp.signal }).catch(() => 'cut')
  await away.facts.until('call-held')
  const stays = fetch(`${opened.url}/send_msg?message=stays`)
  await away.facts.until('call-held', 2)
  const [cutOff] = opened.signals
  hangsUp.abort()
  expect(await cut).toBe('cut')
  await until(() => cutOff?.aborted === true)
  away.answer = (frame) => ok(frame)
  away.bot.connected(away.upstream, 'test')
  away.bot.identify('10001')
  expect((await stays).status).toBe(200)
  expect(await away.sent.take()).toContain('stays')
  expect(away.facts.of('call-cancelled')).toHaveLength(1)
})

test('[HTTP7] `self_id` or X-Self-ID chooses the bot; an unknown one is a 404', async () => {
  using first = bench()
  using second = bench({ bots: first.bots, selfId: '9007199254740993', answer: (frame) => ok(frame, 'second') })
  first.answer = (frame) => ok(frame, 'first')
  await using opened = await door(first)
  const asked = async (query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${opened.url}/get_status${query}`, { headers })
    return [response.status, ((await response.json()) as { data: unknown }).data] // our envelope or the one above
  }
  expect(await asked('')).toEqual([200, 'first'])
  expect(await asked('?self_id=9007199254740993')).toEqual([200, 'second'])
  expect(await asked('', { 'X-Self-ID': '9007199254740993' })).toEqual([200, 'second'])
  expect(await asked('?self_id=5')).toEqual([404, null])
  expect(JSON.parse(await second.sent.take())).toMatchObject({ params: {} })
})

test('[HTTP8] our own actions work, and those that need a client behind them say so', async () => {
  expect((await answered('/get_online_clients')).body).toEqual({ status: 'ok', retcode: 0, data: [] })
  for (const [action, params] of [
    ['set_client_name', { name: 'x' }],
    ['send_broadcast_data', { clients: [{ app_id: 'x' }], data: 'x' }],
    ['send_broadcast_data_callback', { client: { app_id: 'x' }, uuid: 'u', data: 'x' }],
  ] as const) {
    const { status, body } = await answered(`/${action}`, json(JSON.stringify(params)))
    expect([status, body['status']]).toEqual([400, 'failed'])
    expect(body['message']).toContain('no client behind it')
  }
})

test('[HTTP8] `_async` and `_rate_limited` answer at once and leave the suffix here', async () => {
  bed.answer = () => undefined
  for (const suffix of ['_async', '_rate_limited']) {
    expect(await answered(`/send_msg${suffix}?message=hi`)).toEqual({
      status: 200,
      body: { status: 'async', retcode: 1, data: null },
    })
    expect(JSON.parse(await bed.sent.take())).toMatchObject({ action: 'send_msg', params: { message: 'hi' } })
  }
})

test('[HTTP8] `.handle_quick_operation` is carried out, ids exact', async () => {
  bed.answer = () => undefined
  const context =
    '{"post_type":"message","message_type":"group","group_id":1,"user_id":2,"message_id":7672696335120716277}'
  for (const init of [
    json(`{"context":${context},"operation":{"delete":true}}`),
    { method: 'POST', body: new URLSearchParams({ context, operation: '{"delete":true}' }) },
  ]) {
    expect((await answered('/.handle_quick_operation', init)).body).toEqual({ status: 'ok', retcode: 0, data: null })
    expect(await bed.sent.take()).toContain('"action":"delete_msg","params":{"message_id":7672696335120716277}')
  }
})

/** Calls the app itself, as a peer of our choosing. */
const as = (app: Hono<HostEnv>, peer: string, kept?: () => void) => async (path: string) => {
  const env = { peer, keepOpen: () => kept?.() } as unknown as HostEnv['Bindings'] // all that a call asks of its host
  return (await app.request(`/onebot/v11${path}`, {}, env)).json() as Promise<Record<string, unknown>>
}

test('[HTTP9] unanswered calls are bounded for each address', async () => {
  using one = bench()
  await using opened = await door(one)
  const mine = as(opened.app, '10.0.0.1')
  const open = Array.from({ length: 4096 }, () => mine('/send_msg?message=x'))
  while (one.bot.waiting.replies < 4096) await Bun.sleep(1)
  // Also the second time: a refusal ends nobody's call.
  for (let n = 0; n < 2; n++) expect(await mine('/send_msg')).toMatchObject({ status: 'failed', retcode: 1413 })
  const frames = await Promise.all(open.map(() => one.sent.take()))
  one.answer = (frame) => ok(frame)
  expect(await as(opened.app, '10.0.0.2')('/send_msg')).toMatchObject({ status: 'ok' })
  for (const raw of frames) one.says(ok(JSON.parse(raw)))
  for (const reply of await Promise.all(open)) expect(reply['status']).toBe('ok')
  expect(await mine('/send_msg')).toMatchObject({ status: 'ok' })
})

test('[HTTP10] a call may take longer than the host is patient with a silent request', async () => {
  using one = bench()
  await using opened = await door(one)
  let kept = false
  const reply = as(opened.app, '10.0.0.1', () => {
    kept = true
  })('/send_msg')
  const frame = JSON.parse(await one.sent.take())
  expect(kept).toBe(true)
  one.says(ok(frame))
  expect(await reply).toMatchObject({ status: 'ok' })
})

test('[HTTP11] the reply to a client that has left is dropped, and nothing else is disturbed', async () => {
  bed.answer = () => undefined
  const others = bed.bot.waiting.replies
  const leaving = new AbortController()
  const gone = fetch(`${url}/send_msg?message=x`, { signal: leaving.signal })
  const frame = JSON.parse(await bed.sent.take())
  expect(bed.bot.waiting.replies).toBe(others + 1)
  leaving.abort()
  await expect(gone).rejects.toThrow('abort')
  bed.says(ok(frame))
  expect(bed.bot.waiting.replies).toBe(others)
  expect(await passed('/get_status')).toBe('{"action":"get_status","params":{}}')
})

test('[HTTP12] paths of WebSocket links, and handshakes elsewhere, are no actions', async () => {
  for (const path of ['/ws', '/implementation', '/ws?x=1'])
    expect((await answered(path, { method: 'POST' })).status).toBe(404)
  const upgrade = await fetch(`${url}/get_status`, { headers: { Connection: 'Upgrade', Upgrade: 'websocket' } })
  expect(upgrade.status).toBe(404)
  expect(bed.sent.left).toEqual([])
})

test('[HTTP13] a call needs the token; one that a page of another site makes is refused without an Origin, too', async () => {
  using one = bench({ answer: (frame) => ok(frame) })
  await using opened = await door(one, 'secret')
  const status = async (query: string, headers: Record<string, string> = {}) =>
    (await fetch(`${opened.url}/get_status${query}`, { headers })).status
  expect(await status('')).toBe(401)
  expect(await status('?access_token=wrong')).toBe(403)
  expect(await status('?access_token=secret')).toBe(200)
  expect(await status('', { Authorization: 'Bearer secret' })).toBe(200)
  expect(await one.sent.take()).not.toContain('secret')
  for (const site of ['cross-site', 'same-site'])
    expect((await answered('/get_status', { headers: { 'Sec-Fetch-Site': site } })).status).toBe(403)
  expect(await passed('/get_status', { headers: { 'Sec-Fetch-Site': 'none' } })).toContain('get_status')
})

test('[HTTP12] the gateway has actions beside its WebSocket paths', async () => {
  await using whole = await testbed({ bot: { answer: (frame) => ok(frame, frame.action) } })
  const get = (path: string) => fetch(`${whole.gateway.address}/onebot/v11${path}`)
  expect(await (await get('/get_status')).json()).toEqual({ status: 'ok', retcode: 0, data: 'get_status' })
  for (const path of ['/ws', '/ws/api', '/ws/event']) expect((await get(path)).status).toBe(426)
  // No implementation is awaited there.
  expect((await get('/implementation')).status).toBe(404)
})
