// How long calls took, sorted into buckets by plain counting, and what share of them took no longer than something.

/** Upper bounds in seconds, of all calls together: close enough to each other for percentiles. */
export const FINE = [
  0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.025, 0.035, 0.05, 0.07, 0.1, 0.15, 0.25, 0.35, 0.5, 0.7, 1, 1.5,
  2.5, 3.5, 5, 7, 10, 15, 25, 35, 60, 120,
] as const
/** The same of each action: few, since each is a series of its own. */
export const COARSE = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

export class Buckets {
  readonly bounds: readonly number[]
  /** One more than there are bounds: the last is for what took longer than all of them. */
  readonly counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  add(seconds: number): void {
    let at = 0
    while (at < this.bounds.length && seconds > (this.bounds[at] ?? 0)) at++
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += seconds
    this.count += 1
  }
}

/** Seconds within which `share` (0 to 1) of the calls ended that are in `counts` but not in `before`; NaN: there are none. */
export function percentile(
  bounds: readonly number[],
  counts: Float64Array,
  before: Float64Array,
  share: number,
): number {
  const grown = Array.from(counts, (count, at) => count - (before[at] ?? 0))
  const wanted = grown.reduce((sum, count) => sum + count, 0) * share
  if (wanted === 0) return Number.NaN
  let sum = 0
  for (const [at, count] of grown.entries()) {
    if (sum + count < wanted || count === 0) {
      sum += count
      continue
    }
    const [low, high] = [bounds[at - 1] ?? 0, bounds[at]]
    // Longer than the longest bound: that is all that is known.
    return high === undefined ? low : low + ((high - low) * (wanted - sum)) / count
  }
  return bounds.at(-1) ?? Number.NaN
}
