import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { onlineClients } from '../../src/actions/clients.ts'
import { CLOSING } from '../../src/broker/closing.ts'
import { STRANGERS } from '../../src/broker/ports.ts'
import { Room } from '../../src/broker/room.ts'
import { type ConfigInput, configOf } from '../../src/config/schema.ts'
import { postTarget } from '../../src/downstream/post.ts'
import type { BreakerSettings } from '../../src/lib/breaker.ts'
import { Inbox } from '../contract/witness.ts'
import { type Bench, bench, eagerLink } from '../support/bot.ts'
import { groupMessage, heartbeat, ok } from '../support/implementation.ts'
import { Receiver } from '../support/receiver.ts'
import { testbed } from '../support/testbed.ts'

interface Posted {
  body: string
  headers: Headers
}

/** A program that events are posted to. */
class WebHook extends Receiver {
  /** What came and is no `client_status`, which everybody gets on joining. */
  readonly received = new Inbox<Posted>()
  /** Requests not answered yet, and the most there were at one time. */
  underWay = 0
  most = 0
  readonly dropped = new Inbox<true>()
  answer: (posted: Posted) => Response | Promise<Response> = () => new Response(null, { status: 204 })

  protected async take(request: Request): Promise<Response> {
    request.signal.addEventListener('abort', () => this.dropped.push(true))
    const posted = { body: await request.text(), headers: request.headers }
    if (posted.body.includes('client_status')) return new Response(null, { status: 204 })
    this.underWay += 1
    this.most = Math.max(this.most, this.underWay)
    this.received.push(posted)
    const response = await this.answer(posted)
    this.underWay -= 1
    return response
  }

  async body(): Promise<string> {
    return (await this.received.take()).body
  }
}

type Entry = NonNullable<ConfigInput['http-post']>[number]

/** Nothing is ever left alone for long. */
const NEVER: BreakerSettings = { failures: 0, coolDown: 1 }

/** The hook served by the bots of `bed`, with pauses that a test can wait for. */
function posting(bed: Bench, hook: { url: string }, entry: Omit<Entry, 'url'> = {}, breaker = NEVER) {
  const config = configOf({ 'http-post': [{ 'retries-interval': '1ms', url: hook.url, ...entry }] })
  const [parsed] = config['http-post']
  if (parsed === undefined) throw new Error('post: no entry')
  const target = postTarget({
    entry: parsed,
    key: `http-post ${hook.url}`,
    guests: STRANGERS,
    bots: bed.bots,
    report: bed.facts.report,
    breaker: () => breaker,
  })
  return { stop: () => target.stop(), [Symbol.asyncDispose]: () => target.stop() }
}

const session = ({ bot }: Bench) => [...bot.sessions.all()].find(({ link }) => link.transport === 'http-post')

/** Resolves once the hook has taken everything and would be posted the next event at once. */
async function idle(bed: Bench): Promise<void> {
  while (session(bed)?.flow.state !== 'live') await Bun.sleep(1)
}

const messages = (count: number, from = 0) => Array.from({ length: count }, (_, n) => groupMessage(`m${from + n}`))
const taken = (hook: WebHook, count: number): Promise<string[]> => Array.fromAsync({ length: count }, () => hook.body())

/** What was put off until the end of this turn is done. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** An answer that waits. */
function held(response: () => Response = () => new Response(null, { status: 204 })) {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { answer: () => promise.then(response), release: resolve }
}

test('[POST1] an event is posted as the implementation wrote it, and says whose it is', async () => {
  using bed = bench({ selfId: '9007199254740993' })
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  const event = `{ "self_id":9007199254740993,"post_type":"notice","notice_type":"x","z":1.0,"id":7672696335120716277,"t":"你 😀 <&>" }`
  bed.says(event)
  const { body, headers } = await hook.received.take()
  expect(body).toBe(event)
  expect(headers.get('content-type')).toBe('application/json')
  expect(headers.get('x-self-id')).toBe('9007199254740993')
  expect(headers.get('user-agent')).toBe('OneBot/11')
  expect(headers.has('x-signature')).toBe(false)
})

test('[POST1] with a secret the body is signed', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook, { secret: '密钥' })
  bed.says(groupMessage('你好 😀'))
  const { body, headers } = await hook.received.take()
  const wanted = createHmac('sha1', '密钥').update(Buffer.from(body)).digest('hex')
  expect(headers.get('x-signature')).toBe(`sha1=${wanted}`)
})

