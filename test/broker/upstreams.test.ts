// Several implementations of one account: who does the work, and when another one takes over.

import { expect, jest, test } from 'bun:test'
import fc from 'fast-check'
import type { Status } from '../../src/broker/status.ts'
import { type Slot, type SlotWish, Upstreams } from '../../src/broker/upstreams.ts'
import { FakeUpstream } from '../support/broker.ts'
import { timeStands } from '../support/time.ts'

timeStands()

const STABLE = 30_000

/** `a, b, c` in this order; those in capitals take reads while they stand by. */
function bed(keys: string) {
  const clock = { now: 1_000_000 }
  const facts: Status[] = []
  const moves: (string | undefined)[] = []
  const links = new Map<Slot, FakeUpstream>()
  const wishes = (of: string): SlotWish[] =>
    [...of].map((key) => ({ key: key.toLowerCase(), spread: key !== key.toLowerCase() }))
  const upstreams: Upstreams = new Upstreams(
    {
      bot: 'first',
      report: (fact) => facts.push(fact),
      now: () => clock.now,
      moved: (active) => {
        expect(active).toBe(upstreams.active)
        moves.push(active?.key)
      },
    },
    wishes(keys),
  )
  const slot = (key: string): Slot => {
    const found = upstreams.slots.find((one) => one.key === key)
    if (found === undefined) throw new Error(`no slot ${key}`)
    return found
  }
  const connect = (key: string) => {
    const link = new FakeUpstream()
    links.set(slot(key), link)
    upstreams.connected(slot(key), link, `peer ${key}`)
    return link
  }
  const up = (...all: string[]) => {
    for (const key of all) {
      connect(key)
      upstreams.told(slot(key), true)
    }
  }
  const down = (...all: string[]) => {
    for (const key of all) upstreams.lost(slot(key), links.get(slot(key)) ?? new FakeUpstream())
  }
  const later = (ms: number) => {
    clock.now += ms
    jest.advanceTimersByTime(ms)
  }
  const reads = (count: number) => Array.from({ length: count }, () => upstreams.pick(true)?.key).join('')
  const arrange = (of: string) => upstreams.arrange(wishes(of))
  return {
    upstreams,
    facts,
    moves,
    slot,
    connect,
    up,
    down,
    later,
    reads,
    arrange,
    active: () => upstreams.active?.key,
  }
}

test('[UPX1] the first in order that has told its account is active, the others stand by', () => {
  const { upstreams, up, active, moves, facts } = bed('abc')
  expect(active()).toBeUndefined()
  expect(upstreams.pick(false)).toBeUndefined()
  expect(upstreams.pick(true)).toBeUndefined()
  up('b')
  up('c')
  expect(active()).toBe('b')
  expect(upstreams.pick(false)?.key).toBe('b')
  expect(moves).toEqual(['b'])
  expect(facts).toEqual([{ kind: 'upstream-active', bot: 'first', peer: 'peer b', why: 'first' }])
})

test('[UPX1] one that is connected and has not told its account is better than none, and worse than any that has', () => {
  const { connect, up, active } = bed('abc')
  connect('a')
  expect(active()).toBe('a')
  up('c')
  expect(active()).toBe('c')
})

test('[UPX2] when the active one is lost the next one takes over in the same turn', () => {
  const { up, down, active, moves, facts } = bed('abc')
  up('a', 'b', 'c')
  down('a')
  expect(active()).toBe('b')
  down('c', 'b')
  expect(active()).toBeUndefined()
  expect(moves).toEqual(['a', 'b', undefined])
  expect(facts).toMatchObject([
    { peer: 'peer a', why: 'first' },
    { peer: 'peer b', why: 'lost' },
  ])
})

test('[UPX2] a link that is lost late, after a newer one has come, changes nothing', () => {
  const { upstreams, slot, connect, up, active, moves } = bed('ab')
  const old = connect('a')
  upstreams.told(slot('a'), true)
  up('b', 'a')
  expect(active()).toBe('b')
  expect(upstreams.lost(slot('a'), old)).toBe(false)
  expect(upstreams.lost(slot('b'), old)).toBe(false)
  expect(slot('a').told).toBe(true)
  expect(moves).toEqual(['a', 'b'])
})

