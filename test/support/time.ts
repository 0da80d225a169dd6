// Time in the hands of a test: it stands, and goes on when the test says so.

import { afterEach, beforeEach, jest } from 'bun:test'

/** For all tests of the file that says so at its top. */
export function timeStands(): void {
  beforeEach(() => {
    jest.useFakeTimers()
  })
  afterEach(() => {
    jest.useRealTimers()
  })
}

/** So many milliseconds later, by the clock of this one and by all timers. */
export function later(clock: { now: number }, ms: number): void {
  clock.now += ms
  jest.advanceTimersByTime(ms)
}
