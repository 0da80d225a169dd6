// What the simulated implementation answers, and what is behind the answers.

import { expect, test } from 'bun:test'
import { ACTION_NAMES } from '../../src/simulator/actions.ts'
import { simulated } from './bed.ts'

const GROUP = 123_456_789
/** Where the account is but a member. */
const STRICT = 987_654_321
const FRIEND = 2_854_196_310
/** A plain member of the first group. */
const MEMBER = 2_838_887_668

const number = expect.any(Number)
const string = expect.any(String)
const message = {
  message_id: number,
  time: number,
  raw_message: 'hi [CQ:face,id=1]',
  message: [
    { type: 'text', data: { text: 'hi ' } },
    { type: 'face', data: { id: '1' } },
  ],
}
const member = {
  group_id: GROUP,
  user_id: number,
  nickname: string,
  card: string,
  sex: expect.stringMatching(/^(male|female|unknown)$/),
  age: number,
  area: string,
  join_time: number,
  last_sent_time: number,
  level: string,
  role: expect.stringMatching(/^(owner|admin|member)$/),
  unfriendly: false,
  title: string,
  title_expire_time: number,
  card_changeable: true,
  shut_up_timestamp: number,
}
const honored = { user_id: number, nickname: string, avatar: string }
const listed = (one: unknown) => expect.arrayContaining([one])

