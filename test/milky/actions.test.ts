// Every action that Milky can serve: what it asks, as the makers' schemas want it, and what it makes of the answer.

import { expect, test } from 'bun:test'
import { ALL_ACTIONS } from '../../src/milky/actions.ts'
import { MilkyError } from '../../src/milky/api.ts'
import { Calls } from '../../src/milky/calls.ts'
import { readAction } from '../../src/onebot/frame.ts'
import {
  type Answers,
  APIS,
  conforms,
  FRIEND,
  friend,
  friendMessage,
  GROUP,
  group,
  groupMessage,
  member,
  SELF,
  type Staged,
  staged,
  text,
} from '../support/milky-stage.ts'

interface Golden {
  readonly action: string
  readonly params?: object | ((ids: Ids) => object)
  readonly answers?: Answers
  readonly asks: readonly [api: string, input: object][]
  readonly gives: unknown
  readonly implementation?: string
}

/** Of a message of the group and one of a friend. */
interface Ids {
  readonly inGroup: number
  readonly ofFriend: number
}

const G = { group_id: GROUP }
const M = { group_id: GROUP, user_id: FRIEND }
const shownMember = {
  group_id: GROUP,
  user_id: FRIEND,
  nickname: '小冰',
  card: '名片',
  sex: 'female',
  age: 0,
  area: '',
  join_time: 1600000001,
  last_sent_time: 1700000001,
  level: '7',
  role: 'admin',
  unfriendly: false,
  title: '头衔',
  title_expire_time: 0,
  card_changeable: false,
  shut_up_timestamp: 1800000000,
}
const shownGroup = {
  group_id: GROUP,
  group_name: '测试群',
  group_remark: '备注',
  group_memo: '简介',
  group_create_time: 1600000000,
  group_level: 0,
  member_count: 3,
  max_member_count: 200,
}
const profile = {
  nickname: '小冰',
  qid: 'ice',
  age: 3,
  sex: 'female',
  remark: '',
  bio: '签名',
  level: 9,
  country: '中国',
  city: '上海',
  school: '',
}
const file = {
  group_id: GROUP,
  file_id: '/f',
  file_name: 'a.txt',
  parent_folder_id: '/',
  file_size: 3,
  uploaded_time: 5,
  expire_time: null,
  uploader_id: FRIEND,
  downloaded_times: 2,
}
const folder = {
  group_id: GROUP,
  folder_id: '/d',
  parent_folder_id: '/',
  folder_name: 'd',
  created_time: 6,
  last_modified_time: 7,
  creator_id: FRIEND,
  file_count: 1,
}
const listing = {
  files: [
    {
      group_id: GROUP,
      file_id: '/f',
      file_name: 'a.txt',
      busid: 0,
      file_size: 3,
      upload_time: 5,
      dead_time: 0,
      modify_time: 5,
      download_times: 2,
      uploader: FRIEND,
      uploader_name: '',
    },
  ],
  folders: [
    {
      group_id: GROUP,
      folder_id: '/d',
      folder_name: 'd',
      create_time: 6,
      creator: FRIEND,
      creator_name: '',
      total_file_count: 1,
    },
  ],
}
const sent = { message_seq: 90, time: 1700000000 }
const probe = staged().stage
const sentToGroup = { message_id: probe.idOf({ scene: 'group', peer: GROUP, seq: 90 }) }
const sentToFriend = { message_id: probe.idOf({ scene: 'friend', peer: FRIEND, seq: 90 }) }
const node = { type: 'node', data: { user_id: FRIEND, nickname: 'n', content: 'x' } }
const forward = { messages: [{ user_id: FRIEND, sender_name: 'n', segments: [text('x')] }] }
const forwarded = { message_seq: 0, sender_name: 'n', avatar_url: 'http://x/a', time: 4, segments: [text('x')] }

