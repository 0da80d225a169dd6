// Everybody is killed in turn, with kill -9 and under load; what was promised to outlive it has.

import { expect, test } from 'bun:test'
import { mortals } from '../support/mortals.ts'
import { lacks, windows } from '../support/system.ts'
import { judge } from '../support/verdict.ts'

/** More of them: `bun run soak`. */
const ROUNDS = 3
/** Events and calls a second while the gateway is there: what a machine with two quiet cores bears, and is asked to. */
const RATE = 2_000
const CALLS = 200

test.skipIf(lacks(windows, 'Windows has no signals that a program could answer'))(
  `[GOV1] [GOV2] [GOV3] gateway, implementation and clients killed under load, ${ROUNDS} times: all heard in order, one reply, each durable write once`,
  async () => {
    const told = await mortals({ rounds: ROUNDS, rate: RATE, calls: CALLS, life: 400 })
    const { wrong, events, calls, durable, unknown, again, rate, callRate } = judge(told)
    // A slow machine proves the same with less: that is said, and nothing wrong.
    const less = rate < RATE || callRate < CALLS ? ': less than wanted, the machine bears no more' : ''
    console.log(`under ${rate} events/s and ${callRate} calls/s${less}`)
    expect(wrong).toEqual([])
    // Only what was open when somebody died.
    expect(unknown).toBeLessThan(durable / 2)
    // Or nothing would have been proved: every round costs each client two links, and what they had not confirmed.
    for (const count of [events, calls, durable]) expect(count).toBeGreaterThan(50)
    for (const count of Object.values(again)) expect(count).toBeGreaterThan(0)
  },
  // At the end the web hook hears what it is behind with, one after the other: minutes, where the machine is busy.
  600_000,
)
