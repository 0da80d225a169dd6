// Every event of Milky as OneBot has it, its makers' own schema as the judge of what goes in.

import { expect, test } from 'bun:test'
import { Event } from '@saltify/milky-types'
import fc from 'fast-check'
import { EVENT_TYPES, eventOf, toldBy } from '../../src/milky/events.ts'
import {
  conforms,
  FRIEND,
  friendMessage,
  GROUP,
  group,
  groupMessage,
  SELF,
  staged,
  text,
} from '../support/milky-stage.ts'

const OTHER = 3000000001
const it = staged()
const idOf = (scene: 'friend' | 'group' | 'temp', peer: number, seq: number) => it.stage.idOf({ scene, peer, seq })

function turned(event_type: string, data: object): Record<string, unknown> {
  const event = { event_type, time: 1700000009, self_id: SELF, data }
  const told = toldBy(JSON.parse(JSON.stringify(event)), 0)
  if (told === undefined) throw new Error('no event')
  return JSON.parse(JSON.stringify(eventOf(told, it.stage)))
}

const nudge = { display_action: '戳了戳', display_suffix: '的头', display_action_img_url: 'http://x/y.png' }
const gesture = { action: '戳了戳', suffix: '的头', action_img_url: 'http://x/y.png' }
const sender = { user_id: FRIEND, nickname: '小冰', sex: 'female', age: 0 }
const inGroup = { ...sender, card: '名片', area: '', level: '7', role: 'admin', title: '头衔' }

