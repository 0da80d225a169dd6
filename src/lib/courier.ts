// Carries what is posted to one web hook: each again until it is taken, after pauses that grow, and none while its circuit is open.

import type { BreakerSettings } from './breaker.ts'
import { Circuit, type CircuitFact, type CircuitStatus } from './circuit.ts'
import { steady } from './clock.ts'
import { Deliveries, LONGEST_PAUSE, whyAgain } from './deliveries.ts'
import type { Posted } from './post-json.ts'

export type CourierFact =
  | CircuitFact
  | { readonly kind: 'delivery-failed'; target: string; reason: string; attempt: number; inMs: number }
  | { readonly kind: 'delivery-given-up'; target: string; reason: string }
  | { readonly kind: 'delivery-odd'; target: string; reason: string }

/** As the configuration has it; times in milliseconds. */
export interface Persistence {
  readonly 'retries-interval': number
  readonly 'max-retries'?: number | undefined
}

export interface CourierOptions {
  /** What the hook is called in the log. */
  readonly target: string
  readonly entry: Persistence
  /** When a hook that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
  readonly report: (fact: CourierFact) => void
  /** There is room again, or its circuit lets one through again. */
  readonly drained: () => void
}

/** One request. It must not reject, and gives up with `cut`. */
type Post = (cut: AbortSignal) => Promise<Posted>
/** `answer`: what the hook said when it took it. */
type Taken = (answer: string) => void

export class Courier {
  readonly #options: CourierOptions
  readonly #deliveries: Deliveries
  readonly #circuit: Circuit
  #wake: ReturnType<typeof setTimeout> | undefined
  #unsettled = 0
  /** What was last said of answers that we make nothing of. */
  #odd: string | undefined

  /** @param after what an earlier one may still have under way to the same hook. */
  constructor(options: CourierOptions, after: Promise<void> = Promise.resolve()) {
    this.#options = options
    this.#deliveries = new Deliveries(after)
    const patience = { first: options.entry['retries-interval'], most: LONGEST_PAUSE, stable: LONGEST_PAUSE }
    this.#circuit = new Circuit({ ...options, patience })
  }

  /** While one is on its way there is room for no other, nor is there after the end. */
  get buffered(): number {
    return this.#deliveries.buffered
  }
  /** Something that was sent was not taken yet, nor given up; or never will be, since the end came before. */
  get unsettled(): boolean {
    return this.#unsettled > 0
  }
  get open(): boolean {
    return this.#deliveries.open
  }
  get circuit(): CircuitStatus {
    return this.#circuit.status
  }
  /** Resolves when nothing is on its way any more. */
  get quiet(): Promise<void> {
    return this.#deliveries.quiet
  }

  /** False: it has ended. */
  send(post: Post, taken?: Taken): boolean {
    this.#unsettled += 1
    return this.#add(async () => {
      if (await this.#try(post, taken)) this.#unsettled -= 1
    })
  }

  /** For what stands beside all that is sent, in its place among that. `settled`: it was taken, or given up. */
  say(post: Post, settled: () => void): boolean {
    return this.#add(async () => {
      if (await this.#try(post)) settled()
    })
  }

  /** For what is worth nothing later, and says little of how the hook takes the rest: once, or not at all. */
  sendOnce(post: Post, taken?: Taken): boolean {
    return this.#add(async () => {
      if (!this.open || !this.#circuit.closed) return
      const posted = await post(this.#deliveries.cut)
      if (whyAgain(posted) === undefined) this.#answered(posted, taken)
    })
  }

  /** Takes nothing more; a request under way has a moment to finish. */
  end(): void {
    this.#deliveries.end()
    clearTimeout(this.#wake)
  }

  #add(deliver: () => Promise<void>): boolean {
    return this.#deliveries.add(deliver, () => {
      this.#options.drained()
      this.#wakeLater()
    })
  }

  /** False: the end came before it was taken or given up. */
  async #try(post: Post, taken?: Taken): Promise<boolean> {
    const { entry, report, target } = this.#options
    const most = entry['max-retries'] ?? Number.POSITIVE_INFINITY
    for (let attempt = 1; await this.#turn(); attempt++) {
      const posted = await post(this.#deliveries.cut)
      const reason = whyAgain(posted)
      if (reason === undefined) {
        this.#circuit.worked()
        this.#answered(posted, taken)
        return true
      }
      // It may have been cut off by ourselves.
      if (!this.open) return false
      const inMs = this.#circuit.failed(reason)
      if (attempt > most) {
        report({ kind: 'delivery-given-up', target, reason })
        return true
      }
      report({ kind: 'delivery-failed', target, reason, attempt, inMs })
      await this.#deliveries.pause(inMs)
    }
    return false
  }

  /** False: nothing is posted any more. */
  async #turn(): Promise<boolean> {
    for (let wait = this.#wait(); wait > 0; wait = this.#wait()) await this.#deliveries.pause(wait)
    return this.open
  }

  #wait(): number {
    return this.open ? this.#circuit.begin() : 0
  }

  /** Its pool passes it over while its circuit is open, and does not look again by itself. */
  #wakeLater(): void {
    const { until } = this.#circuit.status
    clearTimeout(this.#wake)
    if (until === undefined || !this.open) return
    const wait = Math.max(1, until - steady() + 1)
    this.#wake = setTimeout(() => this.#options.drained(), wait)
    this.#wake.unref?.()
  }

  #answered(posted: Posted, taken: Taken | undefined): void {
    if (posted.kind !== 'answered') return
    const { status, text } = posted
    const odd = status >= 400 ? `HTTP ${status}` : text === undefined ? 'its answer is too long to be read' : undefined
    // Said once: some clients answer 404 to all that they take.
    if (odd !== undefined && odd !== this.#odd)
      this.#options.report({ kind: 'delivery-odd', target: this.#options.target, reason: odd })
    this.#odd = odd
    if (odd === undefined && text !== undefined) taken?.(text)
  }
}
