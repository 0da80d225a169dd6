// What the core asks of policy: whether a call may go up now, and which member of a pool gets an event.

import type { Fields } from '../onebot/object.ts'
import type { Terms } from './ports.ts'

/** What kind of work an action is; limits and breakers are kept apart by it. */
export type ActionClass = 'send' | 'manage' | 'read' | 'file'

/** A call as its policy sees it. */
export interface GovernedCall {
  /** Who is to be treated fairly and limited by itself: an `app_id`, or the address of a bare HTTP call. */
  readonly caller: string
  /** Absent for the gateway's own calls and bare HTTP calls, to which `defaults` apply. */
  readonly terms?: Terms | undefined
  /** Without its suffix. */
  readonly action: string
  readonly params: Fields
  /** It came as `_rate_limited`. */
  readonly paced: boolean
  /** Which of the account's implementations it goes to, or went: `Slot.side`. Changes with that. Absent: there is one. */
  side?: number | undefined
  /** A `get_status` of ours that is to tell how one of several implementations fares. */
  readonly probe?: true
}

/**
 * Whether a call may go up now. `wait`: not before `until` (ms, our clock); until then it is asked again only if
 * something else has changed. `most`: longer than this in all (ms, since it came) such calls do not wait: those still in
 * their line then are `full`. `full`: it would wait longer than allowed, or is not to wait at all; `retryAfter` in ms.
 * `open`: calls of its kind have been failing; tried again at `until`.
 */
export type Verdict =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly until: number; readonly most?: number | undefined }
  | { readonly kind: 'full'; readonly retryAfter: number; readonly why: string }
  | { readonly kind: 'open'; readonly until: number; readonly why: string }

/**
 * How a call that went up has ended. `refused`: the implementation answered, and did not like it: that is no fault.
 * `dropped`: nobody waits for it any more, which says nothing about anybody.
 */
export type Outcome = 'ok' | 'refused' | 'failed' | 'timeout' | 'lost' | 'dropped'

/** Why, and from when on (ms) a probe is wanted; absent: one is on its way, or a call that tells as much. */
export interface Failing {
  readonly why: string
  readonly probeAt?: number
}

/** What limits calls and breaks circuits for one bot; owns no timer, time is passed in (ms, a clock that does not jump). */
export interface CallPolicy {
  /** Every call may go, and nobody wants to hear of an end that is no fault: neither need be asked or told. */
  readonly idle?: boolean
  /** Takes what the call needs if it may `go`; takes nothing otherwise. `waited`: ms it has been in a queue. */
  admit(call: GovernedCall, now: number, waited: number): Verdict
  /**
   * A call that might `go` has ended so, also when it never went up after all: its link took nothing (`lost`), or nobody
   * wanted it any more (`dropped`). It is the same object as before,
   * unless it was `idle` then. Of params maybe only `group_id` and `user_id` are left: megabytes are not kept for this.
   */
  ended(call: GovernedCall, outcome: Outcome, now: number): void
  /**
   * A `get_status` is wanted to learn whether the implementation works again; asked when a timer of the core is due.
   * Whoever is told so sends one past all limits, and reports by `ended` what became of it.
   */
  probe?(now: number, side?: number): boolean
  /** Whether some kind of call keeps failing at this one of several implementations. Undefined: none does. */
  failing?(side: number, now: number): Failing | undefined
  /** It is another implementation now, or the same with a new link: nothing is held against it. */
  renew?(side: number): void
}

/** One of a pool, as its strategy sees it. */
export interface Member {
  /** The client's name, which it keeps when it comes back, or else its `app_id`. */
  readonly name: string
  /** Its share, against the others'; more than 0. */
  readonly weight: number
  /** What it has yet to deal with: events that it is to acknowledge, or else bytes on their way to it. */
  readonly pending: number
  /** The strategy's own note about it; 0 at first, and again when something about the member has changed. */
  note: number
}

/** How a pool chooses who gets an event. */
export interface Strategy {
  readonly name: string
  /**
   * One of `members`, which are in the order in which they came and can all take the event; undefined only where there
   * are none. Must not throw. `raw`: the text of which `event` was read.
   */
  choose<M extends Member>(members: readonly M[], event: Fields, raw: string): M | undefined
}
