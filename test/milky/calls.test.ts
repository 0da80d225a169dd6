// Calls on their way up: what becomes of those whose connection breaks, that hang, or that nobody waits for any more.

import { expect, test } from 'bun:test'
import { MilkyError } from '../../src/milky/api.ts'
import { Calls } from '../../src/milky/calls.ts'
import { Wire } from '../../src/milky/http.ts'
import { readAction } from '../../src/onebot/frame.ts'
import { Inbox } from '../contract/witness.ts'
import { type Answers, GROUP, staged } from '../support/milky-stage.ts'

const broken = () => new MilkyError(1504, 'socket hang up', { broken: true })

function bench(answers: Answers) {
  const { stage, asked } = staged(answers)
  const replies = new Inbox<Record<string, unknown>>()
  const calls = new Calls({ stage, reply: (text) => replies.push(JSON.parse(text)), odd: () => undefined })
  return {
    asked,
    replies,
    calls,
    call(action: string, params: object, echo: string) {
      const frame = readAction(JSON.stringify({ action, params, echo }))
      if (frame.kind !== 'action') throw new Error('no action')
      calls.take(frame)
    },
  }
}

test('[MLU17] a read whose connection breaks is asked once more; of a write nobody knows what became', async () => {
  let tries = 0
  const it = bench({
    get_group_list: () => (tries++ === 0 ? broken() : { groups: [] }),
    get_friend_list: broken,
    send_group_message: broken,
  })
  it.call('send_group_msg', { group_id: GROUP, message: 'x' }, 'write')
  expect(await it.replies.take()).toMatchObject({ echo: 'write', retcode: 1504 })
  it.call('get_group_list', {}, 'read')
  expect(await it.replies.take()).toMatchObject({ echo: 'read', retcode: 0 })
  it.call('get_friend_list', {}, 'in vain')
  expect(await it.replies.take()).toMatchObject({ echo: 'in vain', retcode: 1504 })
  expect(it.asked.map(({ api }) => api)).toEqual([
    'send_group_message',
    ...['get_group_list', 'get_group_list', 'get_friend_list', 'get_friend_list'],
  ])
})

test('[MLU18] a call that nobody waits for holds up nobody in its conversation, and is not made if it waits itself', async () => {
  const hung = Promise.withResolvers<object>()
  const it = bench({
    send_group_message: ({ message: [{ data }] }: { message: [{ data: { text: string } }] }) =>
      data.text === 'hung' ? hung.promise : { message_seq: 1, time: 1 },
  })
  const say = (text: string) => it.call('send_group_msg', { group_id: GROUP, message: text }, text)
  for (const text of ['hung', 'late', 'last']) say(text)
  await Bun.sleep(0)
  expect(it.asked).toHaveLength(1)
  // It waits for its turn, and so does the one behind it.
  it.calls.forget('"late"')
  await Bun.sleep(0)
  expect(it.asked).toHaveLength(1)
  it.calls.forget('"hung"')
  expect(await it.replies.take()).toMatchObject({ echo: 'last', retcode: 0 })
  hung.resolve({ message_seq: 2, time: 1 })
  say('more')
  expect(await it.replies.take()).toMatchObject({ echo: 'more', retcode: 0 })
  expect(JSON.stringify(it.asked)).not.toContain('late')
})

test('[MLU20] `get_status` says nothing of an implementation that does not answer', async () => {
  const hung = Promise.withResolvers<object>()
  const it = bench({ get_login_info: () => hung.promise })
  it.call('get_status', {}, 'well?')
  await Bun.sleep(0)
  expect([it.asked.map(({ api }) => api), it.replies.left]).toEqual([['get_login_info'], []])
  hung.resolve({ uin: 10001, nickname: 'x' })
  expect(await it.replies.take()).toMatchObject({ echo: 'well?', data: { online: true, good: true } })
})

test('[MLU21] what waits for its turn is given back once, and is not made afterwards', async () => {
  const hung = Promise.withResolvers<object>()
  const it = bench({ send_group_message: () => hung.promise })
  for (const echo of ['begun', 'waits']) it.call('send_group_msg', { group_id: GROUP, message: echo }, echo)
  await Bun.sleep(0)
  expect(it.calls.release('"begun"')).toBeUndefined()
  const text = it.calls.release('"waits"') ?? ''
  expect(JSON.parse(text)).toMatchObject({ params: { message: 'waits' } })
  expect(it.calls.release('"waits"')).toBeUndefined()
  hung.resolve({ message_seq: 1, time: 1 })
  expect(await it.replies.take()).toMatchObject({ echo: 'begun' })
  it.call('get_status', {}, 'after')
  expect(await it.replies.take()).toMatchObject({ echo: 'after' })
  expect(it.asked.map(({ api }) => api)).toEqual(['send_group_message', 'get_login_info'])
})

test('[MLU21] one that is asked again after it was forgotten is forgotten by itself', async () => {
  const hung = [Promise.withResolvers<object>(), Promise.withResolvers<object>()]
  let asked = 0
  const it = bench({ get_login_info: () => hung[asked++]?.promise ?? { uin: 10001, nickname: 'x' } })
  it.call('get_status', {}, 'same')
  await Bun.sleep(0)
  it.calls.forget('"same"')
  it.call('get_status', {}, 'same')
  await Bun.sleep(0)
  hung[0]?.resolve({ uin: 10001, nickname: 'x' })
  await Bun.sleep(0)
  it.calls.forget('"same"')
  hung[1]?.resolve({ uin: 10001, nickname: 'x' })
  it.call('get_status', {}, 'next')
  expect(await it.replies.take()).toMatchObject({ echo: 'next' })
  expect(it.replies.left).toEqual([])
})

test('[MLU19] however many calls hang that do something, those that only ask are answered', async () => {
  const held: (() => void)[] = []
  await using server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch({ url }) {
      if (url.endsWith('/send_group_message')) await new Promise<void>((resolve) => held.push(resolve))
      return Response.json({})
    },
  })
  const wire = new Wire({ base: `http://127.0.0.1:${server.port}`, accessToken: '' })
  const post = (api: string) =>
    wire.text({ method: 'POST', path: `/api/${api}`, body: '{}', signal: new AbortController().signal }, 1_000)
  const sent = Array.from({ length: 100 }, () => post('send_group_message'))
  while (held.length < 16) await Bun.sleep(1)
  expect(await post('get_login_info')).toMatchObject({ status: 200 })
  expect(held).toHaveLength(16)
  const letting = setInterval(() => held.shift()?.(), 1)
  await Promise.all(sent)
  clearInterval(letting)
  wire.close()
})
