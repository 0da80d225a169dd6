// The file of messages' numbers while it is open: rows of 32 messages, in two generations, the older of which goes.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { MessageRow } from '../broker/message-rows.ts'
import { openSqlite } from './sqlite.ts'
import { FileTrouble } from './trouble.ts'

export interface FileHash {
  readonly account: number
  readonly id: string
  readonly hash: string
}

/** "ppmn": tells these files from others. */
const APPLICATION = 0x70706d6e
const VERSION = 2
/** How long a start waits for another program that has the file (ms). */
const PATIENCE = 1_000
const SCENES = ['friend', 'group', 'temp'] as const

const TABLES = ['young', 'old'] as const
const messages = (name: (typeof TABLES)[number]) => `
  CREATE TABLE IF NOT EXISTS ${name} (
    account INTEGER, first INTEGER, scene INTEGER, peer INTEGER, seq INTEGER, places INTEGER NOT NULL,
    PRIMARY KEY (account, first, scene, peer, seq)
  ) STRICT, WITHOUT ROWID;`
const tables = (name: (typeof TABLES)[number]) => `
  ${messages(name)}
  CREATE TABLE IF NOT EXISTS ${name}_files (
    account INTEGER, id TEXT, hash TEXT NOT NULL, PRIMARY KEY (account, id)
  ) STRICT, WITHOUT ROWID;`
const SCHEMA = `
  ${TABLES.map(tables).join('')}
  CREATE TABLE IF NOT EXISTS generation (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION};
`
/** In version 1 each message had a row: account, id, scene, peer, seq. */
const PACK = TABLES.map(
  (name) => `
  ALTER TABLE ${name} RENAME TO single;
  ${messages(name)}
  INSERT INTO ${name} SELECT account, id - id % 32, scene, peer, seq - id % 32, sum(1 << (id % 32))
    FROM single GROUP BY 1, 2, 3, 4, 5;
  DROP TABLE single;`,
).join('')
const ROTATE = `
  DROP TABLE old; DROP TABLE old_files;
  ALTER TABLE young RENAME TO old; ALTER TABLE young_files RENAME TO old_files;
  ${tables('young')}
`

/** Everything throws what `troubleOf` understands. */
export class NumbersFile {
  readonly #database: DatabaseSync
  readonly #most: number
  readonly #age: number
  #statements: Statements
  #count: number
  #since: number
  #hasOld: boolean

  /** @param most rows of messages in one generation. @param age milliseconds after which it is closed. */
  constructor(path: string, most: number, age: number) {
    this.#most = most
    this.#age = age
    this.#database = openSqlite(path, { wait: PATIENCE }, recognise)
    try {
      const packed = numberOf(this.#database, 'user_version') === 1 ? PACK : ''
      this.#together(() => this.#database.exec(`${packed}${SCHEMA}`))
      this.#statements = prepared(this.#database)
      this.#count = Number(this.#database.prepare('SELECT count(*) AS count FROM young').get()?.['count'])
      this.#hasOld = this.#database.prepare('SELECT 1 FROM old LIMIT 1').get() !== undefined
      this.#database.prepare('INSERT OR IGNORE INTO generation VALUES (1, ?)').run(Date.now())
      this.#since = Number(this.#database.prepare('SELECT since FROM generation').get()?.['since'])
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  close(): void {
    try {
      this.#database.close()
    } catch {
      // What was committed is safe already.
    }
  }

  /** The rows whose first numbers are from `first` to `last`. A message may stand in both generations. */
  between(account: number, first: number, last: number): { young: readonly MessageRow[]; old: readonly MessageRow[] } {
    const { young, old } = this.#statements
    return {
      young: young.all(account, first, last).map(rowOf),
      old: this.#hasOld ? old.all(account, first, last).map(rowOf) : [],
    }
  }

  fileHash(account: number, id: string): string | undefined {
    const { youngFile, oldFile } = this.#statements
    const hash = (youngFile.get(account, id) ?? oldFile.get(account, id))?.['hash']
    return typeof hash === 'string' ? hash : undefined
  }

  /** The rows are those of an account, by whatever. */
  write(rows: ReadonlyMap<number, ReadonlyMap<unknown, readonly MessageRow[]>>, files: Iterable<FileHash>): void {
    this.#together(() => {
      for (const [account, waiting] of rows)
        for (const some of waiting.values()) for (const row of some) this.#add(account, row)
      for (const { account, id, hash } of files) this.#statements.addFile.run(account, id, hash)
      if (this.#count >= this.#most || Date.now() - this.#since > this.#age) this.#rotate()
    })
  }

  /** Whole or not at all. */
  #together(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #add(account: number, { first, scene, peer, seq, places }: MessageRow): void {
    const { add, join } = this.#statements
    const which = [account, first, SCENES.indexOf(scene), peer, seq] as const
    if (Number(add.run(...which, places).changes) === 1) this.#count += 1
    else join.run(places, ...which)
  }

  #rotate(): void {
    this.#database.exec(ROTATE)
    this.#statements = prepared(this.#database)
    this.#hasOld = true
    this.#count = 0
    this.#since = Date.now()
    this.#database.prepare('UPDATE generation SET since = ?').run(this.#since)
  }
}

/** @throws FileTrouble where the file is not one of these. */
export function recognise(database: DatabaseSync): void {
  const empty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (numberOf(database, 'application_id') !== APPLICATION && !empty)
    throw new FileTrouble('foreign', 'it is a file of another program')
  const version = numberOf(database, 'user_version')
  if (version > VERSION) throw new FileTrouble('newer', `found version ${version}, wanted at most ${VERSION}`)
}

const numberOf = (database: DatabaseSync, pragma: string) =>
  Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma])

interface Statements {
  readonly young: StatementSync
  readonly old: StatementSync
  readonly add: StatementSync
  readonly join: StatementSync
  readonly youngFile: StatementSync
  readonly oldFile: StatementSync
  readonly addFile: StatementSync
}

/** Anew after each rotation: the tables have changed their names. */
function prepared(database: DatabaseSync): Statements {
  const range = (table: string) => `SELECT * FROM ${table} WHERE account = ? AND first BETWEEN ? AND ?`
  const file = (table: string) => `SELECT hash FROM ${table}_files WHERE account = ? AND id = ?`
  return {
    young: database.prepare(range('young')),
    old: database.prepare(range('old')),
    add: database.prepare('INSERT OR IGNORE INTO young VALUES (?, ?, ?, ?, ?, ?)'),
    join: database.prepare(
      'UPDATE young SET places = places | ? WHERE account = ? AND first = ? AND scene = ? AND peer = ? AND seq = ?',
    ),
    youngFile: database.prepare(file('young')),
    oldFile: database.prepare(file('old')),
    addFile: database.prepare('INSERT OR REPLACE INTO young_files VALUES (?, ?, ?)'),
  }
}

function rowOf({ first, scene, peer, seq, places }: Record<string, unknown>): MessageRow {
  return {
    first: Number(first),
    scene: SCENES[Number(scene)] ?? 'group',
    peer: Number(peer),
    seq: Number(seq),
    places: Number(places),
  }
}
