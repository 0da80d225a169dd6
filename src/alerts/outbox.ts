// Messages on their way to one target: in order, tried again with growing pauses, given up at last.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../broker/status.ts'
import type { AlertTarget } from '../config/schema.ts'
import { Backoff, type Patience } from '../lib/backoff.ts'
import { deliver, targetName } from './channel.ts'
import type { Message } from './incident.ts'

/** What waits longer than for so many others is of no use any more. */
const MOST = 100
const TRIES = 12
export const PATIENCE: Patience = { first: 2_000, most: 300_000, stable: 60_000 }

export class Outbox {
  readonly #target: AlertTarget
  readonly #report: Report
  readonly #patience: Patience
  readonly #waiting: Message[] = []
  readonly #stopped = new AbortController()
  #work: Promise<void> | undefined

  constructor(target: AlertTarget, report: Report, patience: Patience) {
    this.#target = target
    this.#report = report
    this.#patience = patience
  }

  add(message: Message): void {
    this.#waiting.push(message)
    if (this.#waiting.length > MOST) this.#waiting.shift()
    this.#work ??= this.#send().finally(() => {
      this.#work = undefined
    })
  }

  /** What is under way is cut off. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#work
  }

  async #send(): Promise<void> {
    const { signal } = this.#stopped
    for (let next = this.#waiting.shift(); next !== undefined && !signal.aborted; next = this.#waiting.shift())
      await this.#try(next, signal)
  }

  async #try(message: Message, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.#patience)
    while (!signal.aborted) {
      const reason = await deliver(this.#target, message, signal)
      if (reason === undefined || signal.aborted) return
      const inMs = backoff.tries + 1 < TRIES ? backoff.next() : undefined
      this.#report({ kind: 'alert-failed', target: targetName(this.#target), reason, inMs })
      if (inMs === undefined) return
      await sleep(inMs, undefined, { signal, ref: false }).catch(() => undefined) // woken early to end
    }
  }
}
