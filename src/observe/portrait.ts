// What is known of each bot's implementation: where it is, since when, and what it says of itself when somebody asks.

import type { Bot } from '../broker/bot.ts'
import type { Report } from '../broker/status.ts'
import { maskText } from '../lib/mask.ts'
import { fieldsOf, isObject, own } from '../onebot/object.ts'

export interface Portrait {
  /** Where it is; null: it was never connected. */
  peer: string | null
  /** Since when it is connected, or not (ms since 1970). */
  since: number | null
  /** Why it is not connected. */
  lost: string | null
  /** As it says itself; null: nobody has asked since it connected, or it did not say. */
  name: string | null
  version: string | null
  nickname: string | null
}

const NOBODY: Portrait = { peer: null, since: null, lost: null, name: null, version: null, nickname: null }
/** It is asked again after so long (ms) where it did not answer. */
const PATIENCE = 3_000
const LONGEST = 128

export class Portraits {
  readonly #portraits = new Map<string, Portrait>()
  readonly #asked = new Map<string, Promise<void>>()

  of({ name }: Bot): Portrait {
    return this.#portraits.get(name) ?? NOBODY
  }

  readonly report: Report = (status) => {
    if (status.kind === 'upstream-connected') {
      this.#asked.delete(status.bot)
      this.#portraits.set(status.bot, { ...NOBODY, peer: maskText(status.peer), since: Date.now() })
    } else if (status.kind === 'upstream-lost') {
      const before = this.#portraits.get(status.bot) ?? NOBODY
      const lost = maskText(status.reason) || `closed with ${status.code}`
      this.#portraits.set(status.bot, { ...before, since: Date.now(), lost })
    }
  }

  /** Asks the implementation who it is, once for each connection. Resolves when it has answered, or does not. */
  async look(bot: Bot): Promise<void> {
    if (!bot.online) return
    const asked = this.#asked.get(bot.name) ?? this.#ask(bot)
    this.#asked.set(bot.name, asked)
    await asked
  }

  async #ask(bot: Bot): Promise<void> {
    const before = this.of(bot)
    const [version, login] = await Promise.all([call(bot, 'get_version_info'), call(bot, 'get_login_info')])
    const now = this.of(bot)
    // Another connection by now: what the one before said is of no interest.
    if (now.since !== before.since) return
    this.#portraits.set(bot.name, {
      ...now,
      name: text(version, 'app_name'),
      version: text(version, 'app_version'),
      nickname: text(login, 'nickname'),
    })
  }
}

function call(bot: Bot, action: string): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({}), PATIENCE)
    timer.unref?.()
    const reply = (raw: string) => {
      clearTimeout(timer)
      const data = own(fieldsOf(raw), 'data')
      resolve(isObject(data) ? data : {})
    }
    const caller = { open: { calls: 0, bytes: 0 }, key: 'admin', watching: true, reply }
    bot.call(caller, JSON.stringify({ action, params: {} }))
  })
}

function text(data: Record<string, unknown>, key: string): string | null {
  const value = own(data, key)
  return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : null
}