const GOLDEN: readonly [type: string, data: object, event: object][] = [
  [
    'bot_offline',
    { reason: 'kicked' },
    { post_type: 'notice', notice_type: 'bot_offline', user_id: SELF, tag: 'BotOfflineEvent', message: 'kicked' },
  ],
  [
    'message_receive',
    groupMessage([text('你好')]),
    {
      time: 1700000000,
      post_type: 'message',
      message_type: 'group',
      sub_type: 'normal',
      message_id: idOf('group', GROUP, 77),
      real_id: 77,
      message_seq: 77,
      group_id: GROUP,
      user_id: FRIEND,
      anonymous: null,
      message: [text('你好')],
      message_format: 'array',
      raw_message: '你好',
      font: 0,
      sender: inGroup,
    },
  ],
  [
    'message_receive',
    groupMessage([text('我')], 79, SELF),
    {
      time: 1700000000,
      post_type: 'message_sent',
      message_type: 'group',
      sub_type: 'normal',
      message_id: idOf('group', GROUP, 79),
      real_id: 79,
      message_seq: 79,
      group_id: GROUP,
      user_id: SELF,
      anonymous: null,
      message: [text('我')],
      message_format: 'array',
      raw_message: '我',
      font: 0,
      sender: { ...inGroup, user_id: SELF },
    },
  ],
  [
    'message_receive',
    friendMessage([text('你好')]),
    {
      time: 1700000000,
      post_type: 'message',
      message_type: 'private',
      sub_type: 'friend',
      message_id: idOf('friend', FRIEND, 78),
      real_id: 78,
      message_seq: 78,
      user_id: FRIEND,
      message: [text('你好')],
      message_format: 'array',
      raw_message: '你好',
      font: 0,
      sender: { ...sender, card: '冰' },
    },
  ],
  [
    'message_receive',
    friendMessage([text('我')], 80, SELF),
    {
      time: 1700000000,
      post_type: 'message_sent',
      message_type: 'private',
      sub_type: 'friend',
      message_id: idOf('friend', FRIEND, 80),
      real_id: 80,
      message_seq: 80,
      user_id: SELF,
      target_id: FRIEND,
      message: [text('我')],
      message_format: 'array',
      raw_message: '我',
      font: 0,
      sender: { user_id: SELF, nickname: '小佩', sex: 'unknown', age: 0 },
    },
  ],
  [
    'message_receive',
    {
      message_scene: 'temp',
      peer_id: OTHER,
      message_seq: 5,
      sender_id: OTHER,
      time: 1700000000,
      segments: [text('hi')],
      group,
    },
    {
      time: 1700000000,
      post_type: 'message',
      message_type: 'private',
      sub_type: 'group',
      message_id: idOf('temp', OTHER, 5),
      real_id: 5,
      message_seq: 5,
      user_id: OTHER,
      message: [text('hi')],
      message_format: 'array',
      raw_message: 'hi',
      font: 0,
      sender: { user_id: OTHER, nickname: '', sex: 'unknown', age: 0, group_id: GROUP },
    },
  ],
  [
    'message_recall',
    {
      message_scene: 'group',
      peer_id: GROUP,
      message_seq: 77,
      sender_id: FRIEND,
      operator_id: OTHER,
      display_suffix: '',
    },
    {
      post_type: 'notice',
      notice_type: 'group_recall',
      group_id: GROUP,
      user_id: FRIEND,
      operator_id: OTHER,
      message_id: idOf('group', GROUP, 77),
    },
  ],
  [
    'message_recall',
    {
      message_scene: 'friend',
      peer_id: FRIEND,
      message_seq: 78,
      sender_id: FRIEND,
      operator_id: FRIEND,
      display_suffix: '',
    },
    {
      post_type: 'notice',
      notice_type: 'friend_recall',
      user_id: FRIEND,
      operator_id: FRIEND,
      message_id: idOf('friend', FRIEND, 78),
    },
  ],
  [
    'peer_pin_change',
    { message_scene: 'group', peer_id: GROUP, is_pinned: true },
    {
      post_type: 'notice',
      notice_type: 'milky',
      sub_type: 'peer_pin_change',
      data: { message_scene: 'group', peer_id: GROUP, is_pinned: true },
    },
  ],
  [
    'friend_request',
    { initiator_id: OTHER, initiator_uid: 'u_1', comment: '加我', via: '群' },
    {
      post_type: 'request',
      request_type: 'friend',
      user_id: OTHER,
      comment: '加我',
      via: '群',
      flag: 'f|u_1|0',
    },
  ],
  [
    'group_join_request',
    { group_id: GROUP, notification_seq: 9, is_filtered: true, initiator_id: OTHER, comment: '让我进' },
    {
      post_type: 'request',
      request_type: 'group',
      sub_type: 'add',
      group_id: GROUP,
      user_id: OTHER,
      comment: '让我进',
      flag: `j|${GROUP}|9|1`,
    },
  ],
  [
    'group_invited_join_request',
    { group_id: GROUP, notification_seq: 9, initiator_id: FRIEND, target_user_id: OTHER },
    {
      post_type: 'request',
      request_type: 'group',
      sub_type: 'add',
      group_id: GROUP,
      user_id: OTHER,
      invitor_id: FRIEND,
      comment: '',
      flag: `i|${GROUP}|9`,
    },
  ],
  [
    'group_invited_join_request',
    { group_id: GROUP, notification_seq: 9, initiator_id: FRIEND, target_user_id: SELF },
    {
      post_type: 'request',
      request_type: 'group',
      sub_type: 'invite',
      group_id: GROUP,
      user_id: FRIEND,
      comment: '',
      flag: `v|${GROUP}|9`,
    },
  ],
  [
    'group_invitation',
    { group_id: GROUP, invitation_seq: 9, initiator_id: FRIEND, source_group_id: null },
    {
      post_type: 'request',
      request_type: 'group',
      sub_type: 'invite',
      group_id: GROUP,
      user_id: FRIEND,
      comment: '',
      flag: `v|${GROUP}|9`,
    },
  ],
  [
    'friend_nudge',
    { user_id: FRIEND, is_self_send: false, is_self_receive: true, ...nudge },
    {
      post_type: 'notice',
      notice_type: 'notify',
      sub_type: 'poke',
      user_id: FRIEND,
      sender_id: FRIEND,
      target_id: SELF,
      ...gesture,
    },
  ],
  [
    'friend_nudge',
    { user_id: FRIEND, is_self_send: true, is_self_receive: false, ...nudge },
    {
      post_type: 'notice',
      notice_type: 'notify',
      sub_type: 'poke',
      user_id: SELF,
      sender_id: SELF,
      target_id: FRIEND,
      ...gesture,
    },
  ],
  [
    'friend_file_upload',
    { user_id: FRIEND, file_id: 'f1', file_name: 'a.txt', file_size: 3, file_hash: 'abc', is_self: false },
    {
      post_type: 'notice',
      notice_type: 'offline_file',
      user_id: FRIEND,
      file: { id: 'f1', name: 'a.txt', size: 3, url: '', hash: 'abc' },
    },
  ],
  [
    'group_admin_change',
    { group_id: GROUP, user_id: FRIEND, operator_id: OTHER, is_set: true },
    {
      post_type: 'notice',
      notice_type: 'group_admin',
      sub_type: 'set',
      group_id: GROUP,
      user_id: FRIEND,
      operator_id: OTHER,
    },
  ],
  [
    'group_essence_message_change',
    { group_id: GROUP, message_seq: 77, operator_id: OTHER, is_set: false },
    {
      post_type: 'notice',
      notice_type: 'essence',
      sub_type: 'delete',
      group_id: GROUP,
      message_id: idOf('group', GROUP, 77),
      sender_id: 0,
      user_id: 0,
      operator_id: OTHER,
    },
  ],
  [
    'group_member_increase',
    { group_id: GROUP, user_id: OTHER, operator_id: FRIEND },
    {
      post_type: 'notice',
      notice_type: 'group_increase',
      sub_type: 'approve',
      group_id: GROUP,
      user_id: OTHER,
      operator_id: FRIEND,
    },
  ],
  [
    'group_member_increase',
    { group_id: GROUP, user_id: OTHER, operator_id: null, invitor_id: FRIEND },
    {
      post_type: 'notice',
      notice_type: 'group_increase',
      sub_type: 'invite',
      group_id: GROUP,
      user_id: OTHER,
      operator_id: FRIEND,
    },
  ],
  ...(
    [
      [{ user_id: OTHER }, { sub_type: 'leave', user_id: OTHER, operator_id: OTHER }],
      [
        { user_id: OTHER, operator_id: FRIEND },
        { sub_type: 'kick', user_id: OTHER, operator_id: FRIEND },
      ],
      [
        { user_id: SELF, operator_id: FRIEND },
        { sub_type: 'kick_me', user_id: SELF, operator_id: FRIEND },
      ],
    ] as const
  ).map(([data, event]): [string, object, object] => [
    'group_member_decrease',
    { group_id: GROUP, ...data },
    { post_type: 'notice', notice_type: 'group_decrease', group_id: GROUP, ...event },
  ]),
  [
    'group_name_change',
    { group_id: GROUP, new_group_name: '新名', operator_id: OTHER },
    {
      post_type: 'notice',
      notice_type: 'notify',
      sub_type: 'group_name',
      group_id: GROUP,
      user_id: OTHER,
      name_new: '新名',
    },
  ],
  [
    'group_message_reaction',
    { group_id: GROUP, user_id: OTHER, message_seq: 77, face_id: '66', reaction_type: 'face', is_add: true },
    {
      post_type: 'notice',
      notice_type: 'group_msg_emoji_like',
      group_id: GROUP,
      user_id: OTHER,
      message_id: idOf('group', GROUP, 77),
      likes: [{ emoji_id: '66', count: 1 }],
      is_add: true,
    },
  ],
  [
    'group_mute',
    { group_id: GROUP, user_id: OTHER, operator_id: FRIEND, duration: 60 },
    {
      post_type: 'notice',
      notice_type: 'group_ban',
      sub_type: 'ban',
      group_id: GROUP,
      user_id: OTHER,
      operator_id: FRIEND,
      duration: 60,
    },
  ],
  [
    'group_mute',
    { group_id: GROUP, user_id: OTHER, operator_id: FRIEND, duration: 0 },
    {
      post_type: 'notice',
      notice_type: 'group_ban',
      sub_type: 'lift_ban',
      group_id: GROUP,
      user_id: OTHER,
      operator_id: FRIEND,
      duration: 0,
    },
  ],
  [
    'group_whole_mute',
    { group_id: GROUP, operator_id: FRIEND, is_mute: true },
    {
      post_type: 'notice',
      notice_type: 'group_ban',
      sub_type: 'ban',
      group_id: GROUP,
      user_id: 0,
      operator_id: FRIEND,
      duration: -1,
    },
  ],
  [
    'group_nudge',
    { group_id: GROUP, sender_id: FRIEND, receiver_id: SELF, ...nudge },
    {
      post_type: 'notice',
      notice_type: 'notify',
      sub_type: 'poke',
      group_id: GROUP,
      user_id: FRIEND,
      target_id: SELF,
      ...gesture,
    },
  ],
  [
    'group_file_upload',
    { group_id: GROUP, user_id: FRIEND, file_id: '/f', file_name: 'a.txt', file_size: 3 },
    {
      post_type: 'notice',
      notice_type: 'group_upload',
      group_id: GROUP,
      user_id: FRIEND,
      file: { id: '/f', name: 'a.txt', size: 3, busid: 0 },
    },
  ],
]

