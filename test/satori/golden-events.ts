// The golden table of events: what an implementation says, and what Satori's clients get.

const avatar = (id: string) => `https://q1.qlogo.cn/g?b=qq&nk=${id}&s=640`
const user = (id: string, name?: string) => ({ id, ...(name === undefined ? {} : { name }), avatar: avatar(id) })
const guild = (id: string, name?: string) => ({
  id,
  ...(name === undefined ? {} : { name }),
  avatar: `https://p.qlogo.cn/gh/${id}/${id}/640/`,
})
const channel = (id: string, name?: string) => ({ id, type: 0, ...(name === undefined ? {} : { name }) })
const direct = (id: string, name?: string) => ({ id, type: 1, ...(name === undefined ? {} : { name }) })

const head = { time: 1_763_870_400, self_id: 10001 }
const at = { timestamp: 1_763_870_400_000, created_at: 1_763_870_400_000 }

interface Golden {
  /** The row of the table that it is about. */
  name: string
  event: Record<string, unknown>
  /** Without what every event has. */
  wanted: Record<string, unknown>
}

const sender = { user_id: 5, nickname: '小冰', card: '冰', role: 'admin', title: 'T' }
const member = (id: string) => ({ user: user(id), avatar: avatar(id) })
const inGroup = { channel: channel('7'), guild: guild('7') }

