// What happens in the simulated QQ, told as Milky tells it.

import { type Fields, isObject, own } from '../onebot/object.ts'
import { messageEntity, type Sight } from './milky-shapes.ts'

export interface MilkyEvent {
  readonly event_type: string
  readonly time: number
  readonly self_id: number
  readonly data: Fields
}

export interface Teller extends Sight {
  /** A number under which the request with this flag is found again. */
  requestSeq(flag: string): number
}

type Told = Pick<MilkyEvent, 'event_type' | 'data'>
type Tell = (event: Fields, it: Teller) => Told | undefined

const told = (event_type: string, data: Fields): Told => ({ event_type, data })
const picked = (event: Fields, ...keys: string[]) => Object.fromEntries(keys.map((key) => [key, own(event, key)]))

const NOTICES: Readonly<Record<string, Tell>> = {
  group_recall: (event, it) => recalled(event, 'group', Number(event['group_id']), it),
  friend_recall: (event, it) => recalled(event, 'friend', Number(event['user_id']), it),
  group_increase: (event) =>
    told('group_member_increase', {
      ...picked(event, 'group_id', 'user_id'),
      ...(event['sub_type'] === 'invite'
        ? { invitor_id: event['operator_id'] }
        : { operator_id: event['operator_id'] }),
    }),
  group_decrease: (event) =>
    told('group_member_decrease', {
      ...picked(event, 'group_id', 'user_id'),
      operator_id: event['sub_type'] === 'leave' ? null : event['operator_id'],
    }),
  group_admin: (event, { world }) =>
    told('group_admin_change', {
      ...picked(event, 'group_id', 'user_id'),
      operator_id: world.self.user_id,
      is_set: event['sub_type'] === 'set',
    }),
  group_ban: (event) =>
    event['user_id'] === 0
      ? told('group_whole_mute', { ...picked(event, 'group_id', 'operator_id'), is_mute: event['sub_type'] === 'ban' })
      : told('group_mute', picked(event, 'group_id', 'user_id', 'operator_id', 'duration')),
}

const REQUESTS: Readonly<Record<string, Tell>> = {
  // The flag is as good a name as any: whoever accepts gives it back.
  friend: (event) =>
    told('friend_request', {
      initiator_id: event['user_id'],
      initiator_uid: event['flag'],
      comment: event['comment'],
      via: '',
    }),
  group: (event, it) => {
    const seq = it.requestSeq(String(event['flag']))
    const about = { group_id: event['group_id'], initiator_id: event['user_id'] }
    return event['sub_type'] === 'invite'
      ? told('group_invitation', { ...about, invitation_seq: seq })
      : told('group_join_request', { ...about, notification_seq: seq, is_filtered: false, comment: event['comment'] })
  },
}

/** Undefined: Milky has no such event. What is in Milky's form already stays as it is. */
export function milkyEvent(event: unknown, it: Teller): MilkyEvent | undefined {
  if (!isObject(event)) return undefined
  const tell = teller(event)
  const found = tell?.(event, it)
  return found && { ...found, time: Number(event['time']), self_id: it.world.self.user_id }
}

function teller(event: Fields): Tell | undefined {
  const of = (tells: Readonly<Record<string, Tell>>, key: unknown) =>
    typeof key === 'string' && Object.hasOwn(tells, key) ? tells[key] : undefined
  switch (event['post_type']) {
    case 'message':
    case 'message_sent':
      return said
    case 'notice':
      return of(NOTICES, event['notice_type'])
    case 'request':
      return of(REQUESTS, event['request_type'])
    default:
      return undefined
  }
}

function said(event: Fields, it: Teller): Told | undefined {
  const message = it.messages.find(Number(event['message_id']))
  return message && told('message_receive', messageEntity(message, it))
}

function recalled(event: Fields, message_scene: string, peer_id: number, { world }: Teller): Told {
  return told('message_recall', {
    message_scene,
    peer_id,
    message_seq: event['message_id'],
    sender_id: event['user_id'],
    operator_id: event['operator_id'] ?? world.self.user_id,
    display_suffix: '',
  })
}
