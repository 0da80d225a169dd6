// Runs checks, several at a time, begun in their order.

import type { Check, Outcome } from './check.ts'

export interface Pool {
  /** How many run at a time. */
  readonly slots: number
  readonly run: (check: Check) => Promise<Outcome>
  readonly over: (outcome: Outcome) => void
}

/** Whatever fails, all others are run, but for those that need it. */
export async function runAll(checks: readonly Check[], { slots, run, over }: Pool): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = [...checks]
  const running = new Set<Promise<void>>()
  const done = new Set<string>()
  const note = (outcome: Outcome) => {
    outcomes.push(outcome)
    over(outcome)
  }
  const begin = async (check: Check) => {
    const outcome = await run(check).catch((error) => notRun(check.name, `not run: ${error}`))
    if (outcome.failed === 0) done.add(check.name)
    note(outcome)
  }
  for (;;) {
    const next = waiting.findIndex(({ after }) => after === undefined || done.has(after))
    if (next >= 0 && running.size < slots) {
      for (const check of waiting.splice(next, 1)) {
        const one: Promise<void> = begin(check).finally(() => running.delete(one))
        running.add(one)
      }
    } else if (running.size > 0) await Promise.race(running)
    else break
  }
  for (const { name, after } of waiting) note(notRun(name, `not run: ${after} did not succeed`))
  return outcomes
}

const notRun = (name: string, trouble: string): Outcome => ({
  ...{ name, trouble },
  ...{ seconds: 0, passed: 0, failed: 1, skipped: [], slow: [] },
})
