// Judges an implementation by its silence: dead after three heartbeats that did not come, mute when it never spoke.

export interface SilenceOptions {
  /** The implementation's own interval (ms); undefined until one of its heartbeats came: silence means nothing then. */
  readonly interval: () => number | undefined
  readonly dead: (silentFor: number) => void
  /** Nothing at all came after it opened. */
  readonly mute: () => void
  /** How often silence is looked at (ms). Default: once a second. */
  readonly every?: number | undefined
  /** Milliseconds that do not jump. */
  readonly now?: (() => number) | undefined
}

const MISSED = 3
const LOOK = 1_000
/** How long a link may be mute (ms) before somebody is told. */
const MUTE = 10_000

export class Silence {
  readonly #options: SilenceOptions
  readonly #now: () => number
  readonly #opened: number
  readonly #timer: ReturnType<typeof setInterval>
  #heard: number | undefined
  #suspected = false
  #told = false

  constructor(options: SilenceOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#opened = this.#now()
    this.#timer = setInterval(() => this.#look(), options.every ?? LOOK)
    this.#timer.unref?.()
  }

  /** A frame came. */
  broken(): void {
    this.#heard = this.#now()
    this.#suspected = false
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const silentFor = this.#now() - (this.#heard ?? this.#opened)
    if (this.#heard === undefined && !this.#told && silentFor >= MUTE) {
      this.#told = true
      this.#options.mute()
    }
    const interval = this.#options.interval()
    if (interval === undefined || silentFor <= interval * MISSED) return
    // This process may itself have stood still (a suspended machine): what came meanwhile is read before the next look.
    if (this.#suspected) this.#options.dead(Math.round(silentFor))
    this.#suspected = true
  }
}
