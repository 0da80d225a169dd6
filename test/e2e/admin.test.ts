// The admin API at a running gateway: who may use it, what it shows, and what it does.

import { expect, test } from 'bun:test'
import { ADMIN, operator } from '../support/admin.ts'
import { folder } from '../support/folder.ts'
import { gateway } from '../support/gateway.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { knock } from '../support/knock.ts'
import { program } from '../support/program.ts'
import { testbed } from '../support/testbed.ts'
import { milky } from '../support/upstream.ts'

interface Description {
  paths: Record<string, Record<string, Operation>>
}
interface Operation {
  security?: unknown[]
  parameters?: { name: string; in: string }[]
  requestBody?: object
  responses: Record<string, { content: Record<string, { schema: Schema }> }>
}
interface Schema {
  required?: string[]
}
interface Clients {
  clients: {
    app_id: string
    client_name?: string
    state: string
    paused: boolean
    events: boolean
    lag: object | null
  }[]
}

test('[ADM1] every route wants the admin token, and none takes a page of another site; what is open says so', async () => {
  await using bed = await testbed({ config: { http: { 'access-token': 'client' } } })
  const { address } = bed.gateway
  const { paths } = await operator(address).json<Description>('/api/openapi.json')
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({ method, path, open: security?.length === 0 })),
  )
  expect(routes.length).toBeGreaterThan(20)
  const headers: [string, Record<string, string>][] = [
    ['nothing', {}],
    ['a wrong token', { Authorization: 'Bearer wrong' }],
    ['the token of clients', { Authorization: 'Bearer client' }],
    ['a foreign Origin', { Authorization: `Bearer ${ADMIN}`, Origin: 'https://example.com' }],
    ['a foreign page', { Authorization: `Bearer ${ADMIN}`, 'Sec-Fetch-Site': 'cross-site' }],
    ['a foreign Host', { Host: 'evil.example' }],
  ]
  for (const { method, path, open } of routes)
    for (const [what, header] of headers) {
      const { status } = await fetch(`${address}${path.replaceAll(/\{\w+\}/g, 'nobody')}`, { method, headers: header })
      const wanted = open ? 200 : what === 'nothing' || what === 'a foreign Host' ? 401 : 403
      expect({ method, path, what, status }).toEqual({ method, path, what, status: wanted })
    }
  expect(routes.filter(({ open }) => open).map(({ path }) => path)).toEqual(['/healthz', '/readyz'])
  expect(
    (await knock(address, '/api/clients', { authorization: `Bearer ${ADMIN}`, host: 'evil.example' })).status,
  ).toBe(200)
})

test('[ADM2] answers are no pages: nothing is run, framed, kept or told to others', async () => {
  await using bed = await testbed()
  for (const path of ['/api/clients', '/api/status', '/api/nothing/../openapi.json', '/metrics']) {
    const { headers } = await operator(bed.gateway.address).get(path)
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
})

test('[ADM3] what takes a body takes JSON only, as no form of a page can send', async () => {
  await using bed = await testbed()
  const url = `${bed.gateway.address}/api/call?access_token=${ADMIN}`
  const sent = async (type: string, body: string) =>
    (await fetch(url, { method: 'POST', headers: { 'Content-Type': type }, body })).status
  expect(await sent('text/plain', '{"action":"get_status"}')).toBe(400)
  expect(await sent('application/x-www-form-urlencoded', 'action=get_status')).toBe(400)
  expect(await sent('application/json', '[1]')).toBe(400)
  expect(await sent('application/json', '{"action":1}')).toBe(400)
  expect(await sent('application/json', '{"action":"get_status","params":[]}')).toBe(400)
  expect(await sent('application/json', '{"action":"get_status","self_id":"777"}')).toBe(404)
})

test('[ADM4] the description names every route with its parameters, and its answers have what it says', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame, { app_name: 'x', app_version: '1' }) } })
  await bed.client('/?client_name=alice')
  const admin = operator(bed.gateway.address)
  const { paths } = await admin.json<Description>('/api/openapi.json')
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
      const inPath = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name)
      expect({ path, named: inPath }).toEqual({ path, named })
      const schema = operation.responses['200']?.content['application/json']?.schema
      if (method !== 'get' || named.length > 0 || schema?.required === undefined) continue
      const answer = await (await admin.get(path)).json()
      expect({ path, keys: Object.keys(answer) }).toEqual({ path, keys: expect.arrayContaining(schema.required) })
    }
})

