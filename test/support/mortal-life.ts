// What an implementation that gets killed is told, how slow it is, and when it waits for others.

import { fstatSync, openSync, readSync } from 'node:fs'

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
  /** Where the web hook notes what it hears. */
  hook: string
}

/** The longest that a reply takes (ms), and that to a durable call: some are open whenever it, or the gateway, is killed. */
export const SLOWEST = 40
export const SLOWEST_DURABLE = 300

/** Milliseconds between two looks at what is due, the most that is said at one of them, and what may stand unread then. */
export const LOOK = 2
export const MOST = 100
export const UNREAD = 256 * 1024

/** Events that the web hook may be behind within a link: it takes one after the other, on a busy machine far too slowly. */
const AHEAD = 5_000

/** Tells whether the web hook is to hear more before more is said: by the end of its notes, looked at now and then. */
export function waiting(hook: string): (link: string, count: number) => boolean {
  const file = openSync(hook, 'r')
  const end = Buffer.alloc(256)
  let look = 0
  let heard: { link: string; count: number } | undefined
  return (link, count) => {
    if (look++ % 10 === 0) {
      const { size } = fstatSync(file)
      const text = end.toString('latin1', 0, readSync(file, end, 0, end.length, Math.max(0, size - end.length)))
      const [, of = '', last] = [...text.matchAll(/^event (\d+)\.(\d+)$/gm)].at(-1) ?? []
      heard = { link: of, count: Number(last) }
    }
    return count - (heard?.link === link ? heard.count : 0) > AHEAD
  }
}