/** In an order in which each finds what it needs; `{id}` is the id of the last message said. */
const TABLE: [action: string, params: object, data: unknown][] = [
  ['get_login_info', {}, { user_id: 10001, nickname: string }],
  ['get_status', {}, { online: true, good: true }],
  ['get_version_info', {}, { app_name: string, app_version: string, protocol_version: 'v11' }],
  ['can_send_image', {}, { yes: true }],
  ['can_send_record', {}, { yes: true }],
  ['get_cookies', { domain: 'qun.qq.com' }, { cookies: string }],
  ['get_csrf_token', {}, { token: number }],
  ['get_credentials', {}, { cookies: string, csrf_token: number, token: number }],
  ['get_record', { file: 'a/b.amr', out_format: 'wav' }, { file: '/simulator/records/b.wav' }],
  ['get_image', { file: 'c.jpg' }, { file: '/simulator/images/c.jpg' }],
  ['clean_cache', {}, null],
  ['get_friend_list', {}, listed({ user_id: FRIEND, nickname: '小冰', remark: '' })],
  [
    'get_stranger_info',
    { user_id: FRIEND, no_cache: true },
    { user_id: FRIEND, nickname: '小冰', sex: string, age: number },
  ],
  ['send_like', { user_id: FRIEND, times: 10 }, null],
  [
    'get_group_info',
    { group_id: GROUP },
    { group_id: GROUP, group_name: string, member_count: 10, max_member_count: 200 },
  ],
  ['get_group_list', {}, listed({ group_id: GROUP, group_name: string, member_count: 10, max_member_count: 200 })],
  ['get_group_member_info', { group_id: GROUP, user_id: MEMBER }, { ...member, user_id: MEMBER }],
  ['get_group_member_list', { group_id: String(GROUP) }, listed(member)],
  [
    'get_group_honor_info',
    { group_id: GROUP, type: 'all' },
    {
      group_id: GROUP,
      current_talkative: { ...honored, day_count: number },
      ...Object.fromEntries(
        ['talkative', 'performer', 'legend', 'strong_newbie', 'emotion'].map((honor) => [
          `${honor}_list`,
          [{ ...honored, description: string }],
        ]),
      ),
    },
  ],
  ['send_private_msg', { user_id: FRIEND, message: 'hi [CQ:face,id=1]' }, { message_id: number }],
  [
    'get_msg',
    { message_id: '{id}' },
    {
      ...message,
      message_type: 'private',
      real_id: number,
      sender: { user_id: 10001, nickname: string, sex: string, age: number },
    },
  ],
  ['get_friend_msg_history', { user_id: FRIEND }, { messages: [expect.objectContaining(message)] }],
  [
    'send_msg',
    { message_type: 'private', user_id: String(FRIEND), message: [{ type: 'face', data: { id: '2' } }] },
    { message_id: number },
  ],
  ['send_group_msg', { group_id: GROUP, message: message.message }, { message_id: number }],
  [
    'get_msg',
    { message_id: '{id}' },
    {
      ...message,
      message_type: 'group',
      group_id: GROUP,
      real_id: number,
      sender: expect.objectContaining({ user_id: 10001, role: 'owner' }),
    },
  ],
  ['get_group_msg_history', { group_id: GROUP, count: 1 }, { messages: [expect.objectContaining(message)] }],
  ['mark_msg_as_read', { message_id: '{id}' }, null],
  ['delete_msg', { message_id: '{id}' }, null],
  [
    'send_group_forward_msg',
    { group_id: GROUP, messages: [{ type: 'node', data: { user_id: '7', nickname: 'seven', content: 'said' } }] },
    { message_id: number, forward_id: 'forward-1', res_id: 'forward-1' },
  ],
  [
    'get_forward_msg',
    { id: 'forward-1' },
    {
      message: [
        {
          type: 'node',
          data: { user_id: '7', nickname: 'seven', time: number, content: [{ type: 'text', data: { text: 'said' } }] },
        },
      ],
      messages: [expect.objectContaining({ sender: { user_id: 7, nickname: 'seven' }, raw_message: 'said' })],
    },
  ],
  [
    'send_private_forward_msg',
    { user_id: FRIEND, messages: [{ type: 'node', data: { content: 'x' } }] },
    expect.objectContaining({ message_id: number }),
  ],
  [
    'send_forward_msg',
    { group_id: GROUP, messages: [{ type: 'node', data: { id: '{id}' } }] },
    expect.objectContaining({ message_id: number }),
  ],
  ['set_group_card', { group_id: GROUP, user_id: MEMBER, card: 'card' }, null],
  ['set_group_special_title', { group_id: GROUP, user_id: MEMBER, special_title: 'sir' }, null],
  ['set_group_name', { group_id: GROUP, group_name: 'named' }, null],
  ['set_group_anonymous', { group_id: GROUP, enable: 'false' }, null],
  ['set_group_ban', { group_id: GROUP, user_id: MEMBER }, null],
  ['set_group_anonymous_ban', { group_id: GROUP, anonymous_flag: 'f', duration: 60 }, null],
  ['set_group_whole_ban', { group_id: GROUP }, null],
  ['set_group_admin', { group_id: GROUP, user_id: MEMBER }, null],
  ['set_group_sign', { group_id: GROUP }, null],
  ['set_group_kick', { group_id: GROUP, user_id: MEMBER, reject_add_request: false }, null],
  ['set_friend_add_request', { flag: '{friend}', approve: true, remark: 'r' }, null],
  ['set_group_add_request', { flag: '{group}', sub_type: 'add', approve: true }, null],
  ['set_group_leave', { group_id: STRICT }, null],
  ['.handle_quick_operation', { context: { post_type: 'message' }, operation: {} }, null],
]

