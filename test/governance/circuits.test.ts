// Breakers as calls meet them: what counts as a failure, of which class, and how they are tried again.

import { expect, test } from 'bun:test'
import type { GovernedCall, Outcome } from '../../src/broker/policy.ts'
import { Policy, type PolicySettings } from '../../src/governance/policy.ts'

const START = 1_795_000_000_000

const SETTINGS: PolicySettings = {
  bot: {},
  preset: 'none',
  clients: new Map(),
  breaker: { failures: 3, coolDown: 10_000 },
}

const policyOf = (settings: Partial<PolicySettings> = {}) => new Policy({ ...SETTINGS, ...settings }, () => 0)

const call = (action: string, params: Record<string, unknown> = {}, paced = false): GovernedCall => ({
  caller: 'app-1',
  action,
  params,
  paced,
})

const text = (group = 1) => call('send_group_msg', { group_id: group })
const upload = () => call('upload_group_file', { group_id: 1 })
const status = () => call('get_status')

/** One call, up and back. */
function ends(policy: Policy, what: GovernedCall, outcome: Outcome, now: number): void {
  expect(policy.admit(what, now, 0)).toEqual({ kind: 'go' })
  policy.ended(what, outcome, now)
}

/** A policy whose `send` has just opened. */
function broken(settings: Partial<PolicySettings> = {}): Policy {
  const policy = policyOf(settings)
  for (let n = 0; n < 3; n++) ends(policy, text(), 'timeout', START)
  return policy
}

const states = (policy: Policy, now: number) => {
  const { send, manage, read, file } = policy.snapshot(now).breakers
  return [send.state, manage.state, read.state, file.state]
}

test('[BRK4] a class that hangs is refused, the others go on', () => {
  const policy = policyOf()
  for (let n = 0; n < 3; n++) {
    ends(policy, upload(), 'timeout', START)
    ends(policy, text(), 'ok', START)
  }
  expect(states(policy, START)).toEqual(['closed', 'closed', 'closed', 'open'])
  expect(policy.admit(upload(), START, 0).kind).toBe('open')
  for (const what of [text(), status(), call('delete_msg')])
    expect(policy.admit(what, START, 0)).toEqual({ kind: 'go' })
  // With two of them down the rest is still judged by what becomes of it.
  for (let n = 0; n < 3; n++) ends(policy, text(), 'timeout', START)
  for (let n = 0; n < 3; n++) ends(policy, status(), 'timeout', START)
  expect(states(policy, START)).toEqual(['open', 'closed', 'open', 'open'])
  expect(policy.admit(call('delete_msg'), START, 0)).toEqual({ kind: 'go' })
})

test('[BRK8] a refused call hears why, and when its kind is tried again', () => {
  const policy = broken()
  expect(policy.admit(text(), START + 4_000, 0)).toEqual({
    kind: 'open',
    until: START + 10_000,
    why: '"send" actions keep failing: no reply within the deadline',
  })
  // On a clock that was set back, in its own time.
  expect(policy.admit(text(), START - 60_000, 0)).toMatchObject({ kind: 'open', until: START - 54_000 })
  expect(policy.snapshot(START - 60_000).breakers.send).toEqual({ state: 'open', until: START - 54_000 })
})

test('[BRK8] a `_rate_limited` call waits for the next try instead', () => {
  const policy = broken()
  expect(policy.admit(call('send_msg', {}, true), START, 0)).toEqual({ kind: 'wait', until: START + 10_000 })
  expect(policy.admit(call('send_msg', {}, true), START + 10_000, 10_000)).toEqual({ kind: 'go' })
})

test('[BRK8] a call that its limits hold back is not the try, and takes no token while its class is open', () => {
  const policy = broken({ bot: { send: { rate: 0.05, burst: 4, 'max-wait': 60_000 } } })
  for (let n = 0; n < 9; n++) expect(policy.admit(text(), START + n, 0).kind).toBe('open')
  expect(policy.admit(text(), START + 10_000, 0)).toEqual({ kind: 'go' })
  policy.ended(text(), 'ok', START + 10_000)
  expect(policy.admit(text(), START + 10_000, 0)).toMatchObject({ kind: 'wait', until: START + 20_000 })
  expect(states(policy, START + 10_000)[0]).toBe('closed')
})

