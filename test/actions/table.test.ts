import { expect, jest, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { type ActionPorts, ownActions } from '../../src/actions/table.ts'
import { STRANGERS } from '../../src/broker/ports.ts'
import { refuse } from '../../src/onebot/retcode.ts'
import { BotBed, FakeCaller, type FakeLink, KIB } from '../support/broker.ts'
import { timeStands } from '../support/time.ts'

/** A bot with all own actions; a port costs a turn of the loop. */
class ActionBed extends BotBed {
  readonly leases: { name?: string | undefined; peer: string }[] = []

  constructor() {
    const ports: ActionPorts = {
      report: (fact) => this.facts.push(fact),
      guests: STRANGERS,
      allot: async (_bot, wish) => {
        const count = this.leases.push(wish)
        await Promise.resolve()
        return count > 2 ? refuse('no-port', 'no port is free') : 8_100 + count
      },
    }
    super({ own: (action) => ownActions(this.bot, ports)(action) })
  }
}

interface Client {
  readonly link: FakeLink
  readonly caller: Parameters<BotBed['bot']['call']>[0]
}

let echo = 0
/** Makes the call; the reply that came of it. */
function call(bed: BotBed, { link, caller }: Client, action: string, params?: unknown): Record<string, unknown> {
  echo += 1
  bed.bot.call(caller, JSON.stringify({ action, params, echo }))
  const replies = link.replies.filter((reply) => reply['echo'] === echo)
  expect(replies).toHaveLength(1)
  return replies[0] as Record<string, unknown>
}

const heard = ({ link }: Client) => link.events.filter(({ post_type }) => post_type === 'distributed')

timeStands()

test('[ACT1] get_online_clients tells who gets the events of the bot, oldest first, with the fields that clients know', () => {
  using bed = new ActionBed()
  bed.online()
  const a = bed.join({ name: 'alice' })
  const b = bed.join()
  bed.join({ events: false })
  const since = 1_763_870_400
  expect(call(bed, a, 'get_online_clients')).toMatchObject({
    status: 'ok',
    retcode: 0,
    data: [
      { app_id: a.session.appId, client_name: 'alice', transport: 'forward', self_id: 10001, since },
      { app_id: b.session.appId, transport: 'forward', self_id: 10001, since },
    ],
  })
  const bare = new FakeCaller()
  for (const { session } of [a, b]) bed.bot.leave(session, 1000, '')
  bed.bot.call(bare, '{"action":"get_online_clients"}')
  expect(bare.got).toEqual(['{"status":"ok","retcode":0,"data":[]}'])
})

test('[ACT2] a client names itself; its own name again, and any while unnamed ones are there, is fine', () => {
  using bed = new ActionBed()
  bed.online()
  const [a, b] = [bed.join(), bed.join()]
  const unnamed = bed.join()
  expect(call(bed, a, 'set_client_name', { name: 'alice' })).toMatchObject({ status: 'ok', retcode: 0, data: {} })
  expect(call(bed, a, 'set_client_name', { name: 'alice' })).toMatchObject({ retcode: 0 })
  expect(call(bed, b, 'set_client_name', { name: 'alice' })).toMatchObject({
    status: 'failed',
    retcode: 1409,
    message: 'set_client_name: another client is named "alice"',
  })
  expect(b.session.name).toBeUndefined()
  expect(call(bed, a, 'set_client_name', { name: '你'.repeat(64) })).toMatchObject({ retcode: 0 })
  // The old name is free at once.
  expect(call(bed, b, 'set_client_name', { name: 'alice' })).toMatchObject({ retcode: 0 })
  bed.bot.leave(b.session, 1000, '')
  expect(call(bed, unnamed, 'set_client_name', { name: 'alice' })).toMatchObject({ retcode: 0 })
  expect(bed.of('session-named').map(({ name }) => name)).toEqual(['alice', 'alice', '你'.repeat(64), 'alice', 'alice'])
})

test('[ACT2] a name has 1 to 64 characters', () => {
  using bed = new ActionBed()
  bed.online()
  const a = bed.join()
  for (const params of [{}, { name: '' }, { name: 'x'.repeat(65) }, { name: 5 }, { name: null }, undefined])
    expect(call(bed, a, 'set_client_name', params)).toMatchObject({ status: 'failed', retcode: 1400 })
  expect(a.session.name).toBeUndefined()
  // As people count them: each takes two units of a text.
  expect(call(bed, a, 'set_client_name', { name: '😀'.repeat(65) })).toMatchObject({ retcode: 1400 })
  expect(call(bed, a, 'set_client_name', { name: '😀'.repeat(64) })).toMatchObject({ retcode: 0 })
})

test('[ACT3] a broadcast reaches those it names, by id or by name, once; never its sender, nobody else', () => {
  using bed = new ActionBed()
  bed.online()
  const [a, b, c] = [bed.join({ name: 'alice' }), bed.join({ name: 'bob' }), bed.join()]
  const other = bed.join()
  const clients = [
    { client_name: 'bob' },
    { app_id: c.session.appId },
    { app_id: b.session.appId, client_name: 'ignored beside an id', online: true },
    { app_id: a.session.appId },
    { app_id: '', client_name: 'bob' },
    { app_id: null, client_name: 'bob' },
  ]
  const { data } = call(bed, a, 'send_broadcast_data', { clients, data: 'hi "all" 😀' })
  const { uuid } = data as { uuid: string }
  expect(uuid).toMatch(/^[0-9a-f-]{36}$/)
  const event = {
    self_id: 10001,
    post_type: 'distributed',
    distributed_type: 'broadcast',
    client: { app_id: a.session.appId, client_name: 'alice' },
    uuid,
    data: 'hi "all" 😀',
  }
  for (const client of [b, c]) expect(heard(client)).toMatchObject([event])
  for (const client of [a, other]) expect(heard(client)).toEqual([])
  const { time } = heard(b)[0] as { time: number }
  expect(Number.isInteger(time) && time < 1e11).toBe(true)
})

test('[ACT3] a broadcast to its sender alone is sent to nobody, and has its uuid all the same', () => {
  using bed = new ActionBed()
  bed.online()
  const a = bed.join({ name: 'alice' })
  const { data } = call(bed, a, 'send_broadcast_data', { clients: [{ client_name: 'alice' }], data: '' })
  expect(data).toMatchObject({ uuid: expect.any(String) })
  expect(heard(a)).toEqual([])
})

test('[ACT4] an answer to a broadcast reaches the one it names, with the uuid of the broadcast', () => {
  using bed = new ActionBed()
  bed.online()
  const [a, b, other] = [bed.join(), bed.join({ name: 'bob' }), bed.join()]
  call(bed, a, 'send_broadcast_data', { clients: [{ client_name: 'bob' }], data: 'ping' })
  const { client, uuid } = heard(b)[0] as { client: unknown; uuid: string }
  expect(call(bed, b, 'send_broadcast_data_callback', { client, uuid, data: 'pong' })).toMatchObject({ data: {} })
  expect(heard(a)).toMatchObject([
    {
      distributed_type: 'broadcast_callback',
      client: { app_id: b.session.appId, client_name: 'bob' },
      uuid,
      data: 'pong',
    },
  ])
  expect([heard(b).length, heard(other).length]).toEqual([1, 0])
})

test('[ACT5] whom nobody knows, and what is no text, fails, and nobody hears anything', () => {
  using bed = new ActionBed()
  bed.online()
  const [a, b] = [bed.join(), bed.join({ name: 'bob' })]
  const bob = { client_name: 'bob' }
  const cases: [string, unknown, number, string][] = [
    [
      'send_broadcast_data',
      { clients: [bob, { client_name: 'x' }], data: '' },
      1404,
      'params.clients.1: no client "x"',
    ],
    ['send_broadcast_data', { data: '' }, 1400, 'params.clients: missing'],
    ['send_broadcast_data', { clients: [], data: '' }, 1400, 'wanted at least one client'],
    ['send_broadcast_data', { clients: 'bob', data: '' }, 1400, 'wanted an array of clients'],
    ['send_broadcast_data', { clients: [bob], data: 5 }, 1400, 'params.data: found 5, wanted a string'],
    ['send_broadcast_data', { clients: [bob], data: { o: 1 } }, 1400, 'params.data: found Object, wanted a string'],
    ['send_broadcast_data', { clients: [bob] }, 1400, 'params.data: missing'],
    ['send_broadcast_data', { clients: [bob, {}], data: '' }, 1400, 'params.clients.1: found Object'],
    ['send_broadcast_data', { clients: [{ app_id: 5 }], data: '' }, 1400, 'params.clients.0.app_id: found 5'],
    ['send_broadcast_data_callback', { client: { app_id: 'x' }, uuid: 'u', data: '' }, 1404, 'no client "x" is online'],
    ['send_broadcast_data_callback', { client: bob, data: '' }, 1400, 'params.uuid: missing'],
    ['send_broadcast_data_callback', { uuid: 'u', data: '' }, 1400, 'params.client: missing'],
  ]
  for (const [action, params, retcode, message] of cases) {
    const reply = call(bed, a, action, params)
    expect(reply).toMatchObject({ status: 'failed', retcode })
    expect(reply['message']).toContain(`${action}: `)
    expect(reply['message']).toContain(message)
  }
  expect(heard(b)).toEqual([])
})

test('[ACT5] what was found is quoted, but not by the megabyte', () => {
  using bed = new ActionBed()
  bed.online()
  const a = bed.join()
  const reply = call(bed, a, 'send_broadcast_data', { clients: 'x'.repeat(512 * KIB), data: '' })
  expect(reply).toMatchObject({ retcode: 1400 })
  expect(JSON.stringify(reply).length).toBeLessThan(1_000)
  expect(JSON.stringify(call(bed, a, 'set_client_name', { name: 'x'.repeat(512 * KIB) })).length).toBeLessThan(1_000)
})

test('[ACT6] an action that needs a client behind it says so to whoever has none', () => {
  using bed = new ActionBed()
  bed.online()
  const bob = bed.join({ name: 'bob' })
  const calls = bed.join({ events: false })
  const bare = new FakeCaller()
  const asked = [
    ['set_client_name', { name: 'x' }],
    ['send_broadcast_data', { clients: [{ client_name: 'bob' }], data: '' }],
    ['send_broadcast_data_callback', { client: { client_name: 'bob' }, uuid: 'u', data: '' }],
  ] as const
  for (const [action, params] of asked) {
    bed.bot.call(bare, JSON.stringify({ action, params }))
    expect(call(bed, calls, action, params)).toMatchObject({ retcode: 1400 })
  }
  expect(bare.replies.map(({ retcode }) => retcode)).toEqual([1400, 1400, 1400])
  expect(heard(bob)).toEqual([])
})

test('[ACT7] before the account is known nobody can be spoken to: 1503, instead of words that nobody hears', () => {
  using bed = new ActionBed()
  const [a, b] = [bed.join(), bed.join({ name: 'bob' })]
  expect(call(bed, a, 'send_broadcast_data', { clients: [{ client_name: 'bob' }], data: 'x' })).toMatchObject({
    status: 'failed',
    retcode: 1503,
  })
  expect(call(bed, a, 'set_client_name', { name: 'alice' })).toMatchObject({ retcode: 0 })
  bed.online()
  expect([heard(b).length, a.session.name]).toEqual([0, 'alice'])
})

test('[ACT8] get_ws_port leases a port for the one who asks; none free is 10001', async () => {
  using bed = new ActionBed()
  bed.online()
  const a = bed.join()
  const bare = new FakeCaller()
  bed.bot.call(a.caller, '{"action":"get_ws_port","params":{"client_name":"bob"},"echo":1}')
  bed.bot.call(bare, '{"action":"get_ws_port","echo":2}')
  bed.bot.call(bare, '{"action":"get_ws_port","echo":3}')
  bed.bot.call(bare, '{"action":"get_ws_port","params":{"client_name":5},"echo":4}')
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  expect(bed.leases).toEqual([
    { name: 'bob', peer: '127.0.0.1' },
    { name: undefined, peer: 'http' },
    { name: undefined, peer: 'http' },
  ])
  expect(a.link.replies).toEqual([{ status: 'ok', retcode: 0, data: { port: 8_101 }, echo: 1 }])
  const answers = bare.replies.map(({ echo: of, retcode, data }) => [of, retcode, data]).toSorted()
  expect(answers).toEqual([
    [2, 0, { port: 8_102 }],
    [3, 10_001, null],
    [4, 1400, null],
  ])
})

test('[ACT9] set_restart answers before it restarts, after its delay; another one meanwhile is refused', () => {
  using bed = new ActionBed()
  const upstream = bed.online()
  const a = bed.join()
  const bare = new FakeCaller()
  bed.bot.call(a.caller, '{"action":"set_restart","params":{"delay":2000},"echo":1}')
  bed.bot.call(bare, '{"action":"set_restart","echo":2}')
  expect(a.link.replies).toEqual([{ status: 'async', retcode: 1, data: null, echo: 1 }])
  expect(bare.replies).toMatchObject([{ status: 'failed', retcode: 1409, msg: 'bot instance is restarting' }])
  expect(upstream.sent).toEqual([])
  bed.now += 2_000
  jest.advanceTimersByTime(2_000)
  expect(upstream.actions.map(({ action }) => action)).toEqual(['set_restart'])
})

test('[ACT9] its delay is a number or digits, up to a day', () => {
  using bed = new ActionBed()
  const a = bed.join()
  for (const delay of [-1, 'x', '', '1.5', 1e12, {}, [], true, '86400001'])
    expect([delay, call(bed, a, 'set_restart', { delay })]).toMatchObject([delay, { status: 'failed', retcode: 1400 }])
  for (const delay of [0, '0', null, undefined]) {
    expect(call(bed, a, 'set_restart', { delay })).toMatchObject({ status: 'async', retcode: 1 })
    jest.advanceTimersByTime(1)
  }
})

test('[ACT10] a quick operation becomes ordinary calls in the name of the one who asks, ids exact', () => {
  using bed = new ActionBed()
  const upstream = bed.online()
  const a = bed.join()
  bed.bot.call(
    a.caller,
    '{"action":".handle_quick_operation","params":{"context":{"post_type":"message","message_type":"group","group_id":7672696335120716277,"user_id":5,"message_id":9007199254740993},"operation":{"reply":"pong","at_sender":false,"delete":true}},"echo":"q"}',
  )
  expect(a.link.replies).toEqual([{ status: 'ok', retcode: 0, data: null, echo: 'q' }])
  expect(upstream.actions.map(({ action }) => action)).toEqual(['send_group_msg', 'delete_msg'])
  expect(upstream.sent[0]).toContain('"group_id":7672696335120716277')
  expect(upstream.sent[1]).toContain('"message_id":9007199254740993')
  expect(a.caller.open.calls).toBe(2)
})

test('[ACT10] one of the wrong shape is 1400; one that cannot be carried out says so', () => {
  using bed = new ActionBed()
  const upstream = bed.online()
  const a = bed.join()
  for (const params of [{}, { context: {} }, { context: 'x', operation: {} }, { context: {}, operation: [] }])
    expect(call(bed, a, '.handle_quick_operation', params)).toMatchObject({ retcode: 1400 })
  bed.bot.lost(upstream, 1006, '')
  const context = { post_type: 'message', message_type: 'private', user_id: 5 }
  expect(call(bed, a, '.handle_quick_operation', { context, operation: { reply: 'x' } })).toMatchObject({
    status: 'failed',
    retcode: 1503,
  })
  expect(call(bed, a, '.handle_quick_operation', { context, operation: {} })).toMatchObject({ retcode: 0 })
})

test('[ACT11] bad frames get what is written for each of them', () => {
  using bed = new ActionBed()
  const upstream = bed.online()
  bed.join({ name: 'a' })
  const client = bed.join()
  const lines = readFileSync(new URL('../fixtures/bad-actions.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  for (const line of lines) {
    const { frame, expect: wanted }: { frame: string; expect: number | 'upstream' } = JSON.parse(line)
    const [replies, sent] = [client.link.replies.length, upstream.sent.length]
    bed.bot.call(client.caller, frame)
    const got = client.link.replies.slice(replies).map(({ status, retcode }) => [status, retcode])
    expect([frame, got, upstream.sent.length - sent]).toEqual(
      wanted === 'upstream' ? [frame, [], 1] : [frame, [['failed', wanted]], 0],
    )
  }
})

test('[ACT12] only our own names are ours, with suffixes or without, and no built-in property is', async () => {
  using bed = new ActionBed()
  const upstream = bed.online()
  const a = bed.join()
  const foreign = ['get_status', '__proto__', 'toString', 'constructor_async', 'set_client_name2', 'Set_client_name']
  for (const action of foreign) bed.bot.call(a.caller, JSON.stringify({ action }))
  expect(upstream.sent).toHaveLength(foreign.length)
  expect(call(bed, a, 'set_client_name_async', { name: 'x' })).toMatchObject({
    status: 'async',
    retcode: 1,
    data: null,
  })
  expect(a.session.name).toBe('x')
  expect(call(bed, a, 'get_online_clients_rate_limited')).toMatchObject({ status: 'async' })
  expect(call(bed, a, 'set_client_name_async', { name: 5 })).toMatchObject({ status: 'failed', retcode: 1400 })
  expect(upstream.sent).toHaveLength(foreign.length)
})
