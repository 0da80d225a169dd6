// Satori's methods at a real gateway: what the implementation is asked for them, and what comes back.

import { expect, test } from 'bun:test'
import { Methods } from '@satorijs/protocol'
import { members } from '../../src/onebot/json-text.ts'
import { METHODS } from '../../src/satori/features.ts'
import { HANDLERS } from '../../src/satori/methods.ts'
import { type Asked, satoriBed } from './bed.ts'
import { GOLDEN } from './golden-calls.ts'

/** The params as the implementation got them. */
function paramsOf({ raw }: Asked): string {
  const span = members(raw).find(({ key }) => key === 'params')?.value
  return span === undefined ? '' : raw.slice(span.start, span.end)
}

const asText = (asked: readonly Asked[]) => asked.map((one) => [one.action, paramsOf(one)])

test('[SAT19] every method becomes its actions, ids digit by digit, and answers in the words of Satori', async () => {
  await using it = await satoriBed()
  for (const { method, body, replies = {}, asked, answer } of GOLDEN) {
    Object.assign(it.replies, replies)
    it.asked.length = 0
    const answered = await it.call(method, body)
    expect([method, answered.status, answered.body]).toEqual([method, 200, answer])
    expect([method, asText(it.asked)]).toEqual([method, asked])
    for (const action of Object.keys(replies)) delete it.replies[action]
  }
  const tried = new Set(GOLDEN.map(({ method }) => method))
  // These have tests of their own.
  expect([...HANDLERS.keys()].filter((name) => !tried.has(name))).toEqual(['message.create', 'message.list'])
})

test('[SAT19] login.get tells who it is, also to who sends nothing at all', async () => {
  await using it = await satoriBed()
  const { status, body } = await it.call('login.get', '', { 'Content-Type': 'application/octet-stream' })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    platform: 'onebot',
    adapter: 'perpetua',
    self_id: '10001',
    status: 1,
    user: { id: '10001', name: 'bot' },
    features: expect.arrayContaining(['message.create', 'upload.create']),
  })
})

test('[SAT20] wrong params are 400 with path, found and wanted; nothing is asked then', async () => {
  await using it = await satoriBed()
  const cases: [string, unknown, string][] = [
    ['message.get', {}, 'channel_id: found nothing, want text'],
    ['message.get', { channel_id: 'a b', message_id: 1 }, 'channel_id: found "a b", want the number of a group'],
    ['message.get', { channel_id: 1 }, 'message_id: found nothing, want text'],
    ['message.create', { channel_id: 1, content: 5 }, 'content: found "number", want text'],
    ['message.create', { channel_id: 1, content: '<button/>' }, 'content: there is nothing in it to send; <button>'],
    ['message.list', { channel_id: 1, direction: 'up' }, 'direction: found "up", want before, after or around'],
    ['message.list', { channel_id: 1, direction: 'after' }, 'direction: found "after", want before, where no next'],
    ['message.list', { channel_id: 1, next: 'a:b' }, 'next: found "a:b", want a token'],
    ['guild.member.mute', { guild_id: 1, user_id: 2, duration: -1 }, 'duration: found -1, want milliseconds'],
    ['guild.member.role.set', { guild_id: 1, user_id: 2, role_id: 'owner' }, 'role_id: found "owner", want admin'],
    ['guild.approve', { message_id: 'f', approve: 'yes' }, 'approve: found "yes", want true or false'],
    ['channel.update', { channel_id: 1 }, 'data.name: found nothing'],
    ['user.channel.create', { user_id: '../x' }, 'user_id: found "../x"'],
    ['user.get', '[1]', 'body: found something else, want a JSON object'],
    ['user.get', '{', 'body: found something else'],
    ['upload.create', '{}', 'body: found no form'],
  ]
  for (const [method, body, why] of cases) {
    const answered = await it.call(method, body)
    expect([method, answered.status, answered.body]).toEqual([method, 400, { message: expect.stringContaining(why) }])
  }
  expect(it.asked).toEqual([])
})

