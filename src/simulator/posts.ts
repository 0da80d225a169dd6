// Delivers events by HTTP POST: signed, in order, one at a time, and reads quick operations from the answers.

import { postJson } from '../lib/post-json.ts'
import { isObject, parse } from '../onebot/object.ts'

export interface PostOptions {
  readonly url: string
  /** Empty or none: unsigned. */
  readonly secret?: string | undefined
}

export interface PostFact {
  readonly kind: 'post failed'
  readonly url: string
  readonly why: string
}

interface Surroundings {
  readonly selfId: number
  /** Both are JSON text. */
  quick(event: string, operation: string): void
  report(fact: PostFact): void
}

/** Milliseconds. */
const TIMEOUT = 10_000
/** Events that wait for one target; beyond that the newest are left out. */
const MOST_WAITING = 10_000

export class PostTarget implements Disposable {
  readonly #options: PostOptions
  readonly #around: Surroundings
  readonly #stopping = new AbortController()
  readonly #waiting: string[] = []
  #busy = false

  constructor(options: PostOptions, around: Surroundings) {
    this.#options = options
    this.#around = around
  }

  deliver(event: string): void {
    if (this.#stopping.signal.aborted) return
    if (this.#waiting.length >= MOST_WAITING) this.#failed('too many events wait for it: this one was left out')
    else this.#waiting.push(event)
    if (!this.#busy) void this.#work()
  }

  [Symbol.dispose](): void {
    this.#waiting.length = 0
    this.#stopping.abort()
  }

  async #work(): Promise<void> {
    this.#busy = true
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) await this.#post(event)
    this.#busy = false
  }

  async #post(event: string): Promise<void> {
    const { url, secret = '' } = this.#options
    const headers = { 'User-Agent': 'OneBot/11', 'X-Self-ID': String(this.#around.selfId) }
    const { signal } = this.#stopping
    const posted = await postJson({ url, body: event, headers, secret, timeout: TIMEOUT, signal })
    if (signal.aborted) return
    if (posted.kind === 'failed') this.#failed(posted.reason)
    else if (posted.status < 200 || posted.status > 299) this.#failed(`it answered ${posted.status}`)
    else if (isObject(parse(posted.text ?? ''))) this.#around.quick(event, posted.text ?? '')
  }

  #failed(why: string): void {
    this.#around.report({ kind: 'post failed', url: this.#options.url, why })
  }
}