test('[POST1] a percent sign in a password stands for itself where it begins no escape', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, { url: hook.url.replace('//', '//me:100%@') })
  bed.says(groupMessage('x'))
  expect((await hook.received.take()).headers.get('authorization')).toBe(`Basic ${btoa('me:100%')}`)
})

test('[POST1] a user and password in the address are sent as such, and shown to nobody', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, { url: hook.url.replace('//', '//me:p%40ss@') })
  bed.says(groupMessage('x'))
  expect((await hook.received.take()).headers.get('authorization')).toBe(`Basic ${btoa('me:p@ss')}`)
  expect(session(bed)?.link.peer).not.toContain('p%40ss')
})

test('[POST2] a slow hook gets every event in order, one at a time', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  hook.answer = async () => {
    await Bun.sleep(1)
    return new Response('ok')
  }
  const events = messages(200)
  for (const event of events) bed.says(event)
  expect(await taken(hook, events.length)).toEqual(events)
  await idle(bed)
  expect([hook.most, hook.received.left]).toEqual([1, []])
})

test('[POST3] a hook that is down gets everything in order once it is back', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  await idle(bed)
  await hook.stop()
  const events = messages(50)
  for (const event of events) bed.says(event)
  const failures = await bed.facts.until('delivery-failed', 3)
  expect(failures.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
  for (const [n, { inMs }] of failures.entries()) expect(inMs).toBeWithin(2 ** n, 2 ** n * 1.3 + 1)
  hook.start()
  expect(await taken(hook, events.length)).toEqual(events)
  await idle(bed)
  expect(hook.received.left).toEqual([])
})

test('[POST3] a hook that fails, or asks for patience, or says nothing, gets the event again', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook, { timeout: '1s' })
  const answers: (() => Response | Promise<Response>)[] = [
    ...[500, 503, 429, 408].map((status) => () => new Response(null, { status })),
    () => new Promise<Response>(() => {}),
    () => new Response(null, { status: 204 }),
  ]
  hook.answer = () => answers.shift()?.() ?? new Response()
  const event = groupMessage('x')
  bed.says(event)
  expect(await taken(hook, 6)).toEqual(Array.from({ length: 6 }, () => event))
  await idle(bed)
  expect(bed.facts.of('delivery-failed').map(({ reason }) => reason)).toEqual([
    'HTTP 500',
    'HTTP 503',
    'HTTP 429',
    'HTTP 408',
    'no answer in 1000 ms',
  ])
})

test('[POST3] an answer that never ends is given up in time, too', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook, { timeout: '1s' })
  const endless = () => new Response(new ReadableStream({ start: (to) => to.enqueue(new Uint8Array([0x7b])) }))
  let count = 0
  hook.answer = () => (count++ === 0 ? endless() : new Response())
  bed.says(groupMessage('x'))
  await taken(hook, 2)
  expect(bed.facts.of('delivery-failed')[0]?.reason).toBe('no answer in 1000 ms')
})

test('[POST4] after `max-retries` an event is given up, and the next one follows', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook, { 'max-retries': 2 })
  hook.answer = ({ body }) => new Response(null, { status: body.includes('m0') ? 500 : 204 })
  const [first = '', second = ''] = messages(2)
  bed.says(first)
  bed.says(second)
  expect(await taken(hook, 4)).toEqual([first, first, first, second])
  expect(bed.facts.of('delivery-given-up')).toMatchObject([{ reason: 'HTTP 500' }])
})

test('[POST5] a 4xx counts as delivered, and is said once', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  hook.answer = () => new Response('{"reply":"x"}', { status: 404 })
  const events = messages(5)
  for (const event of events) bed.says(event)
  expect(await taken(hook, 5)).toEqual(events)
  await idle(bed)
  expect(bed.facts.of('delivery-odd')).toMatchObject([{ reason: 'HTTP 404' }])
  expect([bed.facts.of('delivery-failed'), hook.received.left, bed.sent.left]).toEqual([[], [], []])
})

