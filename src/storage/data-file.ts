// One bot's file while it is open: what stands in its tables, and changes to them that happen whole or not at all.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Gap } from '../broker/gaps.ts'
import type { Packed } from '../broker/journal.ts'
import type { Cursor, DurableCall, KeptSession } from '../broker/ports.ts'
import { allRows, type Row, rowOf } from './rows.ts'
import { bringUpToDate, recognise } from './schema.ts'
import { type Opening, openSqlite } from './sqlite.ts'
import { FileTrouble } from './trouble.ts'

/** What is known of the journal as a whole. */
export interface JournalState {
  readonly account: string | undefined
  readonly epoch: string
  /** No number from here on has been given to an entry. */
  readonly next: number
  /** The last run came to an orderly end: everything it had is here. */
  readonly clean: boolean
  readonly gaps: readonly Gap[]
}

export class DataFile {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #firm = false

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** @throws what `troubleOf` understands. */
  static open(path: string, opening: Opening): DataFile {
    const database = openSqlite(path, opening, recognise)
    try {
      bringUpToDate(database)
      return new DataFile(database)
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** The other end of `open`. Never throws: what was committed is safe already. */
  close(): void {
    try {
      this.#database.close()
    } catch {
      // An unfinished statement, or the disk: the next opening looks after the log.
    }
  }

  /**
   * All that `run` changes, or nothing. @param firm it is to survive the machine too, not only this program: the disk
   * has it when this returns, as everything before.
   */
  transaction<T>(run: () => T, firm = false): T {
    if (firm !== this.#firm) this.#database.exec(`PRAGMA synchronous = ${firm ? 'FULL' : 'NORMAL'}`)
    this.#firm = firm
    this.#run('BEGIN IMMEDIATE')
    try {
      const result = run()
      this.#run('COMMIT')
      return result
    } catch (error) {
      // Some errors have ended it already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  get journal(): JournalState | undefined {
    const row = this.#statement('SELECT * FROM journal').get()
    if (row === undefined) return undefined
    const { account, epoch, next, clean, gaps } = row
    return {
      account: typeof account === 'string' ? account : undefined,
      epoch: String(epoch),
      next: Number(next),
      clean: clean === 1,
      gaps: parsed<Gap[]>(gaps),
    }
  }
  set journal({ account, epoch, next, clean, gaps }: JournalState) {
    const sql = 'INSERT OR REPLACE INTO journal VALUES (1, ?, ?, ?, ?, ?)'
    this.#run(sql, account ?? null, epoch, next, clean ? 1 : 0, JSON.stringify(gaps))
  }

  events(): Iterable<Packed> {
    return allRows(this.#database)
  }
  add(events: Packed): void {
    this.#statement('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)').run(...rowOf(events))
  }
  /** Drops batches of which nothing is held any more; `first` is the oldest entry that is. */
  dropBefore(first: number): void {
    this.#run('DELETE FROM events WHERE first < (SELECT max(first) FROM events WHERE first <= ?)', first)
  }
  dropEvents(): void {
    this.#run('DELETE FROM events')
  }
  /** The number after the last entry; undefined: there is none. */
  get end(): number | undefined {
    const row = this.#statement(
      'SELECT first, length(sizes) / 4 AS count FROM events ORDER BY first DESC LIMIT 1',
    ).get()
    return row === undefined ? undefined : Number(row['first']) + Number(row['count'])
  }

  sessions(): readonly KeptSession[] {
    return this.#statement('SELECT session FROM sessions').all().map(sessionOf)
  }
  saveSession(session: KeptSession): void {
    this.#run('INSERT OR REPLACE INTO sessions VALUES (?, ?)', session.appId, JSON.stringify(session))
  }
  dropSession(appId: string): void {
    this.#run('DELETE FROM sessions WHERE app_id = ?', appId)
  }

  cursors(): ReadonlyMap<string, Cursor> {
    const rows = this.#statement('SELECT name, position FROM cursors').all()
    // They were positions when they were written.
    return new Map(rows.map(({ name, position }) => [String(name), Number(position) as Cursor]))
  }
  saveCursor(name: string, position: Cursor | undefined): void {
    if (position === undefined) this.#run('DELETE FROM cursors WHERE name = ?', name)
    else this.#run('INSERT OR REPLACE INTO cursors VALUES (?, ?)', name, position)
  }

  /** Nothing of what another journal's positions meant. */
  dropPlaces(): void {
    this.#run('DELETE FROM sessions')
    this.#run('DELETE FROM cursors')
  }

  calls(): readonly DurableCall[] {
    return this.#statement('SELECT * FROM calls ORDER BY number').all().map(callOf)
  }
  addCall({ id, account, action, text, state, since }: DurableCall): void {
    const sql = 'INSERT OR IGNORE INTO calls (id, account, action, text, state, since) VALUES (?, ?, ?, ?, ?, ?)'
    this.#run(sql, id, account ?? null, action, text, state, since)
  }
  callSent(id: string): void {
    this.#run("UPDATE calls SET state = 'sent' WHERE id = ?", id)
  }
  dropCall(id: string): void {
    this.#run('DELETE FROM calls WHERE id = ?', id)
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#statement(sql).run(...values)
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

function callOf({ id, account, action, text, state, since }: Row): DurableCall {
  return {
    id: String(id),
    account: typeof account === 'string' ? account : undefined,
    action: String(action),
    text: String(text),
    state: state === 'sent' ? 'sent' : 'queued',
    since: Number(since),
  }
}

function sessionOf({ session }: Row): KeptSession {
  const kept = parsed<KeptSession>(session)
  // JSON knows neither "undefined" nor a time without end.
  const { name, entry, resume, until } = kept
  return {
    ...kept,
    name: name ?? undefined,
    entry: entry ?? undefined,
    resume: resume ?? undefined,
    until: until ?? undefined,
  }
}

/** What we wrote as JSON ourselves. */
function parsed<T>(text: unknown): T {
  try {
    return JSON.parse(String(text))
  } catch (error) {
    throw new FileTrouble('damaged', `found ${String(text).slice(0, 40)}, wanted JSON (${error})`)
  }
}
