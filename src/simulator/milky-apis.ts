// Milky's APIs of the simulated QQ: each is an action of it under another name, and its answer in another shape.

import * as v from 'valibot'
import { own } from '../onebot/object.ts'
import { fail } from './failure.ts'
import {
  forwardedEntity,
  friendEntity,
  groupEntity,
  memberEntity,
  messageEntity,
  type Sight,
  sentSegments,
} from './milky-shapes.ts'
import { checked, count, flag, id, text } from './params.ts'

export interface Hall extends Sight {
  /** Carries out an action; its data. @throws Failure */
  act(action: string, params: object): unknown
  /** The flag of the request that was told under this number. @throws Failure */
  requestFlag(seq: number): string
}

type Run = (input: unknown, it: Hall) => unknown

const api =
  <T>(schema: v.GenericSchema<unknown, T>, run: (input: T, it: Hall) => unknown): Run =>
  (input, it) =>
    run(checked(schema, input, 'body'), it) ?? {}

/** One that is an action by itself. */
const same = <T>(schema: v.GenericSchema<unknown, T>, action: string, params: (input: T) => object): Run =>
  api(schema, (input, it) => {
    it.act(action, params(input))
  })

const loose = v.looseObject({})
const group = { group_id: id }
const member = { ...group, user_id: id }
const scene = v.picklist(['friend', 'group', 'temp'])
const place = { message_scene: scene, peer_id: id }
const segments = v.array(v.object({ type: text, data: v.looseObject({}) }))
const file = { file_uri: text, file_name: text }
const request = v.looseObject({ group_id: id, notification_seq: id })
const invitation = v.looseObject({ group_id: id, invitation_seq: id })

