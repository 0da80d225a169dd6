// Satori's web hooks: those of the configuration, and those that clients have asked for, each with the events of every bot.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import type { Guests } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { SatoriError } from './call.ts'
import { type HookEntry, SatoriHook } from './hook.ts'
import type { Logins } from './logins.ts'
import { bad } from './request.ts'

export interface HooksOptions {
  readonly bots: Bots
  readonly logins: Logins
  readonly guests: Guests
  readonly report: Report
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
}

/** What the configuration calls its entries, in a Claim: by name, else by address; the same address twice by its turn. */
function keysOf(entries: readonly HookEntry[]): Map<HookEntry, string> {
  const keys = new Map<HookEntry, string>()
  const taken = new Set<string>()
  for (const entry of entries) {
    const key = `satori.webhooks ${entry.name || entry.url}`
    let unique = key
    for (let turn = 2; taken.has(unique); turn++) unique = `${key} ${turn}`
    taken.add(unique)
    keys.set(entry, unique)
  }
  return keys
}

export class Hooks {
  readonly #options: HooksOptions
  readonly #targets = new Set<Target>()
  readonly #unwatch: () => void
  #stopped = false

  constructor(options: HooksOptions) {
    this.#options = options
    this.#unwatch = options.bots.watch(() => this.#look())
  }

  /** These are in the configuration; those that are not any more end, those that changed begin anew. */
  async configure(entries: readonly HookEntry[]): Promise<void> {
    const keys = keysOf(entries)
    const text = (key: string, entry: HookEntry) => `${key} ${JSON.stringify(entry)}`
    const wanted = new Set([...keys].map(([entry, key]) => text(key, entry)))
    const names = new Set(keys.values())
    const ended = [...this.#targets].filter(({ asked, key, entry }) => !asked && !wanted.has(text(key, entry)))
    // One that only changed goes on where it was.
    await Promise.all(ended.map((target) => this.#end(target, !names.has(target.key))))
    const kept = new Set([...this.#targets].map(({ key }) => key))
    for (const [entry, key] of keys)
      if (!kept.has(key)) this.#targets.add({ entry, key, asked: false, hooks: new Map() })
    this.#look()
  }

  /** A client asks for one. The same again replaces it. @throws SatoriError */
  async create(url: unknown, token: unknown): Promise<void> {
    if (typeof url !== 'string' || !/^https?:\/\/\S+$/i.test(url) || !URL.canParse(url))
      return bad('url', url, 'an address that begins with http:// or https://')
    await this.delete(url)
    if ([...this.#targets].filter(({ asked }) => asked).length >= MOST_ASKED)
      throw new SatoriError(409, `${MOST_ASKED} web hooks were asked for already; delete one first`)
    const entry = { name: '', url, token: typeof token === 'string' ? token : '', ...USUAL }
    this.#targets.add({ entry, key: `satori webhook.create ${url}`, asked: true, hooks: new Map() })
    this.#look()
  }

  /** Those of the configuration stay. */
  async delete(url: unknown): Promise<void> {
    const found = [...this.#targets].filter(({ asked, entry }) => asked && entry.url === url)
    await Promise.all(found.map((target) => this.#end(target, true)))
  }

  /** Posts no more; requests under way have a second to finish. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unwatch()
    await Promise.all([...this.#targets].map((target) => this.#end(target, false)))
  }

  async #end(target: Target, forever: boolean): Promise<void> {
    this.#targets.delete(target)
    await Promise.all([...target.hooks.values()].map((hook) => hook.stop(forever)))
  }

  #look(): void {
    if (this.#stopped) return
    for (const target of this.#targets)
      for (const bot of this.#options.bots.all()) if (!target.hooks.has(bot)) this.#serve(target, bot)
  }

  /** Each bot has a session of its own at the hook, and so an order of its own. */
  #serve(target: Target, bot: Bot, after?: Promise<void>): void {
    const { bots, ...options } = this.#options
    const ended = (closing: Closing) => {
      if (!bots.all().includes(bot)) target.hooks.delete(bot)
      // Its account changed: on with the new one's events.
      else if (closing !== CLOSING.shutdown && this.#targets.has(target))
        this.#serve(target, bot, target.hooks.get(bot)?.quiet)
    }
    const { entry, key } = target
    target.hooks.set(bot, new SatoriHook({ ...options, entry, key, bot, ended }, after))
  }
}
