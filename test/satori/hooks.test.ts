// Web hooks of Satori: what they are posted, when they are left alone, and what of it outlives a restart.

import { expect, test } from 'bun:test'
import type { Frame } from '../support/client.ts'
import { groupMessage, heartbeat } from '../support/implementation.ts'
import { BRISK } from '../support/testbed.ts'
import { event, satoriBed, TOKEN } from './bed.ts'
import { WebHook } from './web-hook.ts'

const withHook = (url: string, more = {}) => ({
  ...BRISK,
  satori: {
    enabled: true,
    webhooks: [{ url, token: 'of the hook', 'retries-interval': '1ms', name: 'hook', ...more }],
  },
})

test('[SAT35] events are posted to web hooks with opcode and bearer, without the frame around them', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url))
  it.bed.bot.send(groupMessage('one'))
  const { body, headers } = await hook.next('message-created')
  expect(body).toMatchObject({
    type: 'message-created',
    platform: 'onebot',
    message: { content: 'one' },
    login: { user: { id: '10001' } },
  })
  expect(Object.fromEntries(headers)).toMatchObject({
    'satori-opcode': '0',
    'satori-platform': 'onebot',
    'satori-user-id': '10001',
    authorization: 'Bearer of the hook',
    'content-type': 'application/json',
  })
  expect((await it.bed.gateway.status()).bots[0]?.sessions).toMatchObject([
    { client_name: 'hook', transport: 'http-post' },
  ])
})

test('[SAT35] a web hook that fails gets each event again, in order, the rest waiting in the journal', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url))
  await hook.next('login-added')
  hook.answers.push(500, 503, 204)
  for (const text of ['1', '2', '3']) it.bed.bot.send(groupMessage(text))
  expect(await hook.contents(5)).toEqual(['1', '1', '1', '2', '3'])
  // What it does not care for is not sent again; where it is to be given up, it is.
  hook.answers.push(404)
  it.bed.bot.send(groupMessage('4'))
  it.bed.bot.send(groupMessage('5'))
  expect(await hook.contents(2)).toEqual(['4', '5'])
})

test('[SAT35] web hooks come, change and go with the configuration and with clients that ask for them', async () => {
  await using first = new WebHook()
  await using second = new WebHook()
  await using it = await satoriBed(withHook(first.url))
  const sessions = (count: number) => it.bed.gateway.until(({ bots }) => bots[0]?.sessions.length === count)
  expect(await it.call('meta/webhook.create', { url: second.url, token: 't' })).toMatchObject({ status: 200, body: {} })
  await sessions(2)
  it.bed.bot.send(groupMessage('both'))
  expect(await first.contents(1)).toEqual(['both'])
  const { headers } = await second.next('message-created')
  expect(headers.get('authorization')).toBe('Bearer t')
  const apply = (webhooks: object[]) =>
    it.bed.gateway.apply({
      http: { 'access-token': TOKEN },
      'ntqq-impl': { 'external-web-socket': it.bed.bot.url },
      satori: { enabled: true, webhooks },
    })
  await apply([])
  await sessions(1)
  expect(await it.call('meta/webhook.delete', { url: second.url })).toMatchObject({ status: 200 })
  await sessions(0)
  for (const url of ['ftp://x', 'http://', 5, undefined])
    expect((await it.call('meta/webhook.create', { url })).status).toBe(400)
  for (let n = 0; n < 16; n++)
    expect((await it.call('meta/webhook.create', { url: `${second.url}?${n}` })).status).toBe(200)
  expect((await it.call('meta/webhook.create', { url: `${second.url}?17` })).status).toBe(409)
})

test('[SAT35] a web hook hears how its bot fares, and of the account that comes after', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url))
  it.bed.bot.send(heartbeat(30_000))
  const status = ({ login }: Frame) => (login as Frame)['status']
  it.bed.bot.send(heartbeat(30_000).replace('"online":true', '"online":false'))
  await hook.next('login-updated', (body) => status(body) === 0)
  it.bed.bot.send(
    '{"time":1,"self_id":10009,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}',
  )
  await it.bed.gateway.until(({ bots }) => bots[0]?.self_id === '10009' && bots[0].sessions.length === 1)
  it.bed.bot.send(groupMessage('of the other', 10009))
  const { body } = await hook.next('message-created')
  expect(body).toMatchObject({ self_id: '10009', login: { user: { id: '10009' } } })
})

