// When an implementation that says nothing counts as dead. Its clock is performance.now, so time is real here.

import { expect, test } from 'bun:test'
import { Silence } from '../../src/upstream/silence.ts'

test('[UPS3] silent for three of its heartbeats, it is dead; while it speaks it is not', async () => {
  const dead = Promise.withResolvers<number>()
  let deaths = 0
  const silence = new Silence({
    interval: () => 200,
    every: 20,
    dead(ms) {
      deaths += 1
      dead.resolve(ms)
    },
    mute() {},
  })
  const began = performance.now()
  while (performance.now() - began < 1_200) {
    silence.broken()
    await Bun.sleep(20)
  }
  expect(deaths).toBe(0)
  expect(await dead.promise).toBeGreaterThan(600)
  silence.stop()
})

test('[UPS3] without a heartbeat seen, silence means nothing', async () => {
  let deaths = 0
  const silence = new Silence({ interval: () => undefined, dead: () => (deaths += 1), mute() {}, every: 5 })
  silence.broken()
  // Many looks, each of which would have told.
  await Bun.sleep(300)
  expect(deaths).toBe(0)
  silence.stop()
})
