// Events on their way down: Milky's kinds as OneBot's, by a table; what it does not know passes under its own name.

import { isObject, own } from '../onebot/object.ts'
import { flagText } from './flags.ts'
import { isMessage, messageFields } from './messages.ts'
import type { EventData, EventType } from './shapes.ts'
import type { Stage } from './stage.ts'

type Fields = Readonly<Record<string, unknown>>

interface Converter<D> {
  /** Fields without which there is no such event: numbers, all of them. */
  readonly needs: readonly (keyof D & string)[]
  /** The event's own fields, its time aside where it has none of its own. */
  readonly fields: (data: D, it: Stage) => Fields
}

type Events = { readonly [T in EventType]: Converter<EventData<T>> | 'passes' } & {
  /** Some send it already. */
  readonly group_disband: Converter<{ group_id: number; operator_id: number }>
}

const notice = (notice_type: string, fields: Fields): Fields => ({ post_type: 'notice', notice_type, ...fields })
const notify = (sub_type: string, fields: Fields): Fields => notice('notify', { sub_type, ...fields })
const request = (request_type: string, fields: Fields): Fields => ({ post_type: 'request', request_type, ...fields })

const EVENTS: Events = {
  bot_offline: {
    needs: [],
    fields: ({ reason }, { selfId }) =>
      notice('bot_offline', { user_id: selfId, tag: 'BotOfflineEvent', message: reason }),
  },
  // Most events are messages, and are made in one go: see `eventOf`. What is none after all passes.
  message_receive: 'passes',
  message_recall: {
    needs: ['peer_id', 'message_seq', 'sender_id'],
    fields: ({ message_scene: scene, peer_id: peer, message_seq: seq, sender_id, operator_id }, it) => {
      const message_id = it.idOf({ scene, peer, seq })
      return scene === 'group'
        ? notice('group_recall', { group_id: peer, user_id: sender_id, operator_id, message_id })
        : notice('friend_recall', { user_id: peer, operator_id, message_id })
    },
  },
  peer_pin_change: 'passes',
  friend_request: {
    needs: ['initiator_id'],
    fields: ({ initiator_id: user_id, initiator_uid: uid, comment, via }) =>
      request('friend', { user_id, comment, via, flag: flagText({ kind: 'friend', uid: uid ?? '', filtered: false }) }),
  },
  group_join_request: {
    needs: ['group_id', 'notification_seq', 'initiator_id'],
    fields: ({ group_id, notification_seq: seq, is_filtered, initiator_id: user_id, comment }) =>
      request('group', {
        sub_type: 'add',
        group_id,
        user_id,
        comment,
        flag: flagText({ kind: 'joins', group: group_id, seq, filtered: is_filtered === true }),
      }),
  },
  group_invited_join_request: {
    needs: ['group_id', 'notification_seq', 'initiator_id', 'target_user_id'],
    fields: ({ group_id, notification_seq: seq, initiator_id, target_user_id: target }, it) =>
      // Lagrange tells an invitation of the account itself by this one.
      target === it.selfId
        ? invitation(group_id, seq, initiator_id)
        : request('group', {
            sub_type: 'add',
            group_id,
            user_id: target,
            invitor_id: initiator_id,
            comment: '',
            flag: flagText({ kind: 'invited', group: group_id, seq }),
          }),
  },
  group_invitation: {
    needs: ['group_id', 'invitation_seq', 'initiator_id'],
    fields: ({ group_id, invitation_seq: seq, initiator_id }) => invitation(group_id, seq, initiator_id),
  },
  friend_nudge: {
    needs: ['user_id'],
    fields: (data, { selfId }) => {
      const actor = data.is_self_send ? selfId : data.user_id
      const target_id = data.is_self_receive ? selfId : data.user_id
      return notify('poke', { user_id: actor, sender_id: actor, target_id, ...gesture(data) })
    },
  },
  friend_file_upload: {
    needs: ['user_id', 'file_size'],
    fields: ({ user_id, file_id, file_name, file_size, file_hash, is_self }, it) => {
      it.keepFile(file_id, file_hash ?? '')
      const file = { id: file_id, name: file_name, size: file_size, url: '', hash: file_hash }
      return notice('offline_file', {
        user_id: is_self ? it.selfId : user_id,
        ...(is_self && { target_id: user_id }),
        file,
      })
    },
  },
  group_admin_change: {
    needs: ['group_id', 'user_id'],
    fields: ({ group_id, user_id, operator_id, is_set }) =>
      notice('group_admin', { sub_type: is_set ? 'set' : 'unset', group_id, user_id, operator_id }),
  },
  group_essence_message_change: {
    needs: ['group_id', 'message_seq'],
    fields: ({ group_id, message_seq: seq, operator_id, is_set }, it) =>
      notice('essence', {
        sub_type: is_set ? 'add' : 'delete',
        group_id,
        message_id: it.idOf({ scene: 'group', peer: group_id, seq }),
        sender_id: 0,
        user_id: 0,
        operator_id,
      }),
  },
  group_member_increase: {
    needs: ['group_id', 'user_id'],
    fields: ({ group_id, user_id, operator_id, invitor_id }) =>
      notice('group_increase', {
        sub_type: invitor_id ? 'invite' : 'approve',
        group_id,
        user_id,
        operator_id: operator_id || invitor_id || 0,
      }),
  },
  group_member_decrease: {
    needs: ['group_id', 'user_id'],
    fields: ({ group_id, user_id, operator_id }, { selfId }) => {
      const kicked = user_id === selfId ? 'kick_me' : 'kick'
      return notice('group_decrease', {
        sub_type: operator_id && operator_id !== user_id ? kicked : 'leave',
        group_id,
        user_id,
        operator_id: operator_id || user_id,
      })
    },
  },
  group_disband: {
    needs: ['group_id'],
    fields: ({ group_id, operator_id }) =>
      notice('group_dismiss', { group_id, user_id: operator_id ?? 0, operator_id: operator_id ?? 0 }),
  },
  group_name_change: {
    needs: ['group_id'],
    fields: ({ group_id, new_group_name: name_new, operator_id: user_id }) =>
      notify('group_name', { group_id, user_id, name_new }),
  },
  group_message_reaction: {
    needs: ['group_id', 'user_id', 'message_seq'],
    fields: ({ group_id, user_id, message_seq: seq, face_id, is_add }, it) =>
      notice('group_msg_emoji_like', {
        group_id,
        user_id,
        message_id: it.idOf({ scene: 'group', peer: group_id, seq }),
        likes: [{ emoji_id: face_id, count: 1 }],
        is_add,
      }),
  },
  group_mute: {
    needs: ['group_id', 'user_id', 'duration'],
    fields: ({ group_id, user_id, operator_id, duration }) =>
      notice('group_ban', { sub_type: duration > 0 ? 'ban' : 'lift_ban', group_id, user_id, operator_id, duration }),
  },
  group_whole_mute: {
    needs: ['group_id'],
    fields: ({ group_id, operator_id, is_mute }) =>
      notice('group_ban', {
        sub_type: is_mute ? 'ban' : 'lift_ban',
        group_id,
        user_id: 0,
        operator_id,
        duration: is_mute ? -1 : 0,
      }),
  },
  group_nudge: {
    needs: ['group_id', 'sender_id', 'receiver_id'],
    fields: (data) =>
      notify('poke', {
        group_id: data.group_id,
        user_id: data.sender_id,
        target_id: data.receiver_id,
        ...gesture(data),
      }),
  },
  group_file_upload: {
    needs: ['group_id', 'user_id', 'file_size'],
    fields: ({ group_id, user_id, file_id, file_name, file_size }) =>
      notice('group_upload', { group_id, user_id, file: { id: file_id, name: file_name, size: file_size, busid: 0 } }),
  },
}