const GOLDEN: readonly Golden[] = [
  ...(['send_private_msg', 'send_msg'] as const).map((action) => ({
    action,
    params: { user_id: String(FRIEND), message: 'a[CQ:face,id=1]' },
    answers: { send_private_message: sent },
    asks: [
      ['send_private_message', { user_id: FRIEND, message: [text('a'), { type: 'face', data: { face_id: '1' } }] }],
    ] as [string, object][],
    gives: sentToFriend,
  })),
  ...(['send_group_msg', 'send_msg'] as const).map((action) => ({
    action,
    params: { group_id: GROUP, message: 'a[CQ:face,id=1]', auto_escape: true },
    answers: { send_group_message: sent },
    asks: [['send_group_message', { group_id: GROUP, message: [text('a[CQ:face,id=1]')] }]] as [string, object][],
    gives: sentToGroup,
  })),
  {
    action: 'send_group_msg',
    params: { group_id: GROUP, message: [{ type: 'file', data: { file: 'http://x/a.txt' } }] },
    answers: { upload_group_file: { file_id: '/f' } },
    asks: [['upload_group_file', { group_id: GROUP, file_uri: 'http://x/a.txt', file_name: 'a.txt' }]],
    gives: { message_id: 0, file_id: '/f' },
  },
  {
    action: 'send_private_msg',
    params: { user_id: FRIEND, message: [{ type: 'file', data: { file: 'http://x/a.txt', name: 'b' } }, text('a')] },
    answers: { upload_private_file: { file_id: 'f' }, send_private_message: sent },
    asks: [
      ['upload_private_file', { user_id: FRIEND, file_uri: 'http://x/a.txt', file_name: 'b' }],
      ['send_private_message', { user_id: FRIEND, message: [text('a')] }],
    ],
    gives: { ...sentToFriend, file_id: 'f' },
  },
  {
    action: 'send_group_forward_msg',
    params: {
      group_id: GROUP,
      messages: [node],
      source: '标题',
      news: [{ text: '一' }],
      summary: '共',
      prompt: '[记录]',
    },
    answers: { send_group_message: sent },
    asks: [
      [
        'send_group_message',
        {
          group_id: GROUP,
          message: [
            { type: 'forward', data: { ...forward, title: '标题', preview: ['一'], summary: '共', prompt: '[记录]' } },
          ],
        },
      ],
    ],
    gives: { ...sentToGroup, res_id: '', forward_id: '' },
  },
  ...(['send_private_forward_msg', 'send_forward_msg'] as const).map((action) => ({
    action,
    params: { user_id: FRIEND, messages: [node] },
    answers: { send_private_message: sent },
    asks: [['send_private_message', { user_id: FRIEND, message: [{ type: 'forward', data: forward }] }]] as [
      string,
      object,
    ][],
    gives: { ...sentToFriend, res_id: '', forward_id: '' },
  })),
  {
    action: 'delete_msg',
    params: ({ inGroup }) => ({ message_id: inGroup }),
    asks: [['recall_group_message', { group_id: GROUP, message_seq: 77 }]],
    gives: null,
  },
  {
    action: 'delete_msg',
    params: ({ ofFriend }) => ({ message_id: String(ofFriend) }),
    asks: [['recall_private_message', { user_id: FRIEND, message_seq: 78 }]],
    gives: null,
  },
  {
    action: 'get_msg',
    params: ({ inGroup }) => ({ message_id: inGroup }),
    answers: { get_message: { message: groupMessage([text('q')]) } },
    asks: [['get_message', { message_scene: 'group', peer_id: GROUP, message_seq: 77 }]],
    gives: expect.objectContaining({
      message_id: probe.idOf({ scene: 'group', peer: GROUP, seq: 77 }),
      real_id: 77,
      message_type: 'group',
      group_id: GROUP,
      message: [text('q')],
      raw_message: 'q',
      time: 1700000000,
    }),
  },
  {
    action: 'get_group_msg_history',
    params: { group_id: GROUP, count: 2 },
    answers: {
      get_history_messages: { messages: [groupMessage([text('a')], 76), groupMessage([text('b')], 77)] },
    },
    asks: [['get_history_messages', { message_scene: 'group', peer_id: GROUP, limit: 2 }]],
    gives: {
      messages: [expect.objectContaining({ message_seq: 76 }), expect.objectContaining({ message_seq: 77 })],
    },
  },
  {
    action: 'get_friend_msg_history',
    params: ({ ofFriend }) => ({ user_id: FRIEND, message_seq: ofFriend, count: 40 }),
    answers: {
      get_history_messages: ({ start_message_seq: start }: { start_message_seq: number }) =>
        start === 78
          ? { messages: [friendMessage([], 77), friendMessage([], 78)], next_message_seq: 76 }
          : { messages: [friendMessage([], 76)], next_message_seq: null },
    },
    asks: [
      ['get_history_messages', { message_scene: 'friend', peer_id: FRIEND, limit: 30, start_message_seq: 78 }],
      ['get_history_messages', { message_scene: 'friend', peer_id: FRIEND, limit: 30, start_message_seq: 76 }],
    ],
    gives: { messages: [76, 77, 78].map((seq) => expect.objectContaining({ message_seq: seq })) },
  },
  {
    action: 'get_forward_msg',
    params: { id: 'fw' },
    answers: { get_forwarded_messages: { messages: [forwarded] } },
    asks: [['get_forwarded_messages', { forward_id: 'fw' }]],
    gives: {
      messages: [
        {
          time: 4,
          message_type: 'group',
          user_id: 0,
          sender: { user_id: 0, nickname: 'n', avatar: 'http://x/a' },
          message: [text('x')],
          message_format: 'array',
          content: [text('x')],
          raw_message: 'x',
        },
      ],
      message: [{ type: 'node', data: { user_id: 0, nickname: 'n', time: 4, content: [text('x')] } }],
    },
  },
  {
    action: 'get_forward_msg',
    params: ({ inGroup }) => ({ message_id: inGroup }),
    answers: {
      get_message: {
        message: groupMessage([{ type: 'forward', data: { forward_id: 'fw', title: '', preview: [], summary: '' } }]),
      },
      get_forwarded_messages: { messages: [] },
    },
    asks: [
      ['get_message', { message_scene: 'group', peer_id: GROUP, message_seq: 77 }],
      ['get_forwarded_messages', { forward_id: 'fw' }],
    ],
    gives: { messages: [], message: [] },
  },
  {
    action: 'mark_msg_as_read',
    params: ({ inGroup }) => ({ message_id: inGroup }),
    asks: [['mark_message_as_read', { message_scene: 'group', peer_id: GROUP, message_seq: 77 }]],
    gives: null,
  },
  {
    action: 'mark_group_msg_as_read',
    params: { group_id: GROUP },
    answers: { get_history_messages: { messages: [groupMessage([], 81)] } },
    asks: [
      ['get_history_messages', { message_scene: 'group', peer_id: GROUP, limit: 1 }],
      ['mark_message_as_read', { message_scene: 'group', peer_id: GROUP, message_seq: 81 }],
    ],
    gives: null,
  },
  {
    action: 'mark_private_msg_as_read',
    params: ({ ofFriend }) => ({ message_id: ofFriend }),
    asks: [['mark_message_as_read', { message_scene: 'friend', peer_id: FRIEND, message_seq: 78 }]],
    gives: null,
  },
  ...(
    [
      ['66', 'face'],
      ['128516', 'emoji'],
    ] as const
  ).map(([emoji_id, reaction_type]) => ({
    action: 'set_msg_emoji_like',
    params: ({ inGroup }: Ids) => ({ message_id: inGroup, emoji_id, set: 'false' }),
    asks: [
      [
        'send_group_message_reaction',
        { group_id: GROUP, message_seq: 77, reaction: emoji_id, reaction_type, is_add: false },
      ],
    ] as [string, object][],
    gives: { result: 0, errMsg: '' },
  })),
  {
    action: 'set_essence_msg',
    params: ({ inGroup }) => ({ message_id: inGroup }),
    asks: [['set_group_essence_message', { group_id: GROUP, message_seq: 77, is_set: true }]],
    gives: null,
  },
  {
    action: 'delete_essence_msg',
    params: ({ inGroup }) => ({ message_id: inGroup }),
    asks: [['set_group_essence_message', { group_id: GROUP, message_seq: 77, is_set: false }]],
    gives: null,
  },
  {
    action: 'get_essence_msg_list',
    params: G,
    answers: {
      get_group_essence_messages: ({ page_index }: { page_index: number }) => ({
        messages: [
          {
            group_id: GROUP,
            message_seq: 77,
            message_time: 1,
            sender_id: FRIEND,
            sender_name: 'n',
            operator_id: SELF,
            operator_name: 'o',
            operation_time: 2,
            segments: [text('e')],
          },
        ],
        is_end: page_index === 1,
      }),
    },
    asks: [0, 1].map((page_index) => ['get_group_essence_messages', { group_id: GROUP, page_index, page_size: 50 }]),
    gives: [0, 1].map(() => ({
      message_id: probe.idOf({ scene: 'group', peer: GROUP, seq: 77 }),
      message_seq: 77,
      sender_id: FRIEND,
      sender_nick: 'n',
      sender_time: 1,
      operator_id: SELF,
      operator_nick: 'o',
      operator_time: 2,
      content: [text('e')],
    })),
  },
  ...(['get_image', 'get_record'] as const).map((action) => ({
    action,
    params: { file: 'res-1' },
    answers: { get_resource_temp_url: { url: 'http://x/1' } },
    asks: [['get_resource_temp_url', { resource_id: 'res-1' }]] as [string, object][],
    gives: { file: 'http://x/1', url: 'http://x/1', file_name: 'res-1' },
  })),
  { action: 'can_send_image', asks: [], gives: { yes: true } },
  { action: 'can_send_record', asks: [], gives: { yes: true } },

  {
    action: 'get_friend_list',
    answers: { get_friend_list: { friends: [friend] } },
    asks: [['get_friend_list', { no_cache: false }]],
    gives: [
      {
        user_id: FRIEND,
        nickname: '小冰',
        remark: '冰',
        sex: 'female',
        qid: 'ice',
        age: 0,
        area: '',
        category_id: 1,
        category_name: '好友',
      },
    ],
  },
  {
    action: 'get_stranger_info',
    params: { user_id: FRIEND },
    answers: { get_user_profile: profile },
    asks: [['get_user_profile', { user_id: FRIEND }]],
    gives: {
      user_id: FRIEND,
      nickname: '小冰',
      sex: 'female',
      age: 3,
      qid: 'ice',
      level: 9,
      remark: '',
      long_nick: '签名',
      country: '中国',
      city: '上海',
      school: '',
    },
  },
  {
    action: 'send_like',
    params: { user_id: FRIEND, times: 5 },
    asks: [['send_profile_like', { user_id: FRIEND, count: 5 }]],
    gives: null,
  },
  {
    action: 'friend_poke',
    params: { user_id: FRIEND },
    asks: [['send_friend_nudge', { user_id: FRIEND, is_self: false }]],
    gives: null,
  },
  { action: 'group_poke', params: M, asks: [['send_group_nudge', M]], gives: null },
  { action: 'send_poke', params: M, asks: [['send_group_nudge', M]], gives: null },
  {
    action: 'send_poke',
    params: { user_id: FRIEND, target_id: SELF },
    asks: [['send_friend_nudge', { user_id: FRIEND, is_self: true }]],
    gives: null,
  },
  {
    action: 'delete_friend',
    params: { friend_id: FRIEND },
    asks: [['delete_friend', { user_id: FRIEND }]],
    gives: null,
  },
  {
    action: 'set_friend_add_request',
    params: { flag: 'f|u_1|0' },
    asks: [['accept_friend_request', { initiator_uid: 'u_1', is_filtered: false }]],
    gives: null,
  },
  {
    action: 'set_friend_add_request',
    params: { flag: 'f|u_1|1', approve: false, reason: '不' },
    asks: [['reject_friend_request', { initiator_uid: 'u_1', is_filtered: true, reason: '不' }]],
    gives: null,
  },
  {
    action: 'set_doubt_friends_add_request',
    params: { flag: 'f|u_1|1', approve: true },
    asks: [['accept_friend_request', { initiator_uid: 'u_1', is_filtered: true }]],
    gives: null,
  },
  {
    action: 'get_doubt_friends_add_request',
    params: { count: 3 },
    answers: {
      get_friend_requests: {
        requests: [
          {
            time: 5,
            initiator_id: FRIEND,
            initiator_uid: 'u_1',
            target_user_id: SELF,
            target_user_uid: 'u_0',
            state: 'pending',
            comment: '加',
            via: '群',
            is_filtered: true,
          },
        ],
      },
    },
    asks: [['get_friend_requests', { limit: 3, is_filtered: true }]],
    gives: [
      {
        flag: 'f|u_1|1',
        uin: String(FRIEND),
        nick: '',
        source: '群',
        msg: '加',
        time: '5',
        state: 'pending',
        type: 'doubt',
      },
    ],
  },

  {
    action: 'get_group_list',
    params: { no_cache: true },
    answers: { get_group_list: { groups: [group] } },
    asks: [['get_group_list', { no_cache: true }]],
    gives: [shownGroup],
  },
  {
    action: 'get_group_info',
    params: G,
    answers: { get_group_info: { group } },
    asks: [['get_group_info', { ...G, no_cache: false }]],
    gives: shownGroup,
  },
  {
    action: 'get_group_member_list',
    params: G,
    answers: { get_group_member_list: { members: [member] } },
    asks: [['get_group_member_list', { ...G, no_cache: false }]],
    gives: [shownMember],
  },
  {
    action: 'get_group_member_info',
    params: M,
    answers: { get_group_member_info: { member } },
    asks: [['get_group_member_info', { ...M, no_cache: false }]],
    gives: shownMember,
  },
  {
    action: 'set_group_kick',
    params: { ...M, reject_add_request: true },
    asks: [['kick_group_member', { ...M, reject_add_request: true }]],
    gives: null,
  },
  {
    action: 'set_group_kick',
    implementation: 'Lagrange.Milky',
    params: M,
    answers: { kick_group_member: new MilkyError(1200, 'no'), get_group_member_info: new MilkyError(1200, 'gone') },
    asks: [
      ['kick_group_member', { ...M, reject_add_request: false }],
      ['get_group_member_info', { ...M, no_cache: true }],
    ],
    gives: null,
  },
  { action: 'set_group_ban', params: M, asks: [['set_group_member_mute', { ...M, duration: 1800 }]], gives: null },
  {
    action: 'set_group_ban',
    params: { ...M, duration: 0 },
    asks: [['set_group_member_mute', { ...M, duration: 0 }]],
    gives: null,
  },
  {
    action: 'set_group_whole_ban',
    params: { ...G, enable: 'false' },
    asks: [['set_group_whole_mute', { ...G, is_mute: false }]],
    gives: null,
  },
  { action: 'set_group_admin', params: M, asks: [['set_group_member_admin', { ...M, is_set: true }]], gives: null },
  {
    action: 'set_group_card',
    params: { ...M, card: '' },
    asks: [['set_group_member_card', { ...M, card: '' }]],
    gives: null,
  },
  {
    action: 'set_group_name',
    params: { ...G, group_name: '新' },
    asks: [['set_group_name', { ...G, new_group_name: '新' }]],
    gives: null,
  },
  {
    action: 'set_group_special_title',
    params: { ...M, special_title: '头' },
    asks: [['set_group_member_special_title', { ...M, special_title: '头' }]],
    gives: null,
  },
  { action: 'set_group_leave', params: { ...G, is_dismiss: true }, asks: [['quit_group', G]], gives: null },
  {
    action: 'set_group_portrait',
    params: { ...G, file: '/a.png' },
    asks: [['set_group_avatar', { ...G, image_uri: 'file:///a.png' }]],
    gives: null,
  },
  {
    action: 'set_group_add_request',
    params: { flag: `j|${GROUP}|9|1`, sub_type: 'add' },
    asks: [
      ['accept_group_request', { ...G, notification_seq: 9, notification_type: 'join_request', is_filtered: true }],
    ],
    gives: null,
  },
  {
    action: 'set_group_add_request',
    params: { flag: `i|${GROUP}|9`, approve: false, reason: '满' },
    asks: [
      [
        'reject_group_request',
        { ...G, notification_seq: 9, notification_type: 'invited_join_request', is_filtered: false, reason: '满' },
      ],
    ],
    gives: null,
  },
  ...([true, false] as const).map((approve) => ({
    action: 'set_group_add_request',
    params: { flag: `v|${GROUP}|9`, approve },
    asks: [[approve ? 'accept_group_invitation' : 'reject_group_invitation', { ...G, invitation_seq: 9 }]] as [
      string,
      object,
    ][],
    gives: null,
  })),
  {
    action: 'get_group_system_msg',
    params: { count: 5 },
    answers: {
      get_group_notifications: ({ is_filtered }: { is_filtered: boolean }) => ({
        notifications: is_filtered
          ? []
          : [
              { type: 'quit', ...G, notification_seq: 8, target_user_id: FRIEND },
              {
                type: 'join_request',
                ...G,
                notification_seq: 9,
                is_filtered: false,
                initiator_id: FRIEND,
                state: 'pending',
                operator_id: null,
                comment: '进',
              },
              {
                type: 'invited_join_request',
                ...G,
                notification_seq: 10,
                initiator_id: SELF,
                target_user_id: FRIEND,
                state: 'accepted',
                operator_id: SELF,
              },
            ],
      }),
    },
    asks: [false, true].map((is_filtered) => ['get_group_notifications', { is_filtered, limit: 5 }]),
    gives: {
      invited_requests: [],
      join_requests: [
        {
          request_id: 9,
          flag: `j|${GROUP}|9|0`,
          requester_uin: FRIEND,
          requester_nick: '',
          message: '进',
          group_id: GROUP,
          group_name: '',
          checked: false,
          actor: 0,
        },
        {
          request_id: 10,
          flag: `i|${GROUP}|10`,
          requester_uin: FRIEND,
          requester_nick: '',
          invitor_uin: SELF,
          message: '',
          group_id: GROUP,
          group_name: '',
          checked: true,
          actor: SELF,
        },
      ],
    },
  },
  {
    action: '_send_group_notice',
    params: { ...G, content: '公告', image: 'base64://AA' },
    asks: [['send_group_announcement', { ...G, content: '公告', image_uri: 'base64://AA' }]],
    gives: null,
  },
  {
    action: '_get_group_notice',
    params: G,
    answers: {
      get_group_announcements: {
        announcements: [
          { ...G, announcement_id: 'n', user_id: FRIEND, time: 5, content: '公告', image_url: 'http://x/i' },
          { ...G, announcement_id: 'm', user_id: FRIEND, time: 5, content: '二', image_url: null },
        ],
      },
    },
    asks: [['get_group_announcements', G]],
    gives: [
      {
        notice_id: 'n',
        sender_id: FRIEND,
        publish_time: 5,
        message: { text: '公告', images: [{ id: '', url: 'http://x/i', height: '', width: '' }] },
      },
      { notice_id: 'm', sender_id: FRIEND, publish_time: 5, message: { text: '二', images: [] } },
    ],
  },
  {
    action: '_del_group_notice',
    params: { ...G, notice_id: 'n' },
    asks: [['delete_group_announcement', { ...G, announcement_id: 'n' }]],
    gives: null,
  },

  {
    action: 'upload_group_file',
    params: { ...G, file: '/a.txt', name: 'b.txt', folder: '/d' },
    answers: { upload_group_file: { file_id: '/f' } },
    asks: [['upload_group_file', { ...G, parent_folder_id: '/d', file_uri: 'file:///a.txt', file_name: 'b.txt' }]],
    gives: { file_id: '/f' },
  },
  {
    action: 'upload_private_file',
    params: { user_id: FRIEND, file: 'http://x/a.txt' },
    answers: { upload_private_file: { file_id: 'f' } },
    asks: [['upload_private_file', { user_id: FRIEND, file_uri: 'http://x/a.txt', file_name: 'a.txt' }]],
    gives: { file_id: 'f' },
  },
  {
    action: 'get_group_root_files',
    params: G,
    answers: { get_group_files: { files: [file], folders: [folder] } },
    asks: [['get_group_files', { ...G, parent_folder_id: '/' }]],
    gives: listing,
  },
  {
    action: 'get_group_files_by_folder',
    params: { ...G, folder_id: '/d' },
    answers: { get_group_files: { files: [file], folders: [folder] } },
    asks: [['get_group_files', { ...G, parent_folder_id: '/d' }]],
    gives: listing,
  },
  {
    action: 'get_group_file_url',
    params: { ...G, file_id: '/f', busid: 102 },
    answers: { get_group_file_download_url: { download_url: 'http://x/f' } },
    asks: [['get_group_file_download_url', { ...G, file_id: '/f' }]],
    gives: { url: 'http://x/f' },
  },
  {
    action: 'get_private_file_url',
    params: { user_id: FRIEND, file_id: 'f', file_hash: 'h' },
    answers: { get_private_file_download_url: { download_url: 'http://x/f' } },
    asks: [['get_private_file_download_url', { user_id: FRIEND, file_id: 'f', file_hash: 'h' }]],
    gives: { url: 'http://x/f' },
  },
  {
    action: 'get_file',
    params: { file_id: 'res-1' },
    answers: { get_resource_temp_url: { url: 'http://x/1' } },
    asks: [['get_resource_temp_url', { resource_id: 'res-1' }]],
    gives: { file: 'http://x/1', url: 'http://x/1', file_name: '' },
  },
  {
    action: 'get_file',
    params: { ...G, file_id: '/f' },
    answers: { get_group_file_download_url: { download_url: 'http://x/f' } },
    asks: [['get_group_file_download_url', { ...G, file_id: '/f' }]],
    gives: { file: 'http://x/f', url: 'http://x/f', file_name: '' },
  },
  {
    action: 'delete_group_file',
    params: { ...G, file_id: '/f' },
    asks: [['delete_group_file', { ...G, file_id: '/f' }]],
    gives: null,
  },
  {
    action: 'move_group_file',
    params: { ...G, file_id: '/f', target_parent_directory: '/d' },
    asks: [['move_group_file', { ...G, file_id: '/f', parent_folder_id: '/', target_folder_id: '/d' }]],
    gives: null,
  },
  {
    action: 'rename_group_file',
    params: { ...G, file_id: '/f', current_parent_directory: '/d', new_name: 'c' },
    asks: [['rename_group_file', { ...G, file_id: '/f', parent_folder_id: '/d', new_file_name: 'c' }]],
    gives: null,
  },
  {
    action: 'create_group_file_folder',
    params: { ...G, name: 'd' },
    answers: { create_group_folder: { folder_id: '/d' } },
    asks: [['create_group_folder', { ...G, folder_name: 'd' }]],
    gives: { folder_id: '/d' },
  },
  {
    action: 'rename_group_file_folder',
    params: { ...G, folder_id: '/d', new_folder_name: 'e' },
    asks: [['rename_group_folder', { ...G, folder_id: '/d', new_folder_name: 'e' }]],
    gives: null,
  },
  {
    action: 'delete_group_folder',
    params: { ...G, folder_id: '/d' },
    asks: [['delete_group_folder', { ...G, folder_id: '/d' }]],
    gives: null,
  },

  {
    action: 'get_login_info',
    answers: { get_login_info: { uin: SELF, nickname: '小佩' } },
    asks: [['get_login_info', {}]],
    gives: { user_id: SELF, nickname: '小佩' },
  },
  {
    action: 'get_version_info',
    answers: {
      get_impl_info: {
        impl_name: 'LLBot',
        impl_version: '7.0',
        qq_protocol_version: '9.9',
        qq_protocol_type: 'linux',
        milky_version: '1.2',
      },
    },
    asks: [['get_impl_info', {}]],
    gives: {
      app_name: 'LLBot',
      app_version: '7.0',
      protocol_version: 'v11',
      app_full_name: 'LLBot 7.0',
      nt_protocol: 'linux 9.9',
      milky_version: '1.2',
    },
  },
  { action: 'get_status', asks: [['get_login_info', {}]], gives: { online: true, good: true } },
  {
    action: 'clean_cache',
    asks: [
      ['get_friend_list', { no_cache: true }],
      ['get_group_list', { no_cache: true }],
    ],
    gives: null,
  },
  {
    action: 'get_cookies',
    params: { domain: 'qzone.qq.com' },
    answers: { get_cookies: { cookies: 'a=1' } },
    asks: [['get_cookies', { domain: 'qzone.qq.com' }]],
    gives: { cookies: 'a=1' },
  },
  {
    action: 'get_csrf_token',
    answers: { get_csrf_token: { csrf_token: '123' } },
    asks: [['get_csrf_token', {}]],
    gives: { token: 123 },
  },
  {
    action: 'get_credentials',
    answers: { get_cookies: { cookies: 'a=1' }, get_csrf_token: { csrf_token: '123' } },
    asks: [
      ['get_cookies', { domain: 'qun.qq.com' }],
      ['get_csrf_token', {}],
    ],
    gives: { cookies: 'a=1', csrf_token: 123, token: 123 },
  },
  {
    action: 'set_qq_avatar',
    params: { file: 'base64://AA' },
    asks: [['set_avatar', { uri: 'base64://AA' }]],
    gives: null,
  },
  {
    action: 'set_qq_profile',
    params: { nickname: '新', personal_note: '签' },
    asks: [
      ['set_nickname', { new_nickname: '新' }],
      ['set_bio', { new_bio: '签' }],
    ],
    gives: { result: 0, errMsg: '' },
  },
  { action: 'set_self_longnick', params: { longNick: '签' }, asks: [['set_bio', { new_bio: '签' }]], gives: null },
  {
    action: 'fetch_custom_face',
    answers: { get_custom_face_url_list: { urls: ['http://x/1'] } },
    asks: [['get_custom_face_url_list', {}]],
    gives: ['http://x/1'],
  },
]

