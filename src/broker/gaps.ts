// Sequence numbers that no entry has: after an unclean end those that an earlier run may have given away are left out.

/** From `start` on and before `end`. */
export interface Gap {
  readonly start: number
  readonly end: number
}

/** Counts entries where numbers have gaps: of the entry with number `seq`, `index(seq)` is its place without them. */
export class Gaps {
  /** In order, none touching another. */
  readonly all: readonly Gap[]
  /** The end of the last one, and how many numbers all of them take. */
  readonly #solid: number
  readonly #skipped: number

  constructor(all: readonly Gap[]) {
    this.all = all
    this.#solid = all.at(-1)?.end ?? 0
    this.#skipped = all.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /** A number in a gap means what follows the gap. */
  index(seq: number): number {
    if (seq >= this.#solid) return seq - this.#skipped
    let skipped = 0
    for (const { start, end } of this.all) {
      if (seq <= start) break
      skipped += Math.min(seq, end) - start
    }
    return seq - skipped
  }

  seq(index: number): number {
    if (index + this.#skipped >= this.#solid) return index + this.#skipped
    let seq = index
    for (const { start, end } of this.all) {
      if (seq < start) break
      seq += end - start
    }
    return seq
  }
}