test('[POST6] a reply is sent to the group, mentioning its sender, by an action of everyday', async () => {
  using bed = bench({ answer: (frame) => ok(frame) })
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  hook.answer = () => Response.json({ reply: '你好', delete: true })
  bed.says(groupMessage('hi', 10001, 5))
  expect(JSON.parse(await bed.sent.take())).toMatchObject({
    action: 'send_group_msg',
    params: { group_id: 123456789, message: '[CQ:at,qq=2854196310] 你好' },
  })
  expect(JSON.parse(await bed.sent.take())).toMatchObject({ action: 'delete_msg', params: { message_id: 5 } })
  await idle(bed)
  expect(bed.bot.waiting.replies).toBe(0)
})

test('[POST6] a request is approved with its 64-bit flag', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  hook.answer = () => new Response('{"approve":true,"remark":"小冰"}', { status: 201 })
  bed.says('{"self_id":10001,"post_type":"request","request_type":"friend","user_id":3002,"flag":7672696335120716277}')
  expect(await bed.sent.take()).toContain(
    '"action":"set_friend_add_request","params":{"flag":7672696335120716277,"approve":true,"remark":"小冰"}',
  )
})

test('[POST6] answers that are no operation do nothing, nor does one that nobody should write', async () => {
  using bed = bench({ answer: (frame) => ok(frame) })
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  const answers = ['', 'ok', '[]', 'null', '{', '{}', '{"reply":5}', '{"__proto__":{"reply":"x"}}']
  hook.answer = () => new Response(answers.shift() ?? JSON.stringify({ reply: 'x'.repeat(2 * 1024 * 1024) }))
  const events = messages(9)
  for (const event of events) bed.says(event)
  expect(await taken(hook, 9)).toEqual(events)
  await idle(bed)
  expect(bed.sent.left).toEqual([])
  expect(bed.facts.of('delivery-odd')).toMatchObject([{ reason: 'its answer is too long to be read' }])
})

test('[POST6] an operation that comes while the implementation is away is told, and the event not posted again', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  const waiting = held(() => Response.json({ reply: 'x' }))
  hook.answer = waiting.answer
  bed.says(groupMessage('x'))
  await hook.body()
  bed.bot.lost(bed.upstream, 1006, '')
  waiting.release()
  const [fact] = await bed.facts.until('frame-refused')
  expect(fact?.why).toContain('not connected')
  await idle(bed)
  expect([hook.received.left, bed.sent.left]).toEqual([[], []])
})

test('[POST7] a dead hook costs its neighbours nothing', async () => {
  using bed = bench()
  await using dead = new WebHook()
  await using alive = new WebHook()
  dead.answer = () => new Promise(() => {})
  await using _ = posting(bed, dead)
  await using __ = posting(bed, alive)
  const heard: string[] = []
  bed.bot.join(eagerLink(heard), { events: true, calls: true })
  const events = messages(100)
  for (const event of events) bed.says(event)
  expect(heard.filter((raw) => raw.includes('group_id'))).toEqual(events)
  expect(await taken(alive, events.length)).toEqual(events)
  expect(dead.most).toBe(1)
})

test('[POST7] an event that is big waits for no room, and takes none from others', async () => {
  const stuck: unknown[] = []
  using bed = bench({ room: new Room((one) => stuck.push(one), { limit: 1, patience: 1 }) })
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  await idle(bed)
  const waiting = held()
  hook.answer = waiting.answer
  const big = groupMessage('x'.repeat(512 * 1024))
  const heard: string[] = []
  bed.bot.join(eagerLink(heard), { events: true, calls: true })
  bed.says(big)
  expect(await hook.body()).toBe(big)
  expect([bed.room.used, stuck, heard.at(-1) === big]).toEqual([0, [], true])
  waiting.release()
  await idle(bed)
})

test('[POST8] heartbeats come while nothing else is on its way, and never a second time', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  await idle(bed)
  const waiting = held(() => new Response(null, { status: 503 }))
  hook.answer = waiting.answer
  const offline = heartbeat().replace('"online":true', '"online":false')
  bed.says(offline)
  expect(await hook.body()).toContain('"meta_event_type":"heartbeat"')
  // Each of these is one that every live link gets.
  for (let n = 0; n < 3; n++) bed.says(offline)
  const [event = ''] = messages(1)
  bed.says(event)
  hook.answer = () => new Response()
  waiting.release()
  expect(await hook.body()).toBe(event)
  await idle(bed)
  expect([hook.received.left, bed.facts.of('delivery-failed')]).toEqual([[], []])
})

