// The golden table of calls: what Satori's clients ask, what the implementation is asked for it, and what they get.

const avatar = (id: string) => `https://q1.qlogo.cn/g?b=qq&nk=${id}&s=640`
const user = (id: string, name?: string, nick?: string) => ({
  id,
  ...(name === undefined ? {} : { name }),
  ...(nick === undefined ? {} : { nick }),
  avatar: avatar(id),
})
const guild = (id: string, name?: string) => ({
  id,
  ...(name === undefined ? {} : { name }),
  avatar: `https://p.qlogo.cn/gh/${id}/${id}/640/`,
})
/** Beyond 2^53. */
const G = '9007199254740993'
const U = '9007199254740995'
const M = '-7672696335120716277'

interface Golden {
  method: string
  body: unknown
  /** What the implementation knows, by action; JSON text where ids are long. */
  replies?: Record<string, unknown>
  /** Each action with its params as JSON text, in order. */
  asked: [action: string, params: string][]
  answer: unknown
}

const memberText = `{"group_id":${G},"user_id":${U},"nickname":"n","card":"c","role":"owner","title":"t","join_time":5}`
const member = {
  user: user(U, 'n'),
  name: 'c',
  nick: 'c',
  avatar: avatar(U),
  title: 't',
  joined_at: 5000,
  roles: [{ id: 'owner', name: '群主' }],
}
const whom = `"group_id":${G},"user_id":${U}`

