// What makes the replies to which reads out of date: a table of what implementations tell, and of what clients do.

import { isRead } from '../onebot/action.ts'
import { type Fields, own } from '../onebot/object.ts'

/** The names of the reads whose replies may be others now; where we do not know, everything. */
export type Change = RegExp | 'everything' | 'nothing'

export const outdated = (action: string, change: Change): boolean =>
  change === 'everything' || (change !== 'nothing' && change.test(action))

const GROUPS = /group/
const MESSAGES = /msg|histor|recent|unread|essence/
/** A message that comes changes no other one. */
const STREAM_OF_MESSAGES = /histor|recent|unread|remain/
const FRIENDS = /friend|stranger|categor|unidirectional/
const FILES = /file|folder/
const REQUESTS = /system_msg|request|doubt/

/** By notice_type; `notify` by its sub_type. */
const NOTICES: Readonly<Record<string, Change>> = {
  group_increase: GROUPS,
  group_decrease: GROUPS,
  group_admin: GROUPS,
  group_ban: GROUPS,
  group_card: GROUPS,
  group_name: GROUPS,
  group_upload: FILES,
  group_recall: MESSAGES,
  friend_recall: MESSAGES,
  group_msg_emoji_like: /msg|histor|emoji/,
  reaction: /msg|histor|emoji/,
  essence: /essence|msg/,
  friend_add: FRIENDS,
  title: GROUPS,
  honor: /honor|member/,
  profile_like: /like|profile/,
  client_status: /client|device/,
  poke: 'nothing',
  lucky_king: 'nothing',
  input_status: 'nothing',
  offline_file: 'nothing',
}

/** What an event of the implementation's says has changed. */
export function toldBy(event: Fields): Change {
  const post = own(event, 'post_type')
  if (post === 'message' || post === 'message_sent') return STREAM_OF_MESSAGES
  if (post === 'request') return REQUESTS
  if (post !== 'notice') return 'nothing'
  const type = own(event, 'notice_type')
  const name = type === 'notify' ? own(event, 'sub_type') : type
  return typeof name === 'string' && Object.hasOwn(NOTICES, name) ? (NOTICES[name] ?? 'everything') : 'everything'
}

/** The first that fits counts. */
const WRITES: readonly (readonly [RegExp, Change])[] = [
  [/^_?send_.*(?:notice|announcement)/, GROUPS],
  [/^send_(?:like|poke)|_poke$/, /like|profile/],
  [/^_?(?:send_|forward_|mark_)/, STREAM_OF_MESSAGES],
  [/^(?:delete_msg|recall_.*)$/, MESSAGES],
  [/essence/, /essence|msg/],
  [/emoji/, /msg|histor|emoji/],
  [/_file|folder/, FILES],
  [/add_request$/, /group|friend|stranger|system_msg|request|doubt/],
  [/group/, GROUPS],
  [/friend/, FRIENDS],
]

/** What a write may have changed. */
export function writtenBy(action: string): Change {
  if (isRead(action)) return 'nothing'
  return WRITES.find(([name]) => name.test(action))?.[1] ?? 'everything'
}
