// Judges the silence of a stream that shows from time to time that it lives: a connection may be dead without a word.

/** Pauses between two signs of life that must have gone by. */
const MISSED = 3
/** And at least so long (ms): signs may come late. */
const LEAST = 30_000

/** Time is in milliseconds, of any clock that never goes back. */
export class SsePulse {
  #heardAt: number
  #signAt: number | undefined
  /** The longest pause between two signs; undefined: two have not come yet, and so silence means nothing. */
  #pause: number | undefined

  constructor(now: number) {
    this.#heardAt = now
  }

  /** Something came. `sign`: what says nothing but that it lives. */
  heard(now: number, sign: boolean): void {
    this.#heardAt = now
    if (!sign) return
    if (this.#signAt !== undefined) this.#pause = Math.max(this.#pause ?? 0, now - this.#signAt)
    this.#signAt = now
  }

  dead(now: number): boolean {
    return this.#pause !== undefined && now - this.#heardAt > Math.max(LEAST, MISSED * this.#pause)
  }
}