test('[BRK2] one call is the try: its success opens the way for all', () => {
  const policy = broken()
  const tried = text()
  expect(states(policy, START + 10_000)[0]).toBe('half-open')
  expect(policy.admit(tried, START + 10_000, 0)).toEqual({ kind: 'go' })
  expect(policy.admit(text(), START + 10_000, 0)).toMatchObject({ kind: 'open', until: START + 20_000 })
  policy.ended(tried, 'ok', START + 11_000)
  expect(policy.admit(text(), START + 11_000, 0)).toEqual({ kind: 'go' })
})

test('[BRK2] its failure doubles the pause', () => {
  const policy = broken()
  ends(policy, text(), 'timeout', START + 10_000)
  expect(policy.admit(text(), START + 10_000, 0)).toMatchObject({ until: START + 30_000 })
  ends(policy, text(), 'failed', START + 30_000)
  expect(policy.admit(text(), START + 30_000, 0)).toMatchObject({ until: START + 70_000 })
})

test('[BRK5] what the implementation refuses is no failure, however often', () => {
  const policy = policyOf()
  for (let n = 0; n < 1_000; n++) ends(policy, text(), 'refused', START)
  for (let n = 0; n < 100; n++) {
    ends(policy, text(), 'timeout', START)
    ends(policy, text(), 'timeout', START)
    ends(policy, text(), 'refused', START)
  }
  expect(policy.admit(text(), START, 0)).toEqual({ kind: 'go' })
  // It answers: that is all a try is to tell.
  const again = broken()
  ends(again, text(), 'refused', START + 10_000)
  expect(states(again, START + 10_000)[0]).toBe('closed')
})

test('[BRK5] one group or user that nothing gets into stops nobody else; several do', () => {
  const policy = policyOf()
  for (let n = 0; n < 100; n++) {
    ends(policy, text(1), 'failed', START)
    ends(policy, call('send_private_msg', { user_id: '1' }), 'failed', START)
  }
  expect(states(policy, START)[0]).toBe('closed')
  ends(policy, text(2), 'ok', START)
  for (const group of [1, 2, 3]) ends(policy, text(group), 'failed', START)
  expect(policy.admit(text(4), START, 0)).toMatchObject({ kind: 'open', why: expect.stringContaining('got stuck') })
  // No answer at all is the fault of nobody's group, and some calls have none.
  const silent = broken()
  expect(states(silent, START)[0]).toBe('open')
  const aimless = policyOf()
  for (let n = 0; n < 3; n++) ends(aimless, call('send_packet'), 'failed', START)
  expect(states(aimless, START)[1]).toBe('open')
})

test('[BRK6] calls that are lost together are one failure', () => {
  const policy = policyOf()
  const flying = Array.from({ length: 200 }, () => text())
  for (const what of flying) policy.admit(what, START, 0)
  flying.forEach((what, n) => {
    policy.ended(what, 'lost', START + n)
  })
  expect(states(policy, START + 200)[0]).toBe('closed')
  // An implementation that dies of each call is not given one after another.
  for (const later of [60_000, 120_000]) ends(policy, text(), 'lost', START + later)
  expect(policy.admit(text(), START + 120_000, 0)).toMatchObject({ kind: 'open', why: expect.stringContaining('lost') })
})

test('[BRK7] calls of before the pause neither prolong it nor spoil the try', () => {
  const policy = policyOf()
  const flying = Array.from({ length: 100 }, () => text())
  for (const what of flying) policy.admit(what, START, 0)
  flying.slice(0, 50).forEach((what, n) => {
    policy.ended(what, 'timeout', START + n)
  })
  expect(policy.snapshot(START + 60).breakers.send).toEqual({ state: 'open', until: START + 10_002 })
  const tried = text()
  expect(policy.admit(tried, START + 10_002, 0)).toEqual({ kind: 'go' })
  for (const what of flying.slice(50, 99)) policy.ended(what, 'timeout', START + 10_100)
  expect(states(policy, START + 10_100)[0]).toBe('half-open')
  policy.ended(tried, 'timeout', START + 10_200)
  expect(policy.snapshot(START + 10_200).breakers.send).toEqual({ state: 'open', until: START + 30_200 })
  // A late success is a success.
  policy.ended(flying[99] ?? tried, 'ok', START + 10_300)
  expect(states(policy, START + 10_300)[0]).toBe('closed')
})

