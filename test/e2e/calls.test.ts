// What an operator sees of calls that wait or failed at a running gateway, and does about them.

import { expect, test } from 'bun:test'
import type { FailedShown as Failed, HeldShown as Held } from '../../src/observe/calls.ts'
import { operator } from '../support/admin.ts'
import { type Action, ok } from '../support/implementation.ts'
import { testbed } from '../support/testbed.ts'
import { overOneBot } from '../support/upstream.ts'

const RETCODES = 'Milky tells why by retcodes of its own'

interface Calls {
  waiting: number
  held: Held[]
  failed: Failed[]
}

/** Refuses what is told to a group, and does all else. */
const answer = (frame: Action) =>
  frame.action === 'send_group_msg'
    ? JSON.stringify({ status: 'failed', retcode: 100, data: null, message: 'no such group', echo: frame.echo })
    : ok(frame, { message_id: 7 })

const SECRET = 'https://example.com/?token=hush-1'

overOneBot(RETCODES)(
  '[ADM11] calls that failed are listed by bot, client and action, without what somebody wrote until asked',
  async () => {
    await using bed = await testbed({ bot: { answer } })
    const admin = operator(bed.gateway.address)
    const list = (query = '') => admin.json<Calls>(`/api/calls${query}`)
    expect(await list()).toEqual({ waiting: 0, held: [], failed: [] })
    const alice = await bed.client('/?client_name=alice')
    const said = { group_id: 5, message: `private words ${SECRET}`, access_token: 'hush-2' }
    await alice.call('send_group_msg', said)
    await alice.call('send_private_msg', { user_id: 5, message: 'private words' })
    await fetch(`${bed.gateway.address}/onebot/v11/send_group_msg?group_id=6&message=more`)
    const { failed } = await list()
    expect(failed).toEqual([
      expect.objectContaining({
        client: '127.0.0.1',
        action: 'send_group_msg',
        params: { group_id: '6', message: '(4 characters)' },
      }),
      {
        id: expect.stringMatching(/^[0-9a-f]{8}-1$/),
        bot: 'ntqq-impl',
        client: 'alice',
        app_id: expect.any(String),
        action: 'send_group_msg',
        mode: 'plain',
        time: expect.any(Number),
        ms: expect.any(Number),
        retcode: 100,
        message: 'no such group',
        outcome: 'failed',
        size: expect.any(Number),
        kept: true,
        again: null,
        params: { group_id: 5, message: '(47 characters)', access_token: '(6 characters)' },
      },
    ])
    expect(Math.abs((failed[1]?.time ?? 0) - Date.now() / 1_000)).toBeLessThan(60)
    const count = async (query: string) => (await list(query)).failed.length
    expect(await count('?client=alice')).toBe(1)
    expect(await count(`?client=${failed[1]?.app_id}`)).toBe(1)
    expect(await count('?client=bob')).toBe(0)
    expect(await count('?bot=10001')).toBe(2)
    expect(await count('?bot=777')).toBe(0)
    expect(await count('?action=send_*')).toBe(2)
    expect(await count('?action=get_*')).toBe(0)
    expect(await count('?limit=1')).toBe(1)
    const shown = JSON.stringify(await list('?texts=1'))
    expect(shown).toContain('private words https://example.com/?token=***')
    expect(shown).not.toContain('hush')
    const status = await admin.json<{ bots: object[] }>('/api/status')
    expect(status.bots).toMatchObject([{ failed: { kept: 2, changes: 2 } }])
    for (const limit of ['0', '1001', '-1', 'x'])
      expect((await admin.get(`/api/calls?limit=${limit}`)).status).toBe(400)
  },
)

overOneBot('there the link asks for the names by itself')(
  '[FLD6] what is asked of the implementation for the operator’s sake is not kept',
  async () => {
    const asked: string[] = []
    const refuse = (frame: Action) => {
      asked.push(frame.action)
      return JSON.stringify({ status: 'failed', retcode: 100, data: null, message: 'no', echo: frame.echo })
    }
    await using bed = await testbed({ bot: { answer: refuse } })
    const admin = operator(bed.gateway.address)
    await admin.json('/api/bots')
    expect(asked.toSorted()).toEqual(['get_login_info', 'get_version_info'])
    expect((await admin.json<Calls>('/api/calls')).failed).toEqual([])
    // What an operator calls is.
    await admin.json('/api/call', { action: 'get_status' })
    expect((await admin.json<Calls>('/api/calls')).failed).toMatchObject([{ client: 'admin', action: 'get_status' }])
  },
)

test('[ADM11] a bare HTTP call goes by the entry whose token it shows', async () => {
  await using bed = await testbed({ bot: { answer }, config: { clients: [{ name: 'cron', token: 'cron-token' }] } })
  const admin = operator(bed.gateway.address)
  await fetch(`${bed.gateway.address}/onebot/v11/send_group_msg?group_id=6&access_token=cron-token`)
  const { failed } = await admin.json<Calls>('/api/calls?client=cron')
  expect(failed).toMatchObject([{ client: 'cron', action: 'send_group_msg' }])
})