test('[POST9] what the journal no longer holds is skipped, counted and told once', async () => {
  using bed = bench({ journal: { maxBytes: 10_000, maxAge: 60_000 } })
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  await idle(bed)
  const waiting = held()
  hook.answer = waiting.answer
  const events = messages(100)
  for (const event of events) bed.says(event)
  expect(await hook.body()).toBe(events[0] ?? '')
  waiting.release()
  const [{ missed } = { missed: 0 }] = await bed.facts.until('session-behind')
  expect(missed).toBeWithin(1, 99)
  expect(await taken(hook, 99 - missed)).toEqual(events.slice(1 + missed))
  await idle(bed)
  expect([bed.facts.of('session-behind').length, bed.facts.of('session-closed'), hook.received.left]).toEqual([
    1,
    [],
    [],
  ])
})

test('[POST10] it serves every bot, also those that come later, and leaves with them', async () => {
  using first = bench()
  await using hook = new WebHook()
  await using _ = posting(first, hook, { name: 'panel' })
  using second = bench({ bots: first.bots, selfId: '20002', facts: first.facts })
  second.says(groupMessage('x', 20002))
  expect((await hook.received.take()).headers.get('x-self-id')).toBe('20002')
  first.says(groupMessage('y'))
  expect((await hook.received.take()).headers.get('x-self-id')).toBe('10001')
  expect(onlineClients(second.bot)).toMatchObject([{ client_name: 'panel', transport: 'http-post', self_id: 20002 }])
  second.bots.set([first.bot])
  second.bot.stop(CLOSING.removed)
  await turn()
  expect([second.bot.sessions.size, first.bot.sessions.size]).toEqual([0, 1])
  // A change of any bot makes it look again.
  first.bots.changed()
  expect(first.facts.of('session-opened').length).toBe(2)
})

test('[POST10] a name that a client has taken is not taken from it', async () => {
  using bed = bench()
  bed.bot.join(eagerLink([]), { events: true, calls: true, claim: { name: 'panel' } })
  await using hook = new WebHook()
  await using _ = posting(bed, hook, { name: 'panel' })
  expect(onlineClients(bed.bot).map(({ client_name }) => client_name)).toEqual(['panel', undefined])
})

test('[POST10] when the account changes it goes on with the new one, after what is still on its way', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using neighbour = new WebHook()
  await using _ = posting(bed, hook)
  await using __ = posting(bed, neighbour)
  const waiting = held()
  hook.answer = waiting.answer
  bed.says(groupMessage('old'))
  expect((await hook.received.take()).headers.get('x-self-id')).toBe('10001')
  bed.bot.connected(bed.upstream, 'test')
  bed.bot.identify('20002')
  await bed.facts.until('session-opened', 4)
  const events = [groupMessage('new', 20002), ...messages(5)]
  for (const event of events) bed.says(event)
  // By then this one would have been posted the first, too.
  for (const event of events) while ((await neighbour.body()) !== event);
  waiting.release()
  const { body, headers } = await hook.received.take()
  expect([headers.get('x-self-id'), body.includes('new'), hook.most]).toEqual(['20002', true, 1])
})

test('[POST11] stopping lets a request under way finish, and posts nothing more', async () => {
  using bed = bench()
  await using hook = new WebHook()
  const target = posting(bed, hook)
  const waiting = held(() => Response.json({ reply: 'bye' }))
  hook.answer = waiting.answer
  for (const event of messages(3)) bed.says(event)
  await hook.body()
  const stopped = target.stop()
  waiting.release()
  await stopped
  expect(bed.bot.sessions.size).toBe(0)
  expect(await bed.sent.take()).toContain('bye')
  expect([hook.received.left, hook.dropped.left]).toEqual([[], []])
})

test('[POST11] stopping cuts a request that takes too long, and a pause at once', async () => {
  using bed = bench()
  await using hook = new WebHook()
  const target = posting(bed, hook, { 'retries-interval': '1h' })
  hook.answer = () => new Promise(() => {})
  bed.says(groupMessage('x'))
  await hook.body()
  const began = performance.now()
  await target.stop()
  expect(performance.now() - began).toBeWithin(900, 60_000)
  await hook.dropped.take()

  await hook.stop()
  const other = posting(bed, hook, { 'retries-interval': '1h' })
  await bed.facts.until('delivery-failed')
  await other.stop()
  expect(bed.bot.sessions.size).toBe(0)
})

