// Writes the events of the simulated QQ.

import { type Format, type Message, type Sender, shown } from './messages.ts'
import type { Member, Person } from './people.ts'
import { type Request, seconds } from './world.ts'

type Fields = Readonly<Record<string, unknown>>

/** An event as it goes out, its keys in OneBot's order. */
export interface Event extends Fields {
  readonly time: number
  readonly self_id: number
  readonly post_type: string
}

/** `sent`: the account said it itself. */
export function messageEvent(selfId: number, said: Message, format: Format, sent = false) {
  const { message_id, time, type, peer, sender, segments } = said
  return {
    time,
    self_id: selfId,
    post_type: sent ? 'message_sent' : 'message',
    message_type: type,
    sub_type: type === 'group' ? 'normal' : 'friend',
    message_id,
    ...(type === 'group' ? { group_id: peer } : {}),
    user_id: sender.user_id,
    ...(type === 'group' ? { anonymous: null } : {}),
    ...(type === 'private' && sent ? { target_id: peer } : {}),
    ...shown(segments, format),
    font: 0,
    sender,
  } satisfies Event
}

export const notice = (selfId: number, notice_type: string, fields: Fields): Event => ({
  time: seconds(),
  self_id: selfId,
  post_type: 'notice',
  notice_type,
  ...fields,
})

export function requestEvent(selfId: number, request: Request): Event {
  const { type, user_id, comment, flag } = request
  const group = type === 'group' ? { sub_type: request.sub_type, group_id: request.group_id } : {}
  return {
    time: seconds(),
    self_id: selfId,
    post_type: 'request',
    request_type: type,
    ...group,
    user_id,
    comment,
    flag,
  }
}

export const privateSender = ({ user_id, nickname, sex, age }: Person): Sender => ({ user_id, nickname, sex, age })

export function groupSender({ user_id, nickname, card, sex, age, area, level, role, title }: Member): Sender {
  return { user_id, nickname, card, sex, age, area, level, role, title }
}
