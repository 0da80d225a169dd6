// What limits calls, breaks circuits, shares reads and shapes events, seen by clients and by the implementation.

import { expect, spyOn, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import type { Client, Frame } from '../support/client.ts'
import { native, outside } from '../support/gateway.ts'
import { type Action, groupMessage, ok } from '../support/implementation.ts'
import { type Bed, testbed } from '../support/testbed.ts'
import { milky } from '../support/upstream.ts'

const send = (client: Client, name: string, n: number) =>
  client.send({ action: 'send_group_msg', params: { group_id: n, message: name }, echo: `${name}${n}` })
const reply = (client: Client, echo: string) => client.next((frame) => frame['echo'] === echo)

/** Everything that goes up, in order; each is answered at once. */
function answering(bed: Bed): Action[] {
  const seen: Action[] = []
  bed.bot.answer = (frame) => {
    seen.push(frame)
    return ok(frame, seen.length)
  }
  return seen
}

test('[GOV16] over the limit a call fails at once with 1429 and `retry_after`, over HTTP with `Retry-After`; others go', async () => {
  const limit: ConfigInput = { 'rate-limit': { bot: { send: { rate: '1/min', burst: 2, mode: 'reject' } } } }
  await using bed = await testbed({ config: limit })
  const seen = answering(bed)
  await using client = await bed.client()
  for (const n of [1, 2, 3]) send(client, 'a', n)
  // The refusal may come before the answers.
  const replies = new Map<unknown, Frame>()
  while (replies.size < 3) {
    const one = await client.next(({ echo }) => echo !== undefined)
    replies.set(one['echo'], one)
  }
  for (const echo of ['a1', 'a2']) expect(replies.get(echo)).toMatchObject({ status: 'ok' })
  const refused = replies.get('a3') ?? {}
  expect(refused).toMatchObject({ status: 'failed', retcode: 1429, data: null })
  expect(refused['retry_after']).toBeWithin(1, 61)
  expect(await client.call('get_group_list')).toMatchObject({ status: 'ok' })
  const posted = await fetch(`${bed.gateway.address}/onebot/v11/send_group_msg`, {
    method: 'POST',
    body: '{"group_id":1,"message":"x"}',
    headers: { 'content-type': 'application/json' },
  })
  expect(Number(posted.headers.get('retry-after'))).toBeWithin(1, 61)
  expect(await posted.json()).toMatchObject({ retcode: 1429 })
  expect(seen.map(({ action }) => action)).toEqual(['send_group_msg', 'send_group_msg', 'get_group_list'])

  // No limit any more, without a new link.
  await bed.gateway.apply({ 'rate-limit': {} })
  send(client, 'a', 4)
  expect(await reply(client, 'a4')).toMatchObject({ status: 'ok' })
})

test('[GOV17] calls that wait take turns between clients: the backlog of one holds up no other, and a changed limit lets them go', async () => {
  const slow: ConfigInput = { 'rate-limit': { bot: { send: { rate: '20/s', burst: 1, 'max-wait': '1h' } } } }
  await using bed = await testbed({ config: slow })
  const seen = answering(bed)
  await using busy = await bed.client()
  await using quiet = await bed.client()
  const many = 400
  for (let n = 1; n <= many; n++) send(busy, 'busy', n)
  await bed.gateway.until(({ bots }) => (bots[0]?.waiting.waiting ?? 0) > many / 2)
  for (let n = 1; n <= 5; n++) send(quiet, 'quiet', n)
  await reply(quiet, 'quiet5')
  const order = seen.map(({ params }) => String(params['message']))
  // Each of its five has waited for one of the others at most.
  expect(order.lastIndexOf('quiet') - order.indexOf('quiet')).toBeLessThanOrEqual(9)
  expect(order.length).toBeLessThan(many / 2)

  await bed.gateway.apply({ 'rate-limit': {} })
  await reply(busy, `busy${many}`)
  expect(seen).toHaveLength(many + 5)
  // Conversations are many here; each client's own is in order all the same, since none had to wait for another.
  const groups = seen.filter(({ params }) => params['message'] === 'busy').map(({ params }) => params['group_id'])
  expect(new Set(groups).size).toBe(many)
})

test('[GOV18] calls that fail open the circuit of their class: 1503 with `retry_after` at once, until a probe and a trial go well', async () => {
  const config: ConfigInput = {
    breaker: { failures: 3, 'cool-down': '500ms' },
    actions: { timeouts: { send_group_msg: '50ms' } },
  }
  await using bed = await testbed({ config })
  await using client = await bed.client()
  const seen: string[] = []
  let hung = true
  bed.bot.answer = (frame) => {
    seen.push(frame.action)
    return hung && frame.action === 'send_group_msg' ? undefined : ok(frame)
  }
  for (const n of [1, 2, 3]) {
    send(client, 'a', n)
    expect(await reply(client, `a${n}`)).toMatchObject({ retcode: 1504 })
  }
  // On a machine so slow that the pause is over by now it goes up, is no answer, and the next pause is longer.
  let open: Frame
  let tried = 3
  do {
    tried += 1
    send(client, 'a', tried)
    open = await reply(client, `a${tried}`)
  } while (open['retcode'] === 1504)
  expect(open).toMatchObject({ status: 'failed', retcode: 1503 })
  expect(open['retry_after']).toBeWithin(0, 10)
  const { facts } = await bed.gateway.status()
  expect([facts['calls-failing'], facts['calls-work']]).toEqual([1, undefined])
  expect(await client.call('get_friend_list')).toMatchObject({ status: 'ok' })
  expect(seen.filter((action) => action === 'send_group_msg')).toHaveLength(tried - 1)
  hung = false
  // Nobody has to call for it to be found well again.
  while (!milky && !seen.includes('get_status')) await Bun.sleep(5)
  let answer: Frame
  do {
    answer = await client.call('send_group_msg', { group_id: 1, message: 'x' })
    await Bun.sleep(5)
    // 1504: a slow machine takes longer over it than it may.
  } while (answer['retcode'] === 1503 || answer['retcode'] === 1504)
  expect(answer).toMatchObject({ status: 'ok' })
  const after = await bed.gateway.status()
  expect([after.facts['calls-failing'], after.facts['calls-work']]).toEqual([1, 1])
})

const [OLD, NEW] = [{ nickname: 'old' }, { nickname: 'new' }]

test('[GOV19] a read that 100 clients ask for at the same time goes up once, each gets its own echo; what is kept is dropped by a notice', async () => {
  await using bed = await testbed({ config: { actions: { cache: { get_group_member_list: '1h' } } } })
  const clients = await Promise.all(Array.from({ length: 100 }, () => bed.client()))
  const asked: Action[] = []
  bed.bot.answer = (frame) => {
    asked.push(frame)
    return undefined
  }
  const params = { group_id: 123456789 }
  const replies = clients.map((client, i) => client.call('get_group_member_list', params, { i }))
  await bed.gateway.until(({ facts }) => facts['call-shared'] === 99)
  while (asked.length === 0) await Bun.sleep(1)
  bed.bot.answer = (frame) => {
    asked.push(frame)
    return ok(frame, [NEW])
  }
  bed.bot.send(ok(asked[0] ?? {}, [OLD]))
  for (const [i, answer] of (await Promise.all(replies)).entries())
    expect(answer).toEqual({
      status: 'ok',
      retcode: 0,
      data: [milky ? expect.objectContaining(OLD) : OLD],
      echo: { i },
    })
  const [client] = clients as [Client] // there are a hundred
  expect(await client.call('get_group_member_list', params)).toMatchObject({ data: [OLD] })
  expect(asked).toHaveLength(1)

  bed.bot.send(
    '{"time":1700000000,"self_id":10001,"post_type":"notice","notice_type":"group_increase","sub_type":"approve","group_id":123456789,"operator_id":1,"user_id":2}',
  )
  await client.event('notice.group_increase')
  expect(await client.call('get_group_member_list', params)).toMatchObject({ data: [NEW] })
  expect(asked).toHaveLength(2)
})

const CROWD = native ? 200 : 40

test(`[GOV20] ${CROWD} clients with one filter and format hear the same right bytes, by one evaluation and one publish`, async () => {
  // Counted where it can be: at the listener of this process.
  let published = 0
  const serve = Bun.serve
  const spy = spyOn(Bun, 'serve').mockImplementation(((options: Parameters<typeof serve>[0]) => {
    const server = serve(options)
    const publish = server.publish.bind(server)
    server.publish = (...frame) => {
      published += 1
      return publish(...frame)
    }
    return server
  }) as typeof serve)
  await using bed = await testbed({
    config: {
      defaults: {
        filter: { groups: [123456789], '.not': { raw_message: { '.contains': 'secret' } } },
        'message-format': 'string',
      },
      pools: {},
    },
  })
  spy.mockRestore()
  const clients = await Promise.all(Array.from({ length: CROWD }, () => bed.client()))
  await Promise.all(clients.map((one) => one.call('get_online_clients')))
  const heardBefore = clients.map(({ heard }) => heard.length)
  published = 0
  const wanted = (n: number) => groupMessage(`[${n}] & more`, 10001, n)
  bed.bot.send(groupMessage('a secret'))
  bed.bot.send(wanted(1).replace('123456789', '5'))
  for (let n = 2; n <= 11; n++) bed.bot.send(wanted(n))
  for (const client of clients) await client.next(({ message }) => message === '&#91;11&#93; &amp; more')
  const expected = Array.from({ length: 10 }, (_, i) =>
    wanted(i + 2).replace(/"message":\[.*?\}\}\]/, `"message":"&#91;${i + 2}&#93; &amp; more"`),
  )
  const strip = (raw: string) => raw.replace(/"time":\d+/, '')
  for (const [i, client] of clients.entries()) {
    const heard = client.heard.slice(heardBefore[i]).filter((raw) => raw.includes('"post_type":"message"'))
    if (milky) expect(heard).toEqual(clients[0]?.heard.filter((raw) => raw.includes('"post_type":"message"')) ?? [])
    else expect(heard.map(strip)).toEqual(expected.map(strip))
    expect(heard.map((raw) => JSON.parse(raw).message)).toEqual(expected.map((raw) => JSON.parse(raw).message))
  }
  if (!outside) expect(published).toBe(10)
})
