// A load that is offered by the clock: what was not done in time is done as soon as it can be, so that the average holds.

export class Pace {
  readonly #perMs: number
  #began: number
  #done = 0

  /** @param perSecond what is due in each second; @param began since when (ms since 1970, as processes share it). */
  constructor(perSecond: number, began: number) {
    this.#perMs = perSecond / 1_000
    this.#began = began
  }

  /** Nothing was due before this (ms since 1970). */
  notBefore(began: number): void {
    if (began <= this.#began) return
    this.#began = began
    this.#done = 0
  }

  /** How many are due now, but no more than `most`; they count as done. */
  take(most: number): number {
    const due = Math.floor((Date.now() - this.#began) * this.#perMs) - this.#done
    const taken = Math.max(0, Math.min(most, due))
    this.#done += taken
    return taken
  }
}
