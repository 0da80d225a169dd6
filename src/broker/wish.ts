// What a link brings along as it opens: for a new session, or for one that goes on.

import type { Claim, Cursor, Terms } from './ports.ts'

/** What a client brings along. */
export interface Wish {
  readonly events: boolean
  readonly calls: boolean
  /** Its name must be free: the edge has asked `sessions.nameTaken`. */
  readonly claim?: Claim | undefined
  /** Default: those of everybody. */
  readonly terms?: Terms | undefined
  /** Its position of an earlier link: it gets what came since. */
  readonly from?: Cursor | undefined
}

/** What a client has with its new link. Default: what it had. */
export interface Rejoining {
  readonly terms?: Terms | undefined
  /** Whether the link carries calls. */
  readonly calls?: boolean | undefined
}
