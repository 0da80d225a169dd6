// What the core asks of the organs around it: links, channels, upstreams, the journal; guarantees included.

import type { CircuitStatus } from '../lib/circuit.ts'
import type { Fields } from '../onebot/object.ts'
import type { Closing } from './closing.ts'

export const TRANSPORTS = ['forward', 'allotment', 'reverse', 'http-post', 'satori'] as const
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
  /** Whether an event that was handed over has not arrived yet, or never will; absent: as long as something is buffered. */
  readonly unsettled?: boolean
  /** False from the moment either side began to close. */
  readonly open: boolean
  /** False: closed, nothing was queued. */
  send(text: string): boolean
  close(closing: Closing): void
  /** Sends a PING after everything sent before. Absent: the peer cannot answer one. Only for sessions that asked for it. */
  ping?(data: string): void
  /** The form in which it carries what its session is to get: for links that speak another protocol than OneBot. */
  dress?(view: Rules | undefined): Rules
  /** Its protocol has a way back of its own: the session is gone with its link. */
  readonly ownReturn?: true
  /** Absent: the link is sent to by itself. Present: so are `subscribe` and `unsubscribe` meaningful. */
  readonly channel?: Channel | undefined
  /** Whether what is sent arrives, where we go to the client; absent: it came to us. */
  readonly circuit?: CircuitStatus | undefined
  /** Whether the token it opened with, or none, would let it in now, as the same client. Absent: its edge looks itself, or we went to it. */
  readonly welcome?: (() => boolean) | undefined
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
  /** Nobody waits for the reply to this token any more: what has not been carried out yet need not be. */
  forget?(token: string): void
  /** The text of a call that it has taken and not begun with, and now never will; undefined: it has, or there is none. */
  release?(token: string): string | undefined
}

/** The place of one implementation at a bot, as whoever keeps its link sees it. */
export interface Seat {
  /** The bot's, for logs. */
  readonly name: string
  /** The account, once it is known. */
  readonly selfId: string | undefined
  /** Connected, and the link of now has told the account. */
  readonly online: boolean
  /** The implementation's own interval in milliseconds, once one was seen on this link. */
  readonly heartbeat: number | undefined
  /** A link to the implementation opened; it takes the place of the one before. */
  connected(upstream: Upstream, peer: string): void
  /** That link ended; ignored when it is not the one of now. */
  lost(upstream: Upstream, code: number, reason: string): void
  /** One text frame; whatever it holds, nothing is thrown. */
  received(raw: string): void
  /** An event that was made, not read: its text, and what that says, so that nobody need read it. */
  made(raw: string, event: Fields): void
  /** The account is this one, as said by a frame or by the handshake. False: it cannot be, another has it. */
  identify(selfId: string): boolean
}

/** Where a message stands at an implementation that numbers the messages of each conversation by themselves. */
export interface MessagePlace {
  readonly scene: 'friend' | 'group' | 'temp'
  /** Whose conversation: the number of the other one, or of the group. */
  readonly peer: number
  readonly seq: number
}

/** The same, with the number that clients know it by: a positive integer of 31 bits. */
export interface NumberedMessage extends MessagePlace {
  readonly id: number
}

/**
 * The numbers that messages were given, so that they mean the same after a restart. What is kept is found at once and on
 * disk soon; the oldest are forgotten, by age and by count. Nothing is thrown: what the disk does not take is kept in
 * memory, as far as there is room.
 */
export interface MessageNumbers {
  /** Those of the account whose numbers are from `first` to `last`. */
  between(account: number, first: number, last: number): readonly NumberedMessage[]
  /** `message.id` must be no other message's. */
  keep(account: number, message: NumberedMessage): void
  /** What else must be known of a file to fetch it, as kept under its id. */
  fileHash(account: number, fileId: string): string | undefined
  keepFile(account: number, fileId: string, hash: string): void
  /** Writes what is not written yet, and ends. */
  close(): void
}

/** What the core asks of the configuration, at the moment it needs it. */
export interface CallSettings {
  /** Milliseconds until a call without a reply is given up; by action where named. */
  readonly timeout: number
  readonly timeouts: Readonly<Record<string, number>>
  /** Milliseconds between `_rate_limited` actions. */
  readonly rateLimitedInterval: number
  /** Milliseconds a call waits for an implementation that is away; 0: it is refused at once. 30,000 where absent. */
  readonly hold?: number | undefined
  /** What is sent again when the implementation was lost with it and is back: what only reads, or everything. */
  readonly resend?: 'reads' | 'always' | undefined
  /** Whether equal reads in flight share one call upstream; they do where absent. */
  readonly coalesce?: boolean | undefined
  /** Milliseconds for which replies to these reads answer the next equal ones. */
  readonly cache?: Readonly<Record<string, number>> | undefined
}

/** A call that is on disk until the implementation has answered it. */
export interface DurableCall {
  /** Short, no other call of its store has it; for the client, and for the log. */
  readonly id: string
  /** The account it was asked of; undefined: none was known yet. */
  readonly account: string | undefined
  /** Without its suffix. */
  readonly action: string
  /** The frame as it goes up, without an echo. */
  readonly text: string
  /** `sent`: it may have been carried out. */
  readonly state: 'queued' | 'sent'
  /** Milliseconds since 1970. */
  readonly since: number
}

