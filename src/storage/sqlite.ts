// Opens SQLite files, for their owner and for one program at a time; loads SQLite itself only when it is needed.

import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { FileTrouble } from './trouble.ts'

/** Batches are some 100 KiB: with smaller pages they cost more, with bigger ones a lone event does. */
const PAGE = 8192
/**
 * What may wait in the write-ahead log (bytes) before it goes into the file, and what of it stays for the next round.
 * Everything stands still while the disk takes it: less takes the same time more often.
 */
const CHECKPOINT = 2 * 1024 * 1024
const LOG_KEPT = 2 * CHECKPOINT

export interface Opening {
  /** How long to wait for another program that has the file (ms); nothing else goes on meanwhile. */
  readonly wait: number
  /** Bytes the file may take; default: what its disk gives. */
  readonly ceiling?: number | undefined
}

/**
 * Makes the file, and its folder, where they are missing. @param recognise is shown the file before anything is done to
 * it; throws when it is not ours. @throws what `troubleOf` understands.
 */
export function openSqlite(
  file: string,
  { wait, ceiling }: Opening,
  recognise: (database: DatabaseSync) => void,
): DatabaseSync {
  const { DatabaseSync } = loadSqlite()
  mkdirSync(dirname(file), { recursive: true })
  // SQLite gives its other files the mode of this one.
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file, { timeout: wait })
  try {
    database.exec(`PRAGMA page_size = ${PAGE}`)
    // Nobody else can keep the log from being cleared, and no memory is shared, which network folders do not know.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    recognise(database)
    forOwnerOnly(file)
    database.exec('PRAGMA journal_mode = WAL')
    database.exec(`PRAGMA wal_autocheckpoint = ${Math.round(CHECKPOINT / PAGE)}`)
    database.exec(`PRAGMA journal_size_limit = ${LOG_KEPT}`)
    database.exec('PRAGMA synchronous = NORMAL')
    database.exec('PRAGMA busy_timeout = 0')
    if (ceiling !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(ceiling / PAGE)}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function forOwnerOnly(file: string): void {
  try {
    chmodSync(file, 0o600)
  } catch {
    // Somebody else's file, which we may use all the same.
  }
}

/** Node says on stderr that its SQLite is experimental; that is no news for who runs a gateway. */
export function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process
  const others = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('SQLite')) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  process.emitWarning = others
  try {
    // Missing in the first versions of Node 22, whatever its type says.
    const sqlite = process.getBuiltinModule?.('node:sqlite')
    if (sqlite === undefined) throw new FileTrouble('unsupported', 'this runtime has no SQLite')
    return sqlite
  } finally {
    process.emitWarning = emitWarning
  }
}
