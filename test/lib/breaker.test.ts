// The breaker and the count of comings, with a time of our own.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Breaker } from '../../src/lib/breaker.ts'
import { Flapping } from '../../src/lib/flapping.ts'

const START = 1_795_000_000_000
const SETTINGS = { failures: 3, coolDown: 10_000 }

/** One that has just opened. */
function opened(settings = SETTINGS): Breaker {
  const breaker = new Breaker(settings)
  for (let n = 0; n < settings.failures; n++) breaker.ended(false, START)
  return breaker
}

test('[BRK1] failures in a row open it, not those with a success between them', () => {
  const breaker = new Breaker(SETTINGS)
  for (let n = 0; n < 10; n++) {
    breaker.ended(false, START)
    breaker.ended(false, START)
    breaker.ended(true, START)
  }
  expect(breaker.admits(START)).toBe(true)
  for (let n = 0; n < 3; n++) breaker.ended(false, START)
  expect(breaker.state).toEqual({ kind: 'open', since: START, until: START + 10_000, tries: 0 })
  expect([breaker.admits(START), breaker.admits(START + 9_999)]).toEqual([false, false])
})

test('[BRK1] 0 failures: nothing opens it, and what was open is not any more', () => {
  const breaker = opened()
  breaker.configure({ failures: 0, coolDown: 1 })
  for (let n = 0; n < 100; n++) breaker.ended(false, START)
  expect(breaker.admits(START)).toBe(true)
})

test('[BRK2] after its pause one is let through, and its success closes it', () => {
  const breaker = opened()
  expect([1, 2, 3].map(() => breaker.admits(START + 10_000))).toEqual([true, false, false])
  expect(breaker.state.kind).toBe('half-open')
  expect(breaker.until(START + 10_000)).toBeGreaterThan(START + 10_000)
  breaker.ended(true, START + 10_100)
  expect([1, 2, 3].map(() => breaker.admits(START + 10_100))).toEqual([true, true, true])
  // And failures are counted from the beginning.
  breaker.ended(false, START)
  expect(breaker.state).toEqual({ kind: 'closed', failures: 1 })
})

test('[BRK2] each try that fails doubles the pause, up to 16 times, until one succeeds', () => {
  const breaker = opened()
  const pauses: number[] = []
  let now = START
  for (let n = 0; n < 7; n++) {
    const until = breaker.until(now)
    pauses.push(until - now)
    now = until
    expect(breaker.admits(now)).toBe(true)
    breaker.ended(false, now)
  }
  expect(pauses).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 160_000, 160_000])
  now = breaker.until(now)
  breaker.admits(now)
  breaker.ended(true, now)
  for (let n = 0; n < 3; n++) breaker.ended(false, now)
  expect(breaker.until(now)).toBe(now + 10_000)
})

test('[BRK12] what is trusted passes whole; its next failure opens it for longer, a success makes it as good as new', () => {
  const breaker = opened()
  breaker.trust()
  expect([1, 2, 3].map(() => breaker.admits(START + 10_000))).toEqual([true, true, true])
  breaker.ended(false, START + 10_000)
  expect(breaker.until(START + 10_000)).toBe(START + 30_000)
  // The same for one that is on trial.
  expect(breaker.admits(START + 30_000)).toBe(true)
  breaker.trust()
  breaker.ended(false, START + 31_000)
  expect(breaker.until(START + 31_000)).toBe(START + 71_000)
  breaker.trust()
  breaker.ended(true, START + 72_000)
  breaker.trust()
  expect(breaker.state).toEqual({ kind: 'closed', failures: 0 })
})

