// The shapes of Milky 1.2, taken from the types that its makers publish: what each API takes and gives, and its events.

import type { Event, IncomingSegment, OutgoingSegment, zodApiCategories } from '@saltify/milky-types'

export type {
  FriendEntity,
  FriendRequest,
  GroupEntity,
  GroupFileEntity,
  GroupFolderEntity,
  GroupMemberEntity,
  GroupNotification,
  IncomingForwardedMessage,
  IncomingMessage,
  IncomingSegment,
} from '@saltify/milky-types'

type Categories = typeof zodApiCategories
type Apis = Categories['system']['apis'] &
  Categories['message']['apis'] &
  Categories['friend']['apis'] &
  Categories['group']['apis'] &
  Categories['file']['apis']

/** The name of an API. */
export type Api = keyof Apis

type Within<Schema, Side extends 'input' | 'output'> = Schema extends { _zod: Record<Side, infer Value> }
  ? Value
  : Record<string, never>

/** What an API is asked with. */
export type Input<A extends Api> = Within<Apis[A]['requestSchema'], 'input'>
/** What it answers; as promised, not as checked. */
export type Output<A extends Api> = Within<Apis[A]['responseSchema'], 'output'>

export type EventType = Event['event_type']
export type EventData<T extends EventType> = Extract<Event, { event_type: T }>['data']

export type IncomingType = IncomingSegment['type']
export type IncomingData<T extends IncomingType> = Extract<IncomingSegment, { type: T }>['data']
/** As it is to be written: what may be left out may be left out. */
export type Outgoing =
  | Exclude<OutgoingSegment, { type: 'face' | 'image' | 'forward' }>
  | { type: 'face'; data: { face_id: string; is_large?: boolean } }
  | { type: 'image'; data: { uri: string; sub_type?: 'normal' | 'sticker'; summary?: string } }
  | { type: 'forward'; data: Forward }

export interface Forward {
  readonly messages: readonly Node[]
  readonly title?: string
  readonly preview?: string[]
  readonly summary?: string
  readonly prompt?: string
}

export interface Node {
  readonly user_id: number
  readonly sender_name: string
  readonly segments: readonly Outgoing[]
}
