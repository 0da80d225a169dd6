// OneBot's events as Satori's: a table of what each becomes. What is not in it is `internal`, with the event as it came.

import { type Fields, own } from '../onebot/object.ts'
import { channelOf, groupIn, guildOf, memberOf, messageOf, type Place, said, userOf } from './qq.ts'
import type { Message, Told } from './wire.ts'

type Convert = (event: Fields) => Told

export interface Row {
  /** For the docs: what Satori calls it, where that depends on the event, all of it. */
  readonly becomes: string
  readonly convert: Convert
}

const row = (becomes: string, convert: Convert): Row => ({ becomes, convert })

/** `post_type.detail.sub_type`, or without the `sub_type` where it makes no difference. */
export const EVENTS: Readonly<Record<string, Row>> = {
  'message.group': row('message-created', messageCreated),
  'message.private': row('message-created', messageCreated),
  message_sent: row('message-created', messageCreated),
  'notice.group_recall': row('message-deleted', messageDeleted),
  'notice.friend_recall': row('message-deleted', messageDeleted),
  'notice.group_increase': row('guild-member-added, guild-added', (event) => comingOrGoing('added', event)),
  'notice.group_decrease': row('guild-member-removed, guild-removed', (event) => comingOrGoing('removed', event)),
  'notice.group_dismiss': row('guild-removed', (event) => comingOrGoing('removed', event)),
  'notice.group_msg_emoji_like': row('reaction-added, reaction-removed', (event) =>
    reaction(event, own(event, 'is_add') !== false, firstLike(event)),
  ),
  'notice.reaction': row('reaction-added, reaction-removed', (event) =>
    reaction(event, own(event, 'sub_type') !== 'remove', said(event, 'code')),
  ),
  'request.friend': row('friend-request', (event) => ({
    type: 'friend-request',
    channel: channelOf({ kind: 'private', id: whoIn(event) }),
    user: userOf(whoIn(event)),
    message: requested(event),
  })),
  'request.group.add': row('guild-member-request', (event) => groupRequest('guild-member-request', event)),
  'request.group.invite': row('guild-request', (event) => groupRequest('guild-request', event)),
}

/** How OneBot names the event: the keys of the table, and more of them. */
export function nameOf(event: Fields): string {
  const post = said(event, 'post_type') ?? 'unknown'
  const parts = [post, said(event, `${post}_type`), said(event, 'sub_type')]
  return parts.filter((part) => part !== undefined).join('.')
}

/** Never throws. */
export function told(event: Fields): Told {
  const [post = '', detail = '', sub = ''] = nameOf(event).split('.')
  const known = [`${post}.${detail}.${sub}`, `${post}.${detail}`, post].find((name) => Object.hasOwn(EVENTS, name))
  const told = known === undefined ? undefined : EVENTS[known]?.convert(event)
  return told === undefined || (OF_A_GUILD.test(told.type) && told.guild === undefined) ? internal(event) : told
}

/** Clients refuse these without one. */
const OF_A_GUILD = /^(?:guild|reaction)-/

/** Where it happened, to whom and by whom, as far as it says: who knows that can answer it. */
function internal(event: Fields): Told {
  const [user, operator] = [personIn(event, 'user_id'), personIn(event, 'operator_id')]
  const whose = own(event, 'user_id') === undefined ? operator : user
  // By the account itself: in the conversation with whom it was done to. To the account itself: in none.
  const whom = whose === said(event, 'self_id') ? personIn(event, 'target_id') : whose
  const placed = groupIn(event) !== undefined || whom !== undefined
  return {
    type: 'internal',
    ...(placed ? scene(event, whom) : {}),
    user: whose === undefined ? undefined : userOf(whose),
    operator: operator === undefined ? undefined : userOf(operator),
  }
}

/** Nobody is 0. */
function personIn(event: Fields, key: string): string | undefined {
  const id = said(event, key)
  return id === '0' ? undefined : id
}

const whoIn = (event: Fields) => said(event, 'user_id') ?? '0'

function messageCreated(event: Fields): Told {
  return { type: 'message-created', ...messageOf(event) }
}

/** Where it happened: in the group, or else in the conversation with `whom`. */
function scene(event: Fields, whom: string = whoIn(event)): Pick<Told, 'channel' | 'guild'> {
  const group = groupIn(event)
  const place: Place = group === undefined ? { kind: 'private', id: whom } : { kind: 'group', id: group }
  const name = said(event, 'group_name')
  return { channel: channelOf(place, name), guild: place.kind === 'group' ? guildOf(place.id, name) : undefined }
}

function messageDeleted(event: Fields): Told {
  const operator = said(event, 'operator_id')
  return {
    type: 'message-deleted',
    ...scene(event),
    user: userOf(whoIn(event)),
    operator: operator === undefined ? undefined : userOf(operator),
    message: { id: said(event, 'message_id') ?? '', content: '' },
  }
}

/** What happens to the account itself happens to its guild, and so does the end of a group. */
function comingOrGoing(what: 'added' | 'removed', event: Fields): Told {
  const id = whoIn(event)
  const gone = own(event, 'notice_type') === 'group_dismiss' || own(event, 'sub_type') === 'disband'
  const self = gone || own(event, 'sub_type') === 'kick_me' || id === said(event, 'self_id')
  const operator = personIn(event, 'operator_id')
  const user = userOf(id)
  return {
    type: self ? `guild-${what}` : `guild-member-${what}`,
    ...scene(event),
    user,
    member: memberOf(event, user),
    operator: operator === undefined ? undefined : userOf(operator),
  }
}

/** NapCat and LLBot tell all reactions of one kind of event together; the first is the one that has changed. */
function firstLike(event: Fields): string | undefined {
  const likes = own(event, 'likes')
  return Array.isArray(likes) ? said(likes[0], 'emoji_id') : undefined
}

function reaction(event: Fields, added: boolean, emoji: string | undefined): Told {
  const id = said(event, 'message_id')
  // Clients refuse a reaction that does not say which, or to what.
  if (emoji === undefined || id === undefined) return internal(event)
  const user = userOf(said(event, 'operator_id') ?? whoIn(event))
  return {
    type: added ? 'reaction-added' : 'reaction-removed',
    ...scene(event),
    user,
    operator: user,
    message: { id, content: '' },
    emoji: { id: emoji },
  }
}

/** The message's id is what the approving call wants. */
const requested = (event: Fields): Message => ({
  id: said(event, 'flag') ?? '',
  content: said(event, 'comment') ?? '',
})

function groupRequest(type: string, event: Fields): Told {
  const user = userOf(whoIn(event))
  return { type, ...scene(event), user, member: memberOf(event, user), operator: user, message: requested(event) }
}
