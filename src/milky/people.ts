// Friends, groups and their members, as OneBot shows them.

import type { FriendEntity, GroupEntity, GroupMemberEntity, IncomingMessage, Output } from './shapes.ts'

/** What Milky does not tell of anybody. */
const UNTOLD = { age: 0, area: '' }

export const friendInfo = ({ user_id, nickname, remark, sex, qid, category }: FriendEntity) => ({
  user_id,
  nickname,
  remark,
  sex,
  qid,
  ...UNTOLD,
  category_id: category?.category_id ?? 0,
  category_name: category?.category_name ?? '',
})

export const groupInfo = (group: GroupEntity) => ({
  group_id: group.group_id,
  group_name: group.group_name,
  group_remark: group.remark ?? '',
  group_memo: group.description ?? '',
  group_create_time: group.created_time ?? 0,
  group_level: 0,
  member_count: group.member_count,
  max_member_count: group.max_member_count,
})

export const memberInfo = (member: GroupMemberEntity) => ({
  group_id: member.group_id,
  user_id: member.user_id,
  nickname: member.nickname,
  card: member.card,
  sex: member.sex,
  ...UNTOLD,
  join_time: member.join_time,
  last_sent_time: member.last_sent_time,
  level: String(member.level),
  role: member.role,
  unfriendly: false,
  title: member.title,
  title_expire_time: 0,
  card_changeable: false,
  shut_up_timestamp: member.shut_up_end_time ?? 0,
})

export const strangerInfo = (user_id: number, profile: Output<'get_user_profile'>) => ({
  user_id,
  nickname: profile.nickname,
  sex: profile.sex,
  age: profile.age,
  qid: profile.qid,
  level: profile.level,
  remark: profile.remark,
  long_nick: profile.bio,
  country: profile.country,
  city: profile.city,
  school: profile.school,
})

/** Who said it, as messages show it. */
export function senderOf(said: IncomingMessage) {
  if (said.message_scene === 'group') {
    const {
      nickname = '',
      card = '',
      sex = 'unknown',
      level = 0,
      role = 'member',
      title = '',
    } = said.group_member ?? {}
    return { user_id: said.sender_id, nickname, card, sex, age: 0, area: '', level: String(level), role, title }
  }
  if (said.message_scene === 'temp') {
    const group = said.group?.group_id
    return {
      user_id: said.sender_id,
      nickname: '',
      sex: 'unknown',
      age: 0,
      ...(group !== undefined && { group_id: group }),
    }
  }
  const { nickname = '', sex = 'unknown', remark = '' } = said.friend ?? {}
  // Of a message of our own, `friend` is the other one.
  if (said.sender_id !== said.peer_id) return { user_id: said.sender_id, nickname: '', sex: 'unknown', age: 0 }
  return { user_id: said.sender_id, nickname, sex, age: 0, ...(remark !== '' && { card: remark }) }
}
