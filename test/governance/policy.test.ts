// A bot's policy as a whole: limits of the bot and of its clients, and a breaker for each class of actions.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { GovernedCall, Verdict } from '../../src/broker/policy.ts'
import { OPEN_TERMS } from '../../src/broker/ports.ts'
import type { RateLimits } from '../../src/governance/limits.ts'
import { Policy, type PolicySettings } from '../../src/governance/policy.ts'
import { worked } from '../support/work.ts'

const START = 1_795_000_000_000
const never = () => 0
const HOUR = 3_600_000

const SETTINGS: PolicySettings = {
  bot: {},
  preset: 'none',
  clients: new Map(),
  breaker: { failures: 3, coolDown: 10_000 },
}

const policyOf = (settings: Partial<PolicySettings>) => new Policy({ ...SETTINGS, ...settings }, never)

const call = (
  action: string,
  params: Record<string, unknown> = {},
  given: Partial<GovernedCall> = {},
): GovernedCall => ({
  caller: 'app-1',
  action,
  params,
  paced: false,
  ...given,
})

const text = (group: unknown) => call('send_group_msg', { group_id: group, message: 'hi' })
const by = (client: string, caller = 'app-1') => ({ caller, terms: { ...OPEN_TERMS, client } })

/** How many of so many equal calls go at one time. */
function going(policy: Policy, count: number, what: GovernedCall, now = START): number {
  let gone = 0
  for (let n = 0; n < count; n++) if (policy.admit(what, now, 0).kind === 'go') gone += 1
  return gone
}

const waitOf = (verdict: Verdict) => (verdict.kind === 'wait' ? verdict.until - START : verdict)

test('[LIM3] a call takes a token of every bucket that it needs, or of none', () => {
  const policy = policyOf({
    bot: {
      send: { rate: 1, burst: 2 },
      send_group_msg: { rate: 0.1, burst: 1, per: 'group' },
      all: { rate: 1, burst: 100 },
    },
  })
  expect(policy.admit(text(1), START, 0)).toEqual({ kind: 'go' })
  // Its group has no token: those of the bot stay, however often it is asked.
  for (let n = 0; n < 10; n++) expect(waitOf(policy.admit(text(1), START, 0))).toBe(10_000)
  expect(policy.admit(text(2), START, 0)).toEqual({ kind: 'go' })
  // The bot has none: that of the group stays.
  expect(waitOf(policy.admit(text(3), START, 0))).toBe(1_000)
  // The latest of them all counts.
  expect(waitOf(policy.admit(text(2), START, 0))).toBe(10_000)
  expect(policy.admit(text(3), START + 1_000, 1_000)).toEqual({ kind: 'go' })
})

