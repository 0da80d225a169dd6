// Random schedules of calls and of all that can befall them: each ends in exactly one reply.

import { expect, jest, test } from 'bun:test'
import fc from 'fast-check'
import type { Caller } from '../../src/broker/caller.ts'
import type { OwnAction } from '../../src/broker/own.ts'
import type { CallPolicy, Verdict } from '../../src/broker/policy.ts'
import { giveUp, retry } from '../../src/broker/steering.ts'
import { ActionError, refuse } from '../../src/onebot/retcode.ts'
import { answerTo, BotBed, FakeCaller, type FakeUpstream, lifecycleOf, SELF } from '../support/broker.ts'
import { timeStands } from '../support/time.ts'

timeStands()

const ACTIONS = [
  'send_msg',
  'get_msg',
  'send_msg_async',
  'send_msg_rate_limited',
  'get_file_stream',
  'mine',
  'mine_async',
  'mine_refused',
  'mine_slow',
] as const

const table: Record<string, OwnAction> = {
  mine: () => ({ data: 1 }),
  mine_refused: () => refuse('not-found', 'no'),
  mine_slow: () => new Promise((resolve) => setTimeout(() => resolve({ data: 2 }), 100)),
}

type Step =
  | { readonly do: 'call'; readonly action: (typeof ACTIONS)[number]; readonly by: number }
  | { readonly do: 'reply'; readonly at: number; readonly times: number; readonly stream: boolean }
  | { readonly do: 'connect' | 'identify' | 'lose' | 'refuse' | 'garbage' }
  | { readonly do: 'leave'; readonly by: number }
  | { readonly do: 'give-up' | 'retry'; readonly at: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'limit'; readonly kind: Verdict['kind'] }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant('call' as const), action: fc.constantFrom(...ACTIONS), by: fc.nat(3) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('reply' as const),
        at: fc.nat(20),
        times: fc.integer({ min: 1, max: 2 }),
        stream: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom('connect' as const, 'identify', 'lose', 'refuse', 'garbage') }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), by: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('give-up' as const, 'retry'), at: fc.nat(10) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 800 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('limit' as const),
        kind: fc.constantFrom('go' as const, 'go' as const, 'wait', 'full', 'open'),
      }),
    },
  ),
  { minLength: 5, maxLength: 60 },
)

/** Two programs over HTTP and two clients, one of them for calls only. */
function cast(bed: BotBed) {
  const bare = [new FakeCaller(), new FakeCaller()]
  const clients = [bed.join(), bed.join({ events: false })]
  const callers: Caller[] = [...bare, ...clients.map(({ caller }) => caller)]
  const replies = (by: number) => bare[by]?.replies ?? clients[by - 2]?.link.replies ?? []
  const leave = (by: number) => {
    const client = clients[by - 2]
    if (client === undefined) return
    client.link.open = false
    bed.bot.leave(client.session, 1006, '')
  }
  return { callers, replies, leave }
}

/** Judges every call in the same way, until told otherwise; of each call that it let go it must hear once. */
class Whim implements CallPolicy {
  kind: Verdict['kind'] = 'go'
  readonly open = new Map<object, number>()

  admit(call: object, now: number): Verdict {
    if (this.kind === 'wait') return { kind: 'wait', until: now + 150, most: 900 }
    if (this.kind === 'full') return { kind: 'full', retryAfter: 10, why: 'full' }
    if (this.kind === 'open') return { kind: 'open', until: now + 200, why: 'open' }
    this.open.set(call, (this.open.get(call) ?? 0) + 1)
    return { kind: 'go' }
  }
  ended(call: object): void {
    this.open.set(call, (this.open.get(call) ?? 0) - 1)
  }
  probe(): boolean {
    return false
  }
}

const last = (frame: Record<string, unknown>) => {
  const { data }: { data?: { type?: string } | null } = frame
  return data?.type !== 'stream'
}