/** With one message of the group and one of a friend. */
function ready(answers?: Answers, implementation?: string): Staged & { ids: Ids } {
  const bed = staged(answers, implementation)
  const ids = {
    inGroup: bed.stage.idOf({ scene: 'group', peer: GROUP, seq: 77 }),
    ofFriend: bed.stage.idOf({ scene: 'friend', peer: FRIEND, seq: 78 }),
  }
  return { ...bed, ids }
}

async function call(bed: Staged, action: string, params: object = {}): Promise<Record<string, unknown>> {
  const frame = readAction(JSON.stringify({ action, params, echo: 'e' }))
  if (frame.kind === 'bad') throw new Error(frame.message)
  const reply = Promise.withResolvers<string>()
  const odd = (_action: string, error: unknown) => reply.reject(error)
  new Calls({ stage: bed.stage, reply: reply.resolve, odd }).take(frame)
  return JSON.parse(await reply.promise)
}

for (const [index, golden] of GOLDEN.entries())
  test(`[MLA1] ${golden.action}, case ${index + 1}`, async () => {
    const { action, params = {}, answers, asks, gives, implementation } = golden
    for (const [api, answer] of Object.entries(answers ?? {})) {
      const schema = APIS[api]?.responseSchema
      if (schema && typeof answer !== 'function' && !(answer instanceof MilkyError)) conforms(schema, answer, api)
    }
    const bed = ready(answers, implementation)
    const reply = await call(bed, action, typeof params === 'function' ? params(bed.ids) : params)
    expect(reply).toEqual({ status: 'ok', retcode: 0, data: gives, echo: 'e' })
    expect(bed.asked).toEqual(asks.map(([api, input]) => ({ api, input })))
  })

