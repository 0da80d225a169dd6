// The strategies by which a pool shares out its events.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Member } from '../../src/broker/policy.ts'
import { STRATEGIES, type StrategyName, type StrategyOptions } from '../../src/governance/strategies.ts'

const member = (name: string, weight = 1, pending = 0): Member & { pending: number } => ({
  name,
  weight,
  pending,
  note: 0,
})

const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
const crew = (all: readonly number[]) => all.map((weight, n) => member(`member ${n}`, weight))
const total = (all: readonly { weight: number }[]) => all.reduce((sum, { weight }) => sum + weight, 0)

/** Who gets events of these groups, by name. */
function choices(name: StrategyName, members: readonly Member[], events: number, options: StrategyOptions = {}) {
  const strategy = STRATEGIES[name](options)
  return Array.from({ length: events }, (_, n) => {
    const event = { group_id: 100_000 + n }
    return strategy.choose(members, event, JSON.stringify(event))?.name
  })
}

const share = (chosen: readonly (string | undefined)[], { name }: Member) =>
  chosen.filter((one) => one === name).length / chosen.length

test('[POOL1] every strategy names itself, chooses the only member there is, and nobody where there is none', () => {
  for (const [name, make] of Object.entries(STRATEGIES)) {
    const strategy = make({})
    const only = member('a')
    expect(strategy.name).toBe(name)
    expect(strategy.choose([], {}, '{}')).toBeUndefined()
    for (let n = 0; n < 3; n++) expect(strategy.choose([only], {}, '{}')).toBe(only)
  }
})

test('[POOL2] round robin: after each round everybody has had exactly its weight', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 5 }), (all, rounds) => {
      const members = crew(all)
      const chosen = choices('round-robin', members, total(members) * rounds)
      for (const one of members) expect(chosen.filter((name) => name === one.name)).toHaveLength(one.weight * rounds)
    }),
  )
})

test('[POOL2] round robin: a heavy member is not served all its turns in a row', () => {
  expect(choices('round-robin', [member('a', 2), member('b'), member('c')], 4).join('')).toBe('abca')
})

test('[POOL2] round robin: who is passed over for a while is not paid back in one go', () => {
  const [a, b] = [member('a'), member('b')]
  const strategy = STRATEGIES['round-robin']({})
  const choose = (members: Member[]) => strategy.choose(members, {}, '{}')?.name
  for (let n = 0; n < 100; n++) choose([a])
  expect(Array.from({ length: 6 }, () => choose([a, b])).join('')).toMatch(/^(ab){3}$|^(ba){3}$/)
})

test('[POOL3] random: shares are by weight, and the whole range of the numbers is used', () => {
  const members = [member('a', 1), member('b', 3)]
  for (const [random, name] of [
    [0, 'a'],
    [0.2499, 'a'],
    [0.25, 'b'],
    [0.9999, 'b'],
  ] as const)
    expect(choices('random', members, 1, { random: () => random })).toEqual([name])
})

test('[POOL3] random: unless told otherwise the numbers are random', () => {
  expect(new Set(choices('random', [member('a'), member('b')], 200)).size).toBe(2)
})

test('[POOL4] least pending: who has the least to do for its weight', () => {
  expect(choices('least-pending', [member('a', 1, 5), member('b', 1, 3), member('c', 1, 4)], 2)).toEqual(['b', 'b'])
  expect(choices('least-pending', [member('a', 1, 5), member('b', 2, 8)], 1)).toEqual(['b'])
})

test('[POOL4] least pending: who is idle gets an event in turn, by weight', () => {
  fc.assert(
    fc.property(weights, (all) => {
      const idle = crew(all)
      const chosen = choices('least-pending', [member('busy', 9, 1), ...idle], total(idle))
      for (const one of idle) expect(chosen.filter((name) => name === one.name)).toHaveLength(one.weight)
    }),
  )
})

