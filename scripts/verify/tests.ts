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

export function readTests(said: string): Tests {
  const count = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, 'm').exec(said)?.[1] ?? 0)
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
    skipped: tests.filter(({ how }) => how === 'skip').map(({ test }) => test),
    slow: tests.filter(({ seconds }) => seconds > LONG).map(({ test, seconds }) => ({ test, seconds })),
  }
}
