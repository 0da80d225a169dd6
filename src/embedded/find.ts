// Finds the program to run: where the config says, in its own folder, or in an archive or a release still to be unpacked.

import { access, chmod, constants, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kind, Machine } from './kind.ts'
import { versionsIn } from './versions.ts'

export interface Where {
  readonly kind: Kind
  readonly machine: Machine
  /** ntqq-impl.path: a program, or a folder with it in at any depth; '' for none. */
  readonly path: string
  /** ntqq-impl.archive; '' for none. */
  readonly archive: string
  /** The kind's own folder, where installs go. */
  readonly folder: string
}

export type Found =
  | { readonly from: 'path' | 'folder'; readonly executable: string }
  /** To be unpacked first. */
  | { readonly from: 'archive'; readonly archive: string }
  /** To be fetched first; `file` is the release's asset for this machine. */
  | { readonly from: 'download'; readonly file: string }

/** There is no program, and there will be none until somebody does what the message says. */
export class FindError extends Error {
  override name = 'FindError'
}

/** Releases nest seven folders; links are not followed, so this is for the odd. */
const DEEPEST = 12
/** A folder this full is not an unpacked release: somebody named the wrong one. */
const MOST = 20_000

export async function find(where: Where): Promise<Found> {
  const { kind, machine, path, archive, folder } = where
  if (path !== '') return { from: 'path', executable: await named(where) }
  // What was installed knows which of its versions counts; anything else was put there by hand or by the Go version.
  const own = versionsIn(folder).current?.program ?? (await programIn(folder, kind.executable(machine.os)))
  if (own !== undefined) {
    // Unpacked by hand or by a tool that knows no execute bit. What cannot be changed, the start will tell.
    if (!(await runnable(own))) await chmod(own, 0o755).catch(() => undefined)
    return { from: 'folder', executable: own }
  }
  if (archive !== '') {
    if (!(await stat(archive).catch(() => undefined))?.isFile())
      throw new FindError(`ntqq-impl.archive: there is no file ${archive}`)
    return { from: 'archive', archive }
  }
  const asset = kind.asset(machine)
  if ('unsupported' in asset) throw new FindError(asset.unsupported)
  return { from: 'download', file: asset.file }
}

/** What ntqq-impl.path means; it is never changed. */
async function named({ kind, machine, path }: Where): Promise<string> {
  const name = kind.executable(machine.os)
  const facts = await stat(path).catch(() => undefined)
  if (facts === undefined) throw new FindError(`ntqq-impl.path: there is no ${path}`)
  if (facts.isFile() && /\.(?:zip|tar\.gz|tgz)$/i.test(path))
    throw new FindError(`ntqq-impl.path: ${path} is an archive: unpack it, or set ntqq-impl.archive to it instead`)
  const program = facts.isDirectory() ? await programIn(path, name) : path
  if (program === undefined) throw new FindError(`ntqq-impl.path: there is no ${name} in ${path} or below`)
  if (!(await runnable(program))) throw new FindError(`${program} may not be run: chmod +x ${program}`)
  return program
}

/**
 * The file of that name nearest to the top; of several equally near, the one written last. Folders whose names start
 * with a dot hold what is not in use: old versions and halves of new ones.
 */
export async function programIn(folder: string, name: string): Promise<string | undefined> {
  let level = [folder]
  let seen = 0
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    const next: string[] = []
    const found: string[] = []
    for (const place of level) {
      const entries = await readdir(place, { withFileTypes: true }).catch(() => [])
      seen += entries.length
      if (seen > MOST)
        throw new FindError(`${folder} holds too much to look through for ${name}: name a folder further in`)
      for (const entry of entries)
        if (entry.isDirectory() && !entry.name.startsWith('.')) next.push(join(place, entry.name))
        else if (entry.name === name && (await isFile(join(place, name)))) found.push(join(place, name))
    }
    if (found.length > 0) return await newest(found)
    level = next
  }
  return undefined
}

async function newest(files: string[]): Promise<string | undefined> {
  const dated = await Promise.all(
    files.map(async (file) => ({ file, at: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0 })),
  )
  return dated.sort((one, other) => other.at - one.at)[0]?.file
}

/** Also behind a link. */
const isFile = async (file: string) => (await stat(file).catch(() => undefined))?.isFile() ?? false

/** On Windows everything that can be read is. */
async function runnable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