test('[SAT35] who has a token of its own asks for no web hooks: they would tell more than it may hear', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed({
    config: { http: { 'access-token': TOKEN }, clients: [{ name: 'alice', token: 'of alice' }] },
  })
  for (const method of ['meta/webhook.create', 'meta/webhook.delete'])
    expect((await it.call(method, { url: hook.url }, { Authorization: 'Bearer of alice' })).status).toBe(403)
  expect((await it.call('meta', {}, { Authorization: 'Bearer of alice' })).status).toBe(200)
})

const status = ({ login }: Frame) => (login as Frame)['status']
const wellOr = (online: boolean) => heartbeat(30_000).replace('"online":true', `"online":${online}`)

test('[SAT45] a web hook that keeps failing is left alone like one of OneBot: status, facts and pauses say so', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed({
    ...withHook(hook.url),
    config: { http: { 'access-token': TOKEN }, breaker: { failures: 3, 'cool-down': '300ms' } },
  })
  await hook.next('login-added')
  const breaker = async () => (await it.bed.gateway.status()).bots[0]?.sessions[0]?.breaker
  expect(await breaker()).toEqual({ state: 'closed', failures: 0 })
  hook.status = 500
  const first = hook.times.length
  for (const text of ['1', '2', '3']) it.bed.bot.send(groupMessage(text))
  const { bots } = await it.bed.gateway.until(({ facts }) => facts['circuit-opened'] === 1)
  expect(bots[0]?.sessions[0]?.breaker?.failures).toBeGreaterThanOrEqual(3)
  // It is back before the pause is over: what is posted then goes through, and closes the circuit.
  hook.status = 204
  expect(await hook.contents(6)).toEqual(['1', '1', '1', '1', '2', '3'])
  const times = hook.times.slice(first)
  expect(Number(times[3]) - Number(times[2])).toBeGreaterThanOrEqual(290)
  const { facts } = await it.bed.gateway.until((seen) => seen.facts['circuit-closed'] === 1)
  expect(await breaker()).toEqual({ state: 'closed', failures: 0 })
  expect([facts['circuit-opened'], facts['delivery-failed']]).toEqual([1, 3])
})

test('[SAT45] a pool passes over a web hook of Satori whose circuit is open', async () => {
  await using main = new WebHook()
  await using standby = new WebHook()
  main.answer = () => new Response(null, { status: 500 })
  const entry = { pool: 'alarm', 'max-retries': 0 }
  await using it = await satoriBed({
    config: {
      http: { 'access-token': TOKEN },
      pools: { alarm: { strategy: 'priority' } },
      breaker: { failures: 1, 'cool-down': '1h' },
    },
    satori: {
      webhooks: [
        { ...entry, name: 'main', url: main.url, weight: 10 },
        { ...entry, name: 'standby', url: standby.url },
      ],
    },
  })
  // That the account is there is what it has refused.
  await it.bed.gateway.until(({ facts }) => facts['circuit-opened'] === 1)
  it.bed.bot.send(groupMessage('1'))
  expect(await standby.contents(1)).toEqual(['1'])
})

test('[SAT45] a web hook that hangs or sends elsewhere gets the event again, and the log says why', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url, { timeout: '200ms' }))
  await hook.next('login-added')
  const ways = [
    () => new Promise<Response>(() => {}),
    () => new Response(null, { status: 302, headers: { Location: `${hook.url}?elsewhere` } }),
    () => new Response('{"so": "what"}'),
  ]
  hook.answer = () => ways.shift()?.() ?? new Response()
  it.bed.bot.send(groupMessage('1'))
  it.bed.bot.send(groupMessage('2'))
  expect(await hook.contents(4)).toEqual(['1', '1', '1', '2'])
  const failed = it.bed.gateway.facts.flatMap((fact) => (fact.kind === 'delivery-failed' ? fact.reason : []))
  if (failed.length > 0)
    expect(failed).toEqual(['no answer in 200 ms', 'HTTP 302: redirects are not followed; configure the final address'])
})