test('[BRK7] a try that outlasts its minute still tells how things stand', () => {
  const policy = broken()
  const [first, second] = [text(), text()]
  expect(policy.admit(first, START + 10_000, 0)).toEqual({ kind: 'go' })
  expect(policy.admit(second, START + 70_000, 0)).toEqual({ kind: 'go' })
  policy.ended(first, 'timeout', START + 70_001)
  expect(policy.snapshot(START + 70_001).breakers.send).toEqual({ state: 'open', until: START + 90_001 })
  policy.ended(second, 'timeout', START + 80_000)
  expect(policy.snapshot(START + 80_000).breakers.send).toEqual({ state: 'open', until: START + 90_001 })
  // After the next pause it is one of before.
  const late = text()
  const third = text()
  expect(policy.admit(third, START + 90_001, 0)).toEqual({ kind: 'go' })
  expect(policy.admit(late, START + 150_001, 0)).toEqual({ kind: 'go' })
  policy.ended(third, 'timeout', START + 150_002)
  expect(policy.admit(text(), START + 190_002, 0)).toEqual({ kind: 'go' })
  policy.ended(late, 'timeout', START + 190_003)
  expect(states(policy, START + 190_003)[0]).toBe('half-open')
})

test('[BRK9] a status is asked for once in each pause that is over', () => {
  const policy = broken()
  expect(policyOf().probe(START)).toBe(false)
  expect([policy.probe(START + 9_999), policy.probe(START + 10_000), policy.probe(START + 10_001)]).toEqual([
    false,
    true,
    false,
  ])
  policy.ended(status(), 'timeout', START + 13_000)
  // It was not even told: nobody's message is spent on it.
  expect(policy.admit(text(), START + 13_000, 0)).toMatchObject({ kind: 'open', until: START + 33_000 })
  expect([policy.probe(START + 33_000), policy.probe(START + 33_000)]).toEqual([true, false])
  policy.ended(status(), 'ok', START + 33_010)
  expect(policy.admit(text(), START + 33_010, 0)).toEqual({ kind: 'go' })
  expect(policy.admit(text(), START + 33_010, 0).kind).toBe('open')
})

test('[BRK9] what only reads is opened by the status itself', () => {
  const policy = policyOf()
  for (let n = 0; n < 3; n++) ends(policy, call('get_msg'), 'timeout', START)
  expect(policy.probe(START + 10_000)).toBe(true)
  expect(policy.admit(call('get_msg'), START + 10_000, 0).kind).toBe('open')
  policy.ended(status(), 'timeout', START + 13_000)
  expect(policy.snapshot(START + 13_000).breakers.read).toEqual({ state: 'open', until: START + 33_000 })
  expect(policy.probe(START + 33_000)).toBe(true)
  policy.ended(status(), 'ok', START + 33_000)
  expect(policy.admit(call('get_msg'), START + 33_000, 0)).toEqual({ kind: 'go' })
})

const at = (side: number, what = text()): GovernedCall => ({ ...what, side })
const probe = (side: number): GovernedCall => ({ ...status(), side, probe: true })

test('[BRK12] each implementation has circuits of its own, and a new one none that is open', () => {
  const policy = policyOf()
  for (let n = 0; n < 3; n++) ends(policy, at(1), 'timeout', START)
  expect(policy.admit(at(1), START, 0).kind).toBe('open')
  expect([policy.admit(at(0), START, 0), policy.admit(text(), START, 0)]).toEqual([{ kind: 'go' }, { kind: 'go' }])
  expect(policy.failing(0, START)).toBeUndefined()
  expect(policy.failing(1, START)).toEqual({
    why: '"send" actions keep failing: no reply within the deadline',
    probeAt: START + 10_000,
  })
  expect([0, 1].map((side) => policy.snapshot(START, side).breakers.send.state)).toEqual(['closed', 'open'])
  expect([policy.probe(START + 10_000, 0), policy.probe(START + 10_000, 1)]).toEqual([false, true])
  // On its way.
  expect(policy.failing(1, START + 10_000)).not.toContainKey('probeAt')
  policy.renew(1)
  expect([policy.failing(1, START), policy.admit(at(1), START, 0)]).toEqual([undefined, { kind: 'go' }])
})

