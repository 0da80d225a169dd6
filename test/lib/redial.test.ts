// When what has come to nothing is dialled again, and what is told of it; with a dial that only counts.

import { expect, jest, test } from 'bun:test'
import { Redial, type RedialOptions, type Retry } from '../../src/lib/redial.ts'
import { timeStands } from '../support/time.ts'

timeStands()

/** Nothing lasts long enough to be a success, unless told otherwise. */
const PATIENCE = { first: 100, most: 1_000, stable: 3_600_000 }

function dialling(options: Partial<RedialOptions> = {}) {
  const told: Retry[] = []
  const signals: AbortSignal[] = []
  const redial = new Redial({
    patience: PATIENCE,
    retry: (retry) => told.push(retry),
    ...options,
    dial: (stopped) => {
      signals.push(stopped)
      return options.dial?.(stopped) ?? Promise.resolve()
    },
  })
  redial.start()
  return {
    redial,
    told,
    dials: () => signals.length,
    stopped: () => signals.map(({ aborted }) => aborted),
    /** The last one has come to nothing; returns how long (ms) it waits, after which it has dialled once more. */
    fails(reason = 'nobody there', refused = false): number {
      const before = signals.length
      redial.ended({ reason, refused })
      const inMs = refused ? 60_000 : (told.at(-1)?.inMs ?? 0)
      jest.advanceTimersByTime(inMs - 1)
      expect(signals.length).toBe(before)
      jest.advanceTimersByTime(1)
      expect(signals.length).toBe(before + 1)
      return inMs
    },
  }
}

test('[UPS8] the first dial waits for as long as it is told to, or not at all', async () => {
  expect([dialling().dials(), dialling({ after: 0 }).dials()]).toEqual([1, 1])
  const late = dialling({ after: 120 })
  const stopped = dialling({ after: 120 })
  await stopped.redial.stop()
  jest.advanceTimersByTime(119)
  expect(late.dials()).toBe(0)
  jest.advanceTimersByTime(1)
  expect([late.dials(), stopped.dials()]).toEqual([1, 0])
})

test('[UPS1] whatever ends, it is dialled again, after a pause that grows and is told with its reason', () => {
  const { fails, told, redial } = dialling()
  for (const least of [100, 200, 400, 800, 1_000]) {
    // An open alone is no success.
    redial.opened()
    const pause = fails(`for ${least}`)
    expect(pause).toBeGreaterThanOrEqual(least)
    expect(pause).toBeLessThanOrEqual(Math.min(1_000, least * 1.3))
  }
  expect(told.map(({ reason, refused, tries }) => [reason, refused, tries])).toEqual([
    ['for 100', false, 1],
    ['for 200', false, 2],
    ['for 400', false, 3],
    ['for 800', false, 4],
    ['for 1000', false, 5],
  ])
  redial.ended({ reason: '', code: 1011, refused: false })
  expect(told.at(-1)?.reason).toBe('closed with 1011')
})

test('[UPS2] after a connection that lasted the pause is the first one again', () => {
  const { fails, redial, told } = dialling({ patience: { ...PATIENCE, stable: 0 } })
  for (let n = 0; n < 3; n++) fails()
  redial.opened()
  expect(fails()).toBeLessThanOrEqual(130)
  expect(told.map(({ tries }) => tries)).toEqual([1, 2, 3, 1])
})

test('[LOAD8] refusals are told once, and tried again a minute later, until something else has happened', () => {
  const { fails, told, redial } = dialling()
  const refuses = () => {
    redial.opened()
    fails('wrong token', true)
  }
  for (let n = 0; n < 3; n++) refuses()
  expect(told).toEqual([{ reason: 'wrong token', refused: true, inMs: 60_000, tries: 1 }])
  fails()
  for (let n = 0; n < 3; n++) refuses()
  expect(told.map(({ refused, tries }) => [refused, tries])).toEqual([
    [true, 1],
    [false, 4],
    [true, 5],
  ])
})

test('[LOAD8] a refusal after a connection that lasted is told: the token had been accepted', () => {
  const { fails, told, redial } = dialling({ patience: { ...PATIENCE, stable: 0 } })
  for (let n = 0; n < 2; n++) fails('wrong token', true)
  expect(told).toHaveLength(1)
  redial.opened()
  for (let n = 0; n < 2; n++) fails('wrong token', true)
  expect(told.map(({ tries }) => tries)).toEqual([1, 1])
})

test('[LOAD8] the pause after a refusal is the one that is asked for, but no shorter than after a failure', () => {
  const { told, redial } = dialling({ patience: { ...PATIENCE, first: 400, refused: 50 } })
  redial.ended({ reason: 'wrong token', refused: true })
  expect(told.at(-1)?.inMs).toBeGreaterThanOrEqual(400)
})

test('[MLU13] stopped, it cuts short the dial under way, is over with it, and dials no more', async () => {
  const under = Promise.withResolvers<void>()
  const { redial, stopped, dials, told } = dialling({ dial: () => under.promise })
  let over = false
  const stop = redial.stop().then(() => {
    over = true
  })
  expect(stopped()).toEqual([true])
  redial.ended({ reason: 'cut short', refused: false })
  await Promise.resolve()
  expect(over).toBe(false)
  under.resolve()
  await stop
  jest.advanceTimersByTime(3_600_000)
  expect([dials(), told]).toEqual([1, []])
})

test('[MLU13] stopped in a pause, it dials no more', async () => {
  const { redial, dials } = dialling()
  redial.ended({ reason: 'nobody there', refused: false })
  await redial.stop()
  jest.advanceTimersByTime(3_600_000)
  expect(dials()).toBe(1)
})
