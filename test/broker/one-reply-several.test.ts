// Random schedules of calls to several implementations that come, go, break, hang and are replaced: one reply each, no lie.

import { expect, jest, test } from 'bun:test'
import fc from 'fast-check'
import type { Caller } from '../../src/broker/caller.ts'
import type { GovernedCall, Outcome, Verdict } from '../../src/broker/policy.ts'
import { OPEN_TERMS } from '../../src/broker/ports.ts'
import { giveUp, retry } from '../../src/broker/steering.ts'
import { Policy, type PolicySettings } from '../../src/governance/policy.ts'
import { isRead } from '../../src/onebot/action.ts'
import { ActionError } from '../../src/onebot/retcode.ts'
import { BotBed, FakeCaller, FakeUpstream, heartbeatOf, lifecycleOf, SELF } from '../support/broker.ts'
import { FakeDisk } from '../support/disk.ts'
import { timeStands } from '../support/time.ts'

timeStands()

const KEYS = ['a', 'b', 'c'] as const
type Key = (typeof KEYS)[number]
const OTHER = '20002'

const ACTIONS = [
  'send_group_msg',
  'set_group_card',
  'get_group_list',
  'get_msg',
  'send_group_msg_async',
  'send_group_msg_rate_limited',
  'durable',
  'get_file_stream',
] as const
const ANSWERS = ['ok', 'ok', 'ok', 'refused', 'stuck', 'piece'] as const
const DOINGS = [
  'connect',
  'well',
  'well',
  'tell',
  'other',
  'lose',
  'stall',
  'take',
  'break',
  'keep',
  'offline',
] as const

