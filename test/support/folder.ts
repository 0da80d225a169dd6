// A folder of its own for a test, gone when the test ends.

import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
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
  // As programs that run in it see it: macOS and Windows have other names for theirs.
  const path = await realpath(await mkdtemp(join(tmpdir(), 'perpetua-')))
  return {
    path,
    at: (...names) => join(path, ...names),
    read: (...names) => readFile(join(path, ...names), 'utf8'),
    list: async (...names) => (await readdir(join(path, ...names)).catch(() => [])).sort(),
    // Windows holds the files of a program for a moment after its end.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
  }
}
