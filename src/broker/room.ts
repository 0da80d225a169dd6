// The bytes of big frames that may be on their way to sockets at one time; who waits for room, and who holds it too long.

import { LIMITS } from './limits.ts'
import type { Session } from './session.ts'

interface Holder {
  readonly size: number
  /** What the socket held when we last saw it take something, and when that was. */
  buffered: number
  since: number
}

/** Shared by all bots. Sessions are served in the order in which they asked. */
export class Room {
  readonly #limit: number
  readonly #patience: number
  #used = 0
  readonly #holders = new Map<Session, Holder>()
  readonly #waiting = new Map<Session, () => void>()
  #serving = false
  #timer: ReturnType<typeof setInterval> | undefined
  readonly #stuck: (session: Session) => void

  /** @param stuck is told of a holder whose socket takes nothing while others wait. */
  constructor(
    stuck: (session: Session) => void,
    { limit = LIMITS.bigFramesInFlight, patience = LIMITS.roomPatience }: { limit?: number; patience?: number } = {},
  ) {
    this.#stuck = stuck
    this.#limit = limit
    this.#patience = patience
  }

  get used(): number {
    return this.#used
  }

  /** True: `size` is held for the session until `release`. False: `ready` is called once it is worth asking again. */
  take(session: Session, size: number, ready: () => void): boolean {
    if (this.#used > 0 && this.#used + size > this.#limit) {
      this.#waiting.set(session, ready)
      this.#timer ??= setInterval(() => this.#lookForStuck(Date.now()), Math.min(1_000, this.#patience))
      return false
    }
    this.#used += size
    this.#holders.set(session, { size, buffered: Number.POSITIVE_INFINITY, since: Date.now() })
    return true
  }

  /** Gives back what the session holds or waits for. */
  release(session: Session): void {
    this.#waiting.delete(session)
    const holder = this.#holders.get(session)
    if (holder !== undefined) {
      this.#holders.delete(session)
      this.#used -= holder.size
    }
    this.#serve()
  }

  #serve(): void {
    // Whoever is served may release at once: a loop, since a call inside a call per session would run out of stack.
    if (this.#serving) return
    this.#serving = true
    for (const [session, ready] of this.#waiting) {
      if (this.#used >= this.#limit) break
      this.#waiting.delete(session)
      ready()
    }
    this.#serving = false
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  #lookForStuck(now: number): void {
    for (const [session, holder] of this.#holders) {
      const { buffered } = session.link
      if (buffered < holder.buffered) {
        holder.buffered = buffered
        holder.since = now
      } else if (now - holder.since >= this.#patience) this.#stuck(session)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
