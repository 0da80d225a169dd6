// Brings a program into its folder, from a release or an archive; what was there keeps working until the very last step.

import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { type Downloaded, download, type Patience, sha256Of } from '../lib/download.ts'
import { lockFile } from '../lib/lock-file.ts'
import { maskText } from '../lib/mask.ts'
import { type Origin, type ReleaseFile, releaseFile } from '../lib/release.ts'
import { programIn } from './find.ts'
import { explained, InstallError } from './install-error.ts'
import type { Kind, Machine } from './kind.ts'
import { describe, freeName, type Known, NEW, sweep, use, type Version, versionsIn } from './versions.ts'

export interface InstallOptions {
  readonly kind: Kind
  /** Where its versions are kept; made if need be. */
  readonly folder: string
  readonly machine: Machine
  readonly source: Origin | { readonly archive: string }
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((progress: InstallProgress) => void) | undefined
  readonly patience?: Partial<Patience> | undefined
}

export type InstallProgress =
  /** A download begins; `size`: bytes, as far as they are known. */
  | { readonly step: 'found'; readonly file: string; readonly url: string; readonly size: number | undefined }
  /** Something that somebody should know, though it goes on. */
  | { readonly step: 'notice'; readonly text: string }
  | { readonly step: 'download'; readonly received: number; readonly total: number | undefined }
  | { readonly step: 'unpack'; readonly archive: string }

export interface Installed {
  /** The program's whole path. */
  readonly executable: string
  readonly version: Version
}

/** Rejects with InstallError, or with the signal's reason. Whatever happens, the version before is still there. */
export async function install(options: InstallOptions): Promise<Installed> {
  return exclusively(options, async () => {
    const { source } = options
    if ('archive' in source) return fromArchive(options, source.archive)
    const { file, found } = await look(options, source)
    return fromRelease(options, file, found)
  })
}

export type Updated =
  | ({ readonly outcome: 'installed' } & Installed)
  /** There is nothing newer. */
  | { readonly outcome: 'current'; readonly version: Version }
  /** Nobody says whether there is. */
  | { readonly outcome: 'unknown'; readonly version: Version; readonly why: string }

/** Installs what the release has now, unless that is here already. Rejects as `install` does. */
export async function update(options: InstallOptions & { readonly source: Origin }): Promise<Updated> {
  return exclusively(options, async () => {
    const { current } = versionsIn(options.folder)
    const { file, found } = await look(options, options.source)
    if (current && found.unchecked !== undefined)
      return { outcome: 'unknown', version: current, why: found.unchecked } as const
    if (current && isSame(current, found)) return { outcome: 'current', version: current } as const
    return { outcome: 'installed', ...(await fromRelease(options, file, found)) } as const
  })
}

/** The hash tells for certain, where there is one. */
const isSame = (version: Version, { sha256, updatedAt }: ReleaseFile) =>
  sha256 === undefined ? updatedAt === version.updatedAt : sha256 === version.sha256

/** One at a time in a folder; errors are put in words. */
async function exclusively<T>(options: InstallOptions, work: () => Promise<T>): Promise<T> {
  const { folder, signal } = options
  let lock: Disposable | undefined
  try {
    signal?.throwIfAborted()
    mkdirSync(folder, { recursive: true })
    lock = lockFile(join(folder, '.installing'))
    sweep(folder)
    return await work()
  } catch (error) {
    signal?.throwIfAborted()
    throw explained(error, options)
  } finally {
    lock?.[Symbol.dispose]()
  }
}

async function look({ kind, machine, signal }: InstallOptions, source: Origin) {
  const asset = kind.asset(machine)
  if ('unsupported' in asset) throw new InstallError(asset.unsupported)
  if (kind.unreleased !== undefined && source.base === '') throw new InstallError(kind.unreleased)
  return { file: asset.file, found: await releaseFile(kind.repository, asset.file, source, signal) }
}

async function fromRelease(options: InstallOptions, file: string, found: ReleaseFile): Promise<Installed> {
  const { folder, signal, progress, patience } = options
  const { url, size, sha256, unchecked } = found
  if (unchecked !== undefined)
    progress?.({ step: 'notice', text: `size and SHA-256 cannot be checked: asking the release host, ${unchecked}` })
  else if (sha256 === undefined)
    progress?.({ step: 'notice', text: 'the release gives no SHA-256: only the size is checked' })
  progress?.({ step: 'found', file, url: maskText(url), size })
  const archive = join(folder, file)
  const told = (now: { received: number; total: number | undefined }) => progress?.({ step: 'download', ...now })
  const got = await download({ url, file: archive, size, sha256, signal, patience, progress: told })
  try {
    return await place(options, archive, {
      id: found.id ?? 0,
      updatedAt: found.updatedAt ?? timeOf(got).toISOString(),
      sha256: got.sha256,
      from: maskText(url),
    })
  } finally {
    rmSync(archive, { force: true })
  }
}

const timeOf = ({ modified }: Downloaded) => modified ?? new Date()

async function fromArchive(options: InstallOptions, archive: string): Promise<Installed> {
  const { mtime } = statSync(archive)
  const sha256 = await sha256Of(archive, options.signal)
  return place(options, archive, { id: 0, updatedAt: mtime.toISOString(), sha256, from: basename(archive) })
}

/** Unpacked beside the others, named, and only then in use. */
async function place(
  { kind, folder, machine, signal, progress }: InstallOptions,
  archive: string,
  about: Pick<Known, 'id' | 'updatedAt' | 'sha256' | 'from'>,
): Promise<Installed> {
  progress?.({ step: 'unpack', archive: basename(archive) })
  const unpacked = join(folder, `${NEW}${randomUUID()}`)
  try {
    // The libraries behind it take longer to load than the whole gateway, and are rarely needed.
    const { unpack } = await import('../lib/unpack.ts')
    await unpack(archive, unpacked, { signal })
    const wanted = kind.executable(machine.os)
    const program = await programIn(unpacked, wanted)
    if (program === undefined) throw new InstallError(`${basename(archive)} has no ${wanted} in it`)
    chmodSync(program, 0o755)
    describe(unpacked, {
      ...about,
      platform: `${machine.os}-${machine.cpu}`,
      executable: relative(unpacked, program).replaceAll('\\', '/'),
      installedAt: new Date().toISOString(),
    })
    const name = freeName(folder, about)
    signal?.throwIfAborted()
    renameSync(unpacked, join(folder, name))
    use(folder, name)
  } finally {
    rmSync(unpacked, { recursive: true, force: true })
  }
  const { current } = versionsIn(folder)
  if (!current) throw new InstallError(`${folder}: what was installed is not there any more`)
  return { executable: current.program, version: current }
}
