// How long to wait before trying again: longer each time, never all at the same moment, and short again after success.

export interface Patience {
  /** Milliseconds before the first new try. */
  readonly first: number
  /** The longest pause (ms). */
  readonly most: number
  /** What lasted this long (ms) was a success: an open alone is none, some peers accept and then close. */
  readonly stable: number
  /** The shortest pause (ms) after a refused token, which does not become right by asking often. Default: a minute. */
  readonly refused?: number
  /** How long (ms) a client may leave a PING unanswered. Default: half a minute. */
  readonly silence?: number
  /** How long (ms) an implementation must have been well to take over again. Default: half a minute. */
  readonly failback?: number
}

export const PATIENCE: Patience = { first: 1_000, most: 60_000, stable: 60_000 }

/** Up to this share is added to a pause, so that a thousand peers of one restarted server do not return as one. */
const JITTER = 0.3

/** How long (ms) the first try waits: a part of that share, so that all that one start sets going does not go in one moment. */
export const scatter = ({ first }: Patience = PATIENCE, random: () => number = Math.random): number =>
  Math.round(first * JITTER * random())

export class Backoff {
  readonly #patience: Patience
  #tries = 0
  #openedAt: number | undefined

  constructor(patience: Patience = PATIENCE) {
    this.#patience = patience
  }

  /** Failures in a row. */
  get tries(): number {
    return this.#tries
  }

  /** It worked: the next pause is the first. */
  reset(): void {
    this.#tries = 0
  }

  opened(): void {
    this.#openedAt = performance.now()
  }

  /** The pause (ms) after what has just ended or failed. */
  next(): number {
    const { first, most, stable } = this.#patience
    if (this.#openedAt !== undefined && performance.now() - this.#openedAt >= stable) this.#tries = 0
    this.#openedAt = undefined
    const pause = Math.min(most, first * 2 ** Math.min(this.#tries, 16))
    this.#tries += 1
    return Math.min(most, Math.round(pause * (1 + JITTER * Math.random())))
  }
}
