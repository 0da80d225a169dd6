// A binary heap: whatever is added in whatever order, what comes before all others is at hand at once.

export class Heap<T> {
  readonly #items: T[] = []
  readonly #before: (a: T, b: T) => boolean

  /** @param before says whether `a` comes before `b`; must not change its mind about what is in the heap. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    const items = this.#items
    let at = items.length
    while (at > 0) {
      const above = (at - 1) >> 1
      const other = items[above] as T // above < at
      if (!this.#before(item, other)) break
      items[at] = other
      at = above
    }
    items[at] = item
  }

  /** Takes the first one out. */
  take(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (items.length > 0) this.#sink(last as T) // there was one
    return first
  }

  clear(): void {
    this.#items.length = 0
  }

  /** Puts an item where the first one was. */
  #sink(item: T): void {
    const items = this.#items
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      const right = below + 1
      if (right < items.length && this.#before(items[right] as T, items[below] as T)) below = right // both are there
      const other = items[below] as T // as above
      if (!this.#before(other, item)) break
      items[at] = other
      at = below
    }
    items[at] = item
  }
}
