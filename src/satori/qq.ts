// QQ's people, groups and messages in Satori's words; what OneBot calls them is read here and nowhere else.

import { type Fields, isObject, own } from '../onebot/object.ts'
import { contentOf } from './content.ts'
import { idText } from './exact.ts'
import type { Channel, Context, Guild, Member, Message, Role, User } from './wire.ts'

export const PLATFORM = 'onebot'

/** What a conversation is, and with whom. `through`: the group by which two strangers know each other. */
export type Place =
  | { readonly kind: 'group'; readonly id: string }
  | { readonly kind: 'private'; readonly id: string; readonly through?: string | undefined }

const PRIVATE = 'private:'
/** As Koishi's own adapter for QQ writes it. */
const TEMPORARY = /^temp:([^_]+)_(.+)$/

/** Undefined: no channel is called so. */
export function placeOf(channelId: string): Place | undefined {
  if (channelId.startsWith(PRIVATE)) {
    const whom = channelId.slice(PRIVATE.length)
    const [, through, id = whom] = TEMPORARY.exec(whom) ?? []
    return isId(id) && (through === undefined || isId(through)) ? { kind: 'private', id, through } : undefined
  }
  return isId(channelId) ? { kind: 'group', id: channelId } : undefined
}

const isId = (text: string) => /^[\w.-]{1,64}$/.test(text)

export function channelOf(place: Place, name?: string): Channel {
  if (place.kind === 'group') return { id: place.id, type: 0, name }
  const { id, through } = place
  return { id: through === undefined ? PRIVATE + id : `${PRIVATE}temp:${through}_${id}`, type: 1, name }
}

export const guildOf = (id: string, name?: string): Guild => ({
  id,
  name,
  avatar: `https://p.qlogo.cn/gh/${id}/${id}/640/`,
})

export const userOf = (id: string, name?: string, nick?: string): User => ({
  id,
  name,
  nick,
  avatar: `https://q1.qlogo.cn/g?b=qq&nk=${id}&s=640`,
})

/** QQ's three roles; there are no others. */
export const ROLES: readonly Role[] = [
  { id: 'owner', name: '群主' },
  { id: 'admin', name: '管理员' },
  { id: 'member', name: '群成员' },
]

export const roleOf = (id: string | undefined): Role | undefined => ROLES.find((role) => role.id === id)

/** What `value` says under `key`, as text; undefined where it says nothing. */
export function said(value: unknown, key: string): string | undefined {
  const text = isObject(value) ? idText(own(value, key)) : undefined
  return text === '' ? undefined : text
}

/** The end of the year 9999: clients in Python refuse an event that has a later date. */
const LAST_SECOND = 253_402_300_799

/** The number of the group that it names; where there is none some say 0. */
export function groupIn(value: unknown): string | undefined {
  const id = said(value, 'group_id')
  return id === '0' ? undefined : id
}

/** Milliseconds, of what OneBot has in seconds. */
export function timeOf(value: unknown, key: string): number | undefined {
  const seconds = Number(said(value, key))
  return seconds > 0 && seconds < LAST_SECOND ? seconds * 1000 : undefined
}

/** Of a member's own entry, or of the sender of a message in a group. */
export function memberOf(person: unknown, user: User): Member {
  const role = roleOf(said(person, 'role'))
  return {
    user,
    name: said(person, 'card') ?? said(person, 'nickname'),
    nick: said(person, 'card') ?? said(person, 'nickname'),
    avatar: user.avatar,
    title: said(person, 'title'),
    joined_at: timeOf(person, 'join_time'),
    roles: role === undefined ? undefined : [role],
  }
}

export interface SaidMessage extends Context {
  readonly message: Message
  readonly channel: Channel
}

/**
 * A message as an event, get_msg or a history tells it. `whereTo`: the conversation it is known to be of; without, it is
 * the one that the message names.
 */
export function messageOf(told: Fields, whereTo?: Place): SaidMessage {
  const sender = own(told, 'sender')
  const anonymous = own(told, 'anonymous')
  const id = said(sender, 'user_id') ?? said(told, 'user_id') ?? '0'
  const name = said(anonymous, 'name') ?? said(sender, 'nickname')
  const user = userOf(id, name)
  const place = whereTo ?? conversation(told, id)
  const inGroup = place.kind === 'group'
  const time = timeOf(told, 'time')
  return {
    message: {
      id: said(told, 'message_id') ?? '',
      content: contentOf(own(told, 'message') ?? own(told, 'content') ?? said(told, 'raw_message')),
      timestamp: time,
      created_at: time,
    },
    // One person's conversation is called like that person, whoever speaks in it.
    channel: channelOf(place, inGroup ? said(told, 'group_name') : place.id === id ? name : undefined),
    guild: inGroup ? guildOf(place.id, said(told, 'group_name')) : undefined,
    user,
    member: inGroup ? memberOf(sender, user) : undefined,
  }
}

/** What we said ourselves stands in the conversation with whom we said it to. */
function conversation(told: Fields, from: string): Place {
  const group = groupIn(told)
  const temporary = own(told, 'sub_type') === 'group'
  if (own(told, 'message_type') === 'group' || (own(told, 'message_type') === undefined && group !== undefined))
    return { kind: 'group', id: group ?? '0' }
  const own_ = from === said(told, 'self_id')
  const id = (own_ ? said(told, 'target_id') : undefined) ?? said(told, 'user_id') ?? from
  const through = temporary ? (group ?? groupIn(own(told, 'sender'))) : undefined
  return { kind: 'private', id, through }
}

/** A message with all that Satori tells along with it outside of events. */
export const wholeMessage = ({ message, channel, guild, user, member }: SaidMessage): Message & Context => ({
  ...message,
  channel,
  guild,
  user,
  member,
})
