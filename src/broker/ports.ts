// What the core asks of the organs around it: links, channels, upstreams, own actions, the journal; guarantees included.

import type { Closing } from './closing.ts'
import type { Session } from './session.ts'

export const TRANSPORTS = ['forward', 'allotment', 'reverse', 'http-post'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** A native publish: one call reaches every subscribed link of one listener. */
export interface Channel {
  /** Positive: handed over. -1: handed over, some socket is under pressure. 0: nobody subscribed, or dropped for a socket. */
  publish(topic: string, text: string): number
}

/**
 * One live connection to a client, whatever carries it. `send` keeps order, also against frames published on the
 * channel before it. After `close` the edge still reports the end through `Bot.leave`, once.
 */
export interface Link {
  readonly transport: Transport
  /** Where the peer is, for logs: an address or a URL without secrets. */
  readonly peer: string
  /** Bytes accepted and not yet taken by the peer's side of the world. */
  readonly buffered: number
  /** False from the moment either side began to close. */
  readonly open: boolean
  /** False: closed, nothing was queued. */
  send(text: string): boolean
  close(closing: Closing): void
  /** Absent: the link is sent to by itself. Present: so are `subscribe` and `unsubscribe` meaningful. */
  readonly channel?: Channel | undefined
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** What happens when the journal no longer holds what the link has yet to get: told and closed, or told and moved on. */
  readonly whenBehind: 'close' | 'skip'
}

/** The implementation's side. It need not be a WebSocket; frames are OneBot 11 texts. */
export interface Upstream {
  /** False: not connected, or too much is unread there; nothing was queued. */
  send(text: string): boolean
  /** Drops the connection, if any, for the reason given. A new one is made or awaited as after any loss. */
  redial(reason: string): void
}

/** Who gets the reply to a call. */
export interface Caller {
  /** The session that calls; absent for a bare HTTP call. */
  readonly session?: Session | undefined
  /** Delivers the one reply; ignored when the caller has gone. */
  reply(text: string): void
  /** Calls open, and the bytes of their frames: bounded per caller. */
  readonly open: { calls: number; bytes: number }
}

/** A call the gateway answers itself. Throws ActionError for a failed reply. */
export type OwnAction = (call: OwnCall) => OwnAnswer | Promise<OwnAnswer>
export interface OwnCall {
  readonly session: Session | undefined
  readonly params: Record<string, unknown>
  /** The text the client sent. */
  readonly raw: string
  /** The caller's count: for calls made in its name. */
  readonly open: Caller['open']
}
export interface OwnAnswer {
  readonly data?: unknown
  /** The work goes on after the reply: `async`, retcode 1. */
  readonly async?: true
}

/** The actions the gateway answers itself, by name without suffix. */
export type OwnActions = (action: string) => OwnAction | undefined

/** What the core asks of the configuration, at the moment it needs it. */
export interface CallSettings {
  /** Milliseconds until a call without a reply is given up; by action where named. */
  readonly timeout: number
  readonly timeouts: Readonly<Record<string, number>>
  /** Milliseconds between `_rate_limited` actions. */
  readonly rateLimitedInterval: number
}

/** A position in a journal. Only the journal that made it can say what it means. */
export type Cursor = number & { readonly cursor: unique symbol }

export interface Entry {
  readonly raw: string
  /** Milliseconds since 1970, by our clock. */
  readonly time: number
  /** The `app_id`s of the sessions a targeted event is for; absent: everybody. */
  readonly to?: ReadonlySet<string> | undefined
  /** The position right after this entry. */
  readonly next: Cursor
}

/**
 * The ordered, bounded log of one bot's events. Appends are seen by readers at once and in order; what falls off the
 * old end is counted, never silently skipped: a cursor before `first` has lost `missed(cursor)` entries. The newest
 * entry always stays, however big or old.
 */
export interface Journal {
  /** Changes whenever positions of before can no longer be honoured. */
  readonly epoch: string
  readonly entries: number
  readonly bytes: number
  /** Where the next entry will go. */
  readonly head: Cursor
  /** The oldest position still held. */
  readonly first: Cursor
  append(raw: string, now: number, to?: ReadonlySet<string>): Cursor
  /** The entry at `cursor`; undefined at the head and before `first`. */
  at(cursor: Cursor): Entry | undefined
  /** How many entries between `cursor` and the oldest one are gone. */
  missed(cursor: Cursor): number
  /** Drops what is older than the age limit. */
  expire(now: number): void
  limit(limits: { maxBytes: number; maxAge: number }): void
}
