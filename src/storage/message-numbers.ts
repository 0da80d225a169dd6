// The numbers that messages were given, in a file of their own: written in rows of many, found at once, bounded.

import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { MessageNumbers, MessagePlace, NumberedMessage } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { putAside } from './aside.ts'
import { fileName } from './file-name.ts'
import { openSqlite } from './sqlite.ts'
import { FileTrouble, troubleOf } from './trouble.ts'

export interface MessageNumbersOptions {
  /** Where the file goes: `data-dir`. */
  readonly folder: string
  /** The upstream's name, which no other has. */
  readonly name: string
  /** The bot's, for facts. */
  readonly bot: string
  readonly report: Report
  /** Messages in one generation; there are two, and the older one goes. */
  readonly most?: number | undefined
  /** Milliseconds after which a generation is closed, however few are in it. */
  readonly age?: number | undefined
}

/** "ppmn": tells these files from others. */
const APPLICATION = 0x70706d6e
const VERSION = 1
const MOST = 500_000
const AGE = 90 * 24 * 3_600_000
/** The file is at most so far behind (ms), or so many messages. */
const LAG = 100
const BATCH = 2_000
/** Kept in memory while the disk takes nothing; then the oldest go. */
const MOST_WAITING = 100_000
/** How long a start waits for another program that has the file (ms). */
const PATIENCE = 1_000
/** A file that cannot be used is tried again after this long (ms). */
const RETRY = 30_000
const SCENES = ['friend', 'group', 'temp'] as const

const TABLES = ['young', 'old'] as const
const tables = (name: (typeof TABLES)[number]) => `
  CREATE TABLE IF NOT EXISTS ${name} (
    account INTEGER, id INTEGER, scene INTEGER NOT NULL, peer INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (account, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ${name}_files (
    account INTEGER, id TEXT, hash TEXT NOT NULL, PRIMARY KEY (account, id)
  ) STRICT, WITHOUT ROWID;`
const SCHEMA = `
  BEGIN IMMEDIATE;
  ${TABLES.map(tables).join('')}
  CREATE TABLE IF NOT EXISTS generation (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION};
  COMMIT;
`
const ROTATE = `
  DROP TABLE old; DROP TABLE old_files;
  ALTER TABLE young RENAME TO old; ALTER TABLE young_files RENAME TO old_files;
  ${tables('young')}
`

/** Never throws: what the disk does not take is told, kept in memory as far as there is room, and tried again. */
export function messageNumbers(options: MessageNumbersOptions): MessageNumbers {
  return new NumbersFile(options)
}

interface FileHash {
  readonly account: number
  readonly id: string
  readonly hash: string
}

const NOTHING: { readonly young: readonly NumberedMessage[]; readonly old: readonly NumberedMessage[] } = {
  young: [],
  old: [],
}

class NumbersFile implements MessageNumbers {
  readonly #options: MessageNumbersOptions
  readonly #path: string
  #open: Open | undefined
  /** By account, and there by number: not written yet. */
  readonly #waiting = new Map<number, Map<number, NumberedMessage>>()
  #waitingCount = 0
  readonly #files = new Map<string, FileHash>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #triedAt = Number.NEGATIVE_INFINITY
  #failing = false
  #closed = false

  constructor(options: MessageNumbersOptions) {
    this.#options = options
    this.#path = join(options.folder, `milky-${fileName(options.name)}`)
    this.#attempt(() => undefined)
  }

  between(account: number, first: number, last: number): readonly NumberedMessage[] {
    const { young, old } = this.#attempt((open) => open.between(account, first, last)) ?? NOTHING
    const found = new Map(young.map((one) => [one.id, one]))
    for (const one of old) {
      if (found.has(one.id)) continue
      found.set(one.id, one)
      // What is asked for is not forgotten with its generation.
      this.keep(account, one)
    }
    const waiting = this.#waiting.get(account)
    for (let id = first; waiting !== undefined && id <= last; id++) {
      const one = waiting.get(id)
      if (one !== undefined) found.set(id, one)
    }
    return [...found.values()]
  }

