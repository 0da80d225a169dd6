// The bytes of big frames that may be on their way to sockets at one time; who waits for room, and who holds it too long.

import { LIMITS } from './limits.ts'
import type { Session } from './session.ts'

interface Holder {
  readonly size: number
  /** What the socket held when we last saw it take something, and when that was. */
  buffered: number
  since: number
}

interface Waiter {
  readonly size: number
  readonly ready: () => void
}

/** Shared by all bots. Sessions are served in the order in which they asked: small frames do not overtake big ones for ever. */
export class Room {
  readonly #limit: number
  readonly #patience: number
  #used = 0
  readonly #holders = new Map<Session, Holder>()
  readonly #waiting = new Map<Session, Waiter>()
  #serving = false
  /** The one waiter that may take now, though others wait. */
  #turn: Session | undefined
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
  /** Sessions waiting for room. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * True: `size` is held for the session, which holds nothing yet, until `release`. False: `ready` is called once it is
   * worth asking again.
   */
  take(session: Session, size: number, ready: () => void): boolean {
    const mayTake = this.#waiting.size === 0 || this.#turn === session
    this.#turn = undefined
    if (!mayTake || !this.#fits(size)) {
      this.#waiting.set(session, { size, ready })
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

  /** A single frame beyond the limit passes when it is alone. */
  #fits(size: number): boolean {
    return this.#used === 0 || this.#used + size <= this.#limit
  }

  #serve(): void {
    // Whoever is served may release at once: a loop, since a call inside a call per session would run out of stack.
    if (this.#serving) return
    this.#serving = true
    for (const [session, { size, ready }] of this.#waiting) {
      // Who asks again is at the end of this same iteration: it must end where nothing fits.
      if (!this.#fits(size)) break
      this.#waiting.delete(session)
      this.#turn = session
      ready()
    }
    this.#turn = undefined
    this.#serving = false
    if (this.#waiting.size === 0) this.stop()
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
