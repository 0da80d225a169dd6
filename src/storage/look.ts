// Looks at files of ours without touching them, for whoever wants to know before the gateway does.

import { accessSync, constants, readdirSync } from 'node:fs'
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
    const { DatabaseSync } = loadSqlite()
    // Without a lock, a log or shared memory: nothing is left beside it.
    const database = new DatabaseSync(`${pathToFileURL(file)}?immutable=1`, { readOnly: true })
    try {
      if (basename(file).startsWith('milky-')) recogniseNumbers(database)
      else recognise(database)
      const [said] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})
      if (said !== 'ok') throw new FileTrouble('damaged', `SQLite: ${said}`)
      return undefined
    } finally {
      database.close()
    }
  } catch (error) {
    return troubleOf(error)
  }
}
