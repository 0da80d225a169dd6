// Whether something that keeps failing is left alone for a while, and when it is tried again. Time is passed in.

export interface BreakerSettings {
  /** Failures in a row that open it; 0: nothing does. */
  readonly failures: number
  /** Milliseconds until it is tried again; twice as long after each try that fails. */
  readonly coolDown: number
}

/**
 * `open`: nothing passes before `until`. `half-open`: one that is to tell how things stand is on its way. `tries`: those
 * that have failed since it opened; while closed, those that a next pause counts in.
 */
export type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number; readonly tries?: number }
  | { readonly kind: 'open'; readonly since: number; readonly until: number; readonly tries: number }
  | { readonly kind: 'half-open'; readonly since: number; readonly tries: number }

/** A cool-down grows up to so many times its length. */
const LONGEST = 16
/** Milliseconds after which one that is on its way is thought lost, and another one may try. */
const PATIENCE = 60_000

const CLOSED: BreakerState = { kind: 'closed', failures: 0 }

/**
 * Closed until so many failures in a row; then open; after its cool-down half-open, for one try, whose success closes
 * it. All times are milliseconds of one clock; one that was set back does not prolong a cool-down.
 */
export class Breaker {
  #settings: BreakerSettings
  #state: BreakerState = CLOSED

  constructor(settings: BreakerSettings) {
    this.#settings = settings
  }

  get state(): BreakerState {
    return this.#state
  }

  /** From now on these count; a cool-down that has begun stays as it is. */
  configure(settings: BreakerSettings): void {
    this.#settings = settings
    if (settings.failures === 0) this.#state = CLOSED
  }

  /** Not before then may anything pass; `now` when it may. */
  until(now: number): number {
    const state = this.#state
    if (state.kind === 'closed') return now
    // The clock was set back: what is left of a pause cannot be told, so it begins anew.
    if (now < state.since) this.#state = this.#rebased(state, now)
    if (this.#state.kind === 'open') return Math.max(now, this.#state.until)
    return now >= state.since + PATIENCE ? now : now + this.#settings.coolDown
  }

  /** Whether one may pass now. The one that passes an open breaker after its cool-down must report its end. */
  admits(now: number): boolean {
    if (this.#state.kind === 'closed') return true
    if (this.until(now) > now) return false
    this.#state = { kind: 'half-open', since: now, tries: this.#state.tries }
    return true
  }

  /** Things look well: all pass again. But the next failure opens it at once, and for longer than before. */
  trust(): void {
    if (this.#state.kind === 'closed') return
    this.#state = { kind: 'closed', failures: this.#settings.failures - 1, tries: this.#state.tries + 1 }
  }

  /** The one that was to tell how things stand does not: the next one may. */
  withdrawn(now: number): void {
    const { kind, tries = 0 } = this.#state
    if (kind === 'half-open') this.#state = { kind: 'open', since: now, until: now, tries }
  }

  /**
   * One that had passed has ended, well or not. While open, failures are those of before, and say nothing new.
   * @param pause of who has pauses (ms) that grow by themselves: then it is open for that long, or for its cool-down.
   */
  ended(ok: boolean, now: number, pause?: number): void {
    const state = this.#state
    if (ok) this.#state = CLOSED
    else if (state.kind === 'half-open') this.#open(now, state.tries + 1, pause)
    else if (state.kind === 'closed' && this.#settings.failures > 0) {
      const failures = state.failures + 1
      if (failures >= this.#settings.failures) this.#open(now, state.tries ?? 0, pause)
      else this.#state = { ...state, failures }
    }
  }

  #open(now: number, tries: number, pause: number | undefined): void {
    const { coolDown } = this.#settings
    const length = pause === undefined ? coolDown * Math.min(LONGEST, 2 ** tries) : Math.max(coolDown, pause)
    this.#state = { kind: 'open', since: now, until: now + length, tries }
  }

  #rebased(state: Exclude<BreakerState, { kind: 'closed' }>, now: number): BreakerState {
    if (state.kind === 'half-open') return { ...state, since: now }
    return { ...state, since: now, until: now + state.until - state.since }
  }
}