test('[BRK2] whatever happens, one at most is on trial, and none passes during a pause', () => {
  const happening = fc.oneof(
    fc.record({ do: fc.constant('ask' as const), ms: fc.nat(40_000) }),
    fc.record({ do: fc.constantFrom('ok' as const, 'fault' as const, 'fault' as const), ms: fc.nat(2_000) }),
  )
  fc.assert(
    fc.property(fc.array(happening, { minLength: 20, maxLength: 200 }), (happenings) => {
      const breaker = new Breaker(SETTINGS)
      let now = START
      for (const step of happenings) {
        now += step.ms
        const before = breaker.state
        const may = breaker.until(now) <= now
        if (step.do !== 'ask') {
          breaker.ended(step.do === 'ok', now)
          if (step.do === 'ok') expect(breaker.state.kind).toBe('closed')
          continue
        }
        expect(breaker.admits(now)).toBe(may)
        if (before.kind === 'closed') expect(may).toBe(true)
        else if (before.kind === 'open') expect(may).toBe(now >= before.until)
        else expect(may).toBe(now >= before.since + 60_000)
        if (before.kind !== 'closed' && may) {
          expect(breaker.state.kind).toBe('half-open')
          expect(breaker.admits(now)).toBe(false)
        }
      }
    }),
  )
})

test('[BRK2] pauses that grow by themselves are kept to, but for a cool-down that is longer', () => {
  const breaker = new Breaker({ failures: 1, coolDown: 10_000 })
  breaker.ended(false, START, 3_000)
  expect(breaker.until(START)).toBe(START + 10_000)
  expect(breaker.admits(START + 10_000)).toBe(true)
  breaker.ended(false, START + 10_000, 60_000)
  expect(breaker.until(START + 10_000)).toBe(START + 70_000)
})

test('[BRK3] a try that never ends is given up after a minute', () => {
  const breaker = opened()
  expect(breaker.admits(START + 10_000)).toBe(true)
  expect(breaker.admits(START + 69_999)).toBe(false)
  expect([breaker.admits(START + 70_000), breaker.admits(START + 70_000)]).toEqual([true, false])
})

test('[BRK3] a clock that is set back by hours prolongs no pause by more than its length', () => {
  const breaker = opened()
  const back = START - 3_600_000
  expect(breaker.until(back)).toBe(back + 10_000)
  expect([breaker.admits(back + 9_999), breaker.admits(back + 10_000)]).toEqual([false, true])
  const trying = opened()
  trying.admits(START + 10_000)
  expect(trying.admits(back)).toBe(false)
  expect(trying.admits(back + 60_000)).toBe(true)
})

test('[BRK11] fifteen connects in a minute are free, the next one waits until the first is a minute old', () => {
  const flapping = new Flapping()
  for (let n = 0; n < 15; n++) expect(flapping.wait('peer', START + n * 1_000)).toBe(0)
  expect(flapping.wait('peer', START + 20_000)).toBe(40_000)
  expect(flapping.wait('somebody else', START + 20_000)).toBe(0)
  // Asking in vain costs nothing.
  expect(flapping.wait('peer', START + 59_999)).toBe(1)
  expect(flapping.wait('peer', START + 60_000)).toBe(0)
  expect(flapping.wait('peer', START + 60_000)).toBe(1_000)
})

test('[BRK11] in no minute does one peer connect more than fifteen times', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9_000), { minLength: 20, maxLength: 150 }), (gaps) => {
      const flapping = new Flapping()
      const comings: number[] = []
      let now = START
      for (const gap of gaps) {
        now += gap
        const wait = flapping.wait('peer', now)
        const recent = comings.filter((time) => time > now - 60_000).length
        expect(wait > 0).toBe(recent >= 15)
        if (wait === 0) comings.push(now)
      }
    }),
  )
})

test('[BRK11] a clock that is set back locks nobody out, and 1,000,000 peers take bounded memory', () => {
  const flapping = new Flapping()
  for (let n = 0; n < 20; n++) flapping.wait('peer', START)
  expect(flapping.wait('peer', START - 3_600_000)).toBe(0)
  for (let n = 0; n < 1_000_000; n++) expect(flapping.wait(`peer ${n}`, START)).toBe(0)
  expect(flapping.size).toBe(10_000)
  for (let n = 0; n < 30_000; n++) flapping.wait('one', START + 120_000 + n * 10_000)
  expect(flapping.size).toBeLessThan(10)
})