export const GOLDEN: readonly Golden[] = [
  {
    method: 'channel.get',
    body: { channel_id: G },
    replies: { get_group_info: `{"group_id":${G},"group_name":"x"}` },
    asked: [['get_group_info', `{"group_id":${G}}`]],
    answer: { id: G, type: 0, name: 'x' },
  },
  {
    method: 'channel.get',
    body: { channel_id: `private:${U}` },
    replies: { get_stranger_info: `{"user_id":${U},"nickname":"n"}` },
    asked: [['get_stranger_info', `{"user_id":${U}}`]],
    answer: { id: `private:${U}`, type: 1, name: 'n' },
  },
  {
    method: 'channel.list',
    body: { guild_id: G },
    replies: { get_group_info: `{"group_id":${G},"group_name":"x"}` },
    asked: [['get_group_info', `{"group_id":${G}}`]],
    answer: { data: [{ id: G, type: 0, name: 'x' }] },
  },
  {
    method: 'channel.update',
    body: { channel_id: G, data: { name: 'new' } },
    asked: [['set_group_name', `{"group_id":${G},"group_name":"new"}`]],
    answer: {},
  },
  {
    method: 'channel.mute',
    body: { channel_id: G, duration: 0 },
    asked: [['set_group_whole_ban', `{"group_id":${G},"enable":false}`]],
    answer: {},
  },
  {
    method: 'channel.mute',
    body: { channel_id: G, guild_id: G, enable: true },
    asked: [['set_group_whole_ban', `{"group_id":${G},"enable":true}`]],
    answer: {},
  },
  { method: 'user.channel.create', body: { user_id: U }, asked: [], answer: { id: `private:${U}`, type: 1 } },
  {
    method: 'user.channel.create',
    body: { user_id: U, guild_id: G },
    asked: [],
    answer: { id: `private:temp:${G}_${U}`, type: 1 },
  },
  {
    method: 'message.get',
    body: { channel_id: G, message_id: M },
    replies: {
      get_msg: `{"time":5,"message_type":"group","message_id":${M},"group_id":${G},"sender":{"user_id":${U},"nickname":"n"},"message":[{"type":"text","data":{"text":"x"}}]}`,
    },
    asked: [['get_msg', `{"message_id":${M}}`]],
    answer: {
      id: M,
      content: 'x',
      timestamp: 5000,
      created_at: 5000,
      channel: { id: G, type: 0 },
      guild: guild(G),
      user: user(U, 'n'),
      member: { user: user(U, 'n'), name: 'n', nick: 'n', avatar: avatar(U) },
    },
  },
  {
    method: 'message.delete',
    body: { channel_id: G, message_id: M },
    asked: [['delete_msg', `{"message_id":${M}}`]],
    answer: {},
  },
  {
    method: 'guild.get',
    body: { guild_id: G },
    replies: { get_group_info: `{"group_id":${G},"group_name":"x"}` },
    asked: [['get_group_info', `{"group_id":${G}}`]],
    answer: guild(G, 'x'),
  },
  {
    method: 'guild.list',
    body: {},
    replies: { get_group_list: `[{"group_id":${G},"group_name":"x"},{"group_id":7}]` },
    asked: [['get_group_list', '{}']],
    answer: { data: [guild(G, 'x'), guild('7')] },
  },
  {
    method: 'guild.approve',
    body: { message_id: 'f', approve: true },
    asked: [['set_group_add_request', '{"flag":"f","sub_type":"invite","approve":true,"reason":""}']],
    answer: {},
  },
  {
    method: 'guild.member.approve',
    body: { message_id: '1700000000000001', approve: false, comment: 'no' },
    asked: [['set_group_add_request', '{"flag":"1700000000000001","sub_type":"add","approve":false,"reason":"no"}']],
    answer: {},
  },
  {
    method: 'guild.member.get',
    body: { guild_id: G, user_id: U },
    replies: { get_group_member_info: memberText },
    asked: [['get_group_member_info', `{${whom}}`]],
    answer: member,
  },
  {
    method: 'guild.member.list',
    body: { guild_id: G },
    replies: { get_group_member_list: `[${memberText}]` },
    asked: [['get_group_member_list', `{"group_id":${G}}`]],
    answer: { data: [member] },
  },
  {
    method: 'guild.member.kick',
    body: { guild_id: G, user_id: U, permanent: true },
    asked: [['set_group_kick', `{${whom},"reject_add_request":true}`]],
    answer: {},
  },
  {
    method: 'guild.member.mute',
    body: { guild_id: G, user_id: U, duration: 60_500 },
    asked: [['set_group_ban', `{${whom},"duration":61}`]],
    answer: {},
  },
  {
    method: 'guild.member.mute',
    body: { guild_id: G, user_id: U, duration: 0 },
    asked: [['set_group_ban', `{${whom},"duration":0}`]],
    answer: {},
  },
  {
    method: 'guild.member.role.list',
    body: { guild_id: G, user_id: U },
    replies: { get_group_member_info: memberText },
    asked: [['get_group_member_info', `{${whom}}`]],
    answer: { data: [{ id: 'owner', name: '群主' }] },
  },
  {
    method: 'guild.member.role.set',
    body: { guild_id: G, user_id: U, role_id: 'admin' },
    asked: [['set_group_admin', `{${whom},"enable":true}`]],
    answer: {},
  },
  {
    method: 'guild.member.role.unset',
    body: { guild_id: G, user_id: U, role_id: 'admin' },
    asked: [['set_group_admin', `{${whom},"enable":false}`]],
    answer: {},
  },
  {
    method: 'guild.role.list',
    body: { guild_id: G },
    asked: [],
    answer: {
      data: [
        { id: 'owner', name: '群主' },
        { id: 'admin', name: '管理员' },
        { id: 'member', name: '群成员' },
      ],
    },
  },
  {
    method: 'reaction.create',
    body: { channel_id: G, message_id: M, emoji_id: '66' },
    asked: [['set_msg_emoji_like', `{"message_id":${M},"emoji_id":"66","set":true}`]],
    answer: {},
  },
  {
    method: 'reaction.delete',
    body: { channel_id: G, message_id: M, emoji: '66' },
    replies: { set_msg_emoji_like: { status: 'failed', retcode: 404, data: null } },
    asked: [
      ['set_msg_emoji_like', `{"message_id":${M},"emoji_id":"66","set":false}`],
      ['set_group_reaction', `{"group_id":${G},"message_id":${M},"code":"66","is_add":false}`],
    ],
    answer: {},
  },
  {
    method: 'reaction.list',
    body: { channel_id: G, message_id: M, emoji_id: '128516' },
    replies: {
      fetch_emoji_like: `{"emojiLikesList":[{"tinyId":"${U}","nickName":"n"}],"cookie":"c","isLastPage":false}`,
    },
    asked: [['fetch_emoji_like', `{"message_id":${M},"emojiId":"128516","emojiType":"2","count":50,"cookie":""}`]],
    answer: { data: [user(U, 'n')], next: 'c' },
  },
  {
    method: 'friend.list',
    body: { next: null },
    replies: { get_friend_list: `[{"user_id":${U},"nickname":"n","remark":"r"}]` },
    asked: [['get_friend_list', '{}']],
    answer: { data: [{ ...user(U, 'n', 'r'), user: user(U, 'n', 'r') }] },
  },
  {
    method: 'friend.delete',
    body: { user_id: U },
    asked: [['delete_friend', `{"user_id":${U}}`]],
    answer: {},
  },
  {
    method: 'friend.approve',
    body: { message_id: 'u_A|1', approve: true, comment: 'hello' },
    asked: [['set_friend_add_request', '{"flag":"u_A|1","approve":true,"remark":"hello"}']],
    answer: {},
  },
  {
    method: 'user.get',
    body: { user_id: U },
    replies: { get_stranger_info: `{"user_id":${U},"nickname":"n"}` },
    asked: [['get_stranger_info', `{"user_id":${U}}`]],
    answer: user(U, 'n'),
  },
]