for (const [index, [type, data, event]] of GOLDEN.entries())
  test(`[MLK1] ${type}, case ${index + 1}`, () => {
    conforms(Event, { event_type: type, time: 1, self_id: SELF, data }, type)
    expect(turned(type, data)).toEqual({ time: 1700000009, self_id: SELF, ...event })
  })

test('[MLK1] a friend that uploads leaves the hash of the file behind', () => {
  expect(it.stage.fileHash('f1')).toBe('abc')
})

test('[MLK2] every kind that Milky has is in the table, and every kind of the table has its golden case', () => {
  const kinds = Event.options.map(({ shape }) => shape.event_type.value as string)
  expect(kinds.filter((kind) => !EVENT_TYPES.has(kind))).toEqual([])
  const golden = new Set(GOLDEN.map(([type]) => type))
  expect([...EVENT_TYPES].filter((kind) => !golden.has(kind))).toEqual(['group_disband'])
})

test('[MLK3] a kind that nobody knows passes as a notice with its name and data', () => {
  expect(turned('group_party', { group_id: GROUP, cake: ['a', 1] })).toEqual({
    time: 1700000009,
    self_id: SELF,
    post_type: 'notice',
    notice_type: 'milky',
    sub_type: 'group_party',
    data: { group_id: GROUP, cake: ['a', 1] },
  })
  expect(turned('toString', {})).toMatchObject({ notice_type: 'milky', sub_type: 'toString' })
})