  keep(account: number, message: NumberedMessage): void {
    const waiting = this.#waiting.get(account) ?? new Map<number, NumberedMessage>()
    this.#waiting.set(account, waiting)
    if (!waiting.has(message.id)) this.#waitingCount += 1
    waiting.set(message.id, message)
    // The disk has taken nothing for long: what was known only here is not known any more.
    if (this.#waitingCount > MOST_WAITING) this.#drop()
    this.#soon()
  }

  fileHash(account: number, fileId: string): string | undefined {
    const waiting = this.#files.get(`${account}|${fileId}`)
    return waiting?.hash ?? this.#attempt((open) => open.fileHash(account, fileId))
  }

  keepFile(account: number, fileId: string, hash: string): void {
    this.#files.set(`${account}|${fileId}`, { account, id: fileId, hash })
    if (this.#files.size > MOST_WAITING) this.#drop()
    this.#soon()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#write()
    this.#open?.close()
    this.#open = undefined
    // Nothing is opened any more, and nothing waits to be written: an answer that was on its way may still tell something.
    this.#triedAt = Number.POSITIVE_INFINITY
    this.#closed = true
    this.#drop()
    clearTimeout(this.#timer)
  }

  #drop(): void {
    this.#waiting.clear()
    this.#waitingCount = 0
    this.#files.clear()
  }

  #soon(): void {
    if (this.#closed) return this.#drop()
    if (this.#waitingCount >= BATCH && !this.#failing) this.#write()
    else this.#timer ??= setTimeout(() => this.#write(), this.#failing ? RETRY : LAG)
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waitingCount === 0 && this.#files.size === 0) return
    const written = this.#attempt((open) => {
      open.write(this.#waiting, this.#files.values())
      return true
    })
    if (written !== true) return this.#soon()
    this.#drop()
  }

  #attempt<T>(work: (open: Open) => T): T | undefined {
    const { most = MOST, age = AGE, report, bot } = this.#options
    if (this.#open === undefined && performance.now() - this.#triedAt < RETRY) return undefined
    try {
      if (this.#open === undefined) {
        this.#triedAt = performance.now()
        this.#open = new Open(this.#path, most, age)
      }
      const result = work(this.#open)
      if (this.#failing) report({ kind: 'storage-back', bot, file: this.#path })
      this.#failing = false
      return result
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  #failed(error: unknown): void {
    const { report, bot } = this.#options
    const { fault, why, remedy } = troubleOf(error)
    this.#open?.close()
    this.#open = undefined
    const file = this.#path
    if (!this.#failing) report({ kind: 'storage-failed', bot, file, why, remedy })
    this.#failing = true
    if (fault !== 'damaged') return
    try {
      report({ kind: 'storage-set-aside', bot, file, aside: putAside(file, Date.now()), why })
      this.#triedAt = Number.NEGATIVE_INFINITY
    } catch {
      // It has been told, and is tried again.
    }
  }
}

/** The file while it is open. Everything throws what `troubleOf` understands. */
class Open {
  readonly #database: DatabaseSync
  readonly #most: number
  readonly #age: number
  #statements: Statements
  #count: number
  #since: number
  #hasOld: boolean

  constructor(path: string, most: number, age: number) {
    this.#most = most
    this.#age = age
    this.#database = openSqlite(path, { wait: PATIENCE }, recognise)
    try {
      this.#database.exec(SCHEMA)
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

  /** A message may stand in both generations. */
  between(account: number, first: number, last: number): typeof NOTHING {
    const { young, old } = this.#statements
    return {
      young: young.all(account, first, last).map(messageOf),
      old: this.#hasOld ? old.all(account, first, last).map(messageOf) : [],
    }
  }

  fileHash(account: number, id: string): string | undefined {
    const { youngFile, oldFile } = this.#statements
    const hash = (youngFile.get(account, id) ?? oldFile.get(account, id))?.['hash']
    return typeof hash === 'string' ? hash : undefined
  }

  write(messages: ReadonlyMap<number, ReadonlyMap<number, NumberedMessage>>, files: Iterable<FileHash>): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      for (const [account, waiting] of messages) for (const message of waiting.values()) this.#add(account, message)
      for (const { account, id, hash } of files) this.#statements.addFile.run(account, id, hash)
      if (this.#count >= this.#most || Date.now() - this.#since > this.#age) this.#rotate()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #add(account: number, { id, scene, peer, seq }: NumberedMessage): void {
    this.#count += Number(this.#statements.add.run(account, id, SCENES.indexOf(scene), peer, seq).changes)
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
function recognise(database: DatabaseSync): void {
  const number = (pragma: string) => Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
  const empty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (number('application_id') !== APPLICATION && !empty)
    throw new FileTrouble('foreign', 'it is a file of another program')
  const version = number('user_version')
  if (version > VERSION) throw new FileTrouble('newer', `found version ${version}, wanted at most ${VERSION}`)
}

interface Statements {
  readonly young: StatementSync
  readonly old: StatementSync
  readonly add: StatementSync
  readonly youngFile: StatementSync
  readonly oldFile: StatementSync
  readonly addFile: StatementSync
}

/** Anew after each rotation: the tables have changed their names. */
function prepared(database: DatabaseSync): Statements {
  const range = (table: string) => `SELECT id, scene, peer, seq FROM ${table} WHERE account = ? AND id BETWEEN ? AND ?`
  const file = (table: string) => `SELECT hash FROM ${table}_files WHERE account = ? AND id = ?`
  return {
    young: database.prepare(range('young')),
    old: database.prepare(range('old')),
    add: database.prepare('INSERT OR IGNORE INTO young VALUES (?, ?, ?, ?, ?)'),
    youngFile: database.prepare(file('young')),
    oldFile: database.prepare(file('old')),
    addFile: database.prepare('INSERT OR REPLACE INTO young_files VALUES (?, ?, ?)'),
  }
}

function messageOf({ id, scene, peer, seq }: Record<string, unknown>): NumberedMessage {
  const place: MessagePlace = { scene: SCENES[Number(scene)] ?? 'group', peer: Number(peer), seq: Number(seq) }
  return { id: Number(id), ...place }
}
