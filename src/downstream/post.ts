// Posts the events of every bot to one web hook, also of bots that come later.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import type { Guests } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import type { PostConfig } from '../config/schema.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import { Hook } from './hook.ts'

export interface PostOptions {
  readonly entry: PostConfig
  /** What the configuration calls it. */
  readonly key: string
  readonly guests: Guests
  readonly bots: Bots
  readonly report: Report
  /** When a hook that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
}

export interface PostTarget {
  /** Posts no more; a request under way has a second to finish. */
  windDown(): Promise<void>
  /** The same, and the bots have nothing for it any more. */
  stop(): Promise<void>
}

/** Each bot has a session of its own at the hook, and so an order of its own. */
export function postTarget({ bots, ...options }: PostOptions): PostTarget {
  const hooks = new Map<Bot, Hook>()
  let stopped = false
  /** `after`: what an earlier session of the bot left under way. */
  const serve = (bot: Bot, after?: Promise<void>) => {
    const ended = (closing: Closing) => {
      if (!bots.all().includes(bot)) hooks.delete(bot)
      // Its account changed: on with the new one's events.
      else if (closing.retry && closing !== CLOSING.shutdown && !stopped) serve(bot, hooks.get(bot)?.quiet)
    }
    hooks.set(bot, new Hook({ ...options, bot, ended }, after))
  }
  const look = () => {
    for (const bot of bots.all()) if (!hooks.has(bot)) serve(bot)
  }
  const unwatch = bots.watch(look)
  look()
  const each = async (how: (hook: Hook) => Promise<void>) => {
    stopped = true
    unwatch()
    await Promise.all([...hooks.values()].map(how))
  }
  return {
    windDown: () => each((hook) => hook.windDown()),
    stop: () => each((hook) => hook.stop()),
  }
}
