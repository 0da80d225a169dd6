// What `GET /api/status` tells an operator: bots, sessions, journals, calls and links, as plain numbers.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { clientOf, type Session } from '../broker/session.ts'
import type { Counted } from './counts.ts'

export interface OverviewOptions {
  readonly bots: Bots
  readonly version: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly links: () => number
  readonly allotments: () => number
  readonly facts: Counted
  /** Of the presence; see `?wait=`. */
  readonly presence: number
  /** How the implementation fares that we run for this bot; undefined: we run none. */
  readonly embedded: (bot: Bot) => object | undefined
  /** Which circuits of its calls are open, and what was limited. */
  readonly policy: (bot: Bot) => object | undefined
}

export function overview({
  bots,
  version,
  since,
  links,
  allotments,
  facts,
  presence,
  embedded,
  policy,
}: OverviewOptions) {
  return {
    version,
    presence,
    uptime: Math.floor((Date.now() - since) / 1000),
    rss: process.memoryUsage.rss(),
    links: links(),
    allotments: allotments(),
    bots: bots.all().map((bot) => ({ ...botOf(bot), calls: policy(bot), embedded: embedded(bot) })),
    facts,
  }
}

function botOf(bot: Bot) {
  const { journal } = bot
  return {
    name: bot.name,
    self_id: bot.selfId ?? null,
    online: bot.online,
    heartbeat: bot.heartbeat ?? null,
    journal: { entries: journal.entries, bytes: journal.bytes },
    waiting: bot.waiting,
    pools: bot.pools,
    sessions: [...bot.sessions.all()].map((session) => sessionOf(session, bot.selfId)),
  }
}

function sessionOf(session: Session, selfId: string | undefined) {
  const { link, flow, open } = session
  const pending = link.buffered
  return {
    ...clientOf(session, selfId),
    state: flow.state,
    peer: link.peer,
    // A web hook in the middle of a delivery has no count of bytes.
    pending: Number.isFinite(pending) ? pending : null,
    calls: open.calls,
  }
}