test('[SAT21] what QQ lacks and what does not exist is 404, what is not done 501; every method of the protocol is in the table', async () => {
  await using it = await satoriBed()
  expect(Object.keys(Methods).filter((name) => !(name in METHODS))).toEqual([])
  for (const [name, { state }] of Object.entries(METHODS)) {
    if (state === 'served')
      expect([name, HANDLERS.has(name) || /^(?:login\.get|upload\.create)$/.test(name)]).toEqual([name, true])
    else expect([name, (await it.call(name)).status]).toEqual([name, state === 'lacking' ? 404 : 501])
  }
  for (const name of [
    'message.shout',
    'constructor',
    '__proto__',
    'message',
    'meta/nothing',
    'internal/',
    'internal/a/b/c/d',
  ])
    expect([name, (await it.call(name)).status]).toEqual([name, 404])
  const places = [{ channel_id: 'private:5', message_id: 1, emoji_id: 1, data: { name: 'x' } }]
  for (const name of ['reaction.create', 'channel.mute', 'channel.update'])
    expect([name, (await it.call(name, places[0])).status]).toEqual([name, 404])
})

test('[SAT22] how the implementation fails is a status, with what it said', async () => {
  await using it = await satoriBed()
  const cases: [number, number][] = [
    [1200, 500],
    [100, 500],
    [1404, 404],
    [404, 404],
    [1400, 400],
    [1403, 403],
    [1429, 429],
    [1504, 504],
  ]
  for (const [retcode, status] of cases) {
    it.replies['get_msg'] = { status: 'failed', retcode, data: null, message: 'because', wording: '' }
    const answered = await it.call('message.get', { channel_id: 1, message_id: 2 })
    expect([retcode, answered.status, answered.body]).toEqual([retcode, status, { message: 'get_msg: because' }])
  }
  it.replies['get_group_info'] = null
  expect(await it.call('guild.get', { guild_id: 1 })).toMatchObject({ status: 500 })
  const unknown = { status: 'failed', retcode: 1404, data: null, message: 'no such action' }
  Object.assign(it.replies, { set_msg_emoji_like: unknown, set_group_reaction: unknown })
  expect(await it.call('reaction.create', { channel_id: 1, message_id: 2, emoji_id: 3 })).toMatchObject({
    status: 404,
    body: { message: 'set_msg_emoji_like: no such action' },
  })
})

test('[SAT23] a message that is several goes out in order, each when the one before is there, and comes back as several', async () => {
  await using it = await satoriBed()
  let id = 0
  const next = () => ({ message_id: ++id })
  Object.assign(it.replies, {
    send_group_msg: next,
    send_group_forward_msg: next,
    upload_group_file: { file_id: '/f' },
  })
  const content =
    'one<message>two</message><message forward><message><author id="5" name="x"/>in</message></message><file src="data:text/plain;base64,aGk=" title="a.txt"/>'
  const { status, body } = await it.call('message.create', { channel_id: '7', content })
  expect(status).toBe(200)
  expect(asText(it.asked)).toEqual([
    ['send_group_msg', '{"group_id":7,"message":[{"type":"text","data":{"text":"one"}}]}'],
    ['send_group_msg', '{"group_id":7,"message":[{"type":"text","data":{"text":"two"}}]}'],
    [
      'send_group_forward_msg',
      '{"group_id":7,"messages":[{"type":"node","data":{"user_id":"5","nickname":"x","uin":"5","name":"x","content":[{"type":"text","data":{"text":"in"}}]}}]}',
    ],
    ['upload_group_file', '{"group_id":7,"file":"base64://aGk=","name":"a.txt"}'],
  ])
  expect(body).toMatchObject([
    { id: '1', content: 'one', channel: { id: '7', type: 0 }, guild: { id: '7' }, user: { id: '10001', name: 'bot' } },
    { id: '2', content: 'two' },
    { id: '3', content: '<message forward><message><author id="5" name="x"/>in</message></message>' },
    { id: '/f', content: '<onebot:file name="a.txt"/>' },
  ])
})

