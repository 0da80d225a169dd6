// Buckets alone, with a time of our own.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Buckets, type Size } from '../../src/governance/bucket.ts'

const size = (given: Partial<Size>): Size => ({ every: 0, burst: 1, interval: 0, jitter: 0, ...given })
const never = () => 0
const START = 1_795_000_000_000

/** Takes when there is a token; tells whether it did. */
function takes(buckets: Buckets, key: string, now: number): boolean {
  if (buckets.ready(key, now) > now) return false
  buckets.take(key, now)
  return true
}

test('[LIM1] a full bucket gives its burst at once, then one token at a time', () => {
  const buckets = new Buckets(size({ every: 1_000, burst: 3 }), never)
  expect([1, 2, 3, 4].map(() => takes(buckets, '', START))).toEqual([true, true, true, false])
  expect(buckets.ready('', START)).toBe(START + 1_000)
  expect(takes(buckets, '', START + 999)).toBe(false)
  expect(takes(buckets, '', START + 1_000)).toBe(true)
  expect(takes(buckets, '', START + 1_000)).toBe(false)
  // After a rest it holds the burst again, and not more.
  expect([1, 2, 3, 4].map(() => takes(buckets, '', START + 60_000))).toEqual([true, true, true, false])
})

test('[LIM1] in no window does a key get more than burst and rate allow, whenever it asks', () => {
  const asking = fc.record({
    every: fc.integer({ min: 1, max: 2_000 }),
    burst: fc.integer({ min: 1, max: 8 }),
    interval: fc.integer({ min: 0, max: 500 }),
    gaps: fc.array(fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 4_000 })), {
      minLength: 20,
      maxLength: 120,
    }),
  })
  fc.assert(
    fc.property(asking, ({ every, burst, interval, gaps }) => {
      const buckets = new Buckets(size({ every, burst, interval }), never)
      let now = START
      const taken: number[] = []
      for (const gap of gaps) {
        now += gap
        if (takes(buckets, 'a', now)) taken.push(now)
        // Another key's takes are its own business.
        takes(buckets, 'b', now)
      }
      for (let from = 0; from < taken.length; from++)
        for (let to = from; to < taken.length; to++) {
          const span = (taken[to] ?? 0) - (taken[from] ?? 0)
          expect(to - from + 1).toBeLessThanOrEqual(burst + span / every + 1e-6)
          if (to === from + 1) expect(span).toBeGreaterThanOrEqual(interval)
        }
    }),
    { numRuns: 200 },
  )
})

test('[LIM1] who asks again at the time it was told is let through, and nobody is told a time too late', () => {
  const waiting = fc.record({
    // Also such as no binary fraction meets.
    rate: fc.double({ min: 0.05, max: 900, noNaN: true }),
    burst: fc.integer({ min: 1, max: 5 }),
    interval: fc.integer({ min: 0, max: 400 }),
  })
  fc.assert(
    fc.property(waiting, ({ rate, burst, interval }) => {
      const buckets = new Buckets(size({ every: 1_000 / rate, burst, interval }), never)
      let now = START
      for (let take = 0; take < 50; take++) {
        now = Math.max(now, buckets.ready('', now))
        expect(takes(buckets, '', now)).toBe(true)
      }
      const soonest = Math.max((50 - burst) * (1_000 / rate), 49 * interval)
      expect(now - START).toBeGreaterThanOrEqual(soonest - 1)
      // Either bound may hold back for a while, never both at once.
      expect(now - START).toBeLessThanOrEqual((50 - burst) * (1_000 / rate) + 49 * interval + 1)
    }),
  )
})

test('[LIM2] between two takes lies the interval, however full the bucket, and up to the jitter more', () => {
  const chances = [0, 0.5, 0.999]
  const buckets = new Buckets(size({ interval: 300, jitter: 200 }), () => chances.shift() ?? 0)
  let now = START
  const pauses: number[] = []
  for (let take = 0; take < 3; take++) {
    expect(takes(buckets, '', now)).toBe(true)
    expect(takes(buckets, '', now + 299)).toBe(false)
    pauses.push(buckets.ready('', now) - now)
    now = buckets.ready('', now)
  }
  expect(pauses.map(Math.floor)).toEqual([300, 400, 499])
})

test('[LIM9] of 1,000,000 keys that come and go only those that matter are remembered', () => {
  const buckets = new Buckets(size({ every: 1_000, burst: 2 }), never)
  let most = 0
  for (let n = 0; n < 1_000_000; n++) {
    expect(takes(buckets, `key ${n}`, START + n)).toBe(true)
    most = Math.max(most, buckets.size)
  }
  // 1,000 of them are not full at any time.
  expect(most).toBeLessThan(4_000)
})

test('[LIM9] 1,000,000 keys at once take bounded memory, and those beyond share one bucket', () => {
  const buckets = new Buckets(size({ every: 1_000, burst: 2 }), never)
  let taken = 0
  for (let n = 0; n < 1_000_000; n++) if (takes(buckets, `key ${n}`, START)) taken += 1
  expect(buckets.size).toBe(100_000)
  expect(taken).toBe(100_002)
  // Who has a bucket keeps it.
  expect(takes(buckets, 'key 0', START)).toBe(true)
  expect(takes(buckets, 'key 0', START)).toBe(false)
  // Once they are full there is room again, also for those who shared.
  for (let n = 0; n < 110_000; n++) expect(takes(buckets, `key ${200_000 + n}`, START + 10_000 + n)).toBe(true)
  expect(buckets.size).toBeLessThan(4_000)
})

test('[LIM9] who shares gets a bucket of its own as soon as others are full, also if it can take nothing meanwhile', () => {
  const buckets = new Buckets(size({ every: 1_000 }), never)
  for (let n = 0; n < 99_000; n++) takes(buckets, `early ${n}`, START)
  for (let n = 0; n < 1_000; n++) takes(buckets, `late ${n}`, START + 900)
  expect(takes(buckets, 'one', START + 900)).toBe(true)
  expect(takes(buckets, 'two', START + 900)).toBe(false)
  let taken = 0
  for (let n = 0; n < 2_000; n++) if (takes(buckets, `new ${n}`, START + 1_000)) taken += 1
  expect(taken).toBeGreaterThan(900)
})
