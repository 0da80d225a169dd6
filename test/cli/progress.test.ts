// How a download is shown.

import { expect, test } from 'bun:test'
import { progress } from '../../src/cli/progress.ts'

const MIB = 2 ** 20

test('[INS20] a terminal gets a bar with share, size, speed and time left, never wider than the terminal', () => {
  let now = 0
  const drawn: string[] = []
  const screen = { columns: 100, write: (text: string) => drawn.push(text) }
  const bar = progress(
    screen,
    () => {},
    () => now,
  )
  // Gone on with at 40 MiB: that is not the speed.
  for (; now <= 10_000; now += 10) bar.update(40 * MIB + (now / 1_000) * MIB, 200 * MIB)
  expect(drawn.at(-1)).toBe(
    '\r\u001b[2K[######..................]  25 %  50.0 MiB of 200.0 MiB  1.0 MiB/s  2 min 30 s left',
  )
  expect(drawn.length).toBeLessThanOrEqual(101)
  bar.update(200 * MIB, 200 * MIB)
  expect(drawn.at(-1)).toContain('100 %')
  bar.end()
  bar.end()
  expect(drawn.filter((text) => text === '\n')).toHaveLength(1)

  const narrow: string[] = []
  const small = progress(
    { columns: 20, write: (text) => narrow.push(text) },
    () => {},
    () => 0,
  )
  small.update(1, 0)
  small.update(5 * MIB, 10 * MIB)
  small.end()
  for (const text of narrow) expect(text.replace('\r\u001b[2K', '').length).toBeLessThan(20)
})

test('[INS20] anything else gets a line every tenth, or every 10 MiB where nobody knows how much will come', () => {
  const told: string[] = []
  const lines = progress(undefined, (text) => told.push(text))
  for (let received = 0; received <= 50 * MIB; received += MIB / 4) lines.update(received, 50 * MIB)
  lines.end()
  expect(told).toHaveLength(10)
  expect(told[0]).toBe('10 %  5.0 MiB of 50.0 MiB')
  expect(told[9]).toBe('100 %  50.0 MiB of 50.0 MiB')

  told.length = 0
  const unknown = progress(undefined, (text) => told.push(text))
  for (let received = 0; received <= 25 * MIB; received += MIB) unknown.update(received, undefined)
  expect(told).toEqual(['10.0 MiB', '20.0 MiB'])
})