test('[UPX3] an earlier one takes over again once it has been well for a while, and not before', () => {
  const { up, down, later, active, facts } = bed('ab')
  up('a', 'b')
  down('a')
  later(5_000)
  up('a')
  later(STABLE - 1)
  expect(active()).toBe('b')
  later(1)
  expect(active()).toBe('a')
  expect(facts.at(-1)).toMatchObject({ peer: 'peer a', why: 'stable' })
})

test('[UPX3] one that comes and goes begins anew each time', () => {
  const { up, down, later, active, moves } = bed('ab')
  up('b')
  for (let n = 0; n < 10; n++) {
    up('a')
    later(STABLE - 1)
    down('a')
    later(10)
  }
  expect(active()).toBe('b')
  expect(moves).toEqual(['b'])
})

test('[UPX3] the first of several that have been well for long enough takes over', () => {
  const { up, later, active, moves } = bed('abc')
  up('c')
  later(1_000)
  up('b')
  later(1_000)
  up('a')
  later(STABLE - 1_000)
  expect(active()).toBe('b')
  later(1_000)
  expect(active()).toBe('a')
  expect(moves).toEqual(['c', 'b', 'a'])
})

test('[UPX3] who stands by and is ready takes over at once, however short it has been well', () => {
  const { up, down, active } = bed('abc')
  up('c', 'b', 'a')
  down('c')
  expect(active()).toBe('a')
})

test('[UPX4] reads are taken in turn by those that may and are well; everything else goes to the active one', () => {
  const { upstreams, slot, up, down, reads } = bed('aBcD')
  up('a')
  expect(reads(3)).toBe('aaa')
  up('b', 'c')
  expect(reads(4)).toMatch(/^(ab){2}$|^(ba){2}$/)
  up('d')
  expect([...reads(9)].sort().join('')).toBe('aaabbbddd')
  for (let n = 0; n < 5; n++) expect(upstreams.pick(false)?.key).toBe('a')
  upstreams.health(slot('b'), false)
  expect([...reads(4)].sort().join('')).toBe('aadd')
  down('a')
  expect([...reads(4)].join('')).toMatch(/^[cd]+$/)
  expect(upstreams.pick(false)?.key).toBe('c')
})

test('[UPX5] one whose calls fail is passed over, and comes back like one that was lost', () => {
  const { upstreams, slot, up, later, active, facts } = bed('ab')
  up('a', 'b')
  upstreams.health(slot('a'), false)
  expect(active()).toBe('b')
  expect(facts.at(-1)).toMatchObject({ why: 'failing' })
  later(STABLE * 2)
  expect(active()).toBe('b')
  upstreams.health(slot('a'), true)
  later(STABLE - 1)
  expect(active()).toBe('b')
  later(1)
  expect(active()).toBe('a')
})

test('[UPX16] what its heartbeats say and what its calls say are two things: it is well when both are', () => {
  const { upstreams, slot, up, later, active } = bed('ab')
  up('a', 'b')
  upstreams.works(slot('a'), false)
  expect([active(), slot('a').failing]).toEqual(['b', 'calls'])
  upstreams.health(slot('a'), true)
  expect(slot('a').failing).toBe('calls')
  upstreams.health(slot('a'), false)
  upstreams.works(slot('a'), true)
  expect(slot('a').failing).toBe('offline')
  later(STABLE * 2)
  expect([active(), slot('a').since]).toEqual(['b', undefined])
  upstreams.health(slot('a'), true)
  later(STABLE)
  expect(active()).toBe('a')
})

test('[UPX5] the last one is never put aside, and two that fail do not take turns', () => {
  const { upstreams, slot, up, down, later, active, moves } = bed('ab')
  up('a', 'b')
  upstreams.health(slot('b'), false)
  upstreams.health(slot('a'), false)
  later(STABLE * 3)
  expect(active()).toBe('a')
  down('a')
  expect(active()).toBe('b')
  expect(moves).toEqual(['a', 'b'])
})

test('[UPX5] a new link of the same slot has no share in the failures of the one before', () => {
  const { upstreams, slot, up, down, active } = bed('ab')
  up('a')
  upstreams.health(slot('a'), false)
  down('a')
  up('a')
  expect(slot('a').since).toBeDefined()
  expect(active()).toBe('a')
  upstreams.health(slot('a'), false)
  up('a')
  expect(slot('a').since).toBeDefined()
})

