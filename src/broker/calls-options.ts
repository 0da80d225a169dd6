// What the calls of a bot are given by the bot.

import type { Sides } from './gate.ts'
import type { OwnActions } from './own.ts'
import type { CallPolicy } from './policy.ts'
import type { CallSettings, DurableStore, Upstream } from './ports.ts'
import type { Session } from './session.ts'
import type { Report } from './status.ts'

export interface CallsOptions {
  readonly bot: string
  /** Where an action goes; without one, where most do. */
  readonly upstream: (action?: string) => Upstream | undefined
  /** Whoever does the work has told its account. Absent: it has. */
  readonly known?: (() => boolean) | undefined
  readonly own: OwnActions
  /** An implementation is where clients are: it is to go. Absent: nobody can be. */
  readonly misplaced?: ((session: Session) => void) | undefined
  readonly settings: () => CallSettings
  readonly report: Report
  readonly now: () => number
  /** Absent: every call may go. */
  readonly policy?: CallPolicy | undefined
  /** Absent: there is one implementation. */
  readonly sides?: Sides | undefined
  /** Absent: no call is durable. */
  readonly durable?: DurableStore | undefined
  /** The account, once it is known. */
  readonly account?: (() => string | undefined) | undefined
}
