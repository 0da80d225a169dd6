// Satori's `sn`: a position in a bot's journal, and whose journal it is, in one number that clients hand back to resume.

import { createHash } from 'node:crypto'
import type { Cursor, Journal } from '../broker/ports.ts'
import type { Session } from '../broker/session.ts'

/**
 * So many journals are told apart. A number of ours holds 2^53: enough for 2^41 events of each bot. It is a mark of the
 * journal, not of the bot's place in the configuration: it stays the same when bots come and go, and when a journal that
 * is kept on disk is read again; and a number from a journal that is gone is known to be one.
 */
const MARKS = 4_096
/** The position before the first is one, too: that of who has been given nothing yet. */
const OFFSET = 2

/** Made anew for another epoch only. */
const marks = new WeakMap<Journal, { readonly epoch: string; readonly mark: number }>()

function markOf(journal: Journal): number {
  const known = marks.get(journal)
  if (known?.epoch === journal.epoch) return known.mark
  const mark = createHash('sha256').update(journal.epoch).digest().readUInt16BE(0) % MARKS
  marks.set(journal, { epoch: journal.epoch, mark })
  return mark
}

/** Of the event that stands at `at`. Grows with the position; never below `MARKS`. */
export const snOf = (journal: Journal, at: Cursor): number => (at + OFFSET) * MARKS + markOf(journal)

/** Where the event with this `sn` stands; undefined: it is not of this journal, or was never there. */
export function positionOf(journal: Journal, sn: number): Cursor | undefined {
  if (!Number.isSafeInteger(sn) || sn < MARKS || sn % MARKS !== markOf(journal)) return undefined
  const at = (Math.floor(sn / MARKS) - OFFSET) as Cursor // the cast: a position that this journal handed out, as checked below
  return at < journal.head ? at : undefined
}

/** Where the session's events go on. */
export const nextOf = ({ flow }: Session, { head }: Journal): Cursor => ('cursor' in flow ? flow.cursor : head)

/** The position before this one: that of the last event that was given. */
export const before = (next: Cursor) => (next - 1) as Cursor // the cast: any position up to the head has a number

/** The entry before `next`, however far: a run that ended early leaves numbers out. Undefined: it is gone, or never was. */
export function lastBefore(journal: Journal, next: Cursor): { at: Cursor; time: number } | undefined {
  let low: number = journal.first
  let high: number = next
  while (low < high) {
    // The number right before is its, nearly always.
    const middle = high === next ? high - 1 : Math.floor((low + high) / 2)
    // A number that is left out means the entry that follows.
    const meant = journal.after(middle - 1) ?? middle
    if (meant < next) low = middle + 1
    else high = middle
  }
  const at = (low - 1) as Cursor // the cast: a position of this journal, or before its first
  const time = low === journal.first ? undefined : journal.at(at)?.time
  return time === undefined ? undefined : { at, time }
}

/** Where a journal goes on for somebody who has heard all that happened before `time` (ms, the journal's clock). */
export function positionAfter(journal: Journal, time: number): Cursor {
  let low: number = journal.first
  let high: number = journal.head
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const entry = journal.at(middle as Cursor) // the cast: between two positions of this journal
    if (entry !== undefined && entry.time < time) low = middle + 1
    else high = middle
  }
  return low as Cursor // the cast: as above
}