test('[SAT46] what a web hook gets is settled by its own settings, which change where it is', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url, { filter: { keywords: ['a'] }, 'prefix-strip': '!' }))
  it.bed.bot.send(groupMessage('!a1'))
  it.bed.bot.send(groupMessage('b2'))
  it.bed.bot.send(groupMessage('a3'))
  expect(await hook.contents(2)).toEqual(['a1', 'a3'])
  const session = async () => (await it.bed.gateway.status()).bots[0]?.sessions[0]
  const before = await session()
  expect(before?.entry).toBe('hook')
  await it.bed.gateway.apply({
    http: { 'access-token': TOKEN },
    'ntqq-impl': it.bed.bot.own,
    satori: withHook(hook.url, { filter: { keywords: ['b'] } }).satori,
  })
  it.bed.bot.send(groupMessage('a4'))
  it.bed.bot.send(groupMessage('b5'))
  expect(await hook.contents(1)).toEqual(['b5'])
  expect((await session())?.app_id).toBe(String(before?.app_id))
})

test('[SAT46] what clients say of its name counts where its entry says nothing', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed({
    ...withHook(hook.url),
    config: { http: { 'access-token': TOKEN }, clients: [{ name: 'hook', filter: { keywords: ['a'] } }] },
  })
  it.bed.bot.send(groupMessage('b1'))
  it.bed.bot.send(groupMessage('a2'))
  expect(await hook.contents(1)).toEqual(['a2'])
})

test('[SAT47] a web hook is told of an account before its events, and when it is another', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url))
  it.bed.bot.send(groupMessage('1'))
  const types = async (count: number) => {
    const found: unknown[] = []
    while (found.length < count) {
      const { body } = await hook.received.take()
      found.push([body['type'], body['self_id']])
    }
    return found
  }
  expect(await types(2)).toEqual([
    ['login-added', '10001'],
    ['message-created', '10001'],
  ])
  it.bed.bot.send(
    '{"time":1,"self_id":10009,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect"}',
  )
  await it.bed.gateway.until(({ bots }) => bots[0]?.self_id === '10009' && bots[0].sessions.length === 1)
  it.bed.bot.send(groupMessage('2', 10009))
  expect(await types(3)).toEqual([
    ['login-removed', '10001'],
    ['login-added', '10009'],
    ['message-created', '10009'],
  ])
})

test('[SAT47] how often a bot comes and goes while a web hook is dead: it hears once, how things are', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url))
  await hook.next('login-added')
  hook.status = 500
  it.bed.bot.send(groupMessage('1'))
  await hook.next('message-created')
  for (let n = 0; n < 100; n++) it.bed.bot.send(wellOr(n % 2 === 1))
  it.bed.bot.send(wellOr(false))
  it.bed.bot.send(groupMessage('2'))
  await it.bed.gateway.until(({ facts }) => (facts['event'] ?? 0) >= 2)
  hook.status = 204
  const updates: unknown[] = []
  for (;;) {
    const { body } = await hook.received.take()
    if (body['type'] === 'login-updated') updates.push(status(body))
    if ((body['message'] as Frame | undefined)?.['content'] === '2') break
  }
  expect(updates).toEqual([0])
})

test('[SAT48] who asks again for its web hook loses nothing of what waits for it, also under another token', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(BRISK)
  const ask = (token: string) => it.call('meta/webhook.create', { url: hook.url, token })
  await ask('one')
  await hook.stop()
  it.bed.bot.send(groupMessage('1'))
  it.bed.bot.send(groupMessage('2'))
  await it.bed.gateway.until(({ facts }) => (facts['delivery-failed'] ?? 0) > 0)
  // As a program does that is started again.
  expect((await ask('one')).status).toBe(200)
  expect((await ask('two')).status).toBe(200)
  // Other settings of others are no reason to begin anew, either.
  await it.bed.gateway.apply({
    http: { 'access-token': TOKEN },
    'ntqq-impl': it.bed.bot.own,
    satori: { enabled: true },
    defaults: { 'report-self-message': true },
  })
  hook.start()
  expect(await hook.contents(2)).toEqual(['1', '2'])
  it.bed.bot.send(groupMessage('3'))
  const { headers } = await hook.next('message-created')
  expect(headers.get('authorization')).toBe('Bearer two')
  expect((await it.bed.gateway.status()).bots[0]?.sessions.length).toBe(1)
})

