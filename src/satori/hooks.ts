// Satori's web hooks: those of the configuration, and those that clients have asked for, each with the events of every bot.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import type { Guests } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import { keyed } from '../lib/keyed.ts'
import { SatoriError } from './call.ts'
import { type HookEntry, SatoriHook, type Told } from './hook.ts'
import type { Logins } from './logins.ts'
import { bad } from './request.ts'

export interface HooksOptions {
  readonly bots: Bots
  readonly logins: Logins
  readonly guests: Guests
  readonly report: Report
  /** When a hook that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
}

/** Hooks that clients ask for: each costs a place in the journal. */
const MOST_ASKED = 16
/** As the configuration has them where nobody says otherwise. */
const USUAL = { timeout: 10_000, 'retries-interval': 1_500 } as const

interface Target {
  readonly entry: HookEntry
  readonly key: string
  /** It is not in the configuration, and ends with the gateway. */
  readonly asked: boolean
  readonly hooks: Map<Bot, SatoriHook>
  /** What one that was otherwise has told. */
  readonly told?: ReadonlyMap<Bot, Told> | undefined
}

/** What it is posted by. The rest of an entry are terms, which its sessions are given where they are. */
const linkOf = ({ name, url, token, timeout, ...more }: HookEntry) =>
  JSON.stringify([name, url, token, timeout, more['retries-interval'], more['max-retries']])

export class Hooks {
  readonly #options: HooksOptions
  readonly #targets = new Set<Target>()
  readonly #unwatch: () => void
  #last: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: HooksOptions) {
    this.#options = options
    this.#unwatch = options.bots.watch(() => this.#look())
  }

  /** These are in the configuration; those that are not any more end, those that changed begin anew. */
  async configure(entries: readonly HookEntry[]): Promise<void> {
    const keys = keyed('satori.webhooks', entries)
    const text = (key: string, entry: HookEntry) => `${key} ${linkOf(entry)}`
    const wanted = new Set([...keys].map(([key, entry]) => text(key, entry)))
    const ended = [...this.#targets].filter(({ asked, key, entry }) => !asked && !wanted.has(text(key, entry)))
    // One that only changed goes on where it was.
    const told = new Map(
      await Promise.all(ended.map(async (it) => [it.key, await this.#end(it, !keys.has(it.key))] as const)),
    )
    const kept = new Set([...this.#targets].map(({ key }) => key))
    for (const [key, entry] of keys)
      if (!kept.has(key)) this.#targets.add({ entry, key, asked: false, hooks: new Map(), told: told.get(key) })
    this.#look()
  }

  /** A client asks for one, as some do at each start of theirs. What waits for it stays. @throws SatoriError */
  create(url: unknown, token: unknown): Promise<void> {
    return this.#inTurn(() => this.#create(url, token))
  }

  async #create(url: unknown, token: unknown): Promise<void> {
    if (typeof url !== 'string' || !/^https?:\/\/\S+$/i.test(url) || !URL.canParse(url))
      return bad('url', url, 'an address that begins with http:// or https://')
    const entry = { name: '', url, token: typeof token === 'string' ? token : '', ...USUAL }
    const same = this.#asked.find((target) => target.entry.url === url)
    if (same?.entry.token === entry.token) return
    if (same === undefined && this.#asked.length >= MOST_ASKED)
      throw new SatoriError(409, `${MOST_ASKED} web hooks were asked for already; delete one first`)
    const told = same && (await this.#end(same, false))
    this.#targets.add({ entry, key: `satori webhook.create ${url}`, asked: true, hooks: new Map(), told })
    this.#look()
  }

  /** Those of the configuration stay. */
  delete(url: unknown): Promise<void> {
    return this.#inTurn(async () => {
      const found = this.#asked.filter(({ entry }) => entry.url === url)
      await Promise.all(found.map((target) => this.#end(target, true)))
    })
  }

  /** Posts no more; requests under way have a second to finish. */
  async windDown(): Promise<void> {
    this.#stopped = true
    this.#unwatch()
    await Promise.all([...this.#targets].flatMap(({ hooks }) => [...hooks.values()].map((hook) => hook.windDown())))
  }

  /** The same, and the bots have nothing for them any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unwatch()
    await Promise.all([...this.#targets].map((target) => this.#end(target, target.asked)))
  }

  /** What clients ask for is done one after the other: each takes its time. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#last.then(change)
    this.#last = done.catch(() => undefined)
    return done
  }

  get #asked(): Target[] {
    return [...this.#targets].filter(({ asked }) => asked)
  }

  async #end(target: Target, forever: boolean): Promise<ReadonlyMap<Bot, Told>> {
    this.#targets.delete(target)
    return new Map(
      await Promise.all([...target.hooks].map(async ([bot, hook]) => [bot, await hook.stop(forever)] as const)),
    )
  }

  #look(): void {
    if (this.#stopped) return
    for (const target of this.#targets)
      for (const bot of this.#options.bots.all()) if (!target.hooks.has(bot)) this.#serve(target, bot)
  }

  /** Each bot has a session of its own at the hook, and so an order of its own. */
  #serve(target: Target, bot: Bot, before?: SatoriHook): void {
    const ended = (closing: Closing) => {
      // That it is gone is still to be told.
      if (!this.#options.bots.all().includes(bot)) void hook.quiet.then(() => target.hooks.delete(bot))
      // Its account changed: on with the new one's events.
      else if (closing.retry && closing !== CLOSING.shutdown && this.#targets.has(target) && !this.#stopped)
        this.#serve(target, bot, hook)
    }
    const { entry, key, asked } = target
    const resume = asked ? 'ping' : undefined
    const told = target.told?.get(bot)
    const hook = new SatoriHook({ ...this.#options, entry, key, resume, told, bot, ended }, before)
    target.hooks.set(bot, hook)
  }
}
