// Events as stories tell them, in OneBot's form, as those of Milky from which the gateway makes the same again.

import { segmentsOf } from '../../src/onebot/segment.ts'
import { FRIEND, friend, GROUP, group, member } from './milky-stage.ts'

type Fields = Readonly<Record<string, unknown>>

export interface MilkyEvent {
  readonly event_type: string
  readonly time: number
  readonly self_id: number
  readonly data: Fields
}

/** `bulk`: one of very many. Throws where Milky has nothing for it. */
export function milkyEvent(said: Fields): { event: MilkyEvent; bulk: boolean } {
  const { time, self_id, number } = said
  const [event_type, data] = told(said)
  return { event: { event_type, time: Number(time), self_id: Number(self_id), data }, bulk: number !== undefined }
}

type Told = readonly [event_type: string, data: Fields]

function told(said: Fields): Told {
  switch (said['post_type']) {
    case 'message':
    case 'message_sent':
      return ['message_receive', message(said)]
    case 'notice':
      return notice(said)
    case 'request':
      return request(said)
    default:
      return nothing(said)
  }
}

function nothing(said: Fields): never {
  throw new Error(`Milky has no event for this: ${JSON.stringify(said).slice(0, 300)}`)
}

/** Below the numbers of numbered events; one that is negative stands above the others. */
const seqOf = (id: number) => (id < 0 ? 500_000 - id : id)

function message(said: Fields): Fields {
  const { message_type, message: content, raw_message: raw, user_id, number, time } = said
  const sender_id = Number(user_id ?? FRIEND)
  const segments = segmentsOf(content ?? raw)
  if (segments === undefined) nothing(said)
  const common = {
    message_seq: Number(number ?? seqOf(Number(said['message_id']))),
    sender_id,
    time,
    segments: segments.map(({ type, data }) => segment(type, data)),
  }
  if (message_type === 'private')
    return { message_scene: 'friend', peer_id: sender_id, ...common, friend: { ...friend, user_id: sender_id } }
  const peer_id = Number(said['group_id'] ?? GROUP)
  return {
    message_scene: 'group',
    peer_id,
    ...common,
    group: { ...group, group_id: peer_id },
    group_member: { ...member, user_id: sender_id, group_id: peer_id },
  }
}

function segment(type: string, data: Fields) {
  switch (type) {
    case 'text':
      return { type, data: { text: data['text'] } }
    case 'at':
      return { type: 'mention', data: { user_id: Number(data['qq']), name: '' } }
    case 'image':
      return {
        type,
        data: {
          resource_id: data['file'],
          temp_url: data['url'] ?? '',
          ...{ width: 1, height: 1, summary: '', sub_type: 'normal' },
        },
      }
    default:
      return nothing({ type, data })
  }
}

function notice(said: Fields): Told {
  const { notice_type, sub_type, group_id, user_id, operator_id = null, target_id } = said
  const who = { group_id, user_id }
  switch (notice_type) {
    case 'group_recall':
      return [
        'message_recall',
        {
          ...{ message_scene: 'group', peer_id: group_id, sender_id: user_id, operator_id, display_suffix: '' },
          message_seq: seqOf(Number(said['message_id'])),
        },
      ]
    case 'group_increase':
      return ['group_member_increase', { ...who, operator_id }]
    case 'group_decrease':
      return ['group_member_decrease', { ...who, operator_id: sub_type === 'leave' ? null : operator_id }]
    case 'group_admin':
      return ['group_admin_change', { ...who, operator_id: operator_id ?? FRIEND, is_set: sub_type === 'set' }]
    case 'group_ban':
      return ['group_mute', { ...who, operator_id, duration: said['duration'] }]
    case 'group_upload': {
      const { id: file_id, name: file_name, size: file_size } = said['file'] as Fields
      return ['group_file_upload', { ...who, file_id, file_name, file_size }]
    }
    case 'notify': {
      if (sub_type !== 'poke') return nothing(said)
      const how = { display_action: '戳了戳', display_suffix: '', display_action_img_url: '' }
      return ['group_nudge', { group_id, sender_id: user_id, receiver_id: target_id, ...how }]
    }
    case 'bot_offline':
      return ['bot_offline', { reason: said['message'] }]
    default:
      return nothing(said)
  }
}

function request(said: Fields): Told {
  const { request_type, sub_type, group_id, user_id: initiator_id, comment, flag } = said
  if (request_type === 'friend') return ['friend_request', { initiator_id, initiator_uid: flag, comment, via: '' }]
  const seq = Number(flag)
  return sub_type === 'invite'
    ? ['group_invitation', { group_id, initiator_id, invitation_seq: seq }]
    : ['group_join_request', { group_id, initiator_id, notification_seq: seq, is_filtered: false, comment }]
}
