// How often who is there, and how they fare, has changed; who wants to know waits for the next change.

const LONGEST = 300_000
/** More than anybody needs: each is a connection held open. */
const MOST = 4_096

export class Presence {
  // Not from 1: who asks about an earlier run's number must not meet it again.
  #version = Date.now()
  readonly #waiting = new Set<() => void>()
  readonly #watchers = new Set<() => void>()

  /** Grows with every change. */
  get version(): number {
    return this.#version
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }
  /** As many wait as may. */
  get full(): boolean {
    return this.waiting >= MOST
  }

  changed(): void {
    this.#version += 1
    for (const wake of [...this.#waiting]) wake()
    for (const watcher of this.#watchers) watcher()
  }

  /** Is told of each change; returns what ends that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /**
   * Resolves once the version is another than this one, or after so many milliseconds (five minutes at most), or when
   * the signal aborts.
   */
  wait(version: number, ms: number, signal: AbortSignal): Promise<void> {
    if (version !== this.#version || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, Math.min(ms, LONGEST))
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
    })
  }
}
