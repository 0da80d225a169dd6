// What of a bot's clients outlives the gateway: told to whoever keeps it, and made sessions of again.

import type { Cursor, KeptSession, Link, SessionStore, Transport } from './ports.ts'
import { OPEN_TERMS } from './ports.ts'
import type { Session } from './session.ts'
import { noTraffic } from './traffic.ts'

/** What an earlier run has left of a bot. */
export interface Left {
  readonly selfId: string
  readonly sessions: readonly KeptSession[]
  /** Positions by name: those of pools have names that `poolMark` makes. */
  readonly cursors: ReadonlyMap<string, Cursor>
}

/** Nobody keeps anything. */
export const FORGETFUL: SessionStore = { remember() {}, forget() {}, mark() {} }

const POOL = 'pool '
export const poolMark = (pool: string): string => POOL + pool

/** Where the pools of the earlier run stood, by name. */
export const poolsOf = ({ cursors }: Pick<Left, 'cursors'>): Map<string, Cursor> =>
  new Map(
    [...cursors].filter(([name]) => name.startsWith(POOL)).map(([name, cursor]) => [name.slice(POOL.length), cursor]),
  )

/** Undefined: it is nobody who may come back. @param cursor where it would go on. */
export function keptOf(session: Session, cursor: Cursor): KeptSession | undefined {
  const { appId, name, claim, events, calls, link, returns, since, flow } = session
  if (returns === undefined) return undefined
  const until = flow.state === 'away' && Number.isFinite(flow.until) ? flow.until : undefined
  const { secretHash } = returns
  return { appId, name, entry: claim.entry, events, calls, transport: link.transport, secretHash, cursor, since, until }
}

/** A session of the earlier run, away. @param until in milliseconds, where it had a link to the end. */
export function sessionOf(kept: KeptSession, until: number): Session {
  const { appId, name, entry, events, calls, since, transport, cursor } = kept
  return {
    appId,
    claim: { entry, name, resume: 'ping' },
    name,
    link: absent(transport),
    terms: OPEN_TERMS,
    view: undefined,
    events,
    calls,
    since,
    flow: { state: 'away', cursor, until: kept.until ?? until },
    returns: undefined,
    open: { calls: 0, bytes: 0 },
    repliesUnread: 0,
    paused: false,
    traffic: noTraffic(),
  }
}

const absent = (transport: Transport): Link => ({
  transport,
  peer: '',
  buffered: 0,
  open: false,
  whenBehind: 'close',
  send: () => false,
  close() {},
  subscribe() {},
  unsubscribe() {},
})
