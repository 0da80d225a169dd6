// Watching the simulated QQ, and acting in it as its people.

import { expect, test } from 'bun:test'
import { simulated } from './bed.ts'

const GROUP = 123_456_789
const FRIEND = 2_854_196_310

test('[SIM29] what happens is told in order: words as they were sent, notices, calls and how they ended', async () => {
  await using at = await simulated()
  const chat = async (query = '') => (await at.control(`chat${query}`)).json()
  const { since } = await chat()
  const waiting = chat('?after=0&wait=60000')
  await at.control('say', { text: 'hi' })
  expect(await waiting).toMatchObject({
    since,
    last: 1,
    happened: [{ n: 1, kind: 'message', self: false, peer: GROUP }],
  })
  const picture = { type: 'image', data: { file: 'base64://AAAA' } }
  await at.bot.next()
  await at.bot.call('send_group_msg', { group_id: GROUP, message: [picture] })
  await at.bot.call('send_group_msg', { group_id: 5, message: 'x'.repeat(1_000) })
  const { happened } = await chat('?after=1')
  expect(happened).toMatchObject([
    { n: 2, kind: 'message', self: true, segments: [picture] },
    { n: 3, kind: 'call', action: 'send_group_msg', retcode: 0 },
    { n: 4, kind: 'call', action: 'send_group_msg', retcode: 1200, message: 'group 5: the account is not in it' },
  ])
  expect(happened[2].params.message.length).toBeLessThan(300)
  const nodes = [{ type: 'node', data: { nickname: 'n', content: 'inner' } }]
  const { data } = await at.bot.call('send_group_forward_msg', { group_id: GROUP, messages: nodes })
  const forwarded = await (await at.control(`forward?id=${data.forward_id}`)).json()
  expect(forwarded.nodes).toMatchObject([{ nickname: 'n', segments: [{ type: 'text', data: { text: 'inner' } }] }])
  expect((await at.control('forward?id=nope')).status).toBe(400)
})

test('[SIM30] people recall, poke, join, leave and befriend, as far as they can', async () => {
  await using at = await simulated()
  const does = async (deed: string, body: object) => {
    const answer = await at.control(deed, body)
    expect([deed, answer.status]).toEqual([deed, 200])
    const event = await answer.json()
    expect(await at.bot.next()).toEqual(event as never)
    return event
  }
  const said = await does('say', { text: 'oops', group_id: GROUP, user_id: FRIEND })
  const { message_id } = said
  expect(await does('recall', { message_id })).toMatchObject({
    notice_type: 'group_recall',
    group_id: GROUP,
    user_id: FRIEND,
    operator_id: FRIEND,
    message_id,
  })
  const whispered = await does('say', { text: 'oops', user_id: FRIEND })
  expect(await does('recall', { message_id: whispered.message_id })).toMatchObject({
    notice_type: 'friend_recall',
    user_id: FRIEND,
  })
  const poked = { notice_type: 'notify', sub_type: 'poke', user_id: FRIEND, target_id: 10_001 }
  expect(await does('poke', { user_id: FRIEND, group_id: GROUP })).toMatchObject({ ...poked, group_id: GROUP })
  expect(await does('poke', { user_id: FRIEND })).toMatchObject({ ...poked, sender_id: FRIEND })
  const { user_id } = await does('join', { group_id: GROUP })
  expect((await at.bot.call('get_group_member_info', { group_id: GROUP, user_id })).data).toMatchObject({ user_id })
  expect(await does('leave', { group_id: GROUP, user_id })).toMatchObject({
    notice_type: 'group_decrease',
    sub_type: 'leave',
  })
  const friend = await does('befriend', {})
  const { data } = await at.bot.call('get_friend_list')
  expect(data).toContainEqual(expect.objectContaining({ user_id: friend.user_id }))
  const refused: [string, object, string][] = [
    ['recall', { message_id }, `message ${message_id}: not known`],
    ['poke', { user_id: 5 }, 'user 5: nobody knows that account'],
    ['poke', { user_id: 5, group_id: GROUP }, `user 5: no member of group ${GROUP}`],
    ['join', { group_id: 5 }, 'group 5: the account is not in it'],
    ['join', { group_id: GROUP, user_id: FRIEND }, `user ${FRIEND}: is a member of group ${GROUP} already`],
    ['leave', { group_id: GROUP, user_id: 10_001 }, 'user 10001: is the account itself'],
    ['befriend', { user_id: FRIEND }, `user ${FRIEND}: is a friend already`],
    ['recall', {}, 'message_id: found nothing'],
  ]
  for (const [deed, body, why] of refused) {
    const answer = await at.control(deed, body)
    expect([answer.status, (await answer.json()).error]).toEqual([400, expect.stringContaining(why)])
  }
})
