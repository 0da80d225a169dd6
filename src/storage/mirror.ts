// What the file is to say of journal, sessions and cursors, and what of it the file has yet to be told.

import { Buffer } from 'node:buffer'
import type { Cursor, KeptSession, SessionStore } from '../broker/ports.ts'
import type { DataFile, JournalState } from './data-file.ts'
import type { KeptJournal } from './kept-journal.ts'

/** One row: entries, and bytes of their texts unless the first alone has more. */
export const BATCH = { entries: 512, bytes: 1024 * 1024 } as const
/**
 * Numbers that may be given to entries before the disk must hear of it. Firmly, since after an unclean end whatever it
 * has heard of counts as given away: so that costs little, and is no loss, they are many.
 */
const RESERVE = 2 ** 20
/** As many are left when the disk is told of more: enough to go on for a while when it does not take it. */
const NEARLY = RESERVE / 2
/** A buffer for texts that is worth keeping (bytes). */
const ROOM = 2 * BATCH.bytes

export class Mirror implements SessionStore {
  #journal: KeptJournal | undefined
  #account: string | undefined
  /** The number after the last entry on disk. */
  #written = 0
  /** The oldest entry at the last look at what to drop. */
  #oldest = 0
  /** The disk knows that numbers before it may be given away; infinite while none of them means anything there. */
  #reserved = Number.POSITIVE_INFINITY
  /** The disk does not know the account yet. */
  #identified = false
  readonly #sessions = new Map<string, KeptSession>()
  readonly #cursors = new Map<string, Cursor>()
  /** Those that have changed since they were written. */
  readonly #changedSessions = new Set<string>()
  readonly #changedCursors = new Set<string>()
  #room = Buffer.alloc(0)
  readonly #changed: () => void

  /** @param changed there is something to write. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  get journal(): KeptJournal | undefined {
    return this.#journal
  }
  /** There is something that the file does not know. */
  get behind(): boolean {
    const changes = this.#changedSessions.size + this.#changedCursors.size
    return this.#journal !== undefined && (!this.#inStep(this.#written) || changes > 0 || this.#identified)
  }

  /** This journal from now on, with what is known of its account, and of those who have a place in it. */
  follow(
    journal: KeptJournal,
    known: { account: string; sessions: readonly KeptSession[]; cursors: ReadonlyMap<string, Cursor> } | undefined,
  ): void {
    this.#journal = journal
    this.#account = known?.account
    // What is on disk allows for no more numbers until it is told so.
    this.#reserved = known === undefined ? Number.POSITIVE_INFINITY : journal.head
    for (const one of [this.#sessions, this.#cursors, this.#changedSessions, this.#changedCursors]) one.clear()
    for (const session of known?.sessions ?? []) this.#sessions.set(session.appId, session)
    for (const [name, position] of known?.cursors ?? []) this.#cursors.set(name, position)
  }

  identified(account: string): void {
    if (account === this.#account) return
    this.#account = account
    this.#identified = true
    this.#changed()
  }

  remember(session: KeptSession): void {
    const known = this.#sessions.get(session.appId)
    if (known !== undefined && isSame(known, session)) return
    this.#sessions.set(session.appId, session)
    this.#changedSessions.add(session.appId)
    this.#changed()
  }

  forget(appId: string): void {
    if (!this.#sessions.delete(appId)) return
    this.#changedSessions.add(appId)
    this.#changed()
  }

  mark(name: string, position: Cursor | undefined): void {
    if (this.#cursors.get(name) === position) return
    if (position === undefined) this.#cursors.delete(name)
    else this.#cursors.set(name, position)
    this.#changedCursors.add(name)
    this.#changed()
  }

  /** While nothing can be written: beyond what the disk has heard of, numbers belong to another epoch. */
  checkReserve(): void {
    const journal = this.#journal
    if (journal === undefined || journal.head < this.#reserved) return
    journal.renew()
    this.#reserved = Number.POSITIVE_INFINITY
  }

  /** The file has just been opened: what stands in it is of this journal, or goes. */
  attach(file: DataFile): void {
    const journal = this.#journal
    if (journal === undefined) return
    const ours = file.journal?.epoch === journal.epoch
    const reserved = journal.head + RESERVE
    file.transaction(() => {
      if (!ours) {
        file.dropEvents()
        file.dropPlaces()
      }
      file.journal = this.#state(journal, reserved)
    }, true)
    this.#reserved = reserved
    this.#identified = false
    this.#written = (ours ? file.end : undefined) ?? journal.first
    this.#oldest = 0
    if (ours) return
    for (const appId of this.#sessions.keys()) this.#changedSessions.add(appId)
    for (const name of this.#cursors.keys()) this.#changedCursors.add(name)
  }

  /** Writes so many batches at most, in one transaction. False: there is more. */
  write(file: DataFile, batches: number): boolean {
    const journal = this.#journal
    if (journal === undefined) return true
    const news = this.#identified || journal.head + NEARLY > this.#reserved
    const reserved = news ? journal.head + RESERVE : this.#reserved
    const written = file.transaction(() => {
      if (news) file.journal = this.#state(journal, reserved)
      this.#drop(file, journal)
      const end = this.#append(file, journal, batches)
      // Never before the events they refer to.
      if (this.#inStep(end)) this.#savePlaces(file)
      return end
    }, news)
    this.#reserved = reserved
    if (news) this.#identified = false
    this.#written = written
    this.#oldest = journal.first
    if (!this.#inStep(written)) return false
    this.#changedSessions.clear()
    this.#changedCursors.clear()
    return true
  }

  /** Everything is written, and nothing more will be. */
  settle(file: DataFile): void {
    const journal = this.#journal
    if (journal === undefined) return
    file.transaction(() => {
      file.journal = { ...this.#state(journal, journal.head), clean: true }
    }, true)
  }

  #state({ epoch, gaps }: KeptJournal, next: number): JournalState {
    return { account: this.#account, epoch, next, clean: false, gaps: gaps.all }
  }

  #inStep(written: number): boolean {
    const journal = this.#journal
    return journal === undefined || journal.gaps.index(written) >= journal.gaps.index(journal.head)
  }

  #drop(file: DataFile, { first }: KeptJournal): void {
    // The journal has moved past what was never written: nothing on disk is held any more.
    if (first > this.#written) file.dropEvents()
    else if (first > this.#oldest) file.dropBefore(first)
  }

  /** Returns the number after the last entry written. */
  #append(file: DataFile, journal: KeptJournal, batches: number): number {
    let end = Math.max(this.#written, journal.first)
    for (let count = 0; count < batches; count++) {
      const packed = journal.pack(end, BATCH, (bytes) => this.#roomFor(bytes))
      if (packed === undefined) break
      file.add(packed)
      end = packed.first + packed.sizes.length
    }
    return end
  }

  #roomFor(bytes: number): Buffer {
    if (bytes > ROOM) return Buffer.allocUnsafeSlow(bytes)
    if (this.#room.length < bytes) this.#room = Buffer.allocUnsafeSlow(ROOM)
    return this.#room
  }

  #savePlaces(file: DataFile): void {
    for (const appId of this.#changedSessions) {
      const session = this.#sessions.get(appId)
      if (session === undefined) file.dropSession(appId)
      else file.saveSession(session)
    }
    for (const name of this.#changedCursors) file.saveCursor(name, this.#cursors.get(name))
  }
}

function isSame(one: KeptSession, other: KeptSession): boolean {
  const keys = Object.keys(other) as (keyof KeptSession)[] // it has no other keys
  return keys.every((key) => one[key] === other[key])
}
