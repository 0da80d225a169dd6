// Classes of actions, and the limits for those who do not want to choose.

import { expect, test } from 'bun:test'
import type { GovernedCall } from '../../src/broker/policy.ts'
import { OPEN_TERMS } from '../../src/broker/ports.ts'
import { ACTIONS, CLASSES, classOf } from '../../src/governance/classes.ts'
import { Policy, type PolicySettings } from '../../src/governance/policy.ts'
import { isRead } from '../../src/onebot/action.ts'
import { ACTION_NAMES } from '../../src/simulator/actions.ts'

const START = 1_795_000_000_000
const SECOND = 1_000
const MINUTE = 60 * SECOND

const policyOf = (settings: Partial<PolicySettings>, random = () => 0) =>
  new Policy(
    {
      bot: {},
      preset: 'none',
      clients: new Map(),
      breaker: { failures: 5, coolDown: 10_000 },
      ...settings,
    },
    random,
  )

const call = (action: string, params: Record<string, unknown> = {}): GovernedCall => ({
  caller: 'app-1',
  terms: OPEN_TERMS,
  action,
  params,
  paced: false,
})

/** When so many of these go, each as soon as it may. Milliseconds after the start. */
function times(policy: Policy, count: number, what: (n: number) => GovernedCall): number[] {
  let now = START
  return Array.from({ length: count }, (_, n) => {
    for (;;) {
      const verdict = policy.admit(what(n), now, 0)
      if (verdict.kind === 'go') return now - START
      if (verdict.kind !== 'wait') throw new Error(`not taken: ${verdict.kind}`)
      expect(verdict.until).toBeGreaterThan(now)
      now = verdict.until
    }
  })
}

const text = (group: number) => call('send_group_msg', { group_id: group })

test('[LIM13] every action stands in the table once, and those that only read are no others', () => {
  const all = CLASSES.flatMap((kind) => ACTIONS[kind])
  expect(all.filter((action, at) => all.indexOf(action) !== at)).toEqual([])
  for (const kind of CLASSES)
    for (const action of ACTIONS[kind]) expect([action, classOf(action)]).toEqual([action, kind])
  const changing = [...ACTIONS.send, ...ACTIONS.manage]
  expect(changing.filter(isRead)).toEqual([])
  // What the standard has is all there.
  const known = new Set(all)
  expect(ACTION_NAMES.filter((action) => !known.has(action))).toEqual([])
})

test('[LIM13] actions that nobody knows are judged by their names, and by nothing with care', () => {
  for (const [action, kind] of [
    ['send_hologram', 'send'],
    ['_send_secret', 'send'],
    ['forward_channel_msg', 'send'],
    ['channel_poke', 'send'],
    ['upload_group_video', 'file'],
    ['.download_album', 'file'],
    ['get_channel_mood', 'read'],
    ['can_send_hologram', 'read'],
    ['nc_get_anything', 'read'],
    ['set_channel_mood', 'manage'],
    ['delete_channel', 'manage'],
    ['frobnicate', 'manage'],
    ['constructor', 'manage'],
    ['', 'manage'],
  ] as const)
    expect([action, classOf(action)]).toEqual([action, kind])
})

test('[LIM12] gentle: about a message a second, twenty a minute in one group, no two pauses alike', () => {
  const many = times(policyOf({ preset: 'gentle' }), 100, (n) => text(n + 1))
  expect(many.at(-1)).toBeGreaterThanOrEqual(95 * SECOND)
  expect(many.at(-1)).toBeLessThanOrEqual(100 * SECOND)
  const one = times(policyOf({ preset: 'gentle' }), 43, () => text(1))
  expect(one.at(-1)).toBeCloseTo(2 * MINUTE, -2)
  const chances = Array.from({ length: 1_000 }, (_, n) => (n * 0.618) % 1)
  const uneven = times(
    policyOf({ preset: 'gentle' }, () => chances.pop() ?? 0),
    3,
    () => text(1),
  )
  expect((uneven[1] ?? 0) - (uneven[0] ?? 0)).toBeGreaterThan(1_500)
  expect((uneven[1] ?? 0) - (uneven[0] ?? 0)).not.toBe((uneven[2] ?? 0) - (uneven[1] ?? 0))
  // Kicks in series are what is looked at most.
  expect(times(policyOf({ preset: 'gentle' }), 10, () => call('set_group_kick')).at(-1)).toBeGreaterThan(13 * SECOND)
})

test('[LIM12] normal: cuts the peaks only', () => {
  expect(times(policyOf({ preset: 'normal' }), 10, (n) => text(n + 1)).at(-1)).toBe(0)
  expect(times(policyOf({ preset: 'normal' }), 40, (n) => text(n + 1)).at(-1)).toBeCloseTo(10 * SECOND, -1)
  expect(times(policyOf({ preset: 'normal' }), 100, () => call('get_msg')).at(-1)).toBe(0)
})

test('[LIM12] none limits nothing', () => {
  expect(times(policyOf({ preset: 'none' }), 10_000, () => text(1)).at(-1)).toBe(0)
})

test('[LIM12] what the config says of a class takes the place of all that a preset says of it', () => {
  const policy = policyOf({ preset: 'gentle', bot: { send: { rate: 100, burst: 100 } } })
  expect(times(policy, 100, () => text(1)).at(-1)).toBe(0)
  expect(times(policy, 10, () => call('set_group_kick')).at(-1)).toBeGreaterThan(13 * SECOND)
  // What it says of one action comes on top.
  const more = policyOf({ preset: 'normal', bot: { send_like: { rate: 1 / 60 }, send_group_msg: { rate: 1 / 60 } } })
  expect(more.admit(text(1), START, 0).kind).toBe('go')
  expect(more.admit(text(2), START, 0).kind).toBe('full')
})

test('[LIM12] a change of the preset counts at once', () => {
  const policy = policyOf({ preset: 'gentle' })
  const settings = { bot: {}, clients: new Map(), breaker: { failures: 5, coolDown: 10_000 } }
  expect(policy.admit(text(1), START, 0).kind).toBe('go')
  expect(policy.admit(text(1), START, 0).kind).toBe('wait')
  policy.configure({ ...settings, preset: 'none' })
  expect(policy.admit(text(1), START, 0).kind).toBe('go')
  policy.configure({ ...settings, preset: 'gentle' })
  expect(policy.admit(text(1), START, 0).kind).toBe('go')
  expect(policy.admit(text(1), START, 0).kind).toBe('wait')
})
