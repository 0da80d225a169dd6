// What we remember of one client, and where it stands in the stream of events.

import type { Client } from '../onebot/event.ts'
import type { Cursor, Link } from './ports.ts'

/**
 * Where a session stands: `waiting` until the bot's account is known, `live` in its lane (no cursor of its own),
 * `catching-up` from the journal at the pace of its socket, `gone` for good.
 */
export type Flow =
  | { readonly state: 'waiting' }
  | { readonly state: 'live' }
  | { readonly state: 'catching-up'; cursor: Cursor; room: number; readonly told: boolean }
  | { readonly state: 'gone' }

export interface Session {
  readonly appId: string
  /** Unique among the bot's sessions. */
  name: string | undefined
  readonly link: Link
  /** What the link carries: the standard has paths for events only and for calls only. */
  readonly events: boolean
  readonly calls: boolean
  /** Seconds since 1970. */
  readonly since: number
  flow: Flow
  /** Calls in flight, and the bytes of their frames. */
  readonly open: { calls: number; bytes: number }
  /** Bytes of replies handed to the link since it was last empty. */
  repliesUnread: number
}

/** The shape in which clients see each other: `app_id` and `client_name` as ever, the rest appended. */
export function clientOf(session: Session, selfId: string | undefined): Client {
  return {
    app_id: session.appId,
    ...(session.name === undefined ? {} : { client_name: session.name }),
    transport: session.link.transport,
    ...(selfId === undefined ? {} : { self_id: Number(selfId) }),
    since: session.since,
  }
}