test('[UPX3] calls that go well do not make the time it has been well begin anew', () => {
  const { upstreams, slot, up, later, active } = bed('ab')
  up('b', 'a')
  for (let n = 0; n < 3; n++) {
    later(STABLE / 3)
    upstreams.health(slot('a'), true)
  }
  expect(active()).toBe('a')
})

test('[UPX6] one with another account is not used, until a link of it tells the right one', () => {
  const { upstreams, slot, connect, up, active } = bed('ab')
  connect('a')
  upstreams.told(slot('a'), false)
  expect(active()).toBeUndefined()
  up('b')
  expect(active()).toBe('b')
  upstreams.told(slot('b'), false)
  expect(active()).toBeUndefined()
  up('a')
  expect(active()).toBe('a')
})

test('[UPX7] a single implementation is active as soon as it is connected, whatever its health, and nothing is told', () => {
  const { upstreams, slot, connect, down, active, reads, facts } = bed('A')
  connect('a')
  expect(active()).toBe('a')
  upstreams.told(slot('a'), true)
  upstreams.health(slot('a'), false)
  expect(active()).toBe('a')
  expect(reads(2)).toBe('aa')
  down('a')
  expect(active()).toBeUndefined()
  expect(facts).toEqual([])
  expect(jest.getTimerCount()).toBe(0)
})

test('[UPX8] other slots from now on: those that stay keep their links, the active one may go', () => {
  const { slot, up, arrange, active, facts, upstreams } = bed('ab')
  up('a', 'b')
  const [a, b] = [slot('a'), slot('b')]
  arrange('Cb')
  expect(active()).toBe('b')
  expect(facts.at(-1)).toMatchObject({ peer: 'peer b', why: 'lost' })
  expect(slot('b')).toBe(b)
  expect([b.side, slot('c').side].sort()).toEqual([0, 1])
  expect(slot('c').side).toBe(a.side)
  // What it still says is nobody's business.
  upstreams.told(a, true)
  expect(active()).toBe('b')
  expect(() => arrange('x'.repeat(32))).toThrow('found 32, wanted at most 31')
  expect(active()).toBe('b')
})

test('[UPX8] after the end no timer is left', () => {
  const { upstreams, up } = bed('ab')
  up('b', 'a')
  expect(jest.getTimerCount()).toBe(1)
  upstreams.stop()
  expect(jest.getTimerCount()).toBe(0)
})

type Step =
  | { readonly do: 'up' | 'down' | 'ill' | 'well' | 'hung' | 'works' | 'foreign'; readonly key: string }
  | { readonly ms: number }

test('[UPX9] whatever happens, the best there is does the work, and nobody gives it away to one that is no better', () => {
  const steps = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constantFrom('up' as const, 'up', 'down', 'ill', 'well', 'hung', 'works', 'foreign'),
          key: fc.constantFrom('a', 'b', 'c'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ ms: fc.integer({ min: 1, max: STABLE }) }) },
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, (all: Step[]) => {
      const { upstreams, slot, connect, up, down, later, active } = bed('abc')
      const foreign = new Set<string>()
      for (const step of all) {
        const before = upstreams.active
        const wasWell = before?.since !== undefined
        if ('ms' in step) later(step.ms)
        else {
          foreign.delete(step.key)
          if (step.do === 'up') up(step.key)
          else if (step.do === 'down') down(step.key)
          else if (step.do === 'foreign') {
            connect(step.key)
            upstreams.told(slot(step.key), false)
            foreign.add(step.key)
          } else if (!slot(step.key).told) continue
          else if (step.do === 'ill' || step.do === 'well') upstreams.health(slot(step.key), step.do === 'well')
          else upstreams.works(slot(step.key), step.do === 'works')
        }
        const well = upstreams.slots.filter(({ since }) => since !== undefined)
        const usable = upstreams.slots.filter(({ told }) => told)
        if (well.length > 0) expect(upstreams.active?.since).toBeDefined()
        else if (usable.length > 0) expect(upstreams.active?.told).toBe(true)
        else expect(active()).toBeUndefined()
        // Given away by one that is well still: only to an earlier one, and only by the time that has passed.
        const relinked = 'key' in step && step.key === before?.key
        if (wasWell && !relinked && before?.since !== undefined && before !== upstreams.active) {
          expect(upstreams.slots.indexOf(before)).toBeGreaterThan(
            upstreams.slots.findIndex(({ key }) => key === active()),
          )
        }
      }
      upstreams.stop()
    }),
  )
})
