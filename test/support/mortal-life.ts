// What an implementation that gets killed is told, and how slow it is.

export interface Mortal {
  port: number
  /** Which of its lives this is; each link within one counts, too. */
  life: number
  /** Events a second. */
  rate: number
  /** Where it notes what it did. */
  notes: string
}

/** The longest that a reply takes (ms), and that to a durable call: some are open whenever it, or the gateway, is killed. */
export const SLOWEST = 40
export const SLOWEST_DURABLE = 300
