// Memory that is held without need.

import { dropProgramPages } from './program-pages.ts'

interface Collector {
  gc?: (force: boolean) => void
  /** Deprecated, without a successor: a collection alone keeps its pages. */
  shrink?: () => void
}

/** How long (ms) after a start its own work is over. */
const SETTLED = 1_000

/** What only the start has needed is given back to the system, some 12 MiB. Only Bun has words for it. */
export function giveBackAfterStart(): void {
  const { Bun: bun } = globalThis as { Bun?: Collector }
  if (bun === undefined) return
  setTimeout(() => {
    // The collection first: with one core a shrink alone has been seen to do nothing.
    bun.gc?.(true)
    bun.shrink?.()
    // Last, since the collection is itself code that is not needed soon again.
    dropProgramPages()
  }, SETTLED).unref()
}