const nat = (max: number) => fc.nat(max)
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      action: fc.constantFrom(...ACTIONS),
      by: nat(3),
      group: nat(2),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      key: fc.constantFrom(...KEYS),
      at: nat(6),
      how: fc.constantFrom(...ANSWERS),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('link' as const),
      key: fc.constantFrom(...KEYS),
      what: fc.constantFrom(...DOINGS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('arrange' as const),
      keys: fc.shuffledSubarray([...KEYS], { minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), by: nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forbid' as const), by: nat(3), on: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('give-up' as const, 'retry'), at: nat(8) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: nat(900) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('event' as const, 'disk', 'limit', 'free', 'off') }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Counts for each call how often it was let go and how often it ended. */
class Counting extends Policy {
  readonly open = new Map<GovernedCall, number>()
  readonly #strict: boolean

  constructor(settings: PolicySettings, strict: boolean) {
    super(settings, () => 0)
    this.#strict = strict
  }
  /** Strict: it wants to be asked each time. */
  override get idle(): boolean {
    return !this.#strict && super.idle
  }
  override admit(call: GovernedCall, now: number, waited: number): Verdict {
    const verdict = super.admit(call, now, waited)
    if (verdict.kind === 'go') this.open.set(call, (this.open.get(call) ?? 0) + 1)
    return verdict
  }
  override ended(call: GovernedCall, outcome: Outcome, now: number): void {
    const open = this.open.get(call)
    if (open !== undefined) this.open.set(call, open - 1)
    super.ended(call, outcome, now)
  }
  /** Those of which it did not hear as often as it let them go; idle, it need not hear of them. */
  get wrong(): GovernedCall[] {
    return this.#strict ? [...this.open].flatMap(([call, open]) => (open === 0 ? [] : [call])) : []
  }
}

/** What was carried out, as far as anybody can know: by the number in its params, how often it went up for good. */
class Deeds {
  readonly done = new Map<number, number>()
  count(text: string, by: number): void {
    const { params }: { params?: { n?: number } } = JSON.parse(text)
    if (params?.n !== undefined) this.done.set(params.n, (this.done.get(params.n) ?? 0) + by)
  }
  of(n: number): number {
    return this.done.get(n) ?? 0
  }
}

class Link extends FakeUpstream {
  readonly #deeds: Deeds
  /** It ends over the next frame. */
  breaks: (() => void) | undefined
  /** It begins with nothing. */
  keeps = false

  constructor(deeds: Deeds) {
    super()
    this.#deeds = deeds
  }
  override send(text: string): boolean {
    const { breaks } = this
    this.breaks = undefined
    breaks?.()
    if (breaks !== undefined || !super.send(text)) return false
    this.#deeds.count(text, 1)
    return true
  }
  override release(token: string): string | undefined {
    if (!this.keeps) return undefined
    const text = this.sent.findLast((one) => JSON.parse(one).echo === token)
    if (text !== undefined) this.#deeds.count(text, -1)
    return text
  }
}

const settings = (limited: boolean, failures = 2): PolicySettings => ({
  bot: limited ? { send: { rate: 4, burst: 2, 'max-wait': 800 } } : {},
  preset: 'none',
  clients: new Map(),
  breaker: { failures, coolDown: 400 },
})

function answer(sent: string, how: (typeof ANSWERS)[number]): string {
  const { echo }: { echo: unknown } = JSON.parse(sent)
  switch (how) {
    case 'ok':
      return JSON.stringify({ status: 'ok', retcode: 0, data: null, echo })
    case 'refused':
      return JSON.stringify({ status: 'failed', retcode: 100, data: null, message: 'no', echo })
    case 'stuck':
      return JSON.stringify({ status: 'failed', retcode: 1500, data: null, message: 'stuck', echo })
    case 'piece':
      return JSON.stringify({ status: 'ok', retcode: 0, data: { type: 'stream' }, stream: 'stream-action', echo })
    default:
      return how satisfies never
  }
}

const slotsOf = (keys: readonly Key[]) => keys.map((key) => ({ key, spread: key === 'b' }))
const isPiece = ({ data }: Record<string, unknown>) => (data as { type?: string } | null)?.type === 'stream'
/** What says that a call was not sent. */
const UNSENT = new Set<unknown>([1403, 1413, 1429, 1503])

class World {
  readonly deeds = new Deeds()
  readonly disk = new FakeDisk()
  readonly policy: Counting
  readonly bed: BotBed
  readonly #links = new Map<Key, Link>()
  readonly asked: { by: number; action: (typeof ACTIONS)[number] }[] = []
  readonly #bare: FakeCaller[]
  readonly #clients
  readonly operator = { key: 'admin', open: { calls: 0, bytes: 0 } }
  /** How often each of what the operator has sent again was answered. */
  readonly retried: number[] = []
  /** What was sent again, by its number. */
  readonly again = new Set<number>()
  #keys: readonly Key[] = KEYS

  constructor(resend: 'reads' | 'always', strict: boolean) {
    this.policy = new Counting(settings(false), strict)
    this.bed = new BotBed({
      settings: { timeout: 1_000, rateLimitedInterval: 200, hold: 500, resend, cache: { get_group_list: 300 } },
      slots: slotsOf(KEYS),
      policy: this.policy,
      durable: this.disk,
    })
    this.bed.bot.arrange(slotsOf(KEYS), SELF)
    this.#bare = [new FakeCaller('x'), new FakeCaller('y')]
    this.#clients = [this.bed.join({ channel: undefined }), this.bed.join({ channel: undefined, events: false })]
  }

  get callers(): Caller[] {
    return [...this.#bare, ...this.#clients.map(({ caller }) => caller)]
  }
  /** Its link has ended, by itself or because the account did. */
  gone(by: number): boolean {
    return this.#clients[by - 2]?.link.open === false
  }
  replies(by: number): Record<string, unknown>[] {
    return this.#bare[by]?.replies ?? this.#clients[by - 2]?.link.replies ?? []
  }

  async wait(ms: number): Promise<void> {
    this.bed.now += ms
    jest.advanceTimersByTime(ms)
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  }

  async take(one: Step): Promise<void> {
    const { bot } = this.bed
    switch (one.do) {
      case 'call':
        return this.#call(one.by, one.action, one.group)
      case 'answer': {
        const sent = this.#links.get(one.key)?.sent.at(-1 - one.at)
        if (sent === undefined) return
        for (let n = 0; n < one.times; n++) bot.seat(one.key).received(answer(sent, one.how))
        return
      }
      case 'link':
        return this.#link(one.key, one.what)
      case 'arrange':
        for (const key of KEYS) if (!one.keys.includes(key)) this.#lose(key)
        this.#keys = one.keys
        return bot.arrange(slotsOf(one.keys), one.keys.length > 1 ? SELF : undefined)
      case 'leave': {
        const client = this.#clients[one.by - 2]
        if (client === undefined) return
        client.link.open = false
        return bot.leave(client.session, 1006, '')
      }
      case 'forbid': {
        const client = this.#clients[one.by - 2]
        if (client === undefined || this.gone(one.by)) return
        const forbids = (action: string) => (one.on && action.startsWith('send') ? 'no' : undefined)
        return bot.settle(client.session, { ...OPEN_TERMS, forbids })
      }
      case 'give-up': {
        const held = [...bot.held()][one.at]
        if (held !== undefined) expect(giveUp(bot, held.call.token, () => undefined)).toBe(true)
        return
      }
      case 'retry':
        return this.#retry(one.at)
      case 'wait':
        return await this.wait(one.ms)
      case 'event':
        if (this.#links.has('a'))
          bot.seat('a').received(`{"self_id":${SELF},"post_type":"notice","notice_type":"group_increase","group_id":1}`)
        return
      case 'disk':
        this.disk.full = !this.disk.full
        return
      case 'limit':
      case 'free':
      case 'off':
        this.policy.configure(settings(one.do === 'limit', one.do === 'off' ? 0 : 2))
        return bot.reconsider()
      default:
        one satisfies never
    }
  }

  #call(by: number, action: (typeof ACTIONS)[number], group_id: number): void {
    const caller = this.callers[by]
    if (caller === undefined || this.gone(by)) return
    const n = this.asked.push({ by, action }) - 1
    // Reads are to be shared now and then.
    const params = isRead(action) ? { group_id } : { group_id, n, durable: action === 'durable' ? true : undefined }
    const name = action === 'durable' ? 'send_group_msg_async' : action
    this.bed.bot.call(caller, JSON.stringify({ action: name, params, echo: n }))
  }

  #link(key: Key, what: (typeof DOINGS)[number]): void {
    if (!this.#keys.includes(key)) return
    const seat = this.bed.bot.seat(key)
    const link = this.#links.get(key)
    if (what === 'connect' || what === 'well') {
      const fresh = new Link(this.deeds)
      this.#links.set(key, fresh)
      seat.connected(fresh, key)
      if (what === 'well') seat.received(lifecycleOf(SELF))
    } else if (what === 'lose') this.#lose(key)
    else if (link === undefined) return
    else if (what === 'tell' || what === 'other') seat.received(lifecycleOf(what === 'tell' ? SELF : OTHER))
    else if (what === 'stall' || what === 'take') link.open = what === 'take'
    else if (what === 'break') link.breaks = () => this.#lose(key)
    else if (what === 'keep') link.keeps = true
    else seat.received(heartbeatOf(5_000, false))
  }

  #lose(key: Key): void {
    const link = this.#links.get(key)
    if (link === undefined || !this.#keys.includes(key)) return
    this.#links.delete(key)
    this.bed.bot.seat(key).lost(link, 1006, '')
  }

  #retry(at: number): void {
    const failed = this.bed.bot.failures.all()[at]
    if (failed === undefined) return
    const n = this.retried.push(0) - 1
    const report = () => {
      this.retried[n] = (this.retried[n] ?? 0) + 1
    }
    try {
      const { params }: { params?: { n?: number } } = JSON.parse(failed.text ?? '{}')
      void retry(this.bed.bot, failed, { caller: this.operator, twice: true, report })
      if (params?.n !== undefined) this.again.add(params.n)
    } catch (error) {
      expect(error).toBeInstanceOf(ActionError)
      this.retried.pop()
    }
  }
}

test('[CAL17] of several implementations, too: exactly one reply, nothing left, nothing twice, and no word that is not true', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 120, size: 'max' }),
      fc.constantFrom('reads' as const, 'always' as const),
      fc.boolean(),
      async (all, resend, strict) => {
        // What one schedule leaves behind is not the next one's.
        jest.clearAllTimers()
        const world = new World(resend, strict)
        const { bed, policy, asked, deeds } = world
        for (const one of all) await world.take(one)
        // What is kept for who looks at it says the same as what has happened.
        for (const { text, outcome } of bed.bot.failures.all()) {
          const { params }: { params?: { n?: number } } = JSON.parse(text ?? '{}')
          if (outcome === 'not-sent' && params?.n !== undefined && !world.again.has(params.n))
            expect([text, deeds.of(params.n)]).toEqual([text, 0])
        }
        await world.wait(700)
        const gone = world.callers.map((_, by) => world.gone(by))
        bed.bot.stop()
        await world.wait(5_000)
        for (const [n, { by, action }] of asked.entries()) {
          const got = world.replies(by).filter(({ echo }) => echo === n)
          const ends = got.filter((frame) => !isPiece(frame))
          expect([n, action, ends.length]).toEqual([n, action, gone[by] ? Math.min(ends.length, 1) : 1])
          if (ends.length > 0) expect(got.at(-1)).toBe(ends[0] as Record<string, unknown>)
          if (isRead(action) || world.again.has(n)) continue
          if (resend === 'reads') expect([n, action, deeds.of(n) <= 1]).toEqual([n, action, true])
          if (UNSENT.has(ends[0]?.['retcode']))
            expect([n, action, ends[0], deeds.of(n)]).toEqual([n, action, ends[0], 0])
        }
        const { replies, waiting, paced } = bed.bot.waiting
        expect([replies, waiting, paced, jest.getTimerCount()]).toEqual([0, 0, 0, 0])
        expect(policy.wrong).toEqual([])
        expect([world.retried.every((times) => times === 1), world.operator.open]).toEqual([
          true,
          { calls: 0, bytes: 0 },
        ])
        for (const { open } of world.callers) expect(open).toEqual({ calls: 0, bytes: 0 })
      },
    ),
    { numRuns: 300 },
  )
}, 120_000)
