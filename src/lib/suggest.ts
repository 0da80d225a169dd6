// Finds the known word that somebody most likely meant.

/** The closest of `known`, or undefined when nothing is near. Case, dashes and underscores count for nothing. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const wanted = plain(word)
  let best: string | undefined
  // A third of the letters may be wrong: more is a guess, not a suggestion.
  let nearest = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const distance = edits(wanted, plain(candidate), nearest)
    if (distance < nearest) [best, nearest] = [candidate, distance]
  }
  return best
}

const plain = (word: string) => word.toLowerCase().replaceAll(/[-_ ]/g, '')

/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; `limit` or more is not counted out. */
function edits(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    ;[before, last] = [last, row]
  }
  return last[b.length] ?? limit
}
