// All bots of this gateway, in the order of the configuration.

import type { Bot } from './bot.ts'

export class Bots {
  #bots: readonly Bot[] = []
  readonly #watchers = new Set<() => void>()

  all(): readonly Bot[] {
    return this.#bots
  }

  /** These from now on, in this order, all in one turn: at no time does the second pass for the first. */
  set(bots: readonly Bot[]): void {
    this.#bots = [...bots]
    this.changed()
  }

  /** Calls `changed` whenever a bot comes or goes, or an account becomes known; returns what ends that. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }
  /** A bot's account has become known, or is another now. */
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  /**
   * The account is `bot`'s from now on, and no longer that of whoever only remembers it from an earlier run. False:
   * another one's implementation has told it.
   */
  claim(selfId: string, bot: Bot): boolean {
    const others = this.#bots.filter((other) => other !== bot && other.selfId === selfId)
    if (others.some(({ announced }) => announced)) return false
    for (const other of others) other.disown()
    return true
  }

  /**
   * The bot a client asks for; without a wish, the first. A lone bot whose account is not known yet is anybody's wish:
   * its clients wait. Undefined: no such bot.
   */
  choose(selfId: string | undefined): Bot | undefined {
    const [first, second] = this.#bots
    if (selfId === undefined || selfId === '') return first
    const found = this.#bots.find((bot) => bot.selfId === selfId)
    if (found !== undefined || second !== undefined) return found
    return first?.selfId === undefined ? first : undefined
  }
}
