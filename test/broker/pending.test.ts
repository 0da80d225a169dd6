// The tokens under which calls go up.

import { expect, test } from 'bun:test'
import { Pending } from '../../src/broker/pending.ts'

test('[CAL18] no token is like another, also not one of an earlier run, whose reply may still come', () => {
  const runs = [1, 2, 3].map(() => new Pending(() => undefined, Date.now))
  const tokens = runs.flatMap((run) => Array.from({ length: 1_000 }, () => run.token()))
  expect(new Set(tokens).size).toBe(3_000)
  // No serialiser writes them otherwise.
  expect(tokens.filter((token) => !/^[\da-z]+\.[\da-z]+$/.test(token))).toEqual([])
})
