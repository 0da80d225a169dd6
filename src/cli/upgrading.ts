// Brings another version of this program into its place: found, checked, tried, and only then used.

import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DownloadError, download, type Patience, type Progress, sha256Of } from '../lib/download.ts'
import { fileProblem, isOfFiles } from '../lib/file-error.ts'
import { HeldError, lockFile } from '../lib/lock-file.ts'
import { maskText } from '../lib/mask.ts'
import {
  fileAddress,
  NoSuchFileError,
  type Origin,
  type ReleaseFile,
  releaseFile,
  releaseText,
} from '../lib/release.ts'
import { hasKept, kept, replaceProgram, swapPrograms } from '../lib/replace.ts'
import { UnpackError } from '../lib/unpack-error.ts'
import { host } from '../runtime/current.ts'
import { SpawnError } from '../runtime/host.ts'

export interface UpgradeOptions {
  /** The file that is replaced; no link. */
  readonly program: string
  /** As releases name it, such as `linux-x64`. */
  readonly target: string
  readonly repository: { readonly owner: string; readonly name: string; readonly tag: string }
  readonly origin: Origin
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((progress: Progress) => void) | undefined
  /** Something that somebody should know, though it goes on. */
  readonly notice?: ((text: string) => void) | undefined
  readonly patience?: Partial<Patience> | undefined
}

/** The message says what went wrong and what to do; nothing was changed. */
export class UpgradeError extends Error {
  override readonly name = 'UpgradeError'
}

const SUMS = 'SHA256SUMS'
/** The list of parts, which says its version. */
const PARTS = 'sbom.cdx.json'
/** How long (ms) a program may take to say its version. */
const START = 30_000
/** The longest list of sums that is read (bytes). */
const MOST_SUMS = 64 * 1024
const NOTHING_CHANGED = 'nothing was changed'
const MIRROR = 'use --mirror with a download mirror that you trust'

const archiveOf = (target: string) => `perpetua-${target}.${target.startsWith('windows-') ? 'zip' : 'tar.gz'}`

/** What the release has for this machine. Rejects with UpgradeError. */
export async function find({ repository, target, origin, signal }: UpgradeOptions): Promise<ReleaseFile> {
  const archive = archiveOf(target)
  const found = await told(() => releaseFile(repository, archive, origin, signal), signal)
  if (found.tag !== undefined) return found
  // Where the host's API cannot be reached, its files often can, by a mirror: one of them says which release it is of.
  const tag = tagIn(await releaseText(fileAddress(repository, PARTS, origin), signal))
  return tag === undefined ? found : { ...found, tag, url: fileAddress({ ...repository, tag }, archive, origin) }
}

function tagIn(parts = ''): string | undefined {
  try {
    const version: unknown = JSON.parse(parts)?.metadata?.component?.version
    return typeof version === 'string' && /^\d+\.\d+\.\d+[\w.-]*$/.test(version) ? `v${version}` : undefined
  } catch {
    return undefined
  }
}

/**
 * The one before comes back. Resolves with what it says of its version; undefined: there is none. Rejects with
 * UpgradeError; then nothing was changed.
 */
export async function rollBack(program: string): Promise<string | undefined> {
  return told(async () => {
    if (!existsSync(kept(program)) && !hasKept(program)) return undefined
    const lock = lockFile(lockOf(program))
    try {
      // Windows starts nothing that is called .old.
      const said =
        process.platform === 'win32' ? 'the one before' : await tried(kept(program), undefined, 'the one before')
      swapPrograms(program)
      return said
    } finally {
      lock[Symbol.dispose]()
    }
  })
}

const folderOf = (program: string) => join(dirname(program), `.${basename(program)}-upgrade`)
const lockOf = (program: string) => `${folderOf(program)}.lock`

/**
 * Replaces the program with what was found. Resolves with what the new one says of its version. Rejects with
 * UpgradeError or the signal's reason; then the one before is still in its place.
 */
export async function upgrade(options: UpgradeOptions, found: ReleaseFile): Promise<string> {
  const { program, target, signal, progress, patience } = options
  const folder = folderOf(program)
  return told(async () => {
    const lock = lockFile(lockOf(program))
    try {
      mkdirSync(folder, { recursive: true })
      const archive = join(folder, archiveOf(target))
      const sha256 = found.sha256 ?? (await listed(options, found, folder))
      // One that came through before, and could not be unpacked for want of room, need not come again.
      if (!existsSync(archive) || (await sha256Of(archive, signal)) !== sha256.toLowerCase())
        await download({ url: found.url, file: archive, size: found.size, sha256, signal, progress, patience })
      const next = await unpacked(archive, join(folder, 'new'), basename(program), signal)
      const said = await tried(next, found.tag, 'the new program')
      signal?.throwIfAborted()
      replaceProgram(program, next)
      tidy(() => rmSync(folder, { recursive: true, force: true }))
      return said
    } finally {
      tidy(() => rmSync(join(folder, 'new'), { recursive: true, force: true }))
      // What was downloaded in part stays: the next try goes on from there.
      tidy(() => rmdirSync(folder))
      lock[Symbol.dispose]()
    }
  }, signal)
}

