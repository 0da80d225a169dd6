// How a pool shares out its events: a table of strategies, each of which respects the members' weights.

import type { Member, Strategy } from '../broker/policy.ts'
import { hash32, mix32 } from '../lib/hash.ts'
import { idOf } from '../onebot/id.ts'
import type { Fields } from '../onebot/object.ts'

export interface StrategyOptions {
  /** What a conversation is, for `hash`. Default: `group_id`. */
  readonly by?: keyof typeof KEYS | undefined
  /** From 0 to, not including, 1. */
  readonly random?: (() => number) | undefined
}

/** Where an event has no such id it goes by the next; one that has none of them, such as a notice of the account, by the account. */
const KEYS = {
  group_id: ['group_id', 'user_id', 'self_id'],
  user_id: ['user_id', 'group_id', 'self_id'],
} as const

export type StrategyName = 'round-robin' | 'random' | 'least-pending' | 'hash' | 'priority'

/** Each call makes one of its own, which one pool may use. */
export const STRATEGIES: Readonly<Record<StrategyName, (options: StrategyOptions) => Strategy>> = {
  'round-robin': () => ({ name: 'round-robin', choose: (members) => inTurn(members) }),
  random: ({ random = Math.random }) => ({ name: 'random', choose: (members) => atRandom(members, random()) }),
  'least-pending': () => ({ name: 'least-pending', choose: (members) => leastPending(members) }),
  hash: ({ by = 'group_id' }) => ({
    name: 'hash',
    choose: (members, event, raw) => nearest(members, hash32(conversation(raw, event, KEYS[by]))),
  }),
  priority: () => ({ name: 'priority', choose: (members) => heaviest(members) }),
}

/**
 * Smooth weighted round robin: each earns its weight at every turn, and the richest pays for the turn with what all have
 * earned. Members of weights 2 and 1 come as a, b, a, and never as a, a, b.
 */
function inTurn<M extends Member>(members: readonly M[], load = Number.POSITIVE_INFINITY): M | undefined {
  let richest: M | undefined
  let earned = 0
  for (const member of members) {
    if (load < Number.POSITIVE_INFINITY && loadOf(member) > load) continue
    member.note += member.weight
    earned += member.weight
    if (richest === undefined || member.note > richest.note) richest = member
  }
  if (richest !== undefined) richest.note -= earned
  return richest
}

function atRandom<M extends Member>(members: readonly M[], random: number): M | undefined {
  let total = 0
  for (const { weight } of members) total += weight
  let left = random * total
  for (const member of members) {
    left -= member.weight
    if (left < 0) return member
  }
  return members.at(-1)
}

/** Among those with equally little to do, who is next: most of the time nobody has anything to do. */
function leastPending<M extends Member>(members: readonly M[]): M | undefined {
  let least = Number.POSITIVE_INFINITY
  for (const member of members) least = Math.min(least, loadOf(member))
  return inTurn(members, least)
}

const loadOf = ({ pending, weight }: Member) => pending / weight

/**
 * Rendezvous hashing: each member draws a number for the key, always the same one, and the best draw wins. A member that
 * leaves takes only its own keys along; who comes takes its share evenly from all. The logarithm makes the chances of
 * winning proportional to the weights.
 */
function nearest<M extends Member>(members: readonly M[], key: number): M | undefined {
  let best: M | undefined
  let bestDraw = Number.NEGATIVE_INFINITY
  for (const member of members) {
    // Its note is its name's hash, reckoned once; never the 0 that says it was not.
    if (member.note === 0) member.note = hash32(member.name) || 1
    const drawn = mix32(mix32(key ^ member.note) ^ Math.imul(member.note, GOLDEN))
    const draw = Math.log((drawn + 0.5) / 2 ** 32) / member.weight
    if (draw > bestDraw || (draw === bestDraw && best !== undefined && member.name < best.name)) {
      best = member
      bestDraw = draw
    }
  }
  return best
}

/** 2^32 divided by the golden ratio: tells members apart whose hashes differ from their keys' in the same bits. */
const GOLDEN = 0x9e3779b1

function conversation(raw: string, event: Fields, keys: readonly string[]): string {
  for (const key of keys) {
    const id = idOf(raw, event, key)
    if (id !== undefined) return id
  }
  return ''
}

/** The first of those with the highest weight: all others stand by. */
function heaviest<M extends Member>(members: readonly M[]): M | undefined {
  let best: M | undefined
  for (const member of members) if (best === undefined || member.weight > best.weight) best = member
  return best
}