test('[SAT23] private messages go to the person, by the group that both are in where that is needed', async () => {
  await using it = await satoriBed()
  it.replies['send_private_msg'] = '{"message_id":7672696335120716277}'
  const { body } = await it.call('message.create', { channel_id: 'private:5', content: 'x' })
  expect(body).toMatchObject([{ id: '7672696335120716277', channel: { id: 'private:5', type: 1 } }])
  await it.call('message.create', { channel_id: 'private:temp:7_5', content: '<message forward>y</message>' })
  expect(asText(it.asked).map(([action, params]) => `${action} ${params?.slice(0, 30)}`)).toEqual([
    'send_private_msg {"user_id":5,"message":[{"type',
    'send_private_forward_msg {"user_id":5,"group_id":7,"mes',
  ])
})

test('[SAT23] when one of several fails, it is said how many were sent; too many are refused before the first', async () => {
  await using it = await satoriBed()
  let id = 0
  it.replies['send_group_msg'] = () =>
    ++id === 3 ? { status: 'failed', retcode: 1200, data: null, message: 'muted' } : { message_id: id }
  const parts = (count: number) => Array.from({ length: count }, (_, n) => `<message>${n}</message>`).join('')
  expect(await it.call('message.create', { channel_id: '7', content: parts(5) })).toMatchObject({
    status: 500,
    body: { message: '2 of 5 messages were sent, then: send_group_msg: muted' },
  })
  it.asked.length = 0
  expect(await it.call('message.create', { channel_id: '7', content: parts(101) })).toMatchObject({ status: 400 })
  expect(
    await it.call('message.create', { channel_id: '7', content: '<b>'.repeat(3_000_000) + 'x'.repeat(2_000_000) }),
  ).toMatchObject({ status: 400 })
  expect(it.asked).toEqual([])
})

interface ConversationOptions {
  /** It answers with no more than so many, whatever it is asked for, as go-cqhttp does. */
  most?: number
  /** It leaves out the message that is named. */
  exclusive?: boolean
  /** It takes no anchor: always the newest. */
  deaf?: boolean
  /** It begins with the newest. */
  reversed?: boolean
}

/** A conversation of so many messages, several in each second, answering as implementations do. */
function conversation(length: number, options: ConversationOptions = {}) {
  const { most = Number.POSITIVE_INFINITY, exclusive = false, deaf = false, reversed = false } = options
  const all = Array.from({ length }, (_, n) => ({
    time: Math.floor(n / 4) + 1,
    message_id: n + 1,
    message_seq: n + 1,
    message_type: 'group',
    group_id: 7,
    user_id: 5,
    sender: { user_id: 5, nickname: 'n' },
    message: [{ type: 'text', data: { text: `m${n + 1}` } }],
  }))
  return ({ params }: { params: Record<string, unknown> }) => {
    const from = params['message_seq']
    const until = from === undefined || deaf ? length : Number(from) - (exclusive ? 1 : 0)
    const messages = all.slice(Math.max(0, until - Math.min(most, Number(params['count']))), until)
    return { messages: reversed ? messages.reverse() : messages }
  }
}

interface Page {
  data: { content: string }[]
  prev?: string
  next?: string
}

const numbers = ({ data }: Page) => data.map(({ content }) => Number(content.slice(1)))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