test('[MLA2] every action has its golden case, and says truly which APIs it asks', () => {
  const actions = [...ALL_ACTIONS]
  const golden = new Set(GOLDEN.map(({ action }) => action))
  expect(actions.map(([name]) => name).filter((name) => !golden.has(name))).toEqual([])
  for (const [name, { apis }] of actions) {
    const asked = GOLDEN.filter(({ action }) => action === name).flatMap(({ asks }) => asks.map(([api]) => api))
    expect([name, asked.filter((api) => !(apis as readonly string[]).includes(api))]).toEqual([name, []])
    for (const api of apis) expect(APIS).toHaveProperty(api)
  }
})

/** What OneBot has no action for. */
const WITHOUT_ACTION = ['get_friend_info', 'get_peer_pins', 'set_peer_pin']

test('[MLA2] every API of Milky serves an action, but for those that OneBot has none for', () => {
  const served = new Set([...ALL_ACTIONS].flatMap(([, { apis }]) => apis as readonly string[]))
  expect(Object.keys(APIS).filter((api) => !served.has(api))).toEqual(WITHOUT_ACTION)
})

test('[MLA3] an action that Milky has nothing for is 1404, and says so', async () => {
  for (const action of ['set_group_sign', 'get_group_honor_info', 'ocr_image', 'made_up', 'toString', '__proto__'])
    expect(await call(staged(), action)).toMatchObject({
      status: 'failed',
      retcode: 1404,
      message: `action ${action}: Milky has nothing that does this`,
    })
})

