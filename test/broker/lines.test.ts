// The lines in which calls wait, against a naive model of who is next.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Call, callOf } from '../../src/broker/call.ts'
import { Lines } from '../../src/broker/lines.ts'
import { Heap } from '../../src/lib/heap.ts'
import { FakeCaller, SETTINGS } from '../support/broker.ts'

test('[HLD4] a heap gives back what it was given, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer(), fc.constant(undefined))), (steps) => {
      const heap = new Heap<number>((a, b) => a < b)
      const model: number[] = []
      for (const step of steps) {
        if (step === undefined) expect(heap.take()).toBe(model.shift())
        else {
          heap.add(step)
          model.push(step)
          model.sort((a, b) => a - b)
        }
        expect([heap.first, heap.size]).toEqual([model[0], model.length])
      }
    }),
  )
})

/** By caller; each adds so many calls to so many groups, some of which must wait until their time. */
const crowds = fc.array(
  fc.array(fc.record({ group: fc.nat(2), until: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(50)) }), {
    maxLength: 20,
  }),
  { minLength: 1, maxLength: 5 },
)

interface Asked {
  readonly call: Call
  readonly who: number
  readonly group: number
  /** It may not go before. */
  readonly until: number
}

/** Of every caller one after the other, as if they had called by turns. */
function fill(lines: Lines, all: readonly (readonly { group: number; until: number }[])[]): Asked[] {
  const asked: Asked[] = []
  const callers = all.map((_, n) => new FakeCaller(`${n}`))
  const longest = Math.max(...all.map(({ length }) => length))
  for (let n = 0; n < longest; n++)
    for (const [who, wishes] of all.entries()) {
      const wish = wishes[n]
      if (wish === undefined) continue
      const order = asked.length + 1
      const params = { group_id: wish.group }
      const parts = { token: `${order}`, action: 'send_group_msg', text: '', since: 0, size: 1, params }
      const call = callOf({ ...parts, caller: callers[who] }, order, SETTINGS)
      lines.add(call)
      asked.push({ call, who, ...wish })
    }
  return asked
}

test('[HLD4] every caller has its turn, its conversations keep their order, and everybody goes in the end', () => {
  fc.assert(
    fc.property(crowds, (all) => {
      const lines = new Lines()
      const asked = fill(lines, all)
      const of = new Map(asked.map((one) => [one.call, one]))
      const gone: Asked[] = []
      for (let now = 0; lines.size > 0; now++) {
        if (now > 60) throw new Error('somebody never goes')
        lines.wakeDue(now)
        for (let call = lines.next(); call !== undefined; call = lines.next()) {
          const one = of.get(call) as Asked // all come from there
          if (one.until > now) lines.blocked(call, { until: one.until })
          else {
            lines.went(call)
            gone.push(one)
          }
        }
      }
      expect(gone.length).toBe(asked.length)
      for (const [who] of all.entries())
        for (const group of [0, 1, 2]) {
          const orders = gone.filter((one) => one.who === who && one.group === group).map(({ call }) => call.order)
          expect(orders).toEqual(orders.toSorted((a, b) => a - b))
        }
      expect([lines.size, lines.bytes, lines.ready, lines.due]).toEqual([0, 0, false, Number.POSITIVE_INFINITY])
    }),
    { numRuns: 500 },
  )
})

test('[HLD4] where nothing holds anybody, a caller is served again only after all others who wait', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { minLength: 2, maxLength: 6 }), (counts) => {
      const lines = new Lines()
      const wishes = counts.map((count) => Array.from({ length: count }, () => ({ group: 0, until: 0 })))
      const of = new Map(fill(lines, wishes).map(({ call, who }) => [call, who]))
      const left = [...counts]
      const served = counts.map(() => 0)
      for (let call = lines.next(); call !== undefined; call = lines.next()) {
        const who = of.get(call) as number // all come from there
        lines.went(call)
        left[who] = (left[who] ?? 0) - 1
        served[who] = (served[who] ?? 0) + 1
        const waiting = served.filter((_, n) => (left[n] ?? 0) > 0)
        // Nobody who still waits has had two turns less than another one.
        if (waiting.length > 0) expect((served[who] ?? 0) - Math.min(...waiting)).toBeLessThanOrEqual(1)
      }
    }),
  )
})

test('[HLD4] what leaves from the middle, comes back or is asked anew, keeps every order', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('drop' as const), at: fc.nat(100) }),
    fc.record({ do: fc.constant('go' as const), at: fc.nat(3) }),
    fc.record({ do: fc.constant('back' as const), at: fc.nat(100) }),
    fc.record({ do: fc.constant('wait' as const), at: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ do: fc.constant('time' as const), at: fc.nat(20) }),
  )
  fc.assert(
    fc.property(crowds, fc.array(step, { maxLength: 60 }), (all, steps) => {
      const lines = new Lines()
      const asked = fill(lines, all)
      const inside = new Set(asked.map(({ call }) => call))
      let now = 0
      for (const { do: what, at } of steps) {
        const one = asked[at % Math.max(1, asked.length)]?.call
        if (what === 'time') {
          now += at
          lines.wakeDue(now)
        } else if (what === 'drop' && one !== undefined) {
          lines.drop(one)
          inside.delete(one)
        } else if (what === 'back' && one !== undefined && !inside.has(one)) {
          lines.restore([one])
          inside.add(one)
        } else if (what === 'go' || what === 'wait') {
          const call = lines.next()
          if (call === undefined) continue
          expect(inside.has(call)).toBe(true)
          if (what === 'wait') lines.blocked(call, { until: now + at })
          else if (at === 0) lines.stays(call)
          else {
            lines.went(call)
            inside.delete(call)
          }
        }
        expect(lines.size).toBe(inside.size)
      }
      lines.wake()
      const last = new Map<string, number>()
      for (let call = lines.next(); call !== undefined; call = lines.next()) {
        const key = `${call.caller?.key} ${call.params['group_id']}`
        expect(call.order).toBeGreaterThan(last.get(key) ?? 0)
        last.set(key, call.order)
        expect(inside.delete(call)).toBe(true)
        lines.went(call)
      }
      expect([inside.size, lines.size, lines.bytes]).toEqual([0, 0, 0])
    }),
    { numRuns: 1_000 },
  )
})