test('[LIM3] whatever is asked, nothing is taken by halves, and the time told is the earliest', () => {
  const limits = fc.record({
    rate: fc.integer({ min: 1, max: 20 }),
    burst: fc.integer({ min: 1, max: 4 }),
    'min-interval': fc.integer({ min: 0, max: 300 }),
  })
  const asks = fc.array(fc.record({ group: fc.integer({ min: 1, max: 3 }), gap: fc.nat(400), read: fc.boolean() }), {
    minLength: 20,
    maxLength: 80,
  })
  fc.assert(
    fc.property(limits, limits, limits, asks, (bot, group, mine, steps) => {
      const settings = {
        bot: { all: bot, send: { ...group, per: 'group' as const } },
        clients: new Map([['', { send: mine }]]),
      }
      const asked = policyOf(settings)
      // Sees only the calls that went: had one that waited taken anything, they would part.
      const spared = policyOf(settings)
      let now = START
      for (const { group: id, gap, read } of steps) {
        now += gap
        const what = read ? call('get_status') : text(id)
        const verdict = asked.admit(what, now, 0)
        if (verdict.kind === 'go') expect(spared.admit(what, now, 0)).toEqual(verdict)
        else if (verdict.kind === 'wait') {
          expect(verdict.until).toBeGreaterThan(now)
          // Not earlier, and then at once.
          expect(asked.admit(what, (now + verdict.until) / 2, 0).kind).toBe('wait')
          now = verdict.until
          expect(asked.admit(what, now, 0)).toEqual({ kind: 'go' })
          expect(spared.admit(what, now, 0)).toEqual({ kind: 'go' })
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('[LIM4] limits are for a class, for an action, or for all', () => {
  const policy = policyOf({ bot: { send: { rate: 1 }, get_file: { rate: 1 }, file: { rate: 1, burst: 3 } } })
  expect(going(policy, 5, text(1))).toBe(1)
  expect(going(policy, 5, call('send_private_msg', { user_id: 1 }))).toBe(0)
  expect(going(policy, 5, call('delete_msg'))).toBe(5)
  expect(going(policy, 5, call('get_group_list'))).toBe(5)
  expect(going(policy, 5, call('get_file'))).toBe(1)
  expect(going(policy, 5, call('upload_group_file', { group_id: 1 }))).toBe(2)
  const all = policyOf({ bot: { all: { rate: 1, burst: 2 } } })
  expect(going(all, 1, text(1)) + going(all, 1, call('get_status')) + going(all, 1, call('delete_msg'))).toBe(2)
})

test('[LIM4] a bucket for each group or user leaves others alone, and calls that have no such target', () => {
  const policy = policyOf({ bot: { send: { rate: 1, per: 'group' }, manage: { rate: 1, per: 'user' } } })
  expect([1, 2, 3].map((group) => going(policy, 3, text(group)))).toEqual([1, 1, 1])
  expect(going(policy, 3, call('send_private_msg', { user_id: 1 }))).toBe(3)
  // A temporary session is no message in the group that it came from.
  expect(going(policy, 3, call('send_private_msg', { user_id: 1, group_id: 1 }))).toBe(3)
  expect(going(policy, 3, call('send_msg', { group_id: 4, user_id: 1 }))).toBe(1)
  expect(going(policy, 3, call('set_group_ban', { group_id: 4, user_id: 1 }))).toBe(1)
  expect(going(policy, 3, call('set_group_name', { group_id: 4 }))).toBe(3)
})

test('[LIM5] one id is one key, however it is written', () => {
  const policy = policyOf({ bot: { send: { rate: 1, per: 'group' } } })
  const same = [123_456, '123456', ' 123456 ', '0123456', '+123456', '123456.0', '1.23456e5']
  expect(same.map((id) => going(policy, 1, text(id)))).toEqual([1, 0, 0, 0, 0, 0, 0])
  // No number holds these.
  const long = ['9007199254740993', '9007199254740992', '00009007199254740993', '18446744073709551617']
  expect(long.map((id) => going(policy, 1, text(id)))).toEqual([1, 1, 0, 1])
  expect(['openid-a', 'openid-b', 'openid-a'].map((id) => going(policy, 1, text(id)))).toEqual([1, 1, 0])
})

test('[LIM5] what is no id shares one bucket, and what is absent has none', () => {
  const policy = policyOf({ bot: { send: { rate: 1, per: 'group' } } })
  const odd = [[123], ['456'], { id: 1 }, true, 'x'.repeat(1_000_000)]
  expect(odd.map((id) => going(policy, 1, text(id)))).toEqual([1, 0, 0, 0, 0])
  for (const none of [undefined, null, '', 0, '0']) expect(going(policy, 2, text(none))).toBe(2)
  expect(going(policy, 2, call('send_group_msg', Object.create({ group_id: 123 }) as Record<string, unknown>))).toBe(2)
})

test('[LIM6] clients have limits of their own: the configured ones one bucket, others one each', () => {
  const policy = policyOf({
    clients: new Map<string, RateLimits>([
      ['', { send: { rate: 1, burst: 1 } }],
      ['worker', { send: { rate: 1, burst: 3 } }],
      ['free', {}],
    ]),
  })
  const send = (client: string, caller: string) => ({ ...text(1), ...by(client, caller) })
  expect(going(policy, 9, send('worker', 'app-1')) + going(policy, 9, send('worker', 'app-2'))).toBe(3)
  expect([going(policy, 9, send('', 'app-3')), going(policy, 9, send('', 'app-4'))]).toEqual([1, 1])
  expect(going(policy, 9, send('free', 'app-5'))).toBe(9)
  // An HTTP call has no terms, and one whose entry says nothing is as everybody.
  expect([going(policy, 9, { ...text(1), caller: '10.0.0.1' }), going(policy, 9, send('quiet', 'app-6'))]).toEqual([
    1, 1,
  ])
})

test("[LIM6] a client's bucket for each group is its own", () => {
  const policy = policyOf({ clients: new Map([['', { send: { rate: 1, per: 'group' as const } }]]) })
  const send = (caller: string, group: number) => ({ ...text(group), caller })
  expect(going(policy, 3, send('a', 1)) + going(policy, 3, send('a', 2))).toBe(2)
  expect(going(policy, 3, send('b', 1))).toBe(1)
})

test('[LIM7] who queues waits up to max-wait, and is told when to try again once that is not enough', () => {
  const policy = policyOf({ bot: { send: { rate: 0.5, burst: 1, 'max-wait': 5_000 } } })
  expect(going(policy, 1, text(1))).toBe(1)
  // Longer than `most` it does not wait, whatever comes before it in its line.
  expect(policy.admit(text(1), START, 3_000)).toEqual({ kind: 'wait', until: START + 2_000, most: 5_000 })
  const full = policy.admit(text(1), START, 3_001)
  expect(full).toEqual({ kind: 'full', retryAfter: 2_000, why: expect.stringContaining('rate-limit.bot') })
  expect(full).toMatchObject({ why: expect.stringMatching(/for send \(0\.5\/s, burst 1\), .* longer than 5s$/) })
})

test('[LIM7] who is not to wait is told so at once', () => {
  const clients = new Map([['worker', { send: { rate: 0.5, mode: 'reject' as const, per: 'group' as const } }]])
  const policy = policyOf({ clients })
  const send = { ...text(1), ...by('worker') }
  expect(policy.admit(send, START, 0)).toEqual({ kind: 'go' })
  expect(policy.admit(send, START + 500.5, 0)).toEqual({
    kind: 'full',
    retryAfter: 1_500,
    why: 'more than rate-limit of the client worker allows for send (0.5/s, per group)',
  })
  expect(policy.admit(send, START + 2_000.5, 0)).toEqual({ kind: 'go' })
})

test('[LIM7] of several limits the strictest decides, and a wait of another counts against its patience', () => {
  const policy = policyOf({
    bot: { send: { rate: 0.1, burst: 1, 'max-wait': 60_000 }, all: { rate: 1, burst: 1, 'max-wait': 2_000 } },
  })
  expect(going(policy, 1, text(1))).toBe(1)
  // It would wait ten seconds for `send`, which is patient; `all` lacks a token too, and is not.
  expect(policy.admit(text(1), START, 0)).toMatchObject({ kind: 'full', retryAfter: 10_000 })
  expect(waitOf(policy.admit(text(1), START + 1_000, 0))).toBe(10_000)
})

test('[LIM8] `_rate_limited` calls are refused by no limit: they wait for it as long as it takes', () => {
  const policy = policyOf({ bot: { send: { rate: 0.01, burst: 1, mode: 'reject' } } })
  const paced = (action: string) => call(action, {}, { paced: true })
  expect(policy.admit(paced('send_msg'), START, 0)).toEqual({ kind: 'go' })
  expect(policy.admit(paced('send_msg'), START, 50 * HOUR)).toEqual({ kind: 'wait', until: START + 100_000 })
  expect(policy.admit(call('send_msg'), START, 0)).toMatchObject({ kind: 'full' })
  // How far apart they leave is none of its business.
  expect(going(policy, 3, paced('get_status'))).toBe(3)
})

test('[LIM10] a clock that is set back makes nobody wait longer, and gives nothing away', () => {
  const policy = policyOf({ bot: { send: { rate: 1, burst: 2 } } })
  expect(going(policy, 5, text(1))).toBe(2)
  const back = START - HOUR
  expect(policy.admit(text(1), back, 0)).toMatchObject({ kind: 'wait', until: back + 1_000 })
  expect(policy.admit(text(1), back + 999, 0).kind).toBe('wait')
  expect(going(policy, 5, text(1), back + 1_000)).toBe(1)
  // And forth again: what a rest gives, not more.
  expect(going(policy, 50, text(1), START + 24 * HOUR)).toBe(2)
  expect(policy.admit(text(1), START - HOUR, 0)).toMatchObject({ kind: 'wait', until: START - HOUR + 1_000 })
})

test('[LIM11] limits that stay the same keep their fill, others begin anew', () => {
  const policy = policyOf({
    bot: { send: { rate: 1, burst: 3 }, read: { rate: 1 } },
    clients: new Map([['worker', { manage: { rate: 1 } }]]),
  })
  const manage = call('delete_msg', {}, by('worker'))
  expect([going(policy, 9, text(1)), going(policy, 9, call('get_status')), going(policy, 9, manage)]).toEqual([3, 1, 1])
  policy.configure({
    ...SETTINGS,
    // The same, said in another order.
    bot: { read: { rate: 1, burst: 2 }, send: { burst: 3, rate: 1 }, file: { rate: 1 } },
    clients: new Map([['worker', { manage: { rate: 1 }, send: { rate: 100 } }]]),
  })
  expect([going(policy, 9, text(1)), going(policy, 9, call('get_status')), going(policy, 9, manage)]).toEqual([0, 2, 0])
  expect(going(policy, 9, call('download_file'))).toBe(1)
  policy.configure(SETTINGS)
  expect(going(policy, 9, text(1))).toBe(9)
})

test('[LIM15] what was made to wait or refused is counted, once for each call', () => {
  const policy = policyOf({ bot: { send: { rate: 0.5, 'max-wait': 10_000 } } })
  expect(going(policy, 1, text(1))).toBe(1)
  const [early, behind] = [text(1), text(1)]
  for (const waited of [0, 100, 200]) policy.admit(early, START + waited, waited)
  policy.admit(behind, START + 300, 300)
  policy.admit(text(1), START, 9_999)
  for (let n = 0; n < 3; n++) policy.ended(call('delete_msg'), 'timeout', START)
  policy.admit(call('delete_msg'), START, 0)
  expect(policy.snapshot(START)).toEqual({
    breakers: {
      send: { state: 'closed' },
      manage: { state: 'open', until: START + 10_000 },
      read: { state: 'closed' },
      file: { state: 'closed' },
    },
    limited: { delayed: 2, refused: 1, broken: 1 },
  })
})

test('[LIM14] where nothing is limited and nothing broken a call costs nothing to speak of', () => {
  const policy = policyOf({})
  const what = text(1)
  const first = policy.admit(what, START, 0)
  // The same answer each time: nothing is made for it.
  expect(policy.admit(call('get_status'), START, 0)).toBe(first)
  const best = Math.min(
    ...Array.from({ length: 10 }, () => {
      const since = worked()
      for (let n = 0; n < 100_000; n++) policy.admit(what, START + n, 0)
      return (worked() - since) * 10
    }),
  )
  // Nanoseconds; generous, since machines differ.
  expect(best).toBeLessThan(500)
})

test('[BRK13] idle while nothing limits and nothing has failed; one failure ends that, and a success brings it back', () => {
  const policy = policyOf({})
  expect(policy.idle).toBe(true)
  policy.ended(text(1), 'failed', START)
  expect(policy.idle).toBe(false)
  // Of another class: says nothing about this one.
  policy.ended(call('get_status'), 'ok', START + 1)
  expect(policy.idle).toBe(false)
  policy.ended(text(2), 'refused', START + 2)
  expect(policy.idle).toBe(true)
  for (let n = 0; n < 3; n++) policy.ended(text(n), 'timeout', START + 3)
  expect(policy.idle).toBe(false)
  policy.configure({ ...SETTINGS, breaker: { failures: 0, coolDown: 10_000 } })
  expect(policy.idle).toBe(true)
})

test('[BRK13] whoever is limited by anything is asked each time', () => {
  expect(policyOf({ bot: { send: { rate: 1 } } }).idle).toBe(false)
  expect(policyOf({ clients: new Map([['worker', { all: { rate: 1 } }]]) }).idle).toBe(false)
})