test('[MLA4] params are read as clients write them, and a wrong one is named', async () => {
  const wrong: [string, object, RegExp][] = [
    ['send_group_msg', { group_id: 'x', message: 'a' }, /params\.group_id: found "x"/],
    ['send_group_msg', { group_id: GROUP }, /params\.message: found nothing/],
    ['send_group_msg', { group_id: GROUP, message: [] }, /params\.message/],
    ['send_group_forward_msg', { group_id: GROUP, messages: [text('a')] }, /node/],
    ['set_group_ban', { ...M, duration: -1 }, /params\.duration/],
    ['set_group_whole_ban', { ...G, enable: 'maybe' }, /params\.enable/],
    ['set_friend_add_request', { flag: 'x' }, /flag of a friend request/],
    ['set_friend_add_request', { flag: 'f||0' }, /did not tell whose/],
    ['set_group_add_request', { flag: 'f|u|0' }, /flag of a group request/],
    ['set_qq_profile', {}, /params\.nickname/],
    ['get_private_file_url', { user_id: FRIEND, file_id: 'never seen' }, /file_hash/],
    ['get_msg', {}, /params\.message_id/],
  ]
  for (const [action, params, words] of wrong) {
    const reply = await call(staged(), action, params)
    expect([action, reply['retcode'], reply['message']]).toEqual([action, 1400, expect.stringMatching(words)])
  }
})

