// What `GET /api/status` tells an operator: bots, sessions, journals, calls and links, as plain numbers.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import type { CircuitStatus } from '../broker/ports.ts'
import type { Presence } from '../broker/presence.ts'
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
}

interface Breaker {
  readonly state: string
  /** Milliseconds since 1970. */
  readonly until?: number
}

/** All times are whole seconds, those that tell when since 1970. */
export function overview({ bots, facts, ...options }: OverviewOptions) {
  const { version, since, links, allotments, presence, embedded, policy, storage, reverse } = options
  return {
    version,
    // See `?wait=`: of which change this tells, and how many wait for the next.
    presence: presence.version,
    polls: presence.waiting,
    uptime: Math.floor((Date.now() - since) / 1000),
    rss: process.memoryUsage.rss(),
    links: links(),
    allotments: allotments(),
    bots: bots.all().map((bot) => ({
      ...botOf(bot),
      calls: callsOf(policy(bot)),
      storage: storage(bot),
      embedded: embedded(bot),
    })),
    reverse: reverse().map(({ breaker, ...link }) => ({ ...link, breaker: breakerOf(breaker) })),
    facts,
  }
}

function botOf(bot: Bot) {
  const { journal, sources } = bot
  return {
    name: bot.name,
    self_id: bot.selfId ?? null,
    online: bot.online,
    heartbeat: bot.heartbeat ?? null,
    upstreams: sources.upstreams.map(({ since, ...slot }) => ({ ...slot, since: since && seconds(since) })),
    twins: sources.twins,
    journal: { entries: journal.entries, bytes: journal.bytes },
    waiting: bot.waiting,
    pools: bot.pools,
    sessions: [...bot.sessions.all()].map((session) => sessionOf(session, bot)),
  }
}

function callsOf(policy: ReturnType<OverviewOptions['policy']>) {
  if (policy === undefined) return undefined
  const breakers = Object.entries(policy.breakers).map(([kind, breaker]) => [kind, breakerOf(breaker)])
  return { ...policy, breakers: Object.fromEntries(breakers) }
}

function sessionOf(session: Session, { selfId, journal }: Bot) {
  const { link, flow, open, terms, returns, appId } = session
  const pending = link.buffered
  return {
    ...clientOf(session, selfId),
    // Whose settings it has; nobody's is everybody's.
    ...(terms.client === '' ? {} : { entry: terms.client }),
    state: flow.state,
    ...(flow.state === 'away' ? { away_until: seconds(flow.until) } : {}),
    peer: link.peer,
    // A web hook in the middle of a delivery has no count of bytes.
    pending: Number.isFinite(pending) ? pending : null,
    calls: open.calls,
    ...(link.circuit === undefined ? {} : { breaker: breakerOf(link.circuit) }),
    ...(returns === undefined || link.transport === 'http-post'
      ? {}
      : { unacknowledged: returns.acknowledged === journal.head ? 0 : journal.pending(returns.acknowledged, appId) }),
  }
}

const breakerOf = <B extends Breaker>({ until, ...breaker }: B) =>
  until === undefined ? breaker : { ...breaker, until: seconds(until) }

const seconds = (ms: number) => Math.floor(ms / 1000)
