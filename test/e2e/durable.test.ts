// Everybody is killed in turn, with kill -9 and under load; what was promised to outlive it has.

import { expect, test } from 'bun:test'
import { mortals } from '../support/mortals.ts'
import { judge } from '../support/verdict.ts'

/** More of them: `bun run soak`. */
const ROUNDS = 3

// Windows has no signals that a program could answer.
test.skipIf(process.platform === 'win32')(
  `[GOV1] [GOV2] [GOV3] gateway, implementation and clients killed under load, ${ROUNDS} times: all heard in order, one reply, each durable write once`,
  async () => {
    const told = await mortals({ rounds: ROUNDS, rate: 400, calls: 60, life: 500 })
    const { wrong, events, calls, durable, unknown, again } = judge(told)
    expect(wrong).toEqual([])
    // Only what was open when somebody died.
    expect(unknown).toBeLessThan(durable / 2)
    // Or nothing would have been proved: every round costs each client two links, and what they had not confirmed.
    for (const count of [events, calls, durable, ...Object.values(again)]) expect(count).toBeGreaterThan(50)
  },
)
