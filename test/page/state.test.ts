// What the dashboard makes of what it is told, without a browser.

import { expect, test } from 'bun:test'
import { State } from '../../page/state.ts'

const line = (n: number) => ({ time: 1_000 + Math.floor(n / 2), level: 'info', text: `line ${n}` }) as const
const chart = { step: 1, from: 0, events: [], calls: [], errors: [], sent: [], p50: [], p99: [], lag: [] }

test('[DSH18] a line of the log is shown once, whichever way it comes', () => {
  const state = new State(() => undefined)
  const told = (from: number, to: number) => {
    for (let n = from; n < to; n++) state.take('log', line(n))
  }
  const answer = (to: number) => Array.from({ length: to }, (_, n) => line(n))
  const shown = () => state.lines.map(({ text }) => Number(text.slice(5)))
  const upTo = (to: number) => Array.from({ length: to }, (_, n) => n)
  // Some that the answer has come first, and one that it has not ...
  told(3, 6)
  state.fill(chart, answer(5))
  expect(shown()).toEqual(upTo(6))
  // ... and some that it has come later.
  state.fill(chart, answer(10))
  told(8, 12)
  expect(shown()).toEqual(upTo(12))
  // Said twice, it is there twice.
  told(11, 12)
  expect(shown()).toEqual([...upTo(12), 11])
  // After a break all of it is in the answer.
  state.fill(chart, answer(20))
  expect(shown()).toEqual(upTo(20))
})