test('[BRK12] a probe that goes well lets all pass that was due, and nothing that was not', () => {
  const policy = policyOf()
  for (let n = 0; n < 3; n++) ends(policy, at(1), 'timeout', START)
  for (let n = 0; n < 3; n++) ends(policy, at(1, upload()), 'timeout', START + 5_000)
  expect(policy.probe(START + 10_000, 1)).toBe(true)
  policy.ended(probe(1), 'refused', START + 10_001)
  for (let n = 0; n < 3; n++) expect(policy.admit(at(1), START + 10_001, 0)).toEqual({ kind: 'go' })
  expect(policy.failing(1, START + 10_001)).toEqual({
    why: '"file" actions keep failing: no reply within the deadline',
    probeAt: START + 15_000,
  })
  policy.ended(at(1), 'timeout', START + 12_000)
  expect(policy.admit(at(1), START + 12_000, 0)).toMatchObject({ until: START + 32_000 })
  // A single group that failed before counts again: it was among those that opened it.
  expect(policy.probe(START + 32_000, 1)).toBe(true)
  policy.ended(probe(1), 'ok', START + 32_000)
  policy.ended(at(1), 'failed', START + 32_001)
  expect(policy.failing(1, START + 32_001)?.why).toContain('got stuck')
})

test('[BRK12] a probe that fails prolongs what is due, and opens nothing of its own class', () => {
  const policy = policyOf()
  for (let n = 0; n < 3; n++) ends(policy, at(1), 'timeout', START)
  let now = START + 10_000
  for (let n = 0; n < 5; n++) {
    expect(policy.probe(now, 1)).toBe(true)
    policy.ended(probe(1), 'timeout', now)
    now = policy.failing(1, now)?.probeAt ?? 0
  }
  expect(now).toBe(START + 10_000 + 20_000 + 40_000 + 80_000 + 160_000 + 160_000)
  expect(policy.snapshot(now, 1).breakers.read).toEqual({ state: 'closed' })
})

test('[BRK1] other settings count at once, and 0 opens what is open', () => {
  const policy = broken()
  policy.configure({ ...SETTINGS, breaker: { failures: 0, coolDown: 10_000 } })
  expect(policy.admit(text(), START, 0)).toEqual({ kind: 'go' })
  for (let n = 0; n < 100; n++) ends(policy, text(), 'timeout', START)
  policy.configure({ ...SETTINGS, breaker: { failures: 1, coolDown: 2_000 } })
  ends(policy, text(), 'timeout', START)
  expect(policy.admit(text(), START, 0)).toMatchObject({ kind: 'open', until: START + 2_000 })
})

test('[BRK14] what nobody waits for any more is no failure, and as a try leaves room for the next one', () => {
  const policy = policyOf()
  for (let n = 0; n < 10; n++) ends(policy, text(), 'dropped', START)
  expect([states(policy, START)[0], policy.idle]).toEqual(['closed', true])
  const failing = broken()
  // Of before the pause.
  failing.ended(text(), 'dropped', START + 1)
  expect(states(failing, START + 9_999)[0]).toBe('open')
  const try1 = text()
  expect(failing.admit(try1, START + 10_000, 0)).toEqual({ kind: 'go' })
  expect(failing.admit(text(), START + 10_000, 0).kind).toBe('open')
  failing.ended(text(), 'dropped', START + 10_000)
  expect(failing.admit(text(), START + 10_000, 0).kind).toBe('open')
  failing.ended(try1, 'dropped', START + 10_001)
  const try2 = text()
  expect(failing.admit(try2, START + 10_001, 0)).toEqual({ kind: 'go' })
  // The pause after it is the second, not the third.
  failing.ended(try2, 'timeout', START + 10_001)
  expect(failing.admit(text(), START + 10_002, 0)).toMatchObject({ kind: 'open', until: START + 30_001 })
})
