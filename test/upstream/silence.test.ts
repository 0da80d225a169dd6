// When an implementation that says nothing counts as dead, or is told of. Its clock is the test's; its looks are real.

import { expect, test } from 'bun:test'
import { Silence } from '../../src/upstream/silence.ts'

/** A silence that is looked at all the time. */
function watched(interval: number | undefined) {
  let now = 1_000
  let looked = () => {}
  const said: string[] = []
  const silence = new Silence({
    every: 1,
    now: () => now,
    interval() {
      looked()
      return interval
    },
    dead: (ms) => said.push(`dead after ${ms}`),
    mute: () => said.push('mute'),
  })
  return {
    said,
    silence,
    /** Lets time go on, and somebody look so often. */
    async at(ms: number, looks = 5) {
      now = 1_000 + ms
      for (let n = 0; n < looks; n++) await new Promise<void>((resolve) => (looked = resolve))
    },
    [Symbol.dispose]: () => silence.stop(),
  }
}

test('[UPS3] silent for more than three of its heartbeats, it is dead; while it speaks it is not', async () => {
  using it = watched(200)
  for (let ms = 0; ms < 2_000; ms += 500) {
    await it.at(ms)
    it.silence.broken()
  }
  await it.at(2_100)
  expect(it.said).toEqual([])
  await it.at(1_500 + 601)
  expect(it.said[0]).toBe('dead after 601')
})

test('[UPS3] a look that comes late is followed by another: what came meanwhile is heard first', async () => {
  using it = watched(200)
  it.silence.broken()
  await it.at(5_000, 1)
  it.silence.broken()
  await it.at(5_600)
  expect(it.said).toEqual([])
})

test('[UPS3] without a heartbeat seen, silence means nothing', async () => {
  using it = watched(undefined)
  it.silence.broken()
  await it.at(1_000_000)
  expect(it.said).toEqual([])
})

test('[UPS7] of an implementation that says nothing at all after it has opened somebody is told, once, after ten seconds', async () => {
  using it = watched(undefined)
  await it.at(9_999)
  expect(it.said).toEqual([])
  await it.at(10_000)
  await it.at(60_000)
  expect(it.said).toEqual(['mute'])
  using spoke = watched(undefined)
  spoke.silence.broken()
  await spoke.at(60_000)
  expect(spoke.said).toEqual([])
})