export const GOLDEN: readonly Golden[] = [
  {
    name: 'message.group',
    event: {
      ...head,
      post_type: 'message',
      message_type: 'group',
      sub_type: 'normal',
      message_id: -9,
      group_id: 7,
      group_name: 'G',
      user_id: 5,
      message: [{ type: 'text', data: { text: 'a<b' } }],
      raw_message: 'a<b',
      sender,
    },
    wanted: {
      type: 'message-created',
      message: { id: '-9', content: 'a&lt;b', ...at },
      channel: channel('7', 'G'),
      guild: guild('7', 'G'),
      user: user('5', '小冰'),
      member: {
        user: user('5', '小冰'),
        name: '冰',
        nick: '冰',
        avatar: avatar('5'),
        title: 'T',
        roles: [{ id: 'admin', name: '管理员' }],
      },
    },
  },
  {
    name: 'message.group',
    event: {
      ...head,
      post_type: 'message',
      message_type: 'group',
      sub_type: 'anonymous',
      message_id: 9,
      group_id: 7,
      user_id: 80000000,
      anonymous: { id: 1, name: 'nobody', flag: 'f' },
      message: '[CQ:at,qq=all] x',
    },
    wanted: {
      type: 'message-created',
      message: { id: '9', content: '<at type="all"/> x', ...at },
      ...inGroup,
      user: user('80000000', 'nobody'),
      member: { user: user('80000000', 'nobody'), avatar: avatar('80000000') },
    },
  },
  {
    name: 'message.private',
    event: {
      ...head,
      post_type: 'message',
      message_type: 'private',
      sub_type: 'friend',
      message_id: 1,
      user_id: 5,
      message: 'hi',
      sender: { user_id: 5, nickname: 'n' },
    },
    wanted: {
      type: 'message-created',
      message: { id: '1', content: 'hi', ...at },
      channel: direct('private:5', 'n'),
      user: user('5', 'n'),
    },
  },
  {
    name: 'message.private',
    event: {
      ...head,
      post_type: 'message',
      message_type: 'private',
      sub_type: 'group',
      message_id: 1,
      user_id: 5,
      message: 'hi',
      sender: { user_id: 5, nickname: 'n', group_id: 7 },
    },
    wanted: {
      type: 'message-created',
      message: { id: '1', content: 'hi', ...at },
      channel: direct('private:temp:7_5', 'n'),
      user: user('5', 'n'),
    },
  },
  {
    name: 'message_sent',
    event: {
      ...head,
      post_type: 'message_sent',
      message_type: 'private',
      message_id: 2,
      user_id: 10001,
      target_id: 5,
      message: 'mine',
      sender: { user_id: 10001, nickname: 'bot' },
    },
    wanted: {
      type: 'message-created',
      message: { id: '2', content: 'mine', ...at },
      channel: direct('private:5'),
      user: user('10001', 'bot'),
    },
  },
  {
    name: 'notice.group_recall',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_recall',
      group_id: 7,
      user_id: 5,
      operator_id: 6,
      message_id: -9,
    },
    wanted: {
      type: 'message-deleted',
      ...inGroup,
      user: user('5'),
      operator: user('6'),
      message: { id: '-9', content: '' },
    },
  },
  {
    name: 'notice.friend_recall',
    event: { ...head, post_type: 'notice', notice_type: 'friend_recall', user_id: 5, message_id: 3 },
    wanted: {
      type: 'message-deleted',
      channel: direct('private:5'),
      user: user('5'),
      message: { id: '3', content: '' },
    },
  },
  {
    name: 'notice.group_increase',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_increase',
      sub_type: 'approve',
      group_id: 7,
      user_id: 5,
      operator_id: 6,
    },
    wanted: { type: 'guild-member-added', ...inGroup, user: user('5'), member: member('5'), operator: user('6') },
  },
  {
    name: 'notice.group_increase',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_increase',
      sub_type: 'invite',
      group_id: 7,
      user_id: 10001,
      operator_id: 0,
    },
    wanted: { type: 'guild-added', ...inGroup, user: user('10001'), member: member('10001') },
  },
  {
    name: 'notice.group_decrease',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_decrease',
      sub_type: 'kick',
      group_id: 7,
      user_id: 5,
      operator_id: 6,
    },
    wanted: { type: 'guild-member-removed', ...inGroup, user: user('5'), member: member('5'), operator: user('6') },
  },
  {
    name: 'notice.group_decrease',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_decrease',
      sub_type: 'kick_me',
      group_id: 7,
      user_id: 10001,
      operator_id: 6,
    },
    wanted: { type: 'guild-removed', ...inGroup, user: user('10001'), member: member('10001'), operator: user('6') },
  },
  {
    name: 'notice.group_decrease',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_decrease',
      sub_type: 'disband',
      group_id: 7,
      user_id: 5,
      operator_id: 6,
    },
    wanted: { type: 'guild-removed', ...inGroup, user: user('5'), member: member('5'), operator: user('6') },
  },
  {
    name: 'notice.group_dismiss',
    event: { ...head, post_type: 'notice', notice_type: 'group_dismiss', group_id: 7, user_id: 6, operator_id: 6 },
    wanted: { type: 'guild-removed', ...inGroup, user: user('6'), member: member('6'), operator: user('6') },
  },
  {
    name: 'notice.group_msg_emoji_like',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_msg_emoji_like',
      group_id: 7,
      user_id: 5,
      message_id: 3,
      likes: [{ emoji_id: '66', count: 1 }],
      is_add: true,
    },
    wanted: {
      type: 'reaction-added',
      ...inGroup,
      user: user('5'),
      operator: user('5'),
      message: { id: '3', content: '' },
      emoji: { id: '66' },
    },
  },
  {
    name: 'notice.group_msg_emoji_like',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'group_msg_emoji_like',
      group_id: 7,
      user_id: 5,
      message_id: 3,
      likes: [{ emoji_id: '66', count: 0 }],
      is_add: false,
    },
    wanted: {
      type: 'reaction-removed',
      ...inGroup,
      user: user('5'),
      operator: user('5'),
      message: { id: '3', content: '' },
      emoji: { id: '66' },
    },
  },
  {
    name: 'notice.reaction',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'reaction',
      sub_type: 'add',
      group_id: 7,
      operator_id: 5,
      message_id: 3,
      code: '128516',
      count: 2,
    },
    wanted: {
      type: 'reaction-added',
      ...inGroup,
      user: user('5'),
      operator: user('5'),
      message: { id: '3', content: '' },
      emoji: { id: '128516' },
    },
  },
  {
    name: 'notice.reaction',
    event: {
      ...head,
      post_type: 'notice',
      notice_type: 'reaction',
      sub_type: 'remove',
      group_id: 7,
      operator_id: 5,
      message_id: 3,
      code: '76',
      count: 0,
    },
    wanted: {
      type: 'reaction-removed',
      ...inGroup,
      user: user('5'),
      operator: user('5'),
      message: { id: '3', content: '' },
      emoji: { id: '76' },
    },
  },
  {
    name: 'request.friend',
    event: { ...head, post_type: 'request', request_type: 'friend', user_id: 5, comment: '你好', flag: 'u_A|1' },
    wanted: {
      type: 'friend-request',
      channel: direct('private:5'),
      user: user('5'),
      message: { id: 'u_A|1', content: '你好' },
    },
  },
  {
    name: 'request.group.add',
    event: {
      ...head,
      post_type: 'request',
      request_type: 'group',
      sub_type: 'add',
      group_id: 7,
      user_id: 5,
      comment: 'let me',
      flag: 'f1',
    },
    wanted: {
      type: 'guild-member-request',
      ...inGroup,
      user: user('5'),
      member: member('5'),
      operator: user('5'),
      message: { id: 'f1', content: 'let me' },
    },
  },
  {
    name: 'request.group.invite',
    event: {
      ...head,
      post_type: 'request',
      request_type: 'group',
      sub_type: 'invite',
      group_id: 7,
      user_id: 5,
      comment: '',
      flag: 'f2',
    },
    wanted: {
      type: 'guild-request',
      ...inGroup,
      user: user('5'),
      member: member('5'),
      operator: user('5'),
      message: { id: 'f2', content: '' },
    },
  },
]
