// Whoever asks for an action to be carried out, and where the reply goes.

import type { Terms } from './ports.ts'
import type { Session } from './session.ts'

/** Who gets the reply to a call. */
export interface Caller {
  /** The session that calls; absent for a bare HTTP call. */
  readonly session?: Session | undefined
  /** What governs a caller without a session; absent: nothing does. */
  readonly terms?: Terms | undefined
  /** Who it is among those that wait: all with one key are one. Absent: the session's `app_id`. */
  readonly key?: string | undefined
  /** It sees for itself what fails, and wants it kept for nobody. */
  readonly watching?: boolean | undefined
  /** Whether nobody waits for the reply any more; asked when the turn of a call comes that had to wait. */
  readonly gone?: (() => boolean) | undefined
  /** Delivers the one reply; ignored when the caller has gone. */
  reply(text: string): void
  /** Calls open, and the bytes of their frames: bounded per caller. */
  readonly open: { calls: number; bytes: number }
}
