// Stories that must be the same whether the implementation speaks OneBot or Milky: only the way to it differs.

import { expect, test } from 'bun:test'
import { Event } from '@saltify/milky-types'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { Client } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { APIS, conforms } from '../support/milky-stage.ts'
import { program } from '../support/program.ts'
import { type SmallWorld, smallWorld, WAYS } from '../support/small-world.ts'

const GROUP = 123_456_789

/** Everything that went over the second face, judged by Milky's own schemas. */
function judged({ seen }: SmallWorld): number {
  for (const fact of seen) {
    if (fact.kind === 'event') conforms(Event, fact.event, 'event')
    else {
      const { requestSchema, responseSchema } = APIS[fact.api] ?? { requestSchema: null, responseSchema: null }
      if (requestSchema) conforms(requestSchema, fact.input, `input of ${fact.api}`)
      if (responseSchema) conforms(responseSchema, JSON.parse(JSON.stringify(fact.output)), `output of ${fact.api}`)
    }
  }
  return seen.length
}

/** What an action brings about may be told before its reply comes, or after. */
async function told(client: Client, notice: string): Promise<Record<string, unknown>> {
  for (;;) {
    const found = client.heard.map((raw) => JSON.parse(raw)).find(({ notice_type }) => notice_type === notice)
    if (found !== undefined) return found
    await Bun.sleep(2)
  }
}

for (const way of WAYS) {
  test(`[MLS1] heard, quoted, looked up, listed and recalled, ${way}`, async () => {
    await using it = await smallWorld(way)
    const [alice, bob] = [await it.client(), await it.client()]
    it.qq.say({ text: '你好[CQ:at,qq=10001][CQ:face,id=14]' })
    const heard = await alice.event('message')
    expect(heard).toMatchObject({
      message_type: 'group',
      group_id: GROUP,
      raw_message: '你好[CQ:at,qq=10001][CQ:face,id=14]',
      message: [{ type: 'text' }, { type: 'at', data: { qq: '10001' } }, { type: 'face', data: { id: '14' } }],
      sender: { nickname: '小冰', role: 'admin' },
    })
    expect(await bob.event('message')).toEqual(heard)

    const answer = `[CQ:reply,id=${heard['message_id']}]好`
    const sent = await bob.call('send_msg', { group_id: GROUP, message: answer })
    const { message_id } = sent['data'] as { message_id: number }
    expect(sent).toMatchObject({ status: 'ok', retcode: 0 })
    const found = await alice.call('get_msg', { message_id: String(message_id) })
    expect(found['data']).toMatchObject({ message_id, sender: { user_id: 10001 }, raw_message: answer })
    const history = await alice.call('get_group_msg_history', { group_id: GROUP, count: 5 })
    expect((history['data'] as { messages: { message_id: number }[] }).messages.map((one) => one.message_id)).toEqual([
      Number(heard['message_id']),
      message_id,
    ])
    expect(await bob.call('delete_msg', { message_id })).toMatchObject({ status: 'ok' })
    expect(await told(alice, 'group_recall')).toMatchObject({ message_id, group_id: GROUP, operator_id: 10001 })
    expect(await alice.call('get_msg', { message_id })).toMatchObject({ status: 'failed' })

    it.qq.say({ text: '私聊', user_id: 2_854_196_310 })
    expect(await alice.event('message')).toMatchObject({
      message_type: 'private',
      sub_type: 'friend',
      user_id: 2_854_196_310,
    })
    expect(await alice.call('send_private_msg', { user_id: 2_854_196_310, message: '嗯' })).toMatchObject({
      status: 'ok',
    })
    expect(
      await alice.call('send_group_forward_msg', {
        group_id: GROUP,
        messages: [
          { type: 'node', data: { id: String(heard['message_id']) } },
          { type: 'node', data: { user_id: 10001, nickname: 'n', content: 'x' } },
        ],
      }),
    ).toMatchObject({ status: 'ok', data: { message_id: expect.any(Number) } })
    expect(await alice.call('no_such_action')).toMatchObject({ retcode: 1404 })
    expect(await alice.call('get_login_info')).toMatchObject({ data: { user_id: 10001, nickname: '小佩' } })
    judged(it)
  })

  test(`[MLS2] requests, by flag and by the answer to a web hook, ${way}`, async () => {
    const posted: Record<string, unknown>[] = []
    await using hook = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      async fetch(request) {
        const event = (await request.json()) as Record<string, unknown>
        posted.push(event)
        return event['request_type'] === 'friend'
          ? Response.json({ approve: true })
          : new Response(null, { status: 204 })
      },
    })
    await using it = await smallWorld(way, { 'http-post': [{ url: `http://127.0.0.1:${hook.port}/` }] })
    const client = await it.client()
    const newcomer = 3_111_111_111
    it.qq.ask({ type: 'group', user_id: newcomer, comment: '让我进' })
    const request = await client.event('request')
    expect(request).toMatchObject({ request_type: 'group', sub_type: 'add', user_id: newcomer, comment: '让我进' })
    const { flag, sub_type } = request
    expect(await client.call('set_group_add_request', { flag, sub_type, approve: true })).toMatchObject({
      status: 'ok',
    })
    expect(await told(client, 'group_increase')).toMatchObject({ sub_type: 'approve', user_id: newcomer })

    it.qq.ask({ type: 'group', sub_type: 'invite', user_id: 2_854_196_310, group_id: 55_555 })
    const invitation = await client.event('request')
    expect(invitation).toMatchObject({ sub_type: 'invite', group_id: 55_555, user_id: 2_854_196_310 })
    const wish = { flag: invitation['flag'], sub_type: 'invite', approve: false, reason: 'no' }
    expect(await client.call('set_group_add_request', wish)).toMatchObject({ status: 'ok' })

    it.qq.ask({ type: 'friend', user_id: newcomer, comment: 'hi' })
    expect(await client.event('request')).toMatchObject({ request_type: 'friend', user_id: newcomer })
    for (;;) {
      const { data } = await client.call('get_friend_list', { no_cache: true })
      if ((data as { user_id: number }[]).some(({ user_id }) => user_id === newcomer)) break
      await Bun.sleep(5)
    }
    expect(posted.length).toBeGreaterThan(0)
    judged(it)
  })

  test(`[MLS3] members are managed, listed and told of, ${way}`, async () => {
    await using it = await smallWorld(way)
    const client = await it.client()
    const { data } = await client.call('get_group_member_list', { group_id: GROUP })
    const members = data as { user_id: number; role: string }[]
    const user_id = members.find(({ role }) => role === 'member')?.user_id ?? 0
    const whom = { group_id: GROUP, user_id }
    const ban = await client.call('set_group_ban', { ...whom, duration: 60 })
    expect(ban).toMatchObject({ status: 'ok', retcode: 0 })
    expect(await client.call('set_group_admin', whom)).toMatchObject({ status: 'ok' })
    expect(await client.call('set_group_card', { ...whom, card: '新名片' })).toMatchObject({ status: 'ok' })
    expect(await client.call('get_group_member_info', { ...whom, no_cache: true })).toMatchObject({
      data: { ...whom, role: 'admin', card: '新名片', shut_up_timestamp: expect.any(Number) },
    })
    expect(await client.call('set_group_kick', whom)).toMatchObject({ status: 'ok' })
    expect(await client.call('get_group_member_info', { ...whom, no_cache: true })).toMatchObject({ status: 'failed' })
    expect(await client.call('get_group_info', { group_id: GROUP })).toMatchObject({
      data: { group_name: '机器人测试群', member_count: members.length - 1 },
    })
    expect(await told(client, 'group_ban')).toMatchObject({ sub_type: 'ban', ...whom, duration: 60 })
    expect(await told(client, 'group_admin')).toMatchObject({ sub_type: 'set', ...whom })
    expect(await told(client, 'group_decrease')).toMatchObject({ sub_type: 'kick', ...whom, operator_id: 10001 })
    judged(it)
  })

  test(`[MLS4] the implementation goes and comes back, ${way}`, async () => {
    await using it = await smallWorld(way)
    const client = await it.client()
    it.qq.say({ text: 'before' })
    const before = await client.event('message')
    const drop = () => {
      it.qq.dropLinks()
      it.qq.milky.drop()
    }
    if (way !== 'Milky by posts') {
      drop()
      await client.next((frame) => (frame['status'] as { online?: boolean } | undefined)?.online === false)
      await client.next((frame) => (frame['status'] as { online?: boolean } | undefined)?.online === true)
    }
    it.qq.say({ text: 'after' })
    expect(await client.event('message')).toMatchObject({ raw_message: 'after' })
    expect(await client.call('get_msg', { message_id: before['message_id'] })).toMatchObject({
      data: { message_id: before['message_id'], raw_message: 'before' },
    })
  })
}

