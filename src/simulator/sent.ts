// Remembers what clients called, and lets readers wait for more.

export interface Called {
  /** Counts from 1. */
  readonly n: number
  /** Seconds since 1970. */
  readonly time: number
  /** As it was called, suffix included. */
  readonly action: string
  readonly params: Readonly<Record<string, unknown>>
  /** The frame's or the request body's exact text; undefined: the params came by query or form. */
  readonly raw: string | undefined
}

/** The newest are kept: so many, and so many characters of raw text; one always is. */
const MOST = 1_000
const MOST_CHARACTERS = 32 * 1024 * 1024

export class Sent {
  #kept: Called[] = []
  #characters = 0
  #last = 0
  readonly #waiting = new Set<() => void>()

  /** Newest last. */
  get all(): readonly Called[] {
    return this.#kept
  }

  add(call: Omit<Called, 'n'>): Called {
    const called = { n: ++this.#last, ...call }
    this.#kept.push(called)
    this.#characters += size(called)
    // Twice as many before anything is cut: moving the rest for each new one would cost more than calling.
    if (this.#kept.length > 2 * MOST || this.#characters > MOST_CHARACTERS) this.#cut()
    for (const wake of this.#waiting) wake()
    return called
  }

  /** Those after number `n`, once there are any or `wait` milliseconds are over. */
  async beyond(n: number, wait = 0, signal?: AbortSignal): Promise<readonly Called[]> {
    if (this.#last <= n && wait > 0) await this.#next(wait, signal)
    return this.#kept.filter((one) => one.n > n)
  }

  #cut(): void {
    this.#kept = this.#kept.slice(-MOST)
    this.#characters = this.#kept.reduce((sum, one) => sum + size(one), 0)
    while (this.#characters > MOST_CHARACTERS && this.#kept.length > 1) {
      const [oldest, ...rest] = this.#kept
      this.#kept = rest
      this.#characters -= oldest ? size(oldest) : 0
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

const size = ({ raw }: Called) => raw?.length ?? 0
