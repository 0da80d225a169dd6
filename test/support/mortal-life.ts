// What an implementation that gets killed is told, and how slow it is.

export interface Mortal {
  port: number
  /** Which of its lives this is; each link within one counts, too. */
  life: number
  /** Events a second ... */
  rate: number
  /** ... since then (ms since 1970). */
  since: number
  /** Where it notes what it did. */
  notes: string
}

/** The longest that a reply takes (ms), and that to a durable call: some are open whenever it, or the gateway, is killed. */
export const SLOWEST = 40
export const SLOWEST_DURABLE = 300

/** Milliseconds between two looks at what is due, the most that is said at one of them, and what may stand unread then. */
export const LOOK = 2
export const MOST = 100
export const UNREAD = 256 * 1024