test('[MLA5] what was said before and is known no more is 1404; what is of another kind is refused', async () => {
  const bed = ready()
  for (const action of ['get_msg', 'delete_msg', 'set_essence_msg', 'set_msg_emoji_like', 'mark_msg_as_read'])
    expect(await call(bed, action, { message_id: 4_242, emoji_id: '1' })).toMatchObject({ retcode: 1404 })
  expect(await call(bed, 'set_essence_msg', { message_id: bed.ids.ofFriend })).toMatchObject({ retcode: 1400 })
})

test('[MLA6] the hash of a private file that went by is found again', async () => {
  const bed = ready({ get_private_file_download_url: { download_url: 'http://x' } })
  bed.stage.keepFile('f', 'hash')
  await call(bed, 'get_private_file_url', { user_id: FRIEND, file_id: 'f' })
  expect(bed.asked).toEqual([
    { api: 'get_private_file_download_url', input: { user_id: FRIEND, file_id: 'f', file_hash: 'hash' } },
  ])
})

test('[MLA7] Lagrange kicks and says that it failed, or the other way round: who is still there decides', async () => {
  const there = ready({ get_group_member_info: { member } }, 'Lagrange.Milky')
  expect(await call(there, 'set_group_kick', M)).toMatchObject({ retcode: 1200 })
  const lost = ready({ kick_group_member: new MilkyError(1503, 'away') }, 'Lagrange.Milky')
  expect(await call(lost, 'set_group_kick', M)).toMatchObject({ retcode: 1503, message: 'away' })
})