test('[POST11] a bot that shuts down takes its hooks with it', async () => {
  using bed = bench()
  await using hook = new WebHook()
  const target = posting(bed, hook)
  await idle(bed)
  bed.bot.stop()
  bed.bots.changed()
  await turn()
  await target.stop()
  expect([bed.bot.sessions.size, bed.facts.of('session-opened').length]).toEqual([0, 1])
})

test('[POST12] a redirect is not followed: the event waits for the address to be put right', async () => {
  using bed = bench()
  await using elsewhere = new WebHook()
  await using hook = new WebHook()
  await using _ = posting(bed, hook)
  const answers = [301, 302, 303, 307, 308].map((status) => Response.redirect(elsewhere.url, status))
  hook.answer = () => answers.shift() ?? new Response()
  const event = groupMessage('x')
  bed.says(event)
  expect(await taken(hook, 6)).toEqual(Array.from({ length: 6 }, () => event))
  expect(elsewhere.received.left).toEqual([])
  expect(bed.facts.of('delivery-failed')[0]?.reason).toStartWith('HTTP 301: redirects are not followed')
})

test('[POST12] a proxy of the environment is not used', async () => {
  const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NO_PROXY', 'no_proxy']
  const before = names.map((name) => [name, process.env[name]] as const)
  await using proxy = new WebHook()
  await using hook = new WebHook()
  using bed = bench()
  try {
    for (const name of names) delete process.env[name]
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = process.env['ALL_PROXY'] = proxy.url
    await using _ = posting(bed, hook)
    bed.says(groupMessage('x'))
    await hook.body()
    await idle(bed)
  } finally {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
  expect(proxy.received.left).toEqual([])
})

test('[POST13] the gateway posts what its config says, and does what the hook answers', async () => {
  await using hook = new WebHook()
  hook.answer = () => Response.json({ reply: 'pong', at_sender: false })
  await using bed = await testbed({ config: { 'http-post': [{ url: hook.url, secret: 's' }] } })
  while ((await bed.gateway.status()).bots[0]?.sessions.length !== 1) await Bun.sleep(1)
  const event = groupMessage('ping')
  bed.bot.send(event)
  const { body, headers } = await hook.received.take()
  expect(body).toBe(event)
  expect(headers.get('x-signature')).toBe(`sha1=${createHmac('sha1', 's').update(body).digest('hex')}`)
  expect(await bed.bot.next()).toMatchObject({ action: 'send_group_msg', params: { message: 'pong' } })
})

test('[POST14] after so many failures in a row its circuit opens, one event is tried after the pause, and its success closes it', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook, {}, { failures: 3, coolDown: 200 })
  await idle(bed)
  const circuit = () => session(bed)?.link.circuit
  expect(circuit()).toEqual({ state: 'closed', failures: 0 })
  // Three fail, and after a pause the one try; then one more.
  const times: number[] = []
  hook.answer = () => new Response(null, { status: times.push(performance.now()) > 4 ? 204 : 500 })
  const events = messages(3)
  for (const event of events) bed.says(event)
  const [first] = events
  const [opened] = await bed.facts.until('circuit-opened')
  expect(circuit()).toEqual({ state: 'open', failures: 3, until: expect.any(Number) })
  expect(opened).toMatchObject({ reason: 'HTTP 500', failures: 3, inMs: 200 })
  expect(await taken(hook, 7)).toEqual([first, first, first, first, ...events].map(String))
  expect(Number(times[3]) - Number(times[2])).toBeGreaterThanOrEqual(190)
  expect(bed.facts.of('delivery-failed')[3]).toMatchObject({ attempt: 4, inMs: 200 })
  await idle(bed)
  expect(circuit()).toEqual({ state: 'closed', failures: 0 })
  expect([bed.facts.of('circuit-opened').length, bed.facts.of('circuit-closed').length]).toEqual([1, 1])
})

test('[POST14] pauses that have grown beyond the cool-down are not cut short by it', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook, { 'retries-interval': '40ms' }, { failures: 1, coolDown: 1 })
  hook.answer = () => new Response(null, { status: 500 })
  bed.says(groupMessage('x'))
  const failures = await bed.facts.until('delivery-failed', 3)
  for (const [n, { inMs }] of failures.entries()) expect(inMs).toBeWithin(40 * 2 ** n, 40 * 2 ** n * 1.3 + 1)
})

