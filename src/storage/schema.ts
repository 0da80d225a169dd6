// The tables of a file, and how older files become files of now.

import type { DatabaseSync } from 'node:sqlite'
import { FileTrouble } from './trouble.ts'

/** "ppta": tells our files from those of other programs. */
const APPLICATION = 0x70707461

/** Each leads from one version to the next; a released one is never changed. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    account TEXT,
    epoch TEXT NOT NULL,
    next INTEGER NOT NULL,
    clean INTEGER NOT NULL,
    gaps TEXT NOT NULL
  ) STRICT;
  CREATE TABLE events (
    first INTEGER PRIMARY KEY,
    times BLOB NOT NULL,
    sizes BLOB NOT NULL,
    addressees TEXT,
    texts BLOB NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE sessions (app_id TEXT PRIMARY KEY, session TEXT NOT NULL) STRICT;
  CREATE TABLE cursors (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT;
  CREATE TABLE calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT,
    action TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL
  ) STRICT;
  `,
]

/** @throws FileTrouble for a file of another program, or of a later version. */
export function recognise(database: DatabaseSync, steps: readonly string[] = STEPS): void {
  const application = numberOf(database, 'application_id')
  const version = numberOf(database, 'user_version')
  if (application !== APPLICATION && (application !== 0 || version !== 0 || holdsTables(database)))
    throw new FileTrouble('foreign', 'it is a database of another program')
  if (version > steps.length)
    throw new FileTrouble(
      'newer',
      `it is of version ${version}, and this program knows none later than ${steps.length}`,
    )
}

/** Brings a file of ours up to date, a new one included. @param steps others than those of now, for tests. */
export function bringUpToDate(database: DatabaseSync, steps: readonly string[] = STEPS): void {
  const missing = steps.slice(numberOf(database, 'user_version'))
  if (missing.length === 0) return
  // Whole or not at all: a crash in the middle leaves the file as it was.
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of missing) database.exec(step)
    database.exec(`PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
}

function holdsTables(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined
}
