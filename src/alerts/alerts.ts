// Tells people what is wrong, once, and once more when it is over.

import { statfs } from 'node:fs/promises'
import type { Report } from '../broker/status.ts'
import type { AlertsConfig, AlertTarget } from '../config/schema.ts'
import type { Patience } from '../lib/backoff.ts'
import { deliver, targetName } from './channel.ts'
import { type Kind, type Message, messageOf, type Trouble, testMessage } from './incident.ts'
import { Outbox, PATIENCE } from './outbox.ts'
import { Watch, type Watched } from './watch.ts'

export interface AlertsOptions {
  readonly settings: () => AlertsConfig
  readonly watched: () => Omit<Watched, 'free'>
  /** Where the disk is looked at; absent: nowhere. */
  readonly folder: string | undefined
  readonly report: Report
  /** Milliseconds between two looks. */
  readonly every?: number | undefined
  readonly patience?: Patience | undefined
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

/** What is wrong now, for who asks. */
export interface Incident extends Trouble {
  /** Milliseconds since 1970. */
  readonly since: number
}

const EVERY = 5_000
/** Between two looks at the disk (ms). */
const DISK = 60_000

export class Alerts {
  readonly #options: AlertsOptions
  readonly #now: () => number
  readonly #watch = new Watch()
  readonly #open = new Map<string, Incident>()
  readonly #outboxes = new Map<string, Outbox>()
  readonly #timer: ReturnType<typeof setInterval>
  #free: number | undefined
  #diskDue = 0

  constructor(options: AlertsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#timer = setInterval(() => void this.look(), options.every ?? EVERY)
    this.#timer.unref?.()
  }

  get incidents(): readonly Incident[] {
    return [...this.#open.values()]
  }

  readonly report: Report = (status) => this.#watch.heard(status, this.#now)

  /** What is wrong now that was not, and what is not any more. Costs nothing where nobody is to be told. */
  async look(): Promise<void> {
    const { settings, watched } = this.#options
    const { on, to, ...limits } = settings()
    if (to.length === 0 && this.#open.size === 0) return
    const now = this.#now()
    await this.#lookAtDisk(on, now)
    const found = new Map<string, Trouble>()
    for (const trouble of this.#watch.look({ ...watched(), free: this.#free }, limits, now))
      if (to.length > 0 && on.includes(trouble.kind)) found.set(trouble.id, trouble)
    for (const [id, trouble] of found) {
      if (this.#open.has(id)) continue
      this.#open.set(id, { ...trouble, since: now })
      this.#tell(messageOf(trouble, 'open', now, now), to)
    }
    for (const [id, { since, ...trouble }] of this.#open) {
      if (found.has(id)) continue
      this.#open.delete(id)
      this.#tell(messageOf(trouble, 'resolved', since, now), to)
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#outboxes.values()].map((outbox) => outbox.stop()))
  }

  #tell(message: Message, to: readonly AlertTarget[]): void {
    const { report, patience = PATIENCE } = this.#options
    const { incident, title, state } = message
    if (state !== 'test') report({ kind: 'alert', incident, state, title })
    const wanted = new Map(to.map((target) => [JSON.stringify(target), target]))
    for (const [key, outbox] of this.#outboxes)
      if (!wanted.has(key)) {
        this.#outboxes.delete(key)
        void outbox.stop()
      }
    for (const [key, target] of wanted) {
      const outbox = this.#outboxes.get(key) ?? new Outbox(target, report, patience)
      this.#outboxes.set(key, outbox)
      outbox.add(message)
    }
  }

  async #lookAtDisk(on: readonly Kind[], now: number): Promise<void> {
    const { folder } = this.#options
    if (folder === undefined || !on.includes('disk') || now < this.#diskDue) return
    this.#diskDue = now + DISK
    const disk = await statfs(folder).catch(() => undefined)
    this.#free = disk && disk.bavail * disk.bsize
  }
}

export interface Tested {
  readonly target: string
  readonly kind: AlertTarget['kind']
  /** Why it was not taken; null: it was. */
  readonly problem: string | null
}

/** Sends everybody a message that says that it is a test, once. */
export function testAlerts(to: readonly AlertTarget[]): Promise<Tested[]> {
  const { signal } = new AbortController()
  return Promise.all(
    to.map(async (target) => ({
      target: targetName(target),
      kind: target.kind,
      problem: (await deliver(target, testMessage(Date.now()), signal)) ?? null,
    })),
  )
}