test('[ADM5] clients are listed, paused, let go on, renamed and disconnected, by name or by app_id', async () => {
  await using bed = await testbed()
  const admin = operator(bed.gateway.address)
  const alice = await bed.client('/?client_name=alice')
  await bed.client('/api')
  const { clients } = await admin.json<Clients>('/api/clients')
  expect(clients).toMatchObject([
    {
      client_name: 'alice',
      state: 'live',
      paused: false,
      events: true,
      lag: null,
      peer: '127.0.0.1',
      bot: 'ntqq-impl',
    },
    { events: false },
  ])
  const at = (verb: string, client = 'alice') => `/api/clients/${client}/${verb}`
  await admin.json(at('pause'), {})
  bed.bot.send(groupMessage('held'))
  await bed.gateway.until(({ bots }) => bots[0]?.journal.entries === 3)
  expect((await admin.json<Clients>('/api/clients')).clients[0]).toMatchObject({ state: 'paused', lag: { events: 1 } })
  const reply = await alice.call('get_online_clients')
  expect(reply).toMatchObject({ status: 'ok' })
  expect(alice.heard.some((text) => text.includes('held'))).toBe(false)
  await admin.json(at('resume', clients[0]?.app_id), {})
  expect(await alice.event('message')).toMatchObject({ raw_message: 'held' })
  await admin.json(at('pause'), {})
  bed.bot.send(groupMessage('dropped'))
  await bed.gateway.until(({ bots }) => bots[0]?.journal.entries === 4)
  expect(await admin.json(at('drop'), {})).toEqual({ dropped: 1 })
  await admin.json(at('resume'), {})
  bed.bot.send(groupMessage('after'))
  expect(await alice.event('message')).toMatchObject({ raw_message: 'after' })
  await admin.json(at('rename'), { name: '甲 1' })
  expect((await admin.post(at('kick'))).status).toBe(404)
  await admin.json(at('kick', encodeURIComponent('甲 1')), {})
  expect(await alice.closed).toEqual({ code: 4012, reason: 'disconnected by the operator' })
  await admin.json(at('kick', clients[1]?.app_id), {})
  expect(await admin.json('/api/clients')).toEqual({ clients: [] })
})

test('[ADM6] what cannot be done is refused with its reason: unknown clients, taken names, links for calls only', async () => {
  await using bed = await testbed()
  const admin = operator(bed.gateway.address)
  await bed.client('/?client_name=alice')
  await bed.client('/?client_name=bob')
  await bed.client('/api')
  const { clients } = await admin.json<Clients>('/api/clients')
  const caller = clients.find(({ events }) => !events)?.app_id
  const refused = async (path: string, body: unknown = {}) => {
    const answer = await admin.post(`/api/clients/${path}`, body)
    return [answer.status, ((await answer.json()) as { message: string }).message]
  }
  expect(await refused('nobody/kick')).toEqual([404, 'no client "nobody" is here, by name or by app_id'])
  expect(await refused('alice/kick?self_id=777')).toEqual([404, 'no client "alice" is here, by name or by app_id'])
  expect(await refused('alice/rename', { name: 'bob' })).toEqual([409, 'rename: another client is named "bob"'])
  expect(await refused('alice/rename', {})).toEqual([400, 'name: wanted a text'])
  expect((await refused(`${caller}/pause`))[0]).toBe(400)
})

test('[ADM7] bots say who they are, are dialled anew, and restarted', async () => {
  const answer = (frame: { action: string; echo?: unknown }) =>
    ok(frame, frame.action === 'get_login_info' ? { nickname: '小佩' } : { app_name: 'NapCat', app_version: '4.1' })
  await using bed = await testbed({ bot: { answer } })
  const admin = operator(bed.gateway.address)
  const { bots } = await admin.json<{ bots: object[] }>('/api/bots')
  expect(bots).toMatchObject([
    {
      self_id: '10001',
      online: true,
      clients: 0,
      implementation: { name: 'NapCat', version: '4.1', nickname: '小佩', peer: bed.bot.url, lost: null },
    },
  ])
  await bed.bot.handshakes.take()
  await admin.json('/api/bots/10001/redial', {})
  await bed.bot.handshakes.take()
  await bed.gateway.until((status) => status.bots[0]?.online === true && status.facts['upstream-lost'] === 1)
  await admin.json('/api/bots/ntqq-impl/restart', {})
  await bed.bot.handshakes.take()
  expect((await admin.post('/api/bots/777/redial')).status).toBe(404)
})