test('[MLS6] killed and started again, the program knows the messages of before by their numbers', async () => {
  await using qq = await startSimulator({ token: 'T' })
  await using home = await folder()
  const implementation = { mode: 'milky', milky: { url: `${qq.address}/milky` }, 'external-access-token': 'T' }
  await Bun.write(home.at('config', 'config.yml'), JSON.stringify({ 'ntqq-impl': implementation, http: { port: 0 } }))
  const start = async () => {
    const running = program([], { cwd: home.path, as: 'perpetua' })
    const [, address = ''] = await running.says(/started address=(\S+)/)
    await running.says(/bot online/)
    const client = await Client.connect(`${address.replace('http', 'ws')}/?access_token=T`)
    await client.next(({ self_client }) => self_client === true)
    return { running, client }
  }
  const first = await start()
  const log = () =>
    [...new Bun.Glob('data/milky-*.db-wal').scanSync(home.path)].map((file) => Bun.file(home.at(file)).size)
  const before = log()
  qq.say({ text: 'remember me' })
  const { message_id } = await first.client.event('message')
  // Soon after, not at once, it is in the file.
  while (Bun.deepEquals(log(), before)) await Bun.sleep(5)
  first.running.signal('SIGKILL')
  await first.running.ended
  const second = await start()
  expect(await second.client.call('get_msg', { message_id })).toMatchObject({
    data: { message_id, raw_message: 'remember me' },
  })
  await second.running[Symbol.asyncDispose]()
})

test('[MLS5] all that went over the second face was as its schemas want it', async () => {
  await using it = await smallWorld('Milky by WebSocket')
  const client = await it.client()
  it.qq.say({ text: 'a[CQ:image,file=x.png,url=http://x/1][CQ:record,file=y][CQ:json,data={}][CQ:at,qq=all]' })
  await client.event('message')
  for (const action of ['get_friend_list', 'get_group_list', 'get_version_info', 'get_credentials', 'clean_cache'])
    expect(await client.call(action)).toMatchObject({ status: 'ok' })
  expect(await client.call('get_stranger_info', { user_id: 2_854_196_310 })).toMatchObject({
    data: { nickname: '小冰' },
  })
  expect(judged(it)).toBeGreaterThan(8)
})