/**
 * The durable calls of one bot. What a method did is on disk when it returns, but for `done`, which may be late: a call
 * whose end a crash has swallowed comes back as `sent`. They throw when the disk does not take it.
 */
export interface DurableStore {
  /** Keeps a call as `queued`; returns its id. */
  add(call: Omit<DurableCall, 'id' | 'state'>): string
  /** It is about to be sent. */
  sent(id: string): void
  /** It is answered, or given up, and of no interest any more. */
  done(id: string): void
  /** All that are kept, oldest first. */
  waiting(): readonly DurableCall[]
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
  /** How many entries from `cursor` on are for everybody or for this session, those that are gone included. */
  pending(cursor: Cursor, appId: string): number
  /** The position after the entry that has this number, as clients were told it; undefined: there is none such yet. */
  after(number: number): Cursor | undefined
  /** Drops what is older than the age limit. */
  expire(now: number): void
  limit(limits: { maxBytes: number; maxAge: number }): void
}

/** What is kept of a session that may come back after a restart. */
export interface KeptSession {
  readonly appId: string
  readonly name: string | undefined
  /** By which its edge knows it again without a secret (`Claim.entry`). */
  readonly entry: string | undefined
  /** What it asked for by itself (`Claim.resume`). */
  readonly resume: Acknowledgement | undefined
  readonly events: boolean
  readonly calls: boolean
  readonly transport: Transport
  /** SHA-256 of the secret with which it returns, as hex: the secret itself is not kept. */
  readonly secretHash: string
  /** Everything before it has arrived. */
  readonly cursor: Cursor
  /** Seconds since 1970. */
  readonly since: number
  /** Milliseconds since 1970 until which it is waited for; undefined: it had a link. */
  readonly until: number | undefined
}

/**
 * The sessions and cursors of one bot that outlive a restart. What is told here is on disk soon, and never before the
 * events it refers to; telling what is known already costs nothing. Nothing is thrown: what the disk does not take is
 * kept in memory and written once it does.
 */
export interface SessionStore {
  remember(session: KeptSession): void
  /** It does not come back. Not for sessions that only end because the gateway does. */
  forget(appId: string): void
  /** A position that is nobody's own, such as a pool's; undefined: it is of no interest any more. */
  mark(name: string, position: Cursor | undefined): void
}

/** What a client or a pool wants of events: which ones, and in which form. Sessions with equal rules share a lane. */
export interface Rules {
  /** Equal keys: equal bytes for equal events. */
  readonly key: string
  /**
   * The text they get of this event, whose position in the journal is `at`; undefined: none. `raw` itself where nothing
   * is changed. Called once per lane and event, and once more for each session that reads it from the journal; must not
   * throw.
   */
  apply(raw: string, event: Fields, at: Cursor): string | undefined
  /**
   * The form of what nobody judges: an event for them alone, or, without a position, what is not in the journal.
   * Undefined: they have no use for it. Absent: it goes as it is.
   */
  form?(raw: string, event: Fields, at: Cursor | undefined): string | undefined
}

/** How a resuming client tells what it has got: it answers PINGs, or it says so by `ack_event`. */
export type Acknowledgement = 'ping' | 'explicit'

/** Who opens a link, as far as it has said and proved. */
export interface Claim {
  /** The entry of the configuration that it is, proved by a token of its own or because we dial it; see Guests. */
  readonly entry?: string | undefined
  readonly name?: string | undefined
  /** It asks by itself to be waited for. */
  readonly resume?: Acknowledgement | undefined
}

/** Who is who, by the configuration of now. */
export interface Guests {
  /** The entry that has this token, and the name it gives. */
  byToken(shown: string): { readonly entry: string; readonly name: string } | undefined
  /** What governs somebody; undefined: the name is that of an entry with a token of its own, which was not shown, or the entry has gone. */
  terms(claim: Claim): Terms | undefined
}

/** What governs one session; settled when its link opens, and again when the configuration changes. */
export interface Terms {
  /** The entry of the configuration these come from, for status; '' for what applies to everybody. */
  readonly client: string
  /** Absent: every event, byte for byte. */
  readonly rules?: Rules | undefined
  /** The pool whose events it shares with others. */
  readonly pool?: string | undefined
  /** Its share in a pool, against the others' (1 where nobody says otherwise). */
  readonly weight: number
  /** Absent: gone with its link. */
  readonly resume?: Acknowledgement | undefined
  /**
   * Why this action with these params is not allowed to it; undefined: it is. `raw`: the frame they were read from, in
   * which others may read something else.
   */
  readonly forbids: (action: string, params: Fields, raw?: string) => string | undefined
}

/** What everybody gets who is not named in the configuration. */
export const OPEN_TERMS: Terms = { client: '', weight: 1, forbids: () => undefined }

/** Nobody is named in the configuration. */
export const STRANGERS: Guests = {
  byToken: () => undefined,
  terms: ({ resume }) => (resume === undefined ? OPEN_TERMS : { ...OPEN_TERMS, resume }),
}
