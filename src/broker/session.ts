// What we remember of one client, and where it stands in the stream of events.

import type { Client } from '../onebot/event.ts'
import type { Claim, Cursor, Link, Rules, Terms } from './ports.ts'

/**
 * Where a session stands: `waiting` until the bot's account is known, `live` in its lane (no cursor of its own),
 * `catching-up` from the journal at the pace of its socket, `away` without a link until it comes back or its time is
 * over (milliseconds), `gone` for good. `sent`: the last position handed to the link.
 */
export type Flow =
  | { readonly state: 'waiting' }
  | { readonly state: 'live' }
  | { readonly state: 'catching-up'; cursor: Cursor; sent: Cursor; room: number; readonly told: boolean }
  | { readonly state: 'away'; readonly cursor: Cursor; readonly until: number }
  | { readonly state: 'gone' }

/** What lets a session come back after its link has ended. */
export interface Return {
  /** Shown with the name it proves who comes; SHA-256 of it, as hex. */
  readonly secretHash: string
  /** Everything before it has arrived, as the client has confirmed. */
  acknowledged: Cursor
  /** The last PING: its position, when it left (ms), and how many events of its pool it had been given; undefined once it was answered. */
  asked: { readonly position: Cursor; readonly at: number; readonly sent: number } | undefined
  /** When it was last asked (ms). */
  lastAsked: number
}

export interface Session {
  readonly appId: string
  /** Who it said to be when it came; its name may be another by now. */
  readonly claim: Claim
  /** Unique among the bot's sessions. */
  name: string | undefined
  /** While the session is away: the last one, which is closed. */
  link: Link
  terms: Terms
  /** What the terms make of the journal for it; undefined: every event, byte for byte. */
  view: Rules | undefined
  /** What the link carries: the standard has paths for events only and for calls only. */
  readonly events: boolean
  calls: boolean
  /** Seconds since 1970. */
  readonly since: number
  flow: Flow
  /** Absent: it is gone with its link. */
  returns: Return | undefined
  /** Calls in flight, and the bytes of their frames. */
  readonly open: { calls: number; bytes: number }
  /** Bytes of replies handed to the link since it was last empty. */
  repliesUnread: number
}

/** Whether it has a link: who is away or gone has none. */
export const isOnline = ({ flow }: Session): boolean => flow.state !== 'away' && flow.state !== 'gone'

/** The shape in which clients see each other: `app_id` and `client_name` as ever, the rest appended. */
export function clientOf(session: Session, selfId: string | undefined): Client {
  return {
    app_id: session.appId,
    ...(session.name === undefined ? {} : { client_name: session.name }),
    transport: session.link.transport,
    ...(selfId === undefined ? {} : { self_id: Number(selfId) }),
    since: session.since,
    ...(session.terms.pool === undefined ? {} : { pool: session.terms.pool }),
  }
}