test.each<ConversationOptions>([{}, { most: 7 }, { exclusive: true }, { reversed: true }])(
  '[SAT24] message.list goes back page by page to the beginning, and forward again to the newest (%p)',
  async (options) => {
    await using it = await satoriBed()
    it.replies['get_group_msg_history'] = conversation(25, options)
    const list = async (more: Record<string, unknown>) =>
      (await it.call('message.list', { channel_id: '7', limit: 10, ...more })).body as Page
    const pages = async (more: Record<string, unknown>) => {
      const found: number[][] = []
      let page = await list(more)
      for (found.push(numbers(page)); page.next !== undefined; found.push(numbers(page))) {
        // They go where the page went, both of them.
        expect(page.prev).toBe(page.next)
        page = await list({ ...more, next: page.next })
      }
      expect(page.prev).toBeUndefined()
      return found
    }
    const back = await pages({})
    expect(back.toReversed().flat()).toEqual(range(1, 25))
    if (options.most === undefined) expect(back).toEqual([range(16, 25), range(6, 15), range(1, 5)])
    const on = await pages({ next: '3', direction: 'after' })
    expect(on).toEqual([range(4, 13), range(14, 23), range(24, 25)])
    expect(numbers(await list({ order: 'desc' }))).toEqual([...(back[0] ?? [])].reverse())
    expect(await list({ next: '25', direction: 'after' })).toEqual({ data: [] })
    expect(await list({ next: '1' })).toEqual({ data: [] })
  },
)

test('[SAT24] around a message are those before and after it, and a way on in both directions', async () => {
  await using it = await satoriBed()
  it.replies['get_group_msg_history'] = conversation(25)
  const list = async (more: Record<string, unknown>) =>
    (await it.call('message.list', { channel_id: '7', direction: 'around', ...more })).body as Page
  const middle = await list({ next: '12', limit: 10 })
  expect(numbers(middle)).toEqual(range(7, 16))
  expect(numbers(await list({ next: middle.prev, limit: 3 }))).toEqual(range(4, 6))
  expect(numbers(await list({ next: middle.next, limit: 3 }))).toEqual(range(17, 19))
  expect(numbers(await list({ next: '12', limit: 1 }))).toEqual([12])
  const whole = await list({ next: '12', limit: 100 })
  expect([numbers(whole), whole.prev, whole.next]).toEqual([range(1, 25), undefined, undefined])
})

test('[SAT24] an odd limit is one that can be had; a conversation without messages, and one whose history takes no anchor, end', async () => {
  await using it = await satoriBed()
  it.replies['get_group_msg_history'] = conversation(250)
  const list = async (more: Record<string, unknown>) =>
    (await it.call('message.list', { channel_id: '7', ...more })).body as Page
  for (const [limit, found] of [
    [0, 1],
    [-5, 1],
    [1.5, 1],
    ['3', 3],
    [10_000, 100],
    [null, 50],
    ['many', 50],
  ])
    expect([limit, numbers(await list({ limit })).length]).toEqual([limit, found])
  expect(await list({ channel_id: 'private:5' })).toEqual({ data: [] })
  it.replies['get_group_msg_history'] = conversation(25, { deaf: true })
  const newest = await list({ limit: 10 })
  expect(numbers(newest)).toEqual(range(16, 25))
  // It knows a few more, and nothing comes twice.
  const more = await list({ next: newest.next, limit: 10 })
  expect(numbers(more)).toEqual([14, 15])
  expect(await list({ next: more.next, limit: 10 })).toEqual({ data: [] })
})

test('[SAT24] Koishi reads a conversation to its beginning', async () => {
  await using it = await satoriBed()
  it.replies['get_group_msg_history'] = conversation(120)
  // As its getMessageIter does: each page from its end, then the one that `next` stands for.
  const read: number[] = []
  let next: string | undefined
  do {
    const page = (await it.call('message.list', { channel_id: '7', next })).body as Page
    read.push(...numbers(page).reverse())
    next = page.next
  } while (next !== undefined)
  expect(read).toEqual(range(1, 120).reverse())
})

test('[SAT24] the way forward from a message that is not among the last thousand is not looked for without end', async () => {
  await using it = await satoriBed()
  it.replies['get_group_msg_history'] = conversation(5_000)
  expect(await it.call('message.list', { channel_id: '7', next: '1', direction: 'after' })).toMatchObject({
    status: 404,
  })
  expect(it.asked.length).toBe(10)
})