test('[SAT41] a pool is shared by clients of both protocols, each of which gets its events in its own words', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed({
    config: {
      http: { 'access-token': TOKEN },
      pools: { crew: {} },
      clients: [
        { name: 'satori', pool: 'crew' },
        { name: 'onebot', pool: 'crew' },
      ],
    },
    satori: { webhooks: [{ name: 'hook', url: hook.url, pool: 'crew' }] },
  })
  const satori = await it.ready({}, '?client_name=satori')
  const onebot = await it.bed.client(`/onebot/v11/ws?client_name=onebot&access_token=${TOKEN}`)
  await it.bed.gateway.until(({ bots }) => bots[0]?.pools?.[0]?.members === 3)
  const heard = { hook: 0, satori: 0, onebot: 0 }
  // One at a time: whose turn it is then is known.
  const posted = async () => ['hook', (await hook.contents(1))[0]]
  const told = async () => ['satori', ((await event(satori, 'message-created'))['message'] as Frame)['content']]
  const sent = async () => ['onebot', (await onebot.next(({ raw_message: text }) => text !== undefined))['raw_message']]
  const next = { hook: posted(), satori: told(), onebot: sent() }
  for (let n = 0; n < 9; n++) {
    it.bed.bot.send(groupMessage(`m${n}`))
    const [who, text] = (await Promise.race(Object.values(next))) as [keyof typeof next, string]
    expect(text).toBe(`m${n}`)
    next[who] = { hook: posted, satori: told, onebot: sent }[who]()
    // A hook has its turn again once it has answered.
    await it.bed.gateway.until(({ bots }) => bots[0]?.sessions.every(({ pending }) => pending === 0) === true)
    heard[who] += 1
  }
  // Nothing more comes.
  void Promise.allSettled(Object.values(next))
  expect(Math.min(...Object.values(heard))).toBeGreaterThan(0)
  expect(satori.heard.filter((frame) => !frame.startsWith('{"op":'))).toEqual([])
})

test('[SAT54] what a web hook could not be told of a login before its entry changed it is told after that', async () => {
  await using hook = new WebHook()
  hook.status = 500
  await using it = await satoriBed(withHook(hook.url))
  const apply = (token: string) =>
    it.bed.gateway.apply({
      http: { 'access-token': TOKEN },
      'ntqq-impl': it.bed.bot.own,
      satori: withHook(hook.url, { token }).satori,
    })
  await hook.next('login-added')
  await apply('second')
  it.bed.bot.send(groupMessage('1'))
  hook.status = 204
  await hook.next('login-added', () => hook.status === 204)
  expect(await hook.contents(1)).toEqual(['1'])
  // It has heard of that; now of how it fares, and of another account.
  hook.status = 500
  it.bed.bot.send(wellOr(false))
  await hook.next('login-updated', (body) => status(body) === 0)
  await apply('third')
  hook.status = 204
  await hook.next('login-updated', (body) => status(body) === 0)
  it.bed.bot.send(groupMessage('2'))
  expect(await hook.contents(1)).toEqual(['2'])
  hook.status = 500
  it.bed.bot.becomes(10009)
  await hook.next('login-removed')
  await it.bed.gateway.until(({ bots }) => bots[0]?.self_id === '10009' && bots[0].sessions.length === 1)
  await apply('fourth')
  hook.status = 204
  it.bed.bot.send(groupMessage('3', 10009))
  const types: unknown[] = []
  while (types.at(-1) !== 'message-created') types.push((await hook.received.take()).body['type'])
  expect(types.lastIndexOf('login-removed')).toBeWithin(0, types.lastIndexOf('login-added'))
})

test('[SAT54] a login event stands where it is told: its sn is that of the last event before it', async () => {
  await using hook = new WebHook()
  await using it = await satoriBed(withHook(hook.url))
  it.bed.bot.send(wellOr(true))
  await hook.next('login-added')
  const waiting = Promise.withResolvers<void>()
  hook.answer = async ({ body }) => {
    if (body['type'] === 'message-created') await waiting.promise
    return new Response()
  }
  it.bed.bot.send(groupMessage('1'))
  await hook.next('message-created')
  for (const text of ['2', '3']) it.bed.bot.send(groupMessage(text))
  it.bed.bot.send(wellOr(false))
  it.bed.bot.send(groupMessage('4'))
  await it.bed.gateway.until(({ facts }) => facts['event'] === 4)
  waiting.resolve()
  const told: [unknown, number][] = []
  for (let taken = 0; taken < 4; taken++) {
    const { body } = await hook.received.take()
    told.push([body['type'], Number(body['sn'])])
  }
  expect(told.map(([type]) => type)).toEqual(['login-updated', ...Array(3).fill('message-created')])
  expect(told.every(([, sn], index) => sn > (told[index - 1]?.[1] ?? 0))).toBe(true)
})