test('[ADM8] an action called for the operator has its own reply, as it is', async () => {
  const answer = ({ echo }: { echo?: unknown }) =>
    `{"status":"ok","retcode":0,"data":{"id":7672696335120716277},"echo":${JSON.stringify(echo)}}`
  await using bed = await testbed({ bot: { answer } })
  const admin = operator(bed.gateway.address)
  const call = async (body: object) => (await admin.post('/api/call', body)).text()
  expect(await call({ action: 'get_group_list' })).toBe(
    `{"status":"ok","retcode":0,"data":${milky ? '[]' : '{"id":7672696335120716277}'}}`,
  )
  expect(await call({ action: 'get_online_clients', self_id: '10001' })).toContain('"data":[]')
})

test('[ADM9] the config is shown without secrets, candidates are judged, and the file is read anew', async () => {
  await using home = await folder()
  const file = home.at('config.yml')
  const text = (level: string) => `# access-token: Hush-1
# admin: {token: "Hush-6 7", x: 1} # url: http://x/Hush-8
http: {port: 0, access-token: Hush-2}
admin: {token: ${ADMIN}}
log: {dir: '', level: ${level}}
clients:
  - name: one
    token: "Hush-3" # of one
alerts: {to: [{kind: webhook, url: 'http://127.0.0.1:1/Hush-4', secret: Hush-5}]}
ntqq-impl: {mode: reverse}
`
  await Bun.write(file, text('info'))
  await using running = program(['start', '--config', file], { cwd: home.path, as: 'perpetua' })
  const [, address = ''] = await running.says(/started address=(\S+)/)
  const admin = operator(address)
  const whole = await (await admin.get('/api/config')).text()
  expect(whole).not.toMatch(/Hush|admin-token-of-tests/)
  const shown = JSON.parse(whole)
  expect(shown).toMatchObject({
    file,
    config: { http: { 'access-token': '***' }, clients: [{ name: 'one', token: '***' }], actions: { timeout: 60_000 } },
  })
  expect(shown.text).toContain('token: *** # of one')
  expect(shown.text).toContain('# admin: {token: ***, x: 1} # url: ***')
  const judge = (candidate: string) => admin.json('/api/config/validate', { text: candidate })
  expect(await judge(text('debug'))).toEqual({ ok: true, problems: [], notices: [], restart: [] })
  expect(await judge('data-dir: other')).toMatchObject({ ok: true, restart: ['data-dir'] })
  expect(await judge('http: {port: 80a}')).toMatchObject({
    ok: false,
    problems: [{ line: 1, column: 14, path: 'http.port', text: expect.stringContaining('wanted a port') }],
  })
  await Bun.write(file, text('debug'))
  expect(await admin.json('/api/config/reload', {})).toEqual({ applied: true, problems: [] })
  expect(await admin.json('/api/config')).toMatchObject({ config: { log: { level: 'debug' } } })
  await Bun.write(file, 'http: {port: 80a}')
  expect(await admin.json('/api/config/reload', {})).toMatchObject({
    applied: false,
    problems: [expect.stringContaining('http.port')],
  })
  expect(await admin.json('/api/config')).toMatchObject({ config: { log: { level: 'debug' } } })
})

test('[ADM10] a gateway without a file shows what is in force, and has nothing to read anew', async () => {
  await using running = await gateway(
    { 'ntqq-impl': { mode: 'reverse' } },
    { patience: { first: 1, most: 1, stable: 1 } },
  )
  const admin = operator(running.address)
  expect(await admin.json('/api/config')).toMatchObject({ file: null, text: null, config: { admin: { token: '***' } } })
  expect((await admin.post('/api/config/reload')).status).toBe(404)
})