export const MILKY_APIS: Readonly<Record<string, Run>> = {
  get_login_info: api(loose, (_, { world }) => ({ uin: world.self.user_id, nickname: world.self.nickname })),
  get_impl_info: api(loose, () => ({
    impl_name: 'perpetua-simulator',
    impl_version: '1',
    qq_protocol_version: '9.9.9',
    qq_protocol_type: 'linux',
    milky_version: '1.2',
  })),
  get_user_profile: api(v.object({ user_id: id }), ({ user_id }, { world }) => {
    const { nickname, age, sex } = world.person(user_id)
    return { nickname, qid: '', age, sex, remark: '', bio: '', level: 1, country: '', city: '', school: '' }
  }),
  get_friend_list: api(loose, (_, { world }) => ({ friends: [...world.friends.values()].map(friendEntity) })),
  get_friend_info: api(v.looseObject({ user_id: id }), ({ user_id }, { world }) => ({
    friend: friendEntity(world.friends.get(user_id) ?? fail(`user ${user_id}: no friend`)),
  })),
  get_group_list: api(loose, (_, { world }) => ({ groups: [...world.groups.values()].map(groupEntity) })),
  get_group_info: api(v.looseObject(group), ({ group_id }, { world }) => ({
    group: groupEntity(world.group(group_id)),
  })),
  get_group_member_list: api(v.looseObject(group), ({ group_id }, { world }) => ({
    members: [...world.group(group_id).members.values()].map((one) => memberEntity(group_id, one)),
  })),
  get_group_member_info: api(v.looseObject(member), ({ group_id, user_id }, { world }) => ({
    member: memberEntity(group_id, world.member(group_id, user_id)),
  })),
  get_cookies: api(v.object({ domain: text }), ({ domain }, it) => it.act('get_cookies', { domain })),
  get_csrf_token: api(loose, (_, it) => ({
    csrf_token: String(own(it.act('get_csrf_token', {}) as object as never, 'token')),
  })),
  get_custom_face_url_list: api(loose, () => ({ urls: ['http://127.0.0.1/face'] })),
  set_avatar: api(v.object({ uri: text }), () => undefined),
  set_nickname: api(v.object({ new_nickname: text }), () => undefined),
  set_bio: api(v.object({ new_bio: text }), () => undefined),

  send_private_message: api(v.object({ user_id: id, message: segments }), ({ user_id, message }, it) =>
    sent(it, { user_id }, message),
  ),
  send_group_message: api(v.object({ group_id: id, message: segments }), ({ group_id, message }, it) =>
    sent(it, { group_id }, message),
  ),
  recall_private_message: same(v.object({ user_id: id, message_seq: id }), 'delete_msg', ({ message_seq }) => ({
    message_id: message_seq,
  })),
  recall_group_message: same(v.object({ group_id: id, message_seq: id }), 'delete_msg', ({ message_seq }) => ({
    message_id: message_seq,
  })),
  get_message: api(v.object({ ...place, message_seq: id }), ({ message_seq, peer_id }, it) => {
    const said = it.messages.find(message_seq)
    if (said?.peer !== peer_id) return fail(`message ${message_seq}: not known`)
    return { message: messageEntity(said, it) }
  }),
  get_history_messages: api(
    v.object({ ...place, start_message_seq: v.nullish(id), limit: v.nullish(count) }),
    ({ message_scene, peer_id, start_message_seq, limit }, it) => {
      const type = message_scene === 'group' ? 'group' : 'private'
      const said = it.messages.history(type, peer_id, limit ?? 20, start_message_seq ?? undefined)
      const first = said[0]?.message_id
      const more = first !== undefined && it.messages.history(type, peer_id, 1, first - 1).length > 0
      return { messages: said.map((one) => messageEntity(one, it)), next_message_seq: more ? first - 1 : null }
    },
  ),
  get_resource_temp_url: api(v.object({ resource_id: text }), ({ resource_id }) => ({
    url: `http://127.0.0.1/fresh/${encodeURIComponent(resource_id)}`,
  })),
  get_forwarded_messages: api(v.object({ forward_id: text }), ({ forward_id }, it) => {
    const nodes = it.messages.forwarded(forward_id) ?? fail(`forward ${forward_id}: not known`)
    return { messages: nodes.map((one, index) => forwardedEntity(one, index, it)) }
  }),
  mark_message_as_read: api(v.object({ ...place, message_seq: id }), () => undefined),

  send_friend_nudge: api(v.looseObject({ user_id: id }), ({ user_id }, { world }) => void world.person(user_id)),
  send_profile_like: same(v.looseObject({ user_id: id, count: v.nullish(count) }), 'send_like', (input) => ({
    user_id: input.user_id,
    times: input.count ?? 1,
  })),
  delete_friend: api(v.object({ user_id: id }), ({ user_id }, { world }) => void world.friends.delete(user_id)),
  get_friend_requests: api(loose, () => ({ requests: [] })),
  accept_friend_request: same(v.looseObject({ initiator_uid: text }), 'set_friend_add_request', (input) => ({
    flag: input.initiator_uid,
    approve: true,
  })),
  reject_friend_request: same(v.looseObject({ initiator_uid: text }), 'set_friend_add_request', (input) => ({
    flag: input.initiator_uid,
    approve: false,
  })),

  set_group_name: same(v.object({ ...group, new_group_name: text }), 'set_group_name', (input) => ({
    group_id: input.group_id,
    group_name: input.new_group_name,
  })),
  set_group_avatar: api(
    v.object({ ...group, image_uri: text }),
    ({ group_id }, { world }) => void world.group(group_id),
  ),
  set_group_member_card: same(v.object({ ...member, card: text }), 'set_group_card', (input) => input),
  set_group_member_special_title: same(
    v.object({ ...member, special_title: text }),
    'set_group_special_title',
    (input) => input,
  ),
  set_group_member_admin: same(v.object({ ...member, is_set: v.nullish(flag, true) }), 'set_group_admin', (input) => ({
    group_id: input.group_id,
    user_id: input.user_id,
    enable: input.is_set,
  })),
  set_group_member_mute: same(
    v.object({ ...member, duration: v.nullish(count, 0) }),
    'set_group_ban',
    (input) => input,
  ),
  set_group_whole_mute: same(
    v.object({ ...group, is_mute: v.nullish(flag, true) }),
    'set_group_whole_ban',
    (input) => ({
      group_id: input.group_id,
      enable: input.is_mute,
    }),
  ),
  kick_group_member: same(
    v.object({ ...member, reject_add_request: v.nullish(flag, false) }),
    'set_group_kick',
    (input) => input,
  ),
  quit_group: same(v.object(group), 'set_group_leave', (input) => input),
  send_group_message_reaction: api(v.looseObject({ ...group, message_seq: id, reaction: text }), (input, it) => {
    if (it.messages.find(input.message_seq) === undefined) fail(`message ${input.message_seq}: not known`)
  }),
  send_group_nudge: api(v.object(member), ({ group_id, user_id }, { world }) => void world.member(group_id, user_id)),
  set_group_essence_message: api(v.looseObject({ ...group, message_seq: id }), (input, it) => {
    if (it.messages.find(input.message_seq) === undefined) fail(`message ${input.message_seq}: not known`)
  }),
  get_group_essence_messages: api(v.looseObject(group), () => ({ messages: [], is_end: true })),
  get_group_announcements: api(v.object(group), () => ({ announcements: [] })),
  send_group_announcement: api(v.looseObject({ ...group, content: text }), () => undefined),
  delete_group_announcement: api(v.object({ ...group, announcement_id: text }), () => undefined),
  get_group_notifications: api(loose, () => ({ notifications: [] })),
  accept_group_request: settles(request, (input) => input.notification_seq, true),
  reject_group_request: settles(request, (input) => input.notification_seq, false),
  accept_group_invitation: settles(invitation, (input) => input.invitation_seq, true),
  reject_group_invitation: settles(invitation, (input) => input.invitation_seq, false),

  upload_group_file: api(v.looseObject({ ...group, ...file }), () => ({ file_id: '/group-file' })),
  upload_private_file: api(v.looseObject({ user_id: id, ...file }), () => ({ file_id: 'private-file' })),
  get_group_file_download_url: api(v.object({ ...group, file_id: text }), ({ file_id }) => ({
    download_url: `http://127.0.0.1${file_id}`,
  })),
  get_private_file_download_url: api(v.object({ user_id: id, file_id: text, file_hash: text }), (input) => ({
    download_url: `http://127.0.0.1/${input.file_id}?hash=${input.file_hash}`,
  })),
  get_group_files: api(v.looseObject(group), () => ({ files: [], folders: [] })),
  create_group_folder: api(v.object({ ...group, folder_name: text }), () => ({ folder_id: '/folder' })),
  move_group_file: api(v.looseObject({ ...group, file_id: text }), () => undefined),
  rename_group_file: api(v.looseObject({ ...group, file_id: text, new_file_name: text }), () => undefined),
  delete_group_file: api(v.object({ ...group, file_id: text }), () => undefined),
  rename_group_folder: api(v.object({ ...group, folder_id: text, new_folder_name: text }), () => undefined),
  delete_group_folder: api(v.object({ ...group, folder_id: text }), () => undefined),
}

function sent(it: Hall, to: object, message: v.InferOutput<typeof segments>) {
  const said = sentSegments(message)
  const nodes = said.length > 0 && said.every(({ type }) => type === 'node')
  const answer = nodes
    ? it.act('send_forward_msg', { ...to, messages: said })
    : it.act('send_msg', { ...to, message: said })
  const message_seq = Number(own(answer as Record<string, unknown>, 'message_id'))
  return { message_seq, time: it.messages.find(message_seq)?.time ?? 0 }
}

function settles<T>(schema: v.GenericSchema<unknown, T>, seq: (input: T) => number, approve: boolean): Run {
  return api(schema, (input, it) => {
    it.act('set_group_add_request', { flag: it.requestFlag(seq(input)), approve })
  })
}
