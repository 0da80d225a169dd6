// Dials one peer again and again, whatever comes of it: after pauses that grow, and long ones where our token was refused.

import { Backoff, type Patience } from './backoff.ts'

/** Why there is no connection, or none any more. */
export interface Ending {
  /** '': nobody gave one, and the close code stands for it. */
  readonly reason: string
  readonly code?: number
  /** The peer does not like our token. */
  readonly refused: boolean
}

/** What is told of a pause. */
export interface Retry {
  readonly reason: string
  readonly refused: boolean
  /** How long it is (ms). */
  readonly inMs: number
  /** Failures in a row. */
  readonly tries: number
}

export interface RedialOptions {
  /** One dial: what comes of it is told by `opened` and `ended`. Resolves when that is known; `stopped` cuts it short. */
  readonly dial: (stopped: AbortSignal) => Promise<void>
  /** Called for each pause; of refusals in a row only for the first, since they are all one fact. */
  readonly retry: (retry: Retry) => void
  readonly patience?: Patience | undefined
  /** Milliseconds that the first dial waits. Default: none. */
  readonly after?: number | undefined
}

/** The pause after a refused token (ms), unless told otherwise. */
const REFUSED = 60_000

export class Redial {
  readonly #options: RedialOptions
  readonly #backoff: Backoff
  readonly #stopped = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #attempt: Promise<void> = Promise.resolve()
  /** That is how the last one ended. */
  #refused = false

  constructor(options: RedialOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.patience)
  }

  start(): void {
    const { after = 0 } = this.#options
    if (after === 0) this.#dial()
    else this.#timer = setTimeout(() => this.#dial(), after)
  }

  /** There is a connection. It is no success before it has lasted: some accept first, and refuse the token then. */
  opened(): void {
    this.#backoff.opened()
  }

  /** A dial came to nothing, or its connection is over: said once for each. After `stop` it means nothing. */
  ended({ reason, code, refused }: Ending): void {
    if (this.#stopped.signal.aborted) return
    const { retry, patience } = this.#options
    const pause = this.#backoff.next()
    const { tries } = this.#backoff
    const inMs = refused ? Math.max(pause, patience?.refused ?? REFUSED) : pause
    const told = refused && this.#refused && tries > 1
    if (!told) retry({ reason: reason === '' ? `closed with ${code}` : reason, refused, inMs, tries })
    this.#refused = refused
    this.#timer = setTimeout(() => this.#dial(), inMs)
  }

  /** Dials no more. Resolves once a dial under way is over; whoever has a connection closes it. */
  stop(): Promise<void> {
    this.#stopped.abort()
    clearTimeout(this.#timer)
    return this.#attempt
  }

  #dial(): void {
    this.#attempt = this.#options.dial(this.#stopped.signal)
  }
}
