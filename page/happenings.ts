// What the chat window knows of the simulated QQ: who is there, what was said where, what the bot called.

import type { Segment } from './segments.tsx'

export interface Person {
  readonly user_id: number
  readonly nickname: string
  readonly card?: string
  readonly role?: string
  readonly remark?: string
}

export const nameOf = ({ card, nickname, user_id }: Person): string => card || nickname || String(user_id)

export interface World {
  readonly self_id: number
  readonly nickname: string
  readonly links: number
  readonly faults: Faults
  readonly friends: readonly Person[]
  readonly groups: readonly { group_id: number; group_name: string; members: readonly Person[] }[]
  readonly requests: readonly { flag: string; type: string; sub_type?: string; user_id: number; comment: string }[]
}

export interface Faults {
  readonly silent: boolean
  readonly 'slow-replies': number
  readonly 'lost-replies': number
}

export interface Said {
  readonly kind: 'message'
  readonly n: number
  readonly self: boolean
  readonly message_id: number
  readonly time: number
  readonly type: 'group' | 'private'
  readonly peer: number
  readonly sender: Person
  readonly segments: readonly Segment[]
}

export interface Told {
  readonly kind: 'event'
  readonly n: number
  readonly event: Readonly<Record<string, unknown>> & { readonly time: number }
}

export interface Called {
  readonly kind: 'call'
  readonly n: number
  readonly time: number
  readonly action: string
  readonly params: object
  readonly retcode: number
  readonly message?: string
}

export type Happening = Said | Told | Called

export interface News {
  /** Tells one run of the simulator from the next. */
  readonly since: number
  readonly last: number
  readonly happened: readonly Happening[]
}

export interface Place {
  readonly type: 'group' | 'private'
  readonly peer: number
}

/** So many are kept and drawn; the simulator keeps more. */
const MOST = 400

export interface Known {
  readonly since: number
  readonly last: number
  readonly all: readonly Happening[]
}

/** A simulator that has started again begins anew. */
export function more(known: Known | undefined, { since, last, happened }: News): Known {
  const before = known?.since === since ? known.all : []
  return { since, last, all: [...before, ...happened].slice(-MOST) }
}

/** What belongs into this window, oldest first. */
export function inPlace(all: readonly Happening[], { type, peer }: Place): (Said | Told)[] {
  return all.filter((one): one is Said | Told => {
    if (one.kind === 'message') return one.type === type && one.peer === peer
    if (one.kind === 'call') return false
    const { group_id, user_id } = one.event
    return type === 'group' ? group_id === peer : group_id === undefined && user_id === peer
  })
}

export function recalled(all: readonly Happening[]): Set<unknown> {
  return new Set(
    all.flatMap((one) =>
      one.kind === 'event' && /_recall$/.test(String(one.event['notice_type'])) ? [one.event['message_id']] : [],
    ),
  )
}

/** Who can speak there: everybody but the bot. */
export function peopleIn(world: World, { type, peer }: Place): readonly Person[] {
  if (type === 'private') return world.friends.filter(({ user_id }) => user_id === peer)
  const members = world.groups.find(({ group_id }) => group_id === peer)?.members ?? []
  return members.filter(({ user_id }) => user_id !== world.self_id)
}

export function nameIn(world: World, id: number): string | undefined {
  if (id === world.self_id) return world.nickname
  const everybody = [...world.groups.flatMap(({ members }) => members), ...world.friends]
  const found = everybody.find(({ user_id }) => user_id === id)
  return found && nameOf(found)
}

export function titleOf(world: World, { type, peer }: Place): string {
  if (type === 'group') return `${world.groups.find(({ group_id }) => group_id === peer)?.group_name ?? ''} (${peer})`
  return `${nameIn(world, peer) ?? ''} (${peer})`
}
