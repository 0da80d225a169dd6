// What was handed to one member of a pool and is not acknowledged yet, in the order in which it was handed over.

import type { Cursor } from './ports.ts'

interface Handed {
  readonly at: Cursor
  /** For what came from the journal: its head at that time. */
  readonly late: Cursor | undefined
}

export class Unacked {
  #handed: Handed[] = []
  #sent = 0

  get size(): number {
    return this.#handed.length
  }
  /** How many events were ever handed over. */
  get sent(): number {
    return this.#sent
  }
  /** The oldest position among them. */
  get oldest(): Cursor | undefined {
    let oldest: Cursor | undefined
    for (const { at } of this.#handed) if (oldest === undefined || at < oldest) oldest = at
    return oldest
  }

  add(at: Cursor, late?: Cursor): void {
    this.#sent += 1
    this.#handed.push({ at, late })
  }

  /** The first `count` of all that were ever handed over have arrived. */
  received(count: number): void {
    this.#handed.splice(0, Math.max(0, this.#handed.length - (this.#sent - count)))
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
    this.#handed.splice(0, arrived)
  }

  /** Everything has arrived. */
  clear(): void {
    this.#handed = []
  }

  /** Drops what the journal holds no longer. */
  forget(first: Cursor): void {
    while ((this.#handed[0]?.at ?? first) < first) this.#handed.shift()
  }

  positions(): Cursor[] {
    return this.#handed.map(({ at }) => at)
  }
}