test('[ADM11] calls that wait are listed with the reason and their end', async () => {
  await using bed = await testbed({ bot: { answer }, config: { actions: { hold: '1m' } } })
  const admin = operator(bed.gateway.address)
  const alice = await bed.client('/?client_name=alice')
  await bed.bot[Symbol.asyncDispose]()
  await bed.gateway.until(({ bots }) => bots[0]?.online === false)
  alice.send({ action: 'send_private_msg', params: { user_id: 5, message: 'hello' }, echo: 1 })
  await bed.gateway.until(({ bots }) => bots[0]?.waiting.waiting === 1)
  const { waiting, held } = await admin.json<Calls>('/api/calls')
  expect({ waiting, held }).toEqual({
    waiting: 1,
    held: [
      {
        id: expect.any(String),
        bot: 'ntqq-impl',
        client: 'alice',
        app_id: expect.any(String),
        action: 'send_private_msg',
        mode: 'plain',
        durable: null,
        since: expect.any(Number),
        why: 'away',
        next: null,
        until: expect.any(Number),
        size: expect.any(Number),
        params: { user_id: 5, message: '(5 characters)' },
      },
    ],
  })
  const [one] = held
  expect((one?.until ?? 0) - (one?.since ?? 0)).toBeWithin(59, 62)
  expect((await admin.json<Calls>('/api/calls?texts=1')).held[0]?.params).toEqual({ user_id: 5, message: 'hello' })
  expect((await admin.json<Calls>('/api/calls?client=bob')).held).toEqual([])
})

overOneBot(RETCODES)(
  '[ADM12] a call that failed is sent again and answered with the reply as it is, and refused where it cannot be',
  async () => {
    let does = false
    await using bed = await testbed({
      bot: { answer: (frame) => (does ? ok(frame, { message_id: 7 }) : answer(frame)) },
      config: { actions: { timeouts: { send_private_msg: '1s' } } },
    })
    const admin = operator(bed.gateway.address)
    const alice = await bed.client('/?client_name=alice')
    expect(await alice.call('send_group_msg', { group_id: 5, message: 'hello' })).toMatchObject({ retcode: 100 })
    const failed = async () => (await admin.json<Calls>('/api/calls')).failed
    const retry = async (id: string, query = '') => {
      const reply = await admin.post(`/api/calls/${id}/retry${query}`)
      return [reply.status, await reply.text()] as const
    }
    const id = (await failed())[0]?.id ?? ''
    const [, refused] = await retry(id)
    expect(JSON.parse(refused)).toMatchObject({ status: 'failed', retcode: 100, message: 'no such group' })
    does = true
    expect(await retry(id)).toEqual([200, '{"status":"ok","retcode":0,"data":{"message_id":7}}'])
    expect(await failed()).toMatchObject([{ id, again: { retcode: 0, message: '' } }])
    expect(await retry(id)).toEqual([409, expect.stringContaining('was sent again already, and worked')])
    expect(await retry('nobody')).toEqual([404, expect.stringContaining('no call \\"nobody\\" waits or is kept')])
    bed.bot.answer = undefined
    expect(await alice.call('send_private_msg', { user_id: 1, message: 'x' })).toMatchObject({ retcode: 1504 })
    const [unknown] = await failed()
    expect(unknown).toMatchObject({ outcome: 'unknown', retcode: 1504 })
    const doubt = await retry(unknown?.id ?? '')
    expect(doubt).toEqual([
      409,
      expect.stringContaining('it may have been carried out, and would be twice; say twice=1'),
    ])
    bed.bot.answer = (frame) => ok(frame)
    expect((await retry(unknown?.id ?? '', '?twice=1'))[0]).toBe(200)
  },
)

test('[ADM13] a call that waits is given up and its client told; one that failed is taken off the list', async () => {
  await using bed = await testbed({ bot: { answer } })
  const admin = operator(bed.gateway.address)
  const alice = await bed.client('/?client_name=alice')
  await bed.bot[Symbol.asyncDispose]()
  await bed.gateway.until(({ bots }) => bots[0]?.online === false)
  const reply = alice.call('send_private_msg', { user_id: 5, message: 'hello' })
  await bed.gateway.until(({ bots }) => bots[0]?.waiting.waiting === 1)
  const [held] = (await admin.json<Calls>('/api/calls')).held
  const retried = await admin.post(`/api/calls/${held?.id}/retry`)
  expect([retried.status, await retried.text()]).toEqual([409, expect.stringContaining('it has not failed')])
  await admin.json(`/api/calls/${held?.id}/drop`, {})
  expect(await reply).toMatchObject({
    status: 'failed',
    retcode: 1503,
    message: 'given up by the operator; the call was not sent',
  })
  const after = await admin.json<Calls>('/api/calls')
  expect(after).toMatchObject({
    waiting: 0,
    held: [],
    failed: [{ retcode: 1503, outcome: 'not-sent', client: 'alice' }],
  })
  await admin.json(`/api/calls/${after.failed[0]?.id}/drop`, {})
  expect(await admin.json('/api/calls')).toEqual({ waiting: 0, held: [], failed: [] })
  expect((await admin.post(`/api/calls/${held?.id}/drop`)).status).toBe(404)
})
