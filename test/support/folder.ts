// A folder of its own for a test, gone when the test ends.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Folder extends AsyncDisposable {
  readonly path: string
  /** The path of something in it. */
  at(...names: string[]): string
  read(...names: string[]): Promise<string>
  /** Names of what is in it, or in a folder in it, sorted; none when that is not there. */
  list(...names: string[]): Promise<string[]>
}

export async function folder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'perpetua-'))
  return {
    path,
    at: (...names) => join(path, ...names),
    read: (...names) => readFile(join(path, ...names), 'utf8'),
    list: async (...names) => (await readdir(join(path, ...names)).catch(() => [])).sort(),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
