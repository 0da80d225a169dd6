// What was handed to one member of a pool and is not acknowledged yet, in the order in which it was handed over.

import type { Cursor } from './ports.ts'

interface Handed {
  readonly at: Cursor
  readonly mark: number
  /** For what came from the journal: its head at that time. */
  readonly late: Cursor | undefined
}

export class Unacked {
  /** Counts for all members together: a mark that one of them had in another pool says nothing wrong here. */
  static #marks = 0
  #handed: Handed[] = []
  #mark = 0
  #forgotten = 0

  get size(): number {
    return this.#handed.length
  }
  /** Of the event handed over last: those of later ones are greater. */
  get mark(): number {
    return this.#mark
  }
  /** How many were dropped since the last acknowledgement: nobody can be given them again. */
  get forgotten(): number {
    return this.#forgotten
  }
  /** The oldest position among them. */
  get oldest(): Cursor | undefined {
    let oldest: Cursor | undefined
    for (const { at } of this.#handed) if (oldest === undefined || at < oldest) oldest = at
    return oldest
  }

  add(at: Cursor, late?: Cursor): void {
    Unacked.#marks += 1
    this.#mark = Unacked.#marks
    this.#handed.push({ at, mark: this.#mark, late })
  }

  /** Everything has arrived that was handed over up to this mark. */
  received(mark: number): void {
    const missing = this.#handed.findIndex((one) => one.mark > mark)
    this.#drop(missing === -1 ? this.#handed.length : missing)
  }

  /**
   * Everything before `upTo` has arrived. What came from the journal may stand before a position that its member
   * confirms while it is still on its way: it counts once the journal has moved on since, or the member means it.
   * @param names whether the member has named exactly the event at this position.
   */
  acknowledged(upTo: Cursor, names: (at: Cursor) => boolean): void {
    let named: number | undefined
    let arrived = 0
    for (const { at, late } of this.#handed) {
      if (at >= upTo) break
      if (late !== undefined && upTo <= late) {
        named ??= this.#handed.findIndex((one) => names(one.at))
        if (arrived > named) break
      }
      arrived += 1
    }
    this.#drop(arrived)
  }

  /** Everything has arrived. */
  clear(): void {
    this.#drop(this.#handed.length)
  }

  /** Drops what the journal holds no longer. */
  forget(first: Cursor): void {
    while ((this.#handed[0]?.at ?? first) < first) {
      this.#handed.shift()
      this.#forgotten += 1
    }
  }

  positions(): Cursor[] {
    return this.#handed.map(({ at }) => at)
  }

  /** The first so many have arrived, and so have those that were dropped before them. */
  #drop(count: number): void {
    if (count > 0) this.#forgotten = 0
    this.#handed.splice(0, count)
  }
}