test('[MLA7] Lagrange would set what is to be taken away: it is not asked', async () => {
  const bed = ready({}, 'Lagrange.Milky')
  expect(await call(bed, 'delete_essence_msg', { message_id: bed.ids.inGroup })).toMatchObject({ retcode: 1404 })
  expect(bed.asked).toEqual([])
})

test('[MLA8] an answer that is not as promised is a failed reply, and told', async () => {
  const odd: string[] = []
  const bed = staged({ get_group_info: { group: null } })
  const frame = readAction(JSON.stringify({ action: 'get_group_info', params: G }))
  const reply = Promise.withResolvers<string>()
  if (frame.kind === 'action')
    new Calls({ stage: bed.stage, reply: reply.resolve, odd: (action) => void odd.push(action) }).take(frame)
  expect(JSON.parse(await reply.promise)).toMatchObject({ status: 'failed', retcode: 1200 })
  expect(odd).toEqual(['get_group_info'])
  for (const [action] of ALL_ACTIONS) {
    const lists = await call(staged(), action, { ...M, message_id: 1 }).catch(() => ({ status: 'failed' }))
    expect(['ok', 'failed']).toContain(String(lists['status']))
  }
})

test('[MLA9] what is said to one goes up in order, however long each takes; others do not wait for it', async () => {
  const gates = new Map<string, PromiseWithResolvers<object>>()
  const bed = staged()
  const order: string[] = []
  const wait = (key: string) => {
    order.push(key)
    const gate = Promise.withResolvers<object>()
    gates.set(key, gate)
    return gate.promise
  }
  Object.assign(bed.stage, {
    call: (_api: string, { group_id, message }: { group_id: number; message: { data: { text: string } }[] }) =>
      wait(`${group_id} ${message[0]?.data.text}`),
  })
  const replies: unknown[] = []
  const calls = new Calls({ stage: bed.stage, reply: (raw) => void replies.push(JSON.parse(raw).echo), odd: () => {} })
  const say = (group_id: number, words: string) => {
    const frame = readAction(
      JSON.stringify({ action: 'send_group_msg', params: { group_id, message: words }, echo: words }),
    )
    if (frame.kind === 'action') calls.take(frame)
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  say(1, 'a')
  say(1, 'b')
  say(2, 'c')
  await settled()
  expect(order).toEqual(['1 a', '2 c'])
  gates.get('1 a')?.reject(new MilkyError(1200, 'no'))
  await settled()
  expect(order).toEqual(['1 a', '2 c', '1 b'])
  gates.get('1 b')?.resolve(sent)
  gates.get('2 c')?.resolve(sent)
  await settled()
  expect(replies.toSorted()).toEqual(['a', 'b', 'c'])
})
