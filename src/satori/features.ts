// What Satori's methods come to on QQ: which are served, which QQ has not, which are left to do; the docs show this table.

export type State = 'served' | 'lacking' | 'undone'

interface Method {
  readonly state: State
  /** For the docs: the actions it becomes, or why it does not. */
  readonly by: string
}

const served = (by: string): Method => ({ state: 'served', by })
const lacking = (by: string): Method => ({ state: 'lacking', by })
const undone = (by: string): Method => ({ state: 'undone', by })

export const METHODS = {
  'channel.get': served('get_group_info, get_stranger_info'),
  'channel.list': served('get_group_info'),
  'channel.create': lacking('a group on QQ is one channel'),
  'channel.update': served('set_group_name'),
  'channel.delete': lacking('a group on QQ is one channel'),
  'channel.mute': served('set_group_whole_ban'),
  'user.channel.create': served('nothing is asked'),
  'message.create': served(
    'send_group_msg, send_private_msg, send_group_forward_msg, send_private_forward_msg, upload_group_file, upload_private_file',
  ),
  'message.get': served('get_msg'),
  'message.delete': served('delete_msg'),
  'message.update': lacking('messages on QQ cannot be changed'),
  'message.list': served('get_group_msg_history, get_friend_msg_history'),
  'guild.get': served('get_group_info'),
  'guild.list': served('get_group_list'),
  'guild.approve': served('set_group_add_request'),
  'guild.member.get': served('get_group_member_info'),
  'guild.member.list': served('get_group_member_list'),
  'guild.member.kick': served('set_group_kick'),
  'guild.member.mute': served('set_group_ban'),
  'guild.member.approve': served('set_group_add_request'),
  'guild.member.role.list': served('get_group_member_info'),
  'guild.member.role.set': served('set_group_admin'),
  'guild.member.role.unset': served('set_group_admin'),
  'guild.role.list': served('nothing is asked'),
  'guild.role.create': lacking('the roles of QQ are fixed: owner, admin, member'),
  'guild.role.update': lacking('the roles of QQ are fixed: owner, admin, member'),
  'guild.role.delete': lacking('the roles of QQ are fixed: owner, admin, member'),
  'reaction.create': served('set_msg_emoji_like, set_group_reaction'),
  'reaction.delete': served('set_msg_emoji_like, set_group_reaction'),
  'reaction.clear': undone('an account can take back its own reactions, one by one: reaction.delete'),
  'reaction.list': served('fetch_emoji_like'),
  'friend.list': served('get_friend_list'),
  'friend.delete': served('delete_friend'),
  'friend.approve': served('set_friend_add_request'),
  'user.get': served('get_stranger_info'),
  'login.get': served('get_login_info'),
  'upload.create': served('nothing is asked'),
} as const satisfies Record<string, Method>

/** The methods that work. */
export const FEATURES: readonly string[] = Object.entries(METHODS)
  .filter(([, { state }]) => state === 'served')
  .map(([name]) => name)
