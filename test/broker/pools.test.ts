// Pools within a fan-out: what is shared out goes to one, everything else to everybody, whatever befalls their sockets.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { CLOSING } from '../../src/broker/closing.ts'
import { Fanout } from '../../src/broker/fanout.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import { LIMITS } from '../../src/broker/limits.ts'
import { type Cursor, OPEN_TERMS } from '../../src/broker/ports.ts'
import { Room } from '../../src/broker/room.ts'
import type { Session } from '../../src/broker/session.ts'
import type { Status } from '../../src/broker/status.ts'
import { viewOf } from '../../src/broker/view.ts'
import { STRATEGIES, type StrategyName } from '../../src/governance/strategies.ts'
import { BotBed, eventOf, FakeChannel, FakeLink, KIB, MIB, SELF, sessionOf } from '../support/broker.ts'

interface Client {
  readonly session: Session
  readonly link: FakeLink
  /** What is for everybody and came while it was there. */
  readonly due: number[]
}

/** A web hook's link: busy until its request is answered. */
class HookLink extends FakeLink {
  override take(text: string): void {
    super.take(text)
    this.buffered = Number.POSITIVE_INFINITY
  }
}

type Kind = 'pooled' | 'hook' | 'plain'

/** A fan-out with a pool; who is behind is closed, and its leaving is an event. */
function bed(strategy: StrategyName) {
  const facts: Status[] = []
  const journal = new MemoryJournal({ maxBytes: 256 * MIB, maxAge: 1_000 })
  const room = new Room(() => undefined, { limit: 3 * MIB })
  const here: Client[] = []
  const everybody: Client[] = []
  const channel = new FakeChannel()
  let count = 0
  const fanout: Fanout = new Fanout({
    bot: 'first',
    journal,
    room,
    report: (fact) => facts.push(fact),
    behind(session) {
      session.link.close(CLOSING.behind)
      fanout.remove(session)
    },
    now: () => 0,
    pools: new Map([['workers', () => ({ strategy: STRATEGIES[strategy]({}), dispatch: 'plain' as const })]]),
  })
  const join = (kind: Kind): Client => {
    const link =
      kind === 'hook' ? new HookLink({ transport: 'http-post', whenBehind: 'skip' }) : new FakeLink({ channel })
    const session = sessionOf(link)
    session.terms = kind === 'plain' ? OPEN_TERMS : { ...OPEN_TERMS, pool: 'workers' }
    session.view = viewOf(session.terms)
    fanout.add(session)
    const client = { session, link, due: [] }
    here.push(client)
    everybody.push(client)
    return client
  }
  const leave = (one: Client) => {
    here.splice(here.indexOf(one), 1)
    fanout.remove(one.session)
  }
  const drain = ({ session, link }: Client) => {
    link.stuck = false
    link.buffered = 0
    fanout.drained(session)
  }
  const event = (shared: boolean, size: number) => {
    const n = count++
    const kind = shared ? '"post_type":"message"' : '"post_type":"notice","notice_type":"client_status"'
    for (const { session, due } of here) if (!shared || session.terms.pool === undefined) due.push(n)
    fanout.append(`{${kind},"group_id":${1 + (n % 7)},"n":${n},"pad":"${'x'.repeat(size)}"}`)
    return n
  }
  return { fanout, facts, room, here, everybody, join, leave, drain, event }
}

const got = ({ link }: Client, post: string) =>
  link.frames.filter(({ post_type }) => post_type === post).map(({ n }) => Number(n))
const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)

test('[POOL8] in a fan-out, members share what comes from QQ; clients outside of the pool get all of it', () => {
  const { join, event, fanout } = bed('round-robin')
  const [a, b, outsider] = [join('pooled'), join('pooled'), join('plain')]
  for (let n = 0; n < 6; n++) event(n !== 3, 0)
  expect([got(a, 'message'), got(b, 'message')]).toEqual([
    [0, 2, 5],
    [1, 4],
  ])
  for (const one of [a, b]) expect(got(one, 'notice')).toEqual([3])
  expect(outsider.link.frames.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5])
  expect(fanout.pools.status).toMatchObject([{ name: 'workers', members: 2, dispatched: 5 }])
})

