// What `GET /api/status` tells an operator: bots, sessions, journals, calls and links, as plain numbers.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { clientOf, type Session } from '../broker/session.ts'
import type { Counted } from './counts.ts'
import type { Portrait, Portraits } from './portrait.ts'

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
  readonly portraits: Portraits
  /** How late timers come (ms). */
  readonly lag: number
}

export function overview(options: OverviewOptions) {
  const { bots, version, since, links, allotments, facts, presence, lag } = options
  return {
    version,
    presence,
    uptime: Math.floor((Date.now() - since) / 1000),
    rss: process.memoryUsage.rss(),
    lag: Math.round(lag),
    links: links(),
    allotments: allotments(),
    bots: bots.all().map((bot) => botOf(bot, options)),
    facts,
  }
}

export type Overview = ReturnType<typeof overview>

function botOf(bot: Bot, { embedded, policy, portraits }: OverviewOptions) {
  const { journal } = bot
  return {
    name: bot.name,
    self_id: bot.selfId ?? null,
    online: bot.online,
    heartbeat: bot.heartbeat ?? null,
    heartbeat_age: bot.heardAt === undefined ? null : Math.max(0, Date.now() - bot.heardAt) / 1000,
    implementation: portraits.of(bot) satisfies Portrait,
    journal: {
      entries: journal.entries,
      bytes: journal.bytes,
      age: secondsSince(journal.at(journal.first)?.time),
    },
    lanes: bot.members.fanout.lanes,
    sent: { events: bot.members.traffic.events, bytes: bot.members.traffic.bytes },
    waiting: bot.waiting,
    pools: bot.members.fanout.pools.status,
    sessions: [...bot.sessions.all()].map((session) => sessionOf(session, bot)),
    callers: Array.from(bot.members.callers(), (session) => sessionOf(session, bot)),
    embedded: embedded(bot),
    calls: policy(bot),
  }
}

function sessionOf(session: Session, bot: Bot) {
  const { link, flow, open, paused, traffic, terms } = session
  const pending = link.buffered
  const lag = bot.members.fanout.lag(session)
  return {
    ...clientOf(session, bot.selfId),
    state: flow.state,
    paused,
    peer: link.peer,
    entry: terms.client,
    // A web hook in the middle of a delivery has no count of bytes.
    pending: Number.isFinite(pending) ? pending : null,
    /** What it has yet to get from the journal, and for how long the first of it has waited (s). */
    lag: lag === undefined ? null : { events: lag.events, seconds: secondsSince(lag.since) },
    calls: open.calls,
    sent: bot.members.fanout.traffic(session),
    called: { calls: traffic.calls, size: traffic.callSize },
  }
}

/** The journal's clock is a steady one, which may be off the wall's by a little. */
const secondsSince = (time: number | undefined) => (time === undefined ? null : Math.max(0, Date.now() - time) / 1000)
