// The bounds that somebody outside relies on: other tests take them from the table, and would follow any change.

import { expect, test } from 'bun:test'
import { LIMITS } from '../../src/broker/limits.ts'

const MIB = 1024 * 1024

test('[BOT2] nobody waits for a heartbeat for as long as the least patient client bears, which is 30 seconds', () => {
  expect(LIMITS.slowestHeartbeat).toBeLessThanOrEqual(25_000)
})

test('[FAN15] what a slow socket, a link with unread replies and all big frames together may hold is bounded', () => {
  expect(LIMITS.highWater).toBeLessThanOrEqual(MIB)
  expect(LIMITS.bigFrame).toBeLessThanOrEqual(256 * 1024)
  expect(LIMITS.bigFramesInFlight).toBeLessThanOrEqual(64 * MIB)
  expect(LIMITS.repliesUnread).toBeLessThanOrEqual(16 * MIB)
  expect(LIMITS.callBytesOpen).toBeLessThanOrEqual(128 * MIB)
  expect(LIMITS.callsOpen).toBeLessThanOrEqual(4096)
  expect(LIMITS.waitingBytes).toBeLessThanOrEqual(64 * MIB)
  expect(LIMITS.waitingInAll).toBeLessThanOrEqual(131_072)
  expect(LIMITS.waitingBytesInAll).toBeLessThanOrEqual(256 * MIB)
  expect(LIMITS.replyBytesKept).toBeLessThanOrEqual(16 * MIB)
})
