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

  /** Whether nobody but `bot` has this account. */
  free(selfId: string, bot: Bot): boolean {
    return this.#bots.every((other) => other === bot || other.selfId !== selfId)
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
