// Delivers events by HTTP POST: signed, in order, one at a time, and reads quick operations from the answers.

import { createHmac } from 'node:crypto'
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
    const { url, secret } = this.#options
    const headers = new Headers({
      'Content-Type': 'application/json',
      'User-Agent': 'OneBot/11',
      'X-Self-ID': String(this.#around.selfId),
    })
    if (secret) headers.set('X-Signature', `sha1=${createHmac('sha1', secret).update(event).digest('hex')}`)
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(TIMEOUT)])
    try {
      const response = await fetch(url, { method: 'POST', headers, body: event, redirect: 'manual', signal })
      const answer = await response.text()
      if (!response.ok) this.#failed(`it answered ${response.status}`)
      else if (isObject(parse(answer))) this.#around.quick(event, answer)
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#failed(error instanceof Error ? error.message : String(error))
    }
  }

  #failed(why: string): void {
    this.#around.report({ kind: 'post failed', url: this.#options.url, why })
  }
}