type Step =
  | { readonly do: 'event'; readonly shared: boolean; readonly size: number }
  | { readonly do: 'join'; readonly kind: Kind }
  | { readonly do: 'leave' | 'stall' | 'drain'; readonly who: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('event' as const),
        shared: fc.boolean(),
        size: fc.constantFrom(0, 150 * KIB, LIMITS.bigFrame, 1_100 * KIB),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('join' as const),
        kind: fc.constantFrom<Kind>('pooled', 'pooled', 'hook', 'plain'),
      }),
    },
    {
      weight: 9,
      arbitrary: fc.record({
        do: fc.constantFrom('leave' as const, 'stall', 'stall', 'drain', 'drain', 'drain'),
        who: fc.nat(9),
      }),
    },
  ),
  { minLength: 5, maxLength: 100 },
)

test('[POOL16] in a fan-out, what is shared comes once, and the rest to everybody, whatever becomes of sockets', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(...(Object.keys(STRATEGIES) as StrategyName[])), (all, strategy) => {
      const { fanout, facts, room, here, everybody, join, leave, drain, event } = bed(strategy)
      const shared: number[] = []
      for (const step of all) {
        if (step.do === 'event') {
          const n = event(step.shared, step.size)
          if (step.shared) shared.push(n)
          continue
        }
        if (step.do === 'join') {
          join(step.kind)
          continue
        }
        const one = here[step.who % Math.max(1, here.length)]
        if (one === undefined) continue
        if (step.do === 'leave') leave(one)
        else if (step.do === 'stall') one.link.stuck = true
        else drain(one)
      }
      join('pooled')
      const busy = () => fanout.catchingUp > 0 || fanout.pools.status.some(({ waiting }) => waiting > 0)
      for (let n = 0; n < 300 && busy(); n++) for (const one of [...here]) drain(one)
      expect(busy()).toBe(false)
      for (const one of everybody) {
        const member = one.session.terms.pool !== undefined
        const notices = member ? got(one, 'notice') : one.link.frames.map(({ n }) => Number(n))
        if (here.includes(one)) expect(notices).toEqual(one.due)
        else expect(notices).toEqual(one.due.slice(0, notices.length))
      }
      const members = everybody.filter(({ session }) => session.terms.pool !== undefined)
      const lists = members.map((one) => got(one, 'message'))
      for (const list of lists) expect(list).toEqual(sorted(list))
      expect(sorted(lists.flat())).toEqual(shared)
      expect(facts.filter(({ kind }) => kind.endsWith('-behind') || kind === 'publish-dropped')).toEqual([])
      expect([room.used, room.waiting]).toEqual([0, 0])
    }),
    { numRuns: 200 },
  )
})

test('[POOL17] a pool that is named no more lets go of its events, on disk too: named again, it begins anew', () => {
  const marks = new Map<string, Cursor | undefined>()
  const journal = new MemoryJournal({ maxBytes: MIB, maxAge: 60_000 })
  const start = journal.head
  for (let n = 0; n < 3; n++) journal.append(eventOf(n), 0)
  const nothing = { identified() {}, remember() {}, forget() {} }
  const plan = () => ({ strategy: STRATEGIES['round-robin']({}), dispatch: 'plain' as const })
  const plans: Map<string, typeof plan> = new Map([['workers', plan]])
  using bed = new BotBed({
    pools: () => plans,
    kept: {
      restored: {
        ...{ selfId: SELF, journal, sessions: [] },
        cursors: new Map([
          ['pool workers', start],
          ['pool idlers', start],
        ]),
      },
      ...nothing,
      mark: (name, position) => marks.set(name, position),
    },
  })
  expect(marks.has('pool idlers') && marks.get('pool idlers')).toBeUndefined()
  expect(bed.bot.pools).toMatchObject([{ name: 'workers', waiting: 3 }])
  plans.clear()
  bed.bot.configurePools()
  expect([bed.bot.pools, marks.has('pool workers') && marks.get('pool workers')]).toEqual([[], undefined])
  plans.set('workers', plan)
  bed.bot.configurePools()
  expect([bed.bot.pools, marks.get('pool workers')]).toMatchObject([[{ name: 'workers', waiting: 0 }], journal.head])
})
