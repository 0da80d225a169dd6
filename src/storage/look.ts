// Looks at files of ours without touching them, for whoever wants to know before the gateway does.

import { accessSync, constants, copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { recognise as recogniseNumbers } from './numbers-file.ts'
import { recognise } from './schema.ts'
import { loadSqlite } from './sqlite.ts'
import { FileTrouble, type Trouble, troubleOf } from './trouble.ts'

export interface Looked {
  readonly file: string
  readonly trouble: Trouble
}

/** The files in a folder that cannot be used as they are. While a gateway has them open, what is said may be wrong. */
export function troubledFiles(folder: string): Looked[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.db'))
    .flatMap((name) => {
      const file = join(folder, name)
      const trouble = troubleIn(file)
      return trouble === undefined ? [] : [{ file, trouble }]
    })
}

/** Those that were put aside earlier. */
export const asideFiles = (folder: string): string[] =>
  readdirSync(folder).filter((name) => /\.db\.corrupt-\S+Z$/.test(name))

function troubleIn(file: string): Trouble | undefined {
  try {
    accessSync(file, constants.R_OK | constants.W_OK)
    const log = `${file}-wal`
    return (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0 ? copied(file, log) : examine(file)
  } catch (error) {
    return troubleOf(error)
  }
}

/**
 * One whose gateway was killed: its log may be half in the file, which is whole with it alone. SQLite would put both
 * together and write them, so that it gets copies. Where there is no room for them, nothing is known.
 */
function copied(...files: [file: string, log: string]): Trouble | undefined {
  let folder: string | undefined
  try {
    folder = mkdtempSync(join(tmpdir(), 'perpetua-look-'))
    for (const file of files) copyFileSync(file, join(folder, basename(file)))
  } catch {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  try {
    return examine(join(folder, basename(files[0])), false)
  } catch (error) {
    return troubleOf(error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `ours`: it stays as it is, without a lock, a log or shared memory; nothing is left beside it. */
function examine(file: string, ours = true): undefined {
  const { DatabaseSync } = loadSqlite()
  const database = ours
    ? new DatabaseSync(`${pathToFileURL(file)}?immutable=1`, { readOnly: true })
    : new DatabaseSync(file)
  try {
    if (basename(file).startsWith('milky-')) recogniseNumbers(database)
    else recognise(database)
    const [said] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})
    if (said !== 'ok') throw new FileTrouble('damaged', `SQLite: ${said}`)
  } finally {
    database.close()
  }
}
