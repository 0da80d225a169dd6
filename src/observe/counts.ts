// Counts the facts that the core reports: how often each kind has happened since the start.

import type { Report, Status } from '../broker/status.ts'

export type Counted = Partial<Record<Status['kind'], number>>

/** `facts` holds the kinds that have happened; it grows with `report`. */
export function counts(): { readonly facts: Readonly<Counted>; readonly report: Report } {
  const facts: Counted = {}
  return {
    facts,
    report({ kind }) {
      facts[kind] = (facts[kind] ?? 0) + 1
    },
  }
}
