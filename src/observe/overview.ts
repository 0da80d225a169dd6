// What `GET /api/status` tells an operator: bots, sessions, journals, calls and links, as plain numbers.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import type { Presence } from '../broker/presence.ts'
import { clientOf, type Session } from '../broker/session.ts'
import type { CircuitStatus } from '../lib/circuit.ts'
import type { Counted } from './counts.ts'
import type { Portraits } from './portrait.ts'

export interface OverviewOptions {
  readonly bots: Bots
  readonly version: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly links: () => number
  readonly allotments: () => number
  readonly facts: Counted
  readonly presence: Pick<Presence, 'version' | 'waiting'>
  /** How the implementation fares that we run for this bot; undefined: we run none. */
  readonly embedded: (bot: Bot) => object | undefined
  /** Which circuits of its calls are open, and what was limited. */
  readonly policy: (
    bot: Bot,
  ) => { readonly breakers: Readonly<Record<string, Breaker>>; readonly limited: object } | undefined
  /** Where it is kept on disk, and what is wrong there; undefined: nowhere. */
  readonly storage: (bot: Bot) => object | undefined
  /** The clients that we dial, connected or not. */
  readonly reverse: () => readonly { readonly breaker: CircuitStatus }[]
  readonly portraits: Portraits
  /** How late timers come (ms). */
  readonly lag: number
}

interface Breaker {
  readonly state: string
  /** Milliseconds since 1970. */
  readonly until?: number
}

/** All times are whole seconds, those that tell when since 1970. */
export function overview(options: OverviewOptions) {
  const { bots, facts, version, since, links, allotments, presence, reverse, lag } = options
  return {
    version,
    // See `?wait=`: of which change this tells, and how many wait for the next.
    presence: presence.version,
    polls: presence.waiting,
    uptime: age(since),
    rss: process.memoryUsage.rss(),
    /** Milliseconds by which the last timer came late. */
    lag: Math.round(lag),
    links: links(),
    allotments: allotments(),
    bots: bots.all().map((bot) => botOf(bot, options)),
    reverse: reverse().map(({ breaker, ...link }) => ({ ...link, breaker: breakerOf(breaker) })),
    facts,
  }
}

export type Overview = ReturnType<typeof overview>

function botOf(bot: Bot, { embedded, policy, portraits, storage }: OverviewOptions) {
  const { journal, members, sources } = bot
  const { since, ...portrait } = portraits.of(bot)
  const oldest = journal.at(journal.first)?.time
  return {
    name: bot.name,
    self_id: bot.selfId ?? null,
    online: bot.online,
    heartbeat: bot.heartbeat ?? null,
    heartbeat_age: members.heardAt === undefined ? null : age(members.heardAt),
    implementation: { ...portrait, since: since && seconds(since) },
    upstreams: sources.upstreams.map(({ since, ...slot }) => ({ ...slot, since: since && seconds(since) })),
    twins: sources.twins,
    journal: { entries: journal.entries, bytes: journal.bytes, age: oldest === undefined ? null : age(oldest) },
    lanes: members.fanout.lanes,
    sent: { events: members.traffic.events, bytes: members.traffic.bytes },
    waiting: bot.waiting,
    /** Calls that failed and are kept, and a number that grows when they are others. */
    failed: { kept: bot.failures.size, changes: bot.failures.changes },
    pools: members.fanout.pools.status,
    sessions: [...bot.sessions.all()].map((session) => sessionOf(session, bot)),
    /** Links for calls only. */
    callers: [...members.all()].filter(({ events }) => !events).map((session) => sessionOf(session, bot)),
    calls: callsOf(policy(bot)),
    storage: storage(bot),
    embedded: embedded(bot),
  }
}

function callsOf(policy: ReturnType<OverviewOptions['policy']>) {
  if (policy === undefined) return undefined
  const breakers = Object.entries(policy.breakers).map(([kind, breaker]) => [kind, breakerOf(breaker)])
  return { ...policy, breakers: Object.fromEntries(breakers) }
}

function sessionOf(session: Session, { selfId, journal, members }: Bot) {
  const { link, flow, open, paused, terms, traffic, returns, appId } = session
  const pending = link.buffered
  const lag = members.fanout.lag(session)
  return {
    ...clientOf(session, selfId),
    // Whose settings it has; nobody's is everybody's.
    ...(terms.client === '' ? {} : { entry: terms.client }),
    state: flow.state,
    paused,
    ...(flow.state === 'away' ? { away_until: seconds(flow.until) } : {}),
    peer: link.peer,
    // A web hook in the middle of a delivery has no count of bytes.
    pending: Number.isFinite(pending) ? pending : null,
    /** What it has yet to get from the journal, and for how long the first of it has waited. */
    lag: lag === undefined ? null : { events: lag.events, seconds: age(lag.since) },
    calls: open.calls,
    sent: members.fanout.traffic(session),
    called: { calls: traffic.calls, size: traffic.callSize },
    ...(link.circuit === undefined ? {} : { breaker: breakerOf(link.circuit) }),
    ...(returns === undefined || link.transport === 'http-post'
      ? {}
      : { unacknowledged: returns.acknowledged === journal.head ? 0 : journal.pending(returns.acknowledged, appId) }),
  }
}

const breakerOf = <B extends Breaker>({ until, ...breaker }: B) =>
  until === undefined ? breaker : { ...breaker, until: seconds(until) }

const seconds = (ms: number) => Math.floor(ms / 1000)
/** The journal's clock is a steady one, which may be off the wall's by a little. */
const age = (since: number) => Math.max(0, seconds(Date.now() - since))