test('[POST15] an event given up does not make the next one come before the pause is over, nor do heartbeats', async () => {
  using bed = bench()
  await using hook = new WebHook()
  await using _ = posting(bed, hook, { 'max-retries': 0 }, { failures: 1, coolDown: 300 })
  await idle(bed)
  const times: number[] = []
  hook.answer = () => new Response(null, { status: times.push(performance.now()) > 1 ? 204 : 500 })
  const [first = '', second = ''] = messages(2)
  bed.says(first)
  await bed.facts.until('delivery-given-up')
  await idle(bed)
  bed.says(heartbeat().replace('"online":true', '"online":false'))
  bed.says(second)
  expect(await taken(hook, 2)).toEqual([first, second])
  expect(Number(times[1]) - Number(times[0])).toBeGreaterThanOrEqual(280)
  await bed.facts.until('circuit-closed')
})

test('[POST15] stopping does not wait for the pause of a circuit', async () => {
  using bed = bench()
  await using hook = new WebHook()
  const target = posting(bed, hook, { 'max-retries': 0 }, { failures: 1, coolDown: 3_600_000 })
  hook.answer = () => new Response(null, { status: 500 })
  for (const event of messages(2)) bed.says(event)
  await bed.facts.until('delivery-given-up')
  await target.stop()
  expect(bed.bot.sessions.size).toBe(0)
})

test('[POST16] a pool passes a hook over whose circuit is open, and tries it again after the pause', async () => {
  await using main = new WebHook()
  await using standby = new WebHook()
  const came = new Inbox<string>()
  const takes = (name: string, status: number) => (posted: Posted) => {
    came.push(`${name} ${posted.body}`)
    return new Response(null, { status })
  }
  main.answer = takes('main', 500)
  standby.answer = takes('standby', 204)
  const entry = { pool: 'alarm', 'max-retries': 0 }
  await using bed = await testbed({
    config: {
      pools: { alarm: { strategy: 'priority' } },
      breaker: { failures: 1, 'cool-down': '1s' },
      'http-post': [
        { ...entry, name: 'main', url: main.url, weight: 10 },
        { ...entry, name: 'standby', url: standby.url },
      ],
    },
  })
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.filter((s) => s.state === 'live').length === 2)
  let said = 0
  const say = async () => {
    const event = groupMessage(`m${said++}`)
    bed.bot.send(event)
    const taken = await came.take()
    expect(taken).toEndWith(` ${event}`)
    return taken.split(' ')[0]
  }
  expect(await say()).toBe('main')
  // On a machine so slow that the pause is over by now it fails there once more, and the next pause is longer.
  for (let failures = 1, who = ''; who !== 'standby'; failures++) {
    await bed.gateway.until(({ facts }) => facts['delivery-given-up'] === failures)
    expect(failures).toBeLessThan(8)
    who = (await say()) ?? ''
  }
  main.answer = takes('main', 204)
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.some((s) => s.breaker?.state === 'half-open') === true)
  // The pool hears of the end of the pause some milliseconds after the status can tell.
  for (let n = 0; (await say()) !== 'main'; n++) expect(n).toBeLessThan(1_000)
  await bed.gateway.until(({ facts }) => facts['circuit-closed'] === 1)
  expect((await bed.gateway.status()).facts['circuit-opened']).toBe(1)
  expect(came.left).toEqual([])
})

test('[POST16] with every member left alone events wait, and come when the pause is over', async () => {
  await using hook = new WebHook()
  hook.answer = () => new Response(null, { status: 500 })
  await using bed = await testbed({
    config: {
      pools: { alone: {} },
      breaker: { failures: 1, 'cool-down': '300ms' },
      'http-post': [{ url: hook.url, pool: 'alone', 'max-retries': 0 }],
    },
  })
  await bed.gateway.until(({ bots }) => bots[0]?.sessions[0]?.state === 'live')
  const [first = '', second = ''] = messages(2)
  bed.bot.send(first)
  await bed.gateway.until(({ facts }) => facts['circuit-opened'] === 1)
  hook.answer = () => new Response()
  bed.bot.send(second)
  expect(await taken(hook, 2)).toEqual([first, second])
})
