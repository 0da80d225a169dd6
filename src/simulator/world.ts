// The state of the simulated QQ: who is where with which rights, and which requests are open.

import { fail } from './failure.ts'
import {
  type Chance,
  chance,
  type Friend,
  type Group,
  type Member,
  member,
  type Person,
  person,
  populate,
} from './people.ts'

export type Request = { readonly flag: string; readonly user_id: number; readonly comment: string } & (
  | { readonly type: 'friend' }
  /** `add`: somebody wants to join; `invite`: the account is asked to. */
  | { readonly type: 'group'; readonly sub_type: 'add' | 'invite'; readonly group_id: number }
)

/** More of them are not kept; the oldest expire. */
const MOST_REQUESTS = 1_000
const RANK = { owner: 3, admin: 2, member: 1 } as const

export class World {
  readonly self: Person
  readonly friends: Map<number, Friend>
  readonly groups: Map<number, Group>
  readonly requests = new Map<string, Request>()
  readonly #random: Chance

  constructor(selfId: number, seed: number) {
    this.#random = chance(seed)
    const { self, friends, groups } = populate(selfId, this.#random, seconds())
    this.self = self
    this.friends = friends
    this.groups = groups
  }

  /** @throws Failure when the account is not in that group. */
  group(id: number): Group {
    return this.groups.get(id) ?? fail(`group ${id}: the account is not in it`)
  }

  /** @throws Failure */
  member(groupId: number, userId: number): Member {
    return this.group(groupId).members.get(userId) ?? fail(`user ${userId}: no member of group ${groupId}`)
  }

  /** The account itself in a group. */
  me(groupId: number): Member {
    return this.member(groupId, this.self.user_id)
  }

  /** Anybody the account has ever met. @throws Failure */
  person(id: number): Person {
    if (id === this.self.user_id) return this.self
    const friend = this.friends.get(id)
    if (friend) return friend
    for (const { members } of this.groups.values()) {
      const found = members.get(id)
      if (found) return found
    }
    return fail(`user ${id}: nobody knows that account`)
  }

  /** Like `person`, but somebody unknown is made up. */
  anybody(id: number, nickname?: string): Person {
    try {
      return this.person(id)
    } catch {
      return person(id, nickname ?? `用户${id % 10_000}`, this.#random)
    }
  }

  /** An account number that nobody has yet. */
  stranger(): number {
    let id = 0
    do id = 3_000_000_000 + Math.floor(this.#random() * 1e9)
    while (this.friends.has(id))
    return id
  }

  /** @throws Failure unless the account is `least` or more in that group. */
  needRole(groupId: number, least: 'admin' | 'owner'): void {
    if (RANK[this.me(groupId).role] < RANK[least]) fail(`group ${groupId}: the account is not ${least} there`)
  }

  /** @throws Failure unless the account stands above that member. */
  needAbove(groupId: number, userId: number): Member {
    const other = this.member(groupId, userId)
    if (RANK[this.me(groupId).role] <= RANK[other.role]) fail(`user ${userId}: does not stand below the account`)
    return other
  }

  join(groupId: number, one: Person): Member {
    const joined = member(one, 'member', seconds())
    this.group(groupId).members.set(one.user_id, joined)
    return joined
  }

  befriend(one: Person, remark: string): void {
    this.friends.set(one.user_id, { ...one, remark })
  }

  /** A group that the account was invited to comes into being with its inviter as owner. */
  enter(groupId: number, inviter: Person): void {
    if (this.groups.has(groupId)) return
    const people = [member(inviter, 'owner', seconds()), member(this.self, 'member', seconds())]
    const members = new Map(people.map((one) => [one.user_id, one]))
    const rest = { max_member_count: 200, muted: false, anonymous: false }
    this.groups.set(groupId, { group_id: groupId, group_name: `群${groupId}`, members, ...rest })
  }

  open(request: Request): void {
    this.requests.set(request.flag, request)
    for (const flag of this.requests.keys()) {
      if (this.requests.size <= MOST_REQUESTS) break
      this.requests.delete(flag)
    }
  }

  /** Each request is settled once. @throws Failure */
  settle<T extends Request['type']>(type: T, flag: string): Request & { type: T } {
    const request = this.requests.get(flag)
    if (request?.type !== type) return fail(`flag ${flag}: no open ${type} request`)
    this.requests.delete(flag)
    return request as Request & { type: T } // as was just compared
  }
}

/** Now, as OneBot counts time. */
export const seconds = (): number => Math.floor(Date.now() / 1_000)
