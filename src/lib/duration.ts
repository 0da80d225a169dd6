// Reads and writes durations in Go's notation: 15s, 1h30m, 1500ms.

const MILLISECONDS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g

/** Milliseconds, rounded up so that a short duration never becomes none. Undefined: not a duration. Only 0 needs no unit. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === '0') return 0
  if (!WHOLE.test(trimmed)) return undefined
  let sum = 0
  for (const [, amount = '', unit = ''] of trimmed.matchAll(PART)) sum += Number(amount) * (MILLISECONDS[unit] ?? 0)
  // Binary fractions: 0.3s must be 300 ms, not 301.
  const whole = Math.ceil(Number(sum.toFixed(6)))
  return Number.isSafeInteger(whole) ? whole : undefined
}

/** The shortest exact form: 90000 is 1m30s, 1500 is 1500ms, 0 is 0s. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds % 1_000 !== 0) return `${milliseconds}ms`
  const seconds = milliseconds / 1_000
  const parts = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const
  return (
    parts
      .filter(([amount]) => amount > 0)
      .map(([amount, unit]) => `${amount}${unit}`)
      .join('') || '0s'
  )
}
