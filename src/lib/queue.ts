// First in, first out, at the same cost however many wait: arrays move all the others when the first one goes.

export class Queue<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }
  get first(): T | undefined {
    return this.#items[this.#head]
  }

  /** The one before which `index` others wait. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const { first } = this
    if (this.size === 0) return undefined
    // Nothing keeps it alive any longer.
    this.#items[this.#head] = undefined
    this.#head += 1
    // Half of it is empty: what is moved now was paid for by as many that went.
    if (this.#head >= SMALL && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return first
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}

const SMALL = 32
