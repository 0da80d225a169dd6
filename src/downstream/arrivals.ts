// How often each client comes: the handshakes of one that comes too often wait, one at a time.

import { setTimeout as sleep } from 'node:timers/promises'
import { Flapping } from '../lib/flapping.ts'

/**
 * The longest (ms) that a handshake waits. Made to wait rather than refused: some clients give up for good after a few
 * refusals, and none of them looks at Retry-After. Short enough for those that give a handshake ten seconds, and long
 * enough that who comes again and again does so less often than counts as too often.
 */
const LONGEST = 5_000

/** `busy`: another handshake of the same client waits; milliseconds until it may be worth trying. `gone`: it did not wait. */
export type Admission =
  | { readonly kind: 'go' }
  | { readonly kind: 'busy'; readonly inMs: number }
  | { readonly kind: 'gone' }

export class Arrivals {
  readonly #flapping = new Flapping()
  readonly #longest: number
  readonly #waiting = new Set<string>()

  constructor(longest = LONGEST) {
    this.#longest = longest
  }

  /**
   * Resolves once this client may come in, `key` being whatever tells it from others. `told` is called before it has to
   * wait, with the milliseconds.
   */
  async admit(key: string, signal: AbortSignal, told: (inMs: number) => void): Promise<Admission> {
    if (this.#waiting.has(key)) return { kind: 'busy', inMs: this.#longest }
    const wait = Math.min(this.#flapping.wait(key, Date.now()), this.#longest)
    if (wait === 0) return { kind: 'go' }
    told(wait)
    this.#waiting.add(key)
    try {
      await sleep(wait, undefined, { signal, ref: false })
      return { kind: 'go' }
    } catch {
      return { kind: 'gone' }
    } finally {
      this.#waiting.delete(key)
    }
  }
}
