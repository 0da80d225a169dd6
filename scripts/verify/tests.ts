// Reads what `bun test` says: how many tests passed and failed, which were skipped, and which took long.

export interface Tests {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly string[]
  readonly slow: readonly Slow[]
}

export interface Slow {
  readonly test: string
  readonly seconds: number
}

/** Seconds after which a test is worth a look: everybody waits for it, many times a day. */
const LONG = 3

/** What the runner says at the end of all. Without it nothing has passed: it did not get that far. */
const END = /^Ran \d+ tests? across \d+ files?\..*$/gm

export function readTests(said: string): Tests {
  const end = [...said.matchAll(END)].at(-1)?.index ?? 0
  // The last: tests may write such lines, too.
  const count = (word: string) =>
    Number([...said.slice(0, end).matchAll(new RegExp(`^\\s*(\\d+) ${word}$`, 'gm'))].at(-1)?.[1] ?? 0)
  const tests = Array.from(
    said.matchAll(/^\((pass|fail|skip)\) (.*?)(?: \[([\d.]+)ms\])?$/gm),
    ([, how, test, ms]) => ({
      how,
      test: test ?? '',
      seconds: Number(ms ?? 0) / 1_000,
    }),
  )
  return {
    passed: count('pass'),
    failed: count('fail'),
    skipped: end === 0 ? [] : tests.filter(({ how }) => how === 'skip').map(({ test }) => test),
    slow: tests.filter(({ seconds }) => seconds > LONG).map(({ test, seconds }) => ({ test, seconds })),
  }
}
