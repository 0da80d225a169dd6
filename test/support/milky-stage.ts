// An implementation that speaks Milky, without sockets: its APIs are what a test says, and every call is kept and checked.

import { zodApiCategories } from '@saltify/milky-types'
import type { MessageNumbers } from '../../src/broker/ports.ts'
import { type MilkyApi, MilkyError } from '../../src/milky/api.ts'
import { MemoryNumbers } from '../../src/milky/memory.ts'
import { Stage } from '../../src/milky/stage.ts'

interface Schema {
  parse(value: unknown): unknown
  safeParse(value: unknown): { success: boolean; error?: { message: string } }
}
interface ApiSchemas {
  readonly requestSchema: Schema | null
  readonly responseSchema: Schema | null
}

/** Every API, as its makers describe it. */
export const APIS: Readonly<Record<string, ApiSchemas>> = Object.fromEntries(
  Object.values(zodApiCategories).flatMap(({ apis }) => Object.entries(apis as Record<string, ApiSchemas>)),
)

/** Fails the test where the value is not as described. */
export function conforms(schema: Schema, value: unknown, what: string): void {
  const { success, error } = schema.safeParse(value)
  if (!success) throw new Error(`${what}: ${JSON.stringify(value)}\n${error?.message}`)
}

export interface Asked {
  readonly api: string
  readonly input: unknown
}

export interface Staged {
  readonly stage: Stage
  readonly asked: Asked[]
  readonly numbers: MessageNumbers
}

export type Answers = Readonly<Record<string, unknown>>

/** @param answers by API: the data, a MilkyError to fail with, or a function of the input. Others answer {}. */
export function staged(answers: Answers = {}, implementation = 'LLBot'): Staged {
  const asked: Asked[] = []
  const numbers = new MemoryNumbers()
  const call = async (api: string, input: unknown) => {
    // As it goes over the wire.
    const sent: unknown = JSON.parse(JSON.stringify(input))
    const schema = APIS[api]?.requestSchema
    if (schema) conforms(schema, sent, `input of ${api}`)
    asked.push({ api, input: sent })
    const answer = answers[api]
    const data: unknown = typeof answer === 'function' ? answer(sent) : answer
    if (data instanceof MilkyError) throw data
    return data ?? {}
  }
  const api = { call } as unknown as MilkyApi // all that a stage uses of it
  const stage = new Stage({ api, selfId: SELF, nickname: '小佩', implementation, numbers, online: () => true })
  return { stage, asked, numbers }
}

export const SELF = 10001
export const FRIEND = 2854196310
export const GROUP = 123456789

export const friend = {
  user_id: FRIEND,
  nickname: '小冰',
  sex: 'female',
  qid: 'ice',
  remark: '冰',
  category: { category_id: 1, category_name: '好友' },
} as const
export const group = {
  group_id: GROUP,
  group_name: '测试群',
  member_count: 3,
  max_member_count: 200,
  remark: '备注',
  created_time: 1600000000,
  description: '简介',
  question: '',
  announcement: '',
} as const
export const member = {
  user_id: FRIEND,
  nickname: '小冰',
  sex: 'female',
  group_id: GROUP,
  card: '名片',
  title: '头衔',
  level: 7,
  role: 'admin',
  join_time: 1600000001,
  last_sent_time: 1700000001,
  shut_up_end_time: 1800000000,
} as const

export const groupMessage = (segments: unknown[], seq = 77, sender = FRIEND) => ({
  message_scene: 'group',
  peer_id: GROUP,
  message_seq: seq,
  sender_id: sender,
  time: 1700000000,
  segments,
  group,
  group_member: { ...member, user_id: sender },
})
export const friendMessage = (segments: unknown[], seq = 78, sender = FRIEND) => ({
  message_scene: 'friend',
  peer_id: FRIEND,
  message_seq: seq,
  sender_id: sender,
  time: 1700000000,
  segments,
  friend,
})
export const text = (words: string) => ({ type: 'text', data: { text: words } })
