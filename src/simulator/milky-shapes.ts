// The simulated QQ as Milky sees it: messages and their segments, friends, groups, members.

import type { Segment } from '../onebot/segment.ts'
import type { Message, Messages, Node } from './messages.ts'
import type { Friend, Group, Member } from './people.ts'
import type { World } from './world.ts'

type Shape = Readonly<Record<string, unknown>>
interface Typed {
  readonly type: string
  readonly data: Shape
}

export interface Sight {
  readonly world: World
  readonly messages: Messages
}

export const friendEntity = ({ user_id, nickname, sex, remark }: Friend): Shape => ({
  user_id,
  nickname,
  sex,
  qid: '',
  remark,
  category: { category_id: 0, category_name: '我的好友' },
})

export const groupEntity = ({ group_id, group_name, members, max_member_count }: Group): Shape => ({
  group_id,
  group_name,
  member_count: members.size,
  max_member_count,
  remark: '',
  created_time: 0,
  description: '',
  question: '',
  announcement: '',
})

export const memberEntity = (group_id: number, one: Member): Shape => ({
  user_id: one.user_id,
  nickname: one.nickname,
  sex: one.sex,
  group_id,
  card: one.card,
  title: one.title,
  level: Number(one.level),
  role: one.role,
  join_time: one.join_time,
  last_sent_time: one.last_sent_time,
  shut_up_end_time: one.shut_up_timestamp,
})

/** A message's number stands for its place in the conversation: both only grow. */
export function messageEntity(said: Message, sight: Sight): Shape {
  const { world } = sight
  const { message_id: message_seq, time, type, peer: peer_id, sender } = said
  const common = {
    peer_id,
    message_seq,
    sender_id: sender.user_id,
    time,
    segments: shownSegments(said.segments, sight),
  }
  if (type === 'private') {
    const other = world.friends.get(peer_id) ?? { ...world.anybody(peer_id), remark: '' }
    return { message_scene: 'friend', ...common, friend: friendEntity(other) }
  }
  const group = world.group(peer_id)
  const member = group.members.get(sender.user_id)
  const gone = { card: '', role: 'member', title: '', level: '1', join_time: 0, last_sent_time: 0 } as const
  const one = member ?? { ...world.anybody(sender.user_id), ...gone, shut_up_timestamp: 0 }
  return { message_scene: 'group', ...common, group: groupEntity(group), group_member: memberEntity(peer_id, one) }
}

export const forwardedEntity = ({ nickname, time, segments }: Node, index: number, sight: Sight): Shape => ({
  message_seq: index,
  sender_name: nickname,
  avatar_url: '',
  time,
  segments: shownSegments(segments, sight),
})

export const shownSegments = (segments: readonly Segment[], sight: Sight): Typed[] =>
  segments.map((one) => shownSegment(one, sight))

function shownSegment({ type, data }: Segment, { world, messages }: Sight): Typed {
  const text = (key: string) => String(data[key] ?? '')
  const media = {
    resource_id: text('file'),
    temp_url: text('url') || `http://127.0.0.1/${encodeURIComponent(text('file'))}`,
  }
  switch (type) {
    case 'at':
      if (text('qq') === 'all') return { type: 'mention_all', data: {} }
      return {
        type: 'mention',
        data: { user_id: Number(text('qq')), name: world.anybody(Number(text('qq'))).nickname },
      }
    case 'face':
      return { type, data: { face_id: text('id'), is_large: false } }
    case 'reply': {
      const quoted = messages.find(Number(text('id')))
      const sender_id = quoted?.sender.user_id ?? world.self.user_id
      return { type, data: { message_seq: Number(text('id')), sender_id, time: quoted?.time ?? 0, segments: [] } }
    }
    case 'image': {
      const sub_type = text('sub_type') === '1' ? 'sticker' : 'normal'
      return { type, data: { ...media, width: 1, height: 1, summary: text('summary'), sub_type } }
    }
    case 'record':
      return { type, data: { ...media, duration: 1 } }
    case 'video':
      return { type, data: { ...media, width: 1, height: 1, duration: 1 } }
    case 'forward':
      return { type, data: { forward_id: text('id'), title: '聊天记录', preview: [], summary: '' } }
    case 'json':
      return { type: 'light_app', data: { app_name: 'app', json_payload: text('data') } }
    default:
      return { type: 'text', data: { text: text('text') } }
  }
}

/** What somebody sends by Milky, as the simulated QQ keeps it. Forwards are their nodes. */
export function sentSegments(segments: readonly Typed[]): Segment[] {
  return segments.flatMap(({ type, data }): Segment[] => {
    switch (type) {
      case 'mention':
        return [{ type: 'at', data: { qq: String(data['user_id']) } }]
      case 'mention_all':
        return [{ type: 'at', data: { qq: 'all' } }]
      case 'face':
        return [{ type, data: { id: String(data['face_id']) } }]
      case 'reply':
        return [{ type, data: { id: String(data['message_seq']) } }]
      case 'image':
        return [{ type, data: { file: data['uri'], ...(data['sub_type'] === 'sticker' && { sub_type: 1 }) } }]
      case 'record':
      case 'video':
        return [{ type, data: { file: data['uri'] } }]
      case 'light_app':
        return [{ type: 'json', data: { data: data['json_payload'] } }]
      case 'forward':
        return sentNodes(data['messages'])
      default:
        return [{ type, data }]
    }
  })
}

function sentNodes(messages: unknown): Segment[] {
  return (messages as Shape[]).map(({ user_id, sender_name, segments }) => ({
    type: 'node',
    data: { user_id, nickname: sender_name, content: sentSegments(segments as Typed[]) },
  }))
}
