// What can be made to go wrong on purpose.

/** May be changed at any time. */
export interface Faults {
  /** No events, heartbeats included; calls are answered. */
  silent: boolean
  /** Milliseconds that each reply takes. */
  slowReplies: number
  /** The share of replies that never come, 0 to 1. */
  lostReplies: number
}

export const noFaults = (): Faults => ({ silent: false, slowReplies: 0, lostReplies: 0 })

/** Sends replies as the faults want it. */
export class Replies {
  readonly #faults: Faults
  #owed = 0

  constructor(faults: Faults) {
    this.#faults = faults
  }

  send(reply: () => void): void {
    if (this.#isLost()) return
    if (this.#faults.slowReplies > 0) setTimeout(reply, this.#faults.slowReplies)
    else reply()
  }

  /** Exactly the share that was asked for, evenly spread: tests can count on it. */
  #isLost(): boolean {
    const share = this.#faults.lostReplies
    if (share <= 0) return false
    this.#owed += share
    if (this.#owed < 1) return false
    this.#owed -= 1
    return true
  }
}
