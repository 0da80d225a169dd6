// What is remembered of many keys: only as long as it matters, and never of more than so many.

/** Entries looked at whenever one is kept. Two, so that a table full of stale ones shrinks while it is being filled. */
const LOOKS = 2

export class Slots<V> {
  readonly #entries = new Map<string, V>()
  readonly #most: number
  readonly #stale: (value: V, now: number) => boolean
  #walk = this.#entries.entries()

  /** @param stale whether a value says no more than its absence would: it is forgotten then, sooner or later. */
  constructor(most: number, stale: (value: V, now: number) => boolean) {
    this.#most = most
    this.#stale = stale
  }

  get size(): number {
    return this.#entries.size
  }

  get full(): boolean {
    return this.#entries.size >= this.#most
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  /** False: there is no room for another key. */
  keep(key: string, value: V, now: number): boolean {
    this.tidy(now)
    if (this.full && !this.#entries.has(key)) return false
    this.#entries.set(key, value)
    return true
  }

  /** Goes a step on its round of the table, and forgets what is stale there. Never more than a few looks. */
  tidy(now: number): void {
    for (let look = 0; look < LOOKS; look++) {
      const { done, value } = this.#walk.next()
      if (done) {
        this.#walk = this.#entries.entries()
        return
      }
      if (this.#stale(value[1], now)) this.#entries.delete(value[0])
    }
  }
}
