// Thins out facts that repeat: each at most once in a while, with the number of those left out.

import type { Fields } from './line.ts'
import { type Facts, LEVELS, type Level } from './log.ts'

// Facts are fixed texts, so they are few; should someone build them from data, memory stays bounded all the same.
const MOST = 1000

/** The same log, but a fact passes at most once per `every` milliseconds; the next one bears `suppressed: n`. */
export function limit(log: Facts, every: number, now: () => number = Date.now): Facts {
  const seen = new Map<string, { until: number; suppressed: number }>()
  const at = (level: Level) => (fact: string, fields?: Fields) => {
    const id = `${level} ${fact}`
    const before = seen.get(id)
    if (before && now() < before.until) {
      before.suppressed++
      return
    }
    if (!before && seen.size >= MOST) seen.clear()
    seen.set(id, { until: now() + every, suppressed: 0 })
    log[level](fact, before?.suppressed ? { ...fields, suppressed: before.suppressed } : fields)
  }
  return Object.fromEntries(LEVELS.map((level) => [level, at(level)])) as Facts // every level is there
}