test('[CAL17] whatever happens, every call ends in exactly one reply, and nothing of it is left', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom('reads' as const, 'always' as const), async (all, resend) => {
      const policy = new Whim()
      const bed = new BotBed({
        settings: { timeout: 1_000, rateLimitedInterval: 200, hold: 500, resend },
        policy,
        own: (name) => (Object.hasOwn(table, name) ? table[name] : undefined),
      })
      const { callers, replies, leave } = cast(bed)
      const asked = new Map<number, { by: number; action: string }>()
      const away = new Set<number>()
      /** Calls that the operator has sent again, and how often that was answered. */
      const operator = { key: 'admin', open: { calls: 0, bytes: 0 } }
      const retried: number[] = []
      const sendAgain = (at: number) => {
        const failed = bed.bot.failures.all()[at]
        if (failed === undefined) return
        const n = retried.push(0) - 1
        const report = () => {
          retried[n] = (retried[n] ?? 0) + 1
        }
        try {
          void retry(bed.bot, failed, { caller: operator, twice: true, report })
        } catch (error) {
          expect(error).toBeInstanceOf(ActionError)
          retried.pop()
        }
      }
      const upstreams: FakeUpstream[] = []
      const sent = () => upstreams.flatMap((upstream) => upstream.sent)
      const wait = async (ms: number) => {
        bed.now += ms
        jest.advanceTimersByTime(ms)
        for (let turn = 0; turn < 5; turn++) await Promise.resolve()
      }
      for (const step of all)
        switch (step.do) {
          case 'call': {
            if (away.has(step.by)) break
            const id = asked.size
            asked.set(id, { by: step.by, action: step.action })
            bed.bot.call(callers[step.by] as Caller, JSON.stringify({ action: step.action, echo: id }))
            break
          }
          case 'reply': {
            const text = sent().at(-1 - step.at)
            const more = step.stream ? ',"stream":"stream-action"' : ''
            if (text === undefined) break
            for (let n = 0; n < step.times; n++)
              bed.bot.received(
                step.stream ? answerTo(text, more).replace('{"a":1}', '{"type":"stream"}') : answerTo(text),
              )
            break
          }
          case 'connect':
            upstreams.push(bed.connect())
            break
          case 'identify':
            if (upstreams.length > 0) bed.bot.received(lifecycleOf(SELF))
            break
          case 'lose': {
            const upstream = upstreams.at(-1)
            if (upstream !== undefined) bed.bot.lost(upstream, 1006, '')
            break
          }
          case 'refuse': {
            const upstream = upstreams.at(-1)
            if (upstream !== undefined) upstream.open = false
            break
          }
          case 'garbage':
            bed.bot.received('{"retcode":0,"echo":"not ours"}')
            break
          case 'leave':
            if (step.by >= 2) away.add(step.by)
            leave(step.by)
            break
          case 'wait':
            await wait(step.ms)
            break
          case 'give-up': {
            const held = [...bed.bot.held()][step.at]
            if (held !== undefined) expect(giveUp(bed.bot, held.call.token, () => undefined)).toBe(true)
            break
          }
          case 'retry':
            sendAgain(step.at)
            break
          case 'limit':
            policy.kind = step.kind
            break
          default:
            step satisfies never
        }
      await wait(700)
      bed.bot.stop()
      await wait(5_000)
      for (const [id, { by, action }] of asked) {
        const got = replies(by).filter(({ echo }) => echo === id)
        const ends = got.filter(last)
        expect([action, ends.length]).toEqual([action, away.has(by) ? Math.min(ends.length, 1) : 1])
        // Pieces of a stream come before its end, and never after.
        if (ends.length > 0) expect(got.at(-1)).toBe(ends[0] as Record<string, unknown>)
      }
      const { replies: open, waiting, paced } = bed.bot.waiting
      expect([open, waiting, paced, jest.getTimerCount()]).toEqual([0, 0, 0, 0])
      expect([...policy.open.values()].filter((count) => count !== 0)).toEqual([])
      expect([retried.every((times) => times === 1), operator.open]).toEqual([true, { calls: 0, bytes: 0 }])
      for (const { open } of callers) expect(open).toEqual({ calls: 0, bytes: 0 })
    }),
    { numRuns: 500 },
  )
})
