// What a pool has yet to give to somebody: all from one position of the journal on, and before that what others left.

import { type Fields, fieldsOf } from '../onebot/object.ts'
import type { Cursor, Journal } from './ports.ts'
import { isShared } from './view.ts'

/** What stands at a position of the journal; read and parsed once, however often it has to wait. */
export interface Waiting {
  readonly at: Cursor
  readonly raw: string
  /** Undefined: it is none that a pool shares out. */
  readonly event: Fields | undefined
  /** A member had it, and left without a word about it. */
  readonly again: boolean
  readonly next: Cursor
}

export class Backlog {
  readonly #journal: Journal
  readonly #lost: (missed: number) => void
  /** From here on nothing was looked at; undefined: everything was. */
  #cursor: Cursor | undefined
  /** What members left: the oldest at the end, since it goes first. */
  #again: Cursor[] = []
  /** Events from the cursor on that a pool shares out; of an earlier run's at most so many. */
  #unread: number
  #peeked: Waiting | undefined
  /** Where the journal ended when it was last read to its end. */
  #readTo: Cursor
  /** Lost and not told yet, and what was told since the pool was last in step. */
  #missed = 0
  #told = 0

  /** @param lost so many events are gone from the journal before anybody could be given them. */
  constructor(journal: Journal, from: Cursor, lost: (missed: number) => void) {
    this.#journal = journal
    this.#cursor = from
    this.#unread = journal.pending(from, '')
    this.#readTo = from
    this.#lost = lost
  }

  get empty(): boolean {
    return this.#cursor === undefined && this.#again.length === 0
  }
  /** Events that wait. What is said of the gateway itself stands between them in the journal, and is none of them. */
  get size(): number {
    const unread = this.#cursor === undefined ? 0 : Math.min(this.#unread, this.#journal.pending(this.#cursor, ''))
    return unread + this.#again.length
  }
  /** Everything before it is dealt with, or waits. */
  get readTo(): Cursor {
    return this.#readTo
  }
  /** The oldest position that is not dealt with. */
  get oldest(): Cursor | undefined {
    return this.#again.at(-1) ?? this.#cursor
  }

  /** The event at `at`, the newest there is, has to wait. */
  add(at: Cursor): void {
    if (this.#cursor === undefined || at < this.#cursor) this.#cursor = at
    this.#unread += 1
    this.#lookForLosses()
  }

  /** These go to somebody else, before all that is newer; so would `gone` more that the journal holds no longer. */
  return(positions: readonly Cursor[], gone = 0): void {
    if (gone > 0) this.#lose(gone)
    if (positions.length === 0) return
    this.#again = [...this.#again, ...positions].sort((one, other) => other - one)
  }

  /** The oldest event that waits. Undefined: none does any more. */
  next(): Waiting | undefined {
    for (let at = this.#again.at(-1); at !== undefined; at = this.#again.at(-1)) {
      const waiting = this.#peek(at, true)
      if (waiting !== undefined) return waiting
      this.#again.pop()
      this.#lose(1)
    }
    if (this.#cursor === undefined) {
      this.#settle()
      return undefined
    }
    this.#lookForLosses()
    const waiting = this.#peek(this.#cursor, false)
    if (waiting === undefined) this.#inStep()
    return waiting
  }

  /** It waits no longer. */
  done({ at, event, again, next }: Waiting): void {
    // Not always the last one still: another member may have left meanwhile.
    if (again) this.#again.splice(this.#again.lastIndexOf(at), 1)
    else {
      this.#cursor = next
      // On the way of an event it may be done before it was added.
      if (event !== undefined && this.#unread > 0) this.#unread -= 1
    }
    this.#peeked = undefined
  }

  /** Nothing is waited for any more. */
  clear(): void {
    this.#again = []
    this.#inStep()
  }

  #peek(at: Cursor, again: boolean): Waiting | undefined {
    if (this.#peeked?.at === at && this.#peeked.again === again) return this.#peeked
    const entry = this.#journal.at(at)
    if (entry === undefined) return undefined
    const { raw, to, next } = entry
    const event = to === undefined ? fieldsOf(raw) : undefined
    this.#peeked = { at, raw, event: event !== undefined && isShared(event) ? event : undefined, again, next }
    return this.#peeked
  }

  #inStep(): void {
    this.#cursor = undefined
    this.#unread = 0
    this.#readTo = this.#journal.head
    this.#peeked = undefined
    this.#settle()
  }

  /** Nothing waits: whatever was lost is told by now. */
  #settle(): void {
    this.#tell()
    this.#told = 0
  }

  #lookForLosses(): void {
    const missed = this.#cursor === undefined ? 0 : this.#journal.missed(this.#cursor)
    if (missed === 0) return
    this.#cursor = this.#journal.first
    this.#lose(missed)
  }

  /** The first loss is told at once, later ones when they have become as many again: each event may be one more. */
  #lose(missed: number): void {
    this.#missed += missed
    if (this.#missed >= this.#told) this.#tell()
  }

  #tell(): void {
    if (this.#missed === 0) return
    const missed = this.#missed
    this.#told += missed
    this.#missed = 0
    this.#lost(missed)
  }
}