test('[MLK3] group_disband is known, though it is newer than the schema', () => {
  expect(turned('group_disband', { group_id: GROUP, operator_id: FRIEND })).toMatchObject({
    notice_type: 'group_dismiss',
    group_id: GROUP,
    operator_id: FRIEND,
  })
})

test('[MLK4] whatever is missing of an event, it is told, never thrown and never lost', () => {
  const cases = fc.constantFrom(...GOLDEN)
  const junk = fc.oneof(fc.constant(null), fc.string(), fc.double(), fc.constant([]), fc.constant({ a: 1 }))
  fc.assert(
    fc.property(cases, fc.array(fc.tuple(fc.nat(20), junk), { maxLength: 3 }), ([type, data], holes) => {
      const broken: Record<string, unknown> = { ...data }
      const keys = Object.keys(broken)
      for (const [at, value] of holes) if (keys.length > 0) broken[keys[at % keys.length] ?? ''] = value
      const event = turned(type, broken)
      expect(event['post_type']).toBeString()
      expect(event['self_id']).toBe(SELF)
    }),
    { numRuns: 2_000 },
  )
})

test('[MLK10] what is told of an event beside its text is what its text says', () => {
  const junk = fc.oneof(
    fc.constant(undefined),
    fc.json().map((text) => JSON.parse(text)),
  )
  fc.assert(
    fc.property(fc.constantFrom(...GOLDEN), fc.nat(20), junk, ([event_type, data], at, value) => {
      const broken: Record<string, unknown> = { ...data }
      const keys = Object.keys(broken)
      if (value !== undefined && keys.length > 0) broken[keys[at % keys.length] ?? ''] = value
      const event = eventOf({ event_type, time: 1, self_id: SELF, data: broken }, it.stage)
      const read = JSON.parse(JSON.stringify(event))
      // What is undefined is not in the text, and answers no question put to what is told.
      expect(event).toEqual(read)
      expect(Object.keys(read).every((key) => Object.hasOwn(event, key))).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('[MLK4] what is no event at all is told from one', () => {
  for (const value of [undefined, null, 1, [], {}, { event_type: 'x' }, { event_type: 1, self_id: 1 }])
    expect(toldBy(value, 0)).toBeUndefined()
  expect(toldBy({ event_type: 'x', self_id: 10001 }, 5_000)).toEqual({
    event_type: 'x',
    self_id: 10001,
    time: 5,
    data: {},
  })
})
