// What a bot is made of, and what it asks of those around it.

import type { Patience } from '../lib/backoff.ts'
import type { Left } from './kept.ts'
import type { OwnActions } from './own.ts'
import type { CallPolicy } from './policy.ts'
import type { PoolPlans } from './pools.ts'
import type { CallSettings, Claim, DurableStore, Journal, SessionStore, Terms } from './ports.ts'
import type { Room } from './room.ts'
import type { Report } from './status.ts'
import type { SlotWish } from './upstreams.ts'

export interface BotOptions {
  /** Names it in logs until, and after, its account is known. */
  readonly name: string
  /** A new, empty journal: the first, and one for each change of the account. */
  readonly journal: () => Journal
  readonly room: Room
  /** Not asked while the bot is being made, nor is `claim`. */
  readonly own: OwnActions
  readonly settings: () => CallSettings
  readonly report: Report
  /** Restarts an implementation that is ours to run; absent: it is asked to restart itself, and dialled anew. */
  readonly restart?: (() => Promise<void>) | undefined
  /** Makes the account this bot's; false: another bot has it. */
  readonly claim: (selfId: string) => boolean
  /** How long (ms) a session that may come back is waited for. Default: half an hour. */
  readonly awayFor?: (() => number) | undefined
  /** What governs somebody, by the configuration of now; undefined: the entry has gone. Default: nobody is named there. */
  readonly terms?: ((claim: Claim) => Terms | undefined) | undefined
  /** Default: there are no pools. */
  readonly pools?: (() => PoolPlans) | undefined
  /** Default: every call may go. */
  readonly policy?: CallPolicy | undefined
  /** Default: no call is durable. */
  readonly durable?: DurableStore | undefined
  /** Keeps what outlives this run, and has what an earlier one has left. Default: nobody. */
  readonly kept?: Kept | undefined
  /** Its implementations, in the order in which they are wanted. Default: one. */
  readonly slots?: readonly SlotWish[] | undefined
  /** The account they all must have. Default: whichever they tell. */
  readonly account?: string | undefined
  /** Default: what the parts think right. */
  readonly patience?: Pick<Patience, 'silence' | 'failback'> | undefined
  readonly now?: (() => number) | undefined
}

/** What of a bot outlives the gateway. */
interface Kept extends SessionStore {
  /** The journal goes on where it stood. */
  readonly restored: (Left & { readonly journal: Journal }) | undefined
  /** The account is known now, or is another. */
  identified(selfId: string): void
}
