// What of a bot's clients outlives the gateway: told to whoever keeps it, and made sessions of again.

import type { Claim, Cursor, KeptSession, Link, SessionStore, Terms, Transport } from './ports.ts'
import type { Session } from './session.ts'
import { viewOf } from './view.ts'

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
  const { entry, resume } = claim
  const { transport } = link
  return { appId, name, entry, resume, events, calls, transport, secretHash, cursor, since, until }
}

/** Who it said to be: whoever asked to be waited for without an entry that says so asked for it by itself. */
export const claimOf = ({ entry, name, resume }: KeptSession): Claim => ({ entry, name, resume })

/** A session of the earlier run, away. `until`: the latest (ms), for those that had a link to the end, and whatever the clock of then said. */
export function sessionOf(kept: KeptSession, now: { claim: Claim; terms: Terms; until: number }): Session {
  const { appId, name, events, calls, since, transport, cursor } = kept
  const { claim, terms } = now
  return {
    appId,
    claim,
    name,
    link: absent(transport),
    terms,
    view: viewOf(terms),
    events,
    calls,
    since,
    flow: { state: 'away', cursor, until: Math.min(kept.until ?? now.until, now.until) },
    returns: undefined,
    open: { calls: 0, bytes: 0 },
    repliesUnread: 0,
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