test('[POOL5] hash: a member that leaves or comes moves no key but its own', () => {
  fc.assert(
    fc.property(weights, fc.nat(), (all, at) => {
      const members = crew(all)
      const extra = member('newcomer', all[at % all.length])
      const before = choices('hash', members, 200)
      const after = choices('hash', [...members, extra], 200)
      for (const [n, name] of after.entries()) if (name !== extra.name) expect(name).toBe(before[n])
    }),
  )
})

test('[POOL5] hash: the order of the members, and how often they are asked, makes no difference', () => {
  fc.assert(
    fc.property(weights, (all) => {
      const members = crew(all)
      expect(choices('hash', crew(all).reverse(), 100)).toEqual(choices('hash', members, 100))
      expect(choices('hash', members, 100)).toEqual(choices('hash', members, 100))
    }),
  )
})

test('[POOL5] hash: other weights move keys only to who weighs more, and shares are by weight', () => {
  const names = ['alice', 'bob', 'carol', 'dave']
  const before = names.map((name) => member(name))
  const after = names.map((name) => member(name, name === 'alice' ? 3 : 1))
  const [even, uneven] = [choices('hash', before, 20_000), choices('hash', after, 20_000)]
  for (const [n, name] of uneven.entries()) if (name !== 'alice') expect(name).toBe(even[n])
  for (const one of before) expect(share(even, one)).toBeCloseTo(1 / 4, 1)
  for (const one of after) expect(Math.abs(share(uneven, one) - one.weight / 6)).toBeLessThan(0.015)
})

test('[POOL5] hash: shares are even among many members with names alike', () => {
  const members = Array.from({ length: 20 }, (_, n) => member(`worker-${n}`))
  const chosen = choices('hash', members, 40_000)
  for (const one of members) expect(Math.abs(share(chosen, one) - 1 / 20)).toBeLessThan(0.008)
})

test('[POOL6] hash: a conversation stays with its member, whoever speaks in it', () => {
  const members = crew([1, 1, 1, 1, 1])
  const chosen = (event: object, by?: 'group_id' | 'user_id') => {
    const raw = JSON.stringify(event)
    return STRATEGIES.hash({ by }).choose(members, JSON.parse(raw), raw)?.name
  }
  for (let group = 1; group <= 30; group++) {
    expect(chosen({ group_id: group, user_id: 5 })).toBe(chosen({ group_id: String(group), user_id: 6 }))
    expect(chosen({ user_id: group, group_id: 5 }, 'user_id')).toBe(chosen({ user_id: group, group_id: 6 }, 'user_id'))
    // Without the one, the other; 0 is no group.
    expect(chosen({ user_id: group })).toBe(chosen({ group_id: group }))
    expect(chosen({ user_id: group, group_id: 0 })).toBe(chosen({ group_id: group }))
    expect(chosen({ group_id: group }, 'user_id')).toBe(chosen({ user_id: group }, 'user_id'))
    expect(chosen({ self_id: group })).toBe(chosen({ group_id: group }))
  }
})

test('[POOL6] hash: ids are told apart to the last digit', () => {
  const members = crew([1, 1, 1, 1, 1, 1, 1, 1])
  const strategy = STRATEGIES.hash({})
  const chosen = Array.from({ length: 10 }, (_, n) => {
    const raw = `{"group_id":900719925474099300${n}}`
    return strategy.choose(members, JSON.parse(raw), raw)?.name
  })
  expect(new Set(chosen).size).toBeGreaterThan(2)
  const quoted = '{"group_id":"9007199254740993000"}'
  expect(strategy.choose(members, JSON.parse(quoted), quoted)?.name).toBe(chosen[0])
})

test('[POOL7] priority: the heaviest works, the first of equals; the others stand by', () => {
  const [a, b, c] = [member('a', 1), member('b', 5), member('c', 5)]
  expect(choices('priority', [a, b, c], 2)).toEqual(['b', 'b'])
  expect(choices('priority', [a, c], 1)).toEqual(['c'])
  expect(choices('priority', [a], 1)).toEqual(['a'])
})
