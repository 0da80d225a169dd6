// The queue of `_rate_limited` actions: one leaves per interval, in order, and none while the upstream is away.

import { refuse } from '../onebot/retcode.ts'
import { LIMITS } from './limits.ts'

export interface PacedAction {
  /** Characters of its frame. */
  readonly size: number
  /** False while nobody takes it: it is kept then. */
  readonly send: () => boolean
}

export class Paced {
  readonly #waiting: PacedAction[] = []
  #bytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #last = 0
  readonly #interval: () => number
  readonly #now: () => number

  /** @param interval in milliseconds, asked anew each time. */
  constructor(interval: () => number, now: () => number) {
    this.#interval = interval
    this.#now = now
  }

  get size(): number {
    return this.#waiting.length
  }

  /** @throws ActionError when the queue is full. */
  add(action: PacedAction): void {
    if (this.#waiting.length >= LIMITS.pacedWaiting || this.#bytes + action.size > LIMITS.pacedBytes)
      refuse('too-large', `rate-limited queue: ${this.#waiting.length} actions wait already; try again later`)
    this.#waiting.push(action)
    this.#bytes += action.size
    this.go()
  }

  /** Goes on, also after a stand-still. */
  go(): void {
    if (this.#timer !== undefined || this.#waiting.length === 0) return
    const wait = Math.max(0, this.#last + this.#interval() - this.#now())
    this.#timer = setTimeout(() => this.#next(), wait)
  }

  #next(): void {
    this.#timer = undefined
    const [action] = this.#waiting
    if (action === undefined || !action.send()) return
    this.#waiting.shift()
    this.#bytes -= action.size
    this.#last = this.#now()
    this.go()
  }

  /** How many actions will now never be sent. */
  stop(): number {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#bytes = 0
    return this.#waiting.splice(0).length
  }
}
