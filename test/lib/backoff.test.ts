// How long to wait before trying again.

import { expect, test } from 'bun:test'
import { Backoff, PATIENCE, scatter } from '../../src/lib/backoff.ts'

test('[UPS1] pauses grow from a second to a minute, each with up to 30 % more, and stay there', () => {
  const backoff = new Backoff()
  for (const least of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    const pause = backoff.next()
    expect(pause).toBeGreaterThanOrEqual(least)
    expect(pause).toBeLessThanOrEqual(Math.min(PATIENCE.most, least * 1.3))
  }
  expect(backoff.tries).toBe(8)
})

test('[UPS1] pauses of many differ', () => {
  expect(new Set(Array.from({ length: 50 }, () => new Backoff().next())).size).toBeGreaterThan(10)
})

test('[UPS2] a link that was stable starts anew, one that opened and closed at once does not', async () => {
  const backoff = new Backoff({ first: 10, most: 1_000, stable: 100 })
  for (let i = 0; i < 4; i++) backoff.next()
  backoff.opened()
  expect(backoff.next()).toBeGreaterThanOrEqual(160)
  backoff.opened()
  const opened = performance.now()
  while (performance.now() - opened < 101) await Bun.sleep(1)
  expect(backoff.next()).toBeLessThanOrEqual(13)
})

test('[UPS8] the first try waits for a random part of what is added to the first pause', () => {
  expect([0, 0.5, 0.999].map((share) => scatter(PATIENCE, () => share))).toEqual([0, 150, 300])
  expect(scatter({ first: 20, most: 100, stable: 1 }, () => 0.5)).toBe(3)
  const many = Array.from({ length: 1_000 }, () => scatter())
  expect(Math.max(...many)).toBeLessThanOrEqual(300)
  expect(new Set(many).size).toBeGreaterThan(100)
})
