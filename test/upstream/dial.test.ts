// When an implementation is dialled for the first time, with a host that only counts.

import { expect, jest, test } from 'bun:test'
import type { Seat } from '../../src/broker/ports.ts'
import type { Host } from '../../src/runtime/host.ts'
import { dialUpstream } from '../../src/upstream/dial.ts'

function dialling(after: number | undefined) {
  let dials = 0
  // The casts: no more is asked of either before something answers, and nothing does.
  const host = {
    dial() {
      dials += 1
      return new Promise(() => undefined)
    },
  } as unknown as Host
  const bot = { name: 'b' } as unknown as Seat
  const dialled = dialUpstream({
    ...{ bot, host, after },
    url: 'ws://127.0.0.1',
    accessToken: '',
    maxFrame: () => 1_000,
    report: () => undefined,
  })
  return { dialled, dials: () => dials }
}

test('[UPS8] the first dial waits for as long as it is told to, or not at all', async () => {
  jest.useFakeTimers()
  try {
    expect([dialling(undefined).dials(), dialling(0).dials()]).toEqual([1, 1])
    const late = dialling(120)
    const stopped = dialling(120)
    void stopped.dialled.stop()
    jest.advanceTimersByTime(119)
    expect(late.dials()).toBe(0)
    jest.advanceTimersByTime(1)
    expect(late.dials()).toBe(1)
    expect(stopped.dials()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})
