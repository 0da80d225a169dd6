// Keeps the newest of what happened, numbered from 1, and lets readers wait for more.

export type Numbered<T> = T & { readonly n: number }

/** The newest are kept: so many, and so many characters of text; one always is. */
const MOST = 1_000
const MOST_CHARACTERS = 32 * 1024 * 1024

export class Feed<T> {
  readonly #size: (one: T) => number
  #kept: Numbered<T>[] = []
  #characters = 0
  #last = 0
  readonly #waiting = new Set<() => void>()

  /** @param size how many characters one of them holds. */
  constructor(size: (one: T) => number) {
    this.#size = size
  }

  /** Newest last. */
  get all(): readonly Numbered<T>[] {
    return this.#kept
  }

  /** The number of the newest; 0: there has been none. */
  get last(): number {
    return this.#last
  }

  add(one: T): Numbered<T> {
    const numbered = { n: ++this.#last, ...one }
    this.#kept.push(numbered)
    this.#characters += this.#size(one)
    // Twice as many before anything is cut: moving the rest for each new one would cost more than calling.
    if (this.#kept.length > 2 * MOST || this.#characters > MOST_CHARACTERS) this.#cut()
    for (const wake of this.#waiting) wake()
    return numbered
  }

  /** Those after number `n`, once there are any or `wait` milliseconds are over. */
  async beyond(n: number, wait = 0, signal?: AbortSignal): Promise<readonly Numbered<T>[]> {
    if (this.#last <= n && wait > 0) await this.#next(wait, signal)
    return this.#kept.filter((one) => one.n > n)
  }

  #cut(): void {
    this.#kept = this.#kept.slice(-MOST)
    this.#characters = this.#kept.reduce((sum, one) => sum + this.#size(one), 0)
    while (this.#characters > MOST_CHARACTERS && this.#kept.length > 1) {
      const [oldest, ...rest] = this.#kept
      this.#kept = rest
      this.#characters -= oldest ? this.#size(oldest) : 0
    }
  }

  #next(wait: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, wait)
      this.#waiting.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }
}
