// Makes a journal again of what a file holds; numbers that the run before may have given away are left out.

import type { Gap } from '../broker/gaps.ts'
import type { Cursor, KeptSession } from '../broker/ports.ts'
import type { DataFile, JournalState } from './data-file.ts'
import { type Appended, KeptJournal } from './kept-journal.ts'
import { FileTrouble } from './trouble.ts'

export interface Restored {
  /** The account, as text. */
  readonly selfId: string
  readonly journal: KeptJournal
  readonly sessions: readonly KeptSession[]
  /** Positions that are nobody's own, by the names they were marked with. */
  readonly cursors: ReadonlyMap<string, Cursor>
  /** False: the run before had no orderly end, and its last 512 events or 50 ms may be missing. */
  readonly clean: boolean
}

export interface Restoring {
  readonly limits: { maxBytes: number; maxAge: number }
  readonly now: number
  readonly appended: Appended
}

/** Gaps older than these are forgotten: a position before them only counts more as missing than there was. */
const GAPS_KEPT = 64

/** Undefined: the file holds nothing yet. @throws FileTrouble for what cannot be trusted. */
export function restore(file: DataFile, restoring: Restoring): Restored | undefined {
  const state = file.journal
  if (state?.account === undefined) return undefined
  const journal = journalOf(file, state, restoring)
  return {
    selfId: state.account,
    journal,
    sessions: file.sessions(),
    cursors: file.cursors(),
    clean: state.clean,
  }
}

function journalOf(file: DataFile, state: JournalState, { limits, now, appended }: Restoring): KeptJournal {
  const end = file.end ?? state.next
  if (end > state.next) throw new FileTrouble('damaged', 'there are events in it that were never announced')
  const gaps = end < state.next ? withGap(state.gaps, { start: end, end: state.next }) : state.gaps
  let journal: KeptJournal | undefined
  for (const packed of file.events()) {
    journal ??= new KeptJournal(limits, { appended, beginning: { epoch: state.epoch, first: packed.first, gaps } })
    if (packed.first !== journal.head) throw new FileTrouble('damaged', 'events in it are missing')
    journal.load(packed, now)
  }
  journal ??= new KeptJournal(limits, { appended, beginning: { epoch: state.epoch, first: state.next, gaps } })
  journal.expire(now)
  return journal
}

/** One gap may follow another at once, where a run had no event. */
function withGap(gaps: readonly Gap[], gap: Gap): Gap[] {
  const last = gaps.at(-1)
  const joined = last?.end === gap.start ? { start: last.start, end: gap.end } : gap
  return [...(joined === gap ? gaps : gaps.slice(0, -1)), joined].slice(-GAPS_KEPT)
}