/** The kinds that are known, for whoever looks for those that are missing. */
export const EVENT_TYPES: ReadonlySet<string> = new Set(Object.keys(EVENTS))

/** What every event says of itself. */
export interface Told {
  readonly event_type: string
  /** Seconds since 1970. */
  readonly time: number
  readonly self_id: number
  readonly data: Fields
}

/** Undefined: it is none. */
export function toldBy(value: unknown, now: number): Told | undefined {
  if (!isObject(value)) return undefined
  const [event_type, time] = [own(value, 'event_type'), own(value, 'time')]
  const [self_id, data] = [own(value, 'self_id'), own(value, 'data')]
  if (typeof event_type !== 'string' || typeof self_id !== 'number' || !Number.isSafeInteger(self_id)) return undefined
  return { event_type, time: isTime(time) ? time : Math.floor(now / 1000), self_id, data: isObject(data) ? data : {} }
}

const isTime = (time: unknown): time is number => typeof time === 'number' && Number.isFinite(time)

/** The event as OneBot has it. What is unknown, or lacks what it needs, is a notice with name and data. */
export function eventOf({ event_type, time, self_id, data }: Told, it: Stage): Fields {
  if (event_type === 'message_receive' && isMessage(data)) {
    const post_type = data.sender_id === it.selfId ? 'message_sent' : 'message'
    return messageFields(data, it, { time, self_id, post_type })
  }
  const converter = Object.hasOwn(EVENTS, event_type) ? EVENTS[event_type as keyof Events] : 'passes'
  if (converter === 'passes' || !has(data, converter.needs))
    return { time, self_id, ...notice('milky', { sub_type: event_type, data }) }
  // What it takes is what its kind promises, as far as it cannot do without: the type is the promise.
  return { time, self_id, ...(converter as Converter<Fields>).fields(data, it) }
}

const has = (data: Fields, needs: readonly string[]) => needs.every((key) => Number.isSafeInteger(own(data, key)))

/** An invitation's group and number: Lagrange tells each of them twice. Undefined: it is none. */
export function invitationKey({ event_type, data }: Told, selfId: number): string | undefined {
  if (event_type === 'group_invitation') return `${data['group_id']}|${data['invitation_seq']}`
  if (event_type !== 'group_invited_join_request' || data['target_user_id'] !== selfId) return undefined
  return `${data['group_id']}|${data['notification_seq']}`
}

const invitation = (group_id: number, seq: number, user_id: number) =>
  request('group', {
    sub_type: 'invite',
    group_id,
    user_id,
    comment: '',
    flag: flagText({ kind: 'invitation', group: group_id, seq }),
  })

/** How somebody was poked. */
const gesture = (data: { display_action: string; display_suffix: string; display_action_img_url: string }) => ({
  action: data.display_action,
  suffix: data.display_suffix,
  action_img_url: data.display_action_img_url,
})