/** What stays, as while a scanner looks at it, changes nothing about the program: the next one removes it. */
function tidy(work: () => void): void {
  try {
    work()
  } catch {
    // It went with a program that is in its place now, holds something, or is looked at.
  }
}

/** Where the release host itself tells no sum, the release's list of them does. */
async function listed(options: UpgradeOptions, { tag, unchecked }: ReleaseFile, folder: string): Promise<string> {
  const { repository, origin, target, signal, patience, notice } = options
  const url = fileAddress({ ...repository, tag: tag ?? repository.tag }, SUMS, origin)
  const file = join(folder, SUMS)
  await download({ url, file, signal, patience: { ...patience, most: MOST_SUMS } })
  const name = archiveOf(target)
  const text = readFileSync(file, 'utf8')
  rmSync(file)
  const line = text.split('\n').find((line) => line.endsWith(` ${name}`) || line.endsWith(`*${name}`))
  const sum = /^[0-9a-f]{64}(?= )/i.exec(line ?? '')?.[0]
  if (sum === undefined)
    throw new UpgradeError(`${maskText(url)} lists no ${name}: without a sum nothing is installed; ${NOTHING_CHANGED}`)
  if (unchecked !== undefined)
    notice?.(`the SHA-256 is from ${SUMS} beside the file, not from the release host: asking it, ${plainly(unchecked)}`)
  return sum
}

async function unpacked(archive: string, folder: string, name: string, signal?: AbortSignal): Promise<string> {
  rmSync(folder, { recursive: true, force: true })
  // The libraries behind it take longer to load than most commands, and are needed here only.
  const { unpack } = await import('../lib/unpack.ts')
  await unpack(archive, folder, { signal })
  const [top = ''] = /^perpetua-[\w-]+/.exec(basename(archive)) ?? []
  return join(folder, top, name.endsWith('.exe') ? 'perpetua.exe' : 'perpetua')
}

/** A program that does not start here is none to upgrade to. */
async function tried(program: string, tag: string | undefined, called: string): Promise<string> {
  let said = ''
  const child = await host.spawn({
    command: program,
    args: ['--version'],
    cwd: dirname(program),
    stdin: 'ignore',
    output: (bytes) => {
      said += new TextDecoder().decode(bytes)
    },
  })
  const patience = setTimeout(() => child.kill('SIGKILL'), START)
  const { code, signal } = await child.exited
  clearTimeout(patience)
  const wanted = tag?.replace(/^v/, '')
  if (code !== 0)
    throw new UpgradeError(
      `${called} does not start here (${signal ?? `exit code ${code}`}): ${firstLine(said)}; ${NOTHING_CHANGED}`,
    )
  if (wanted !== undefined && !said.startsWith(wanted))
    throw new UpgradeError(`the release says ${tag}, its program ${firstLine(said)}; ${NOTHING_CHANGED}`)
  return said.trim()
}

const firstLine = (text: string) => text.trim().split('\n', 1)[0] ?? ''

/** Errors that are no bugs become UpgradeErrors. */
async function told<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work()
  } catch (error) {
    signal?.throwIfAborted()
    const message = worded(error)
    throw message === undefined ? error : new UpgradeError(message, { cause: error })
  }
}

function worded(error: unknown): string | undefined {
  if (error instanceof DownloadError) return `not downloaded: ${plainly(error.message)}; ${advice(error)}`
  if (error instanceof NoSuchFileError) return `${error.message}; ${NOTHING_CHANGED}`
  if (error instanceof UnpackError) return `not unpacked: ${error.message}; ${NOTHING_CHANGED}`
  if (error instanceof SpawnError) return `the program does not start here: ${error.message}; ${NOTHING_CHANGED}`
  if (error instanceof HeldError) return `another upgrade is going on (process ${error.owner?.pid ?? 'unknown'})`
  if (!isOfFiles(error)) return undefined
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return `${fileProblem(error)}; make room, some 250 MB for an upgrade; ${NOTHING_CHANGED}`
  const foreign = ['EACCES', 'EPERM', 'EROFS'].includes(error.code ?? '')
  return `${fileProblem(error)}; ${foreign ? 'run this as the user who installed it, or in a container take a newer image' : NOTHING_CHANGED}`
}

/** In words, where the system has only its own for it. */
export function plainly(text: string): string {
  return text
    .replace(/\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) (\S+)/, 'the name $1 is not known here (no network, or no DNS)')
    .replace(/\b(?:ECONNREFUSED|ConnectionRefused): .*/s, 'nobody listens there (a proxy in HTTPS_PROXY counts, too)')
    .replace(/\bECONNRESET: .*/s, 'the connection was cut')
    .replace(/\bTooManyRedirects: .*/s, 'it is sent on and on, to no end')
    .replace(/\.$/, '')
}

function advice({ why, status }: DownloadError): string {
  switch (why) {
    case 'refused':
      return status === 404 ? `look at --to, --base and --mirror; ${NOTHING_CHANGED}` : `try again later, or ${MIRROR}`
    case 'lost':
      return `try again, which goes on from where it stopped (HTTPS_PROXY is used), or ${MIRROR}`
    case 'wrong':
      return `${NOTHING_CHANGED}; try again later, or ${MIRROR}`
    case 'disk':
      return `make room, some 250 MB for an upgrade; ${NOTHING_CHANGED}`
    default:
      return why satisfies never
  }
}