test('[SIM1] every public action of OneBot 11 is answered in the shape of the standard', async () => {
  await using at = await simulated()
  const known: Record<string, string> = {
    friend: String(at.sim.ask({ type: 'friend' })['flag']),
    group: String(at.sim.ask({ type: 'group' })['flag']),
  }
  for (const [action, params, data] of TABLE) {
    const filled = JSON.stringify(params).replace(/\{(id|friend|group)\}/g, (_, name: string) => known[name] ?? '?')
    const response = await fetch(`${at.sim.address}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: filled,
    })
    const reply = (await response.json()) as { data: { message_id?: number } | null }
    expect({ action, reply }).toEqual({ action, reply: { status: 'ok', retcode: 0, data } as never })
    if (reply.data?.message_id !== undefined && action.startsWith('send')) known['id'] = String(reply.data.message_id)
  }
  const untried = ACTION_NAMES.filter((name) => !TABLE.some(([action]) => action === name))
  expect(untried).toEqual(['set_restart'])
})

test('[SIM2] what one action changes, others show', async () => {
  await using at = await simulated()
  const { bot } = at
  const info = async () =>
    (await quietly('get_group_member_info', { group_id: GROUP, user_id: MEMBER })).data as Record<string, unknown>
  const quietly = async (action: string, params: object) => {
    // Notices come after the reply: whatever they are, they are not of interest here.
    bot.socket.send(JSON.stringify({ action, params, echo: 'mine' }))
    for (;;) {
      const frame = await bot.next()
      if (frame.echo === 'mine') return frame
    }
  }
  const group = { group_id: GROUP }
  const who = { ...group, user_id: MEMBER }
  await quietly('set_group_card', { ...who, card: 'card' })
  await quietly('set_group_special_title', { ...who, special_title: 'sir' })
  await quietly('set_group_admin', who)
  expect(await info()).toMatchObject({ card: 'card', title: 'sir', role: 'admin', shut_up_timestamp: 0 })
  await quietly('set_group_admin', { ...who, enable: false })
  await quietly('set_group_ban', { ...who, duration: 60 })
  const { role, shut_up_timestamp } = await info()
  expect(role).toBe('member')
  expect(shut_up_timestamp).toBeGreaterThan(Date.now() / 1_000)
  await quietly('set_group_ban', { ...who, duration: 0 })
  expect(await info()).toMatchObject({ shut_up_timestamp: 0 })

  await quietly('set_group_name', { ...group, group_name: 'named' })
  await quietly('set_group_kick', who)
  expect((await quietly('get_group_info', group)).data).toMatchObject({ group_name: 'named', member_count: 9 })
  expect(await quietly('get_group_member_info', who)).toMatchObject({ status: 'failed', retcode: 1200 })
  expect(await quietly('set_group_leave', group)).toMatchObject({ retcode: 1200 })
  expect(await quietly('set_group_leave', { ...group, is_dismiss: true })).toMatchObject({ retcode: 0 })
  expect((await quietly('get_group_list', {})).data).toHaveLength(2)
})

test('[SIM3] changes are told by the notices of the standard, after the reply', async () => {
  await using at = await simulated()
  const who = { group_id: GROUP, user_id: MEMBER }
  const by = { operator_id: 10001 }
  const said = at.sim.say({ text: 'x', ...who })
  await at.bot.next()
  const friendly = at.sim.say({ text: 'x', user_id: FRIEND })
  await at.bot.next()
  const notices: [action: string, params: object, notice: object | undefined][] = [
    [
      'set_group_ban',
      { ...who, duration: 60 },
      { notice_type: 'group_ban', sub_type: 'ban', ...who, ...by, duration: 60 },
    ],
    [
      'set_group_ban',
      { ...who, duration: 0 },
      { notice_type: 'group_ban', sub_type: 'lift_ban', ...who, ...by, duration: 0 },
    ],
    [
      'set_group_whole_ban',
      who,
      { notice_type: 'group_ban', sub_type: 'ban', group_id: GROUP, user_id: 0, ...by, duration: -1 },
    ],
    ['set_group_admin', who, { notice_type: 'group_admin', sub_type: 'set', ...who }],
    ['set_group_admin', { ...who, enable: false }, { notice_type: 'group_admin', sub_type: 'unset', ...who }],
    ['set_group_card', { ...who, card: 'c' }, { notice_type: 'group_card', ...who, card_new: 'c', card_old: '' }],
    [
      'set_group_special_title',
      { ...who, special_title: 't' },
      { notice_type: 'notify', sub_type: 'title', ...who, title: 't' },
    ],
    [
      'delete_msg',
      { message_id: said.message_id },
      { notice_type: 'group_recall', ...who, ...by, message_id: said.message_id },
    ],
    ['set_group_kick', who, { notice_type: 'group_decrease', sub_type: 'kick', ...who, ...by }],
    [
      'set_group_leave',
      { group_id: STRICT },
      { notice_type: 'group_decrease', sub_type: 'leave', group_id: STRICT, user_id: 10001, ...by },
    ],
  ]
  for (const [action, params, notice] of notices) {
    expect(await at.bot.call(action, params)).toEqual({ status: 'ok', retcode: 0, data: null })
    expect({ action, notice: await at.bot.next() }).toEqual({
      action,
      notice: { time: number, self_id: 10001, post_type: 'notice', ...notice },
    })
  }
  expect(await at.bot.call('delete_msg', { message_id: friendly.message_id })).toMatchObject({ retcode: 1200 })
  const mine = await at.bot.call('send_private_msg', { user_id: FRIEND, message: 'mine' })
  await at.bot.call('delete_msg', mine.data)
  expect(await at.bot.next()).toMatchObject({ notice_type: 'friend_recall', user_id: 10001, ...mine.data })
})

test('[SIM4] the account can do what its role allows, with whom it knows; all else fails with 1200', async () => {
  await using at = await simulated()
  const [owner] = (await at.bot.call('get_group_member_list', { group_id: STRICT })).data.filter(
    ({ role }: { role: string }) => role === 'owner',
  )
  const there = { group_id: STRICT, user_id: owner.user_id }
  const refused: [string, object][] = [
    ['set_group_kick', there],
    ['set_group_ban', there],
    ['set_group_whole_ban', there],
    ['set_group_admin', there],
    ['set_group_card', there],
    ['set_group_name', { ...there, group_name: 'x' }],
    ['set_group_special_title', there],
    ['set_group_anonymous', there],
    ['set_group_leave', { ...there, is_dismiss: true }],
    ['set_group_kick', { group_id: GROUP, user_id: 10001 }],
    ['set_group_ban', { group_id: GROUP, user_id: MEMBER, duration: 31 * 86_400 }],
    ['send_group_msg', { group_id: 5, message: 'x' }],
    ['send_private_msg', { user_id: 5, message: 'x' }],
    ['get_group_info', { group_id: 5 }],
    ['get_stranger_info', { user_id: 5 }],
    ['get_msg', { message_id: 5 }],
    ['delete_msg', { message_id: 5 }],
    ['get_forward_msg', { id: '5' }],
    ['set_friend_add_request', { flag: '5' }],
  ]
  for (const [action, params] of refused)
    expect({ action, ...(await at.bot.call(action, params)) }).toMatchObject({
      action,
      status: 'failed',
      retcode: 1200,
    })
  await at.bot.call('set_group_card', { group_id: STRICT, user_id: 10001, card: 'me' })
  expect(await at.bot.next()).toMatchObject({ notice_type: 'group_card', card_new: 'me' })
})

test('[SIM5] what is not understood is refused: 1404, or 1400 with the path; the echo comes back as it was', async () => {
  await using at = await simulated()
  const refused: [frame: string, retcode: number, message: string, echo?: string][] = [
    ['', 1400, 'frame: found text that is not JSON'],
    ['[]', 1400, 'frame: found an array'],
    ['{"action":5,"echo":{"a":1e2}}', 1400, 'action: found a number', '{"a":1e2}'],
    ['{"action":"nope","echo":9007199254740993}', 1404, 'no action named nope', '9007199254740993'],
    ['{"action":"constructor"}', 1404, 'no action named constructor'],
    ['{"action":"nope_async"}', 1404, 'no action named nope_async'],
    ['{"action":"get_msg"}', 1400, 'params.message_id: found nothing, wanted a value'],
    ['{"action":"get_msg","params":{"message_id":"x"}}', 1400, 'params.message_id: found "x", wanted a whole number'],
    ['{"action":"send_msg","params":{"message":"x"}}', 1400, 'params.user_id: found nothing'],
    ['{"action":"send_msg","params":{"message_type":"group","user_id":1,"message":"x"}}', 1400, 'params.group_id'],
    [`{"action":"send_group_msg","params":{"group_id":${GROUP}}}`, 1400, 'params.message: found nothing'],
    [`{"action":"send_group_msg","params":{"group_id":${GROUP},"message":""}}`, 1400, 'params.message: '],
    [`{"action":"send_group_msg","params":{"group_id":${GROUP},"message":[{}]}}`, 1400, 'params.message: '],
    [`{"action":"send_group_msg","params":{"group_id":${GROUP},"message":5}}`, 1400, 'params.message: '],
    ['{"action":"get_forward_msg","params":{}}', 1400, 'params.id: found nothing'],
  ]
  for (const [frame, retcode, why, echo] of refused) {
    at.bot.socket.send(frame)
    const text = await at.bot.frames.take()
    const { status, message: said, ...reply } = JSON.parse(text)
    expect({ frame, status, retcode: reply.retcode }).toEqual({ frame, status: 'failed', retcode })
    expect(said).toStartWith(why)
    expect(text).toEndWith(echo === undefined ? `"wording":${JSON.stringify(said)}}` : `,"echo":${echo}}`)
  }
})

test('[SIM6] messages are taken in both forms, and shown in the form that was chosen', async () => {
  for (const format of ['array', 'string'] as const) {
    await using at = await simulated({ format, reportSelf: true })
    const given: [unknown, boolean, string][] = [
      ['a&amp;[CQ:at,qq=1]', false, 'a&amp;[CQ:at,qq=1]'],
      ['[CQ:at,qq=1]', true, '&#91;CQ:at,qq=1&#93;'],
      [[{ type: 'at', data: { qq: 1 } }], false, '[CQ:at,qq=1]'],
      [{ type: 'text', data: { text: '[' } }, false, '&#91;'],
    ]
    for (const [message, auto_escape, raw_message] of given) {
      const { data } = await at.bot.call('send_group_msg', { group_id: GROUP, message, auto_escape })
      const event = await at.bot.next()
      expect(event).toMatchObject({ post_type: 'message_sent', group_id: GROUP, user_id: 10001, ...data, raw_message })
      expect(typeof event.message === 'string').toBe(format === 'string')
      if (format === 'string') expect(event.message).toBe(raw_message)
    }
  }
})

test('[SIM7] what was said is looked up, listed oldest first, and forgotten once recalled', async () => {
  await using at = await simulated()
  const ids = ['a', 'b', 'c'].map((text) => at.sim.say({ text, group_id: GROUP }).message_id)
  for (const id of ids) expect(await at.bot.next()).toMatchObject({ message_id: id })
  const history = async (params: object) =>
    (await at.bot.call('get_group_msg_history', { group_id: GROUP, ...params })).data.messages.map(
      ({ raw_message }: { raw_message: string }) => raw_message,
    )
  expect(await history({})).toEqual(['a', 'b', 'c'])
  expect(await history({ count: 2, message_seq: 0 })).toEqual(['b', 'c'])
  expect(await history({ count: 2, message_id: ids[1] })).toEqual(['a', 'b'])
  expect(await at.bot.call('delete_msg', { message_id: ids[1] })).toMatchObject({ retcode: 0 })
  await at.bot.next()
  expect(await at.bot.call('get_msg', { message_id: ids[1] })).toMatchObject({ retcode: 1200 })
  expect(await history({})).toEqual(['a', 'c'])
  expect((await at.bot.call('get_group_msg_history', { group_id: STRICT })).data).toEqual({ messages: [] })
})

test('[SIM8] requests are answered once, by their flag, and have their effect', async () => {
  await using at = await simulated()
  const friend = at.sim.ask({ type: 'friend', user_id: 77, comment: 'hello' })
  expect(await at.bot.next()).toEqual({
    time: number,
    self_id: 10001,
    post_type: 'request',
    request_type: 'friend',
    user_id: 77,
    comment: 'hello',
    flag: string,
  })
  await at.bot.call('set_friend_add_request', { flag: friend['flag'], remark: 'seven' })
  expect(await at.bot.next()).toMatchObject({ notice_type: 'friend_add', user_id: 77 })
  expect((await at.bot.call('get_friend_list')).data).toContainEqual({ user_id: 77, nickname: string, remark: 'seven' })
  expect(await at.bot.call('set_friend_add_request', { flag: friend['flag'] })).toMatchObject({ retcode: 1200 })

  const { flag } = at.sim.ask({ type: 'group', group_id: GROUP, user_id: 78 })
  expect(await at.bot.next()).toMatchObject({ request_type: 'group', sub_type: 'add', group_id: GROUP, user_id: 78 })
  expect(await at.bot.call('set_group_add_request', { flag, sub_type: 'invite' })).toMatchObject({ retcode: 1200 })
  await at.bot.call('set_group_add_request', { flag, sub_type: 'add' })
  expect(await at.bot.next()).toMatchObject({
    notice_type: 'group_increase',
    sub_type: 'approve',
    group_id: GROUP,
    user_id: 78,
    operator_id: 10001,
  })
  expect(await at.bot.call('get_group_member_info', { group_id: GROUP, user_id: 78 })).toMatchObject({ retcode: 0 })

  // An injected one is as good.
  const invite = { post_type: 'request', request_type: 'group', sub_type: 'invite', group_id: 555, user_id: FRIEND }
  await at.control('event', { ...invite, flag: 'injected' })
  await at.bot.next()
  await at.bot.call('set_group_add_request', { flag: 'injected', type: 'invite' })
  expect(await at.bot.next()).toMatchObject({ sub_type: 'invite', group_id: 555, user_id: 10001, operator_id: FRIEND })
  expect(await at.bot.call('get_group_info', { group_id: 555 })).toMatchObject({ data: { member_count: 2 } })

  const refused = at.sim.ask({ type: 'friend', user_id: 79 })
  await at.bot.next()
  expect(await at.bot.call('set_friend_add_request', { flag: refused['flag'], approve: false })).toMatchObject({
    retcode: 0,
  })
  expect((await at.bot.call('get_friend_list')).data).toHaveLength(11)
})

test('[SIM9] a quick operation is carried out', async () => {
  await using at = await simulated({ reportSelf: true })
  const context = at.sim.say({ text: 'hello', group_id: GROUP, user_id: MEMBER })
  await at.bot.next()
  const operation = { reply: 'hi', ban: true, ban_duration: 60 }
  expect(await at.bot.call('.handle_quick_operation', { context, operation })).toMatchObject({ retcode: 0 })
  expect(await at.bot.next()).toMatchObject({ post_type: 'message_sent', raw_message: `[CQ:at,qq=${MEMBER}] hi` })
  expect(await at.bot.next()).toMatchObject({ notice_type: 'group_ban', user_id: MEMBER, duration: 60 })
})

test('[SIM10] _async answers at once, _rate_limited like the action itself', async () => {
  await using at = await simulated()
  const say = { group_id: GROUP, message: 'x' }
  expect(await at.bot.call('send_group_msg_async', say)).toEqual({ status: 'async', retcode: 1, data: null })
  expect(await at.bot.call('get_msg_async', { message_id: 1 })).toEqual({ status: 'async', retcode: 1, data: null })
  expect(await at.bot.call('send_group_msg_rate_limited', say)).toMatchObject({
    status: 'ok',
    data: { message_id: number },
  })
  expect((await at.bot.call('get_group_msg_history', { group_id: GROUP })).data.messages).toHaveLength(2)
})
