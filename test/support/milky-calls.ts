// Calls of Milky's APIs as the OneBot actions that they came from, and what a story answers as what the API gives.

import type { Action } from './implementation.ts'
import { friend, group, member } from './milky-stage.ts'

type Fields = Readonly<Record<string, unknown>>
interface Segment {
  readonly type: string
  readonly data: Fields
}

/** Those with a name of their own; all others are called the same. */
const ACTIONS: Readonly<Record<string, string>> = {
  get_impl_info: 'get_version_info',
  send_group_message: 'send_group_msg',
  send_private_message: 'send_private_msg',
  get_message: 'get_msg',
  recall_group_message: 'delete_msg',
  recall_private_message: 'delete_msg',
  get_user_profile: 'get_stranger_info',
  set_group_member_mute: 'set_group_ban',
  set_group_whole_mute: 'set_group_whole_ban',
  kick_group_member: 'set_group_kick',
  send_profile_like: 'send_like',
}

export function actionOf(api: string, { message, ...input }: Fields): Action {
  const action = ACTIONS[api] ?? api
  if (message === undefined) return { action, params: input }
  const segments = (message as readonly Segment[]).map(shown)
  // Mere words are told as most stories say them.
  const words = segments.every(({ type }) => type === 'text')
  return { action, params: { ...input, message: words ? segments.map(({ data }) => data['text']).join('') : segments } }
}

const shown = ({ type, data }: Segment): Segment =>
  type === 'mention' ? { type: 'at', data: { qq: String(data['user_id']) } } : { type, data }

let said = 500

/** `data`: in OneBot's form, as far as the story says anything. */
export function outputOf(api: string, data: unknown): Fields {
  const one = (typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {}) as Fields
  const many = (Array.isArray(data) ? data : []) as Fields[]
  switch (api) {
    case 'get_login_info':
      return { uin: one['user_id'], nickname: one['nickname'] ?? '小佩' }
    case 'get_impl_info':
      return {
        impl_name: one['app_name'] ?? 'a test',
        impl_version: one['app_version'] ?? '1',
        ...{ qq_protocol_version: '1', qq_protocol_type: 'linux', milky_version: '1.2' },
      }
    case 'send_group_message':
    case 'send_private_message':
      return { message_seq: Number(one['message_id'] ?? ++said), time: 1_700_000_000 }
    case 'get_friend_list':
      return { friends: many.map((each) => ({ ...friend, ...each })) }
    case 'get_group_list':
      return { groups: many.map((each) => ({ ...group, ...each })) }
    case 'get_group_member_list':
      return { members: many.map((each) => ({ ...member, ...each })) }
    default:
      return {}
  }
}
