// Brings another version of this program into its place: found, checked, tried, and only then used.

import { mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DownloadError, download, type Patience, type Progress } from '../lib/download.ts'
import { fileProblem, isOfFiles } from '../lib/file-error.ts'
import { HeldError, lockFile } from '../lib/lock-file.ts'
import { maskText } from '../lib/mask.ts'
import { fileAddress, NoSuchFileError, type Origin, type ReleaseFile, releaseFile } from '../lib/release.ts'
import { replaceProgram } from '../lib/replace.ts'
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
/** The longest list of sums that is read (bytes). */
const MOST_SUMS = 64 * 1024
const NOTHING_CHANGED = 'nothing was changed'
const MIRROR = 'use --mirror with a download mirror that you trust'

const archiveOf = (target: string) => `perpetua-${target}.${target.startsWith('windows-') ? 'zip' : 'tar.gz'}`

/** What the release has for this machine. Rejects with UpgradeError. */
export async function find({ repository, target, origin, signal }: UpgradeOptions): Promise<ReleaseFile> {
  return told(() => releaseFile(repository, archiveOf(target), origin, signal))
}

/**
 * Replaces the program with what was found. Resolves with what the new one says of its version. Rejects with
 * UpgradeError or the signal's reason; then the one before is still in its place.
 */
export async function upgrade(options: UpgradeOptions, found: ReleaseFile): Promise<string> {
  const { program, target, signal, progress, patience } = options
  const folder = join(dirname(program), `.${basename(program)}-upgrade`)
  return told(async () => {
    const lock = lockFile(`${folder}.lock`)
    try {
      mkdirSync(folder, { recursive: true })
      const archive = join(folder, archiveOf(target))
      const sha256 = found.sha256 ?? (await listed(options, found, folder))
      await download({ url: found.url, file: archive, size: found.size, sha256, signal, progress, patience })
      const next = await unpacked(archive, join(folder, 'new'), basename(program), signal)
      const said = await tried(next, found.tag)
      signal?.throwIfAborted()
      replaceProgram(program, next)
      rmSync(folder, { recursive: true, force: true })
      return said
    } finally {
      rmSync(join(folder, 'new'), { recursive: true, force: true })
      removeEmpty(folder)
      lock[Symbol.dispose]()
    }
  }, signal)
}

/** What was downloaded in part stays: the next try goes on from there. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // It holds something, or went with a program that is in its place now.
  }
}

/** Where the release host itself tells no sum, the release's list of them does. */
async function listed(options: UpgradeOptions, { tag, unchecked }: ReleaseFile, folder: string): Promise<string> {
  const { repository, origin, target, signal, patience, notice } = options
  const url = fileAddress({ ...repository, tag: tag ?? repository.tag }, SUMS, origin)
  const file = join(folder, SUMS)
  await download({ url, file, signal, patience: { ...patience, most: MOST_SUMS } })
  const name = archiveOf(target)
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((line) => line.endsWith(` ${name}`) || line.endsWith(`*${name}`))
  const sum = /^[0-9a-f]{64}(?= )/i.exec(line ?? '')?.[0]
  if (sum === undefined)
    throw new UpgradeError(`${maskText(url)} lists no ${name}: without a sum nothing is installed; ${NOTHING_CHANGED}`)
  if (unchecked !== undefined)
    notice?.(`the SHA-256 is from ${SUMS} beside the file, not from the release host: asking it, ${unchecked}`)
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
async function tried(program: string, tag: string | undefined): Promise<string> {
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
  const { code, signal } = await child.exited
  const wanted = tag?.replace(/^v/, '')
  if (code !== 0)
    throw new UpgradeError(
      `the new program does not start here (${signal ?? `exit code ${code}`}): ${firstLine(said)}; ${NOTHING_CHANGED}`,
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
  if (error instanceof SpawnError) return `the new program does not start here: ${error.message}; ${NOTHING_CHANGED}`
  if (error instanceof HeldError) return `another upgrade is going on (process ${error.owner?.pid ?? 'unknown'})`
  if (!isOfFiles(error)) return undefined
  const foreign = ['EACCES', 'EPERM', 'EROFS'].includes(error.code ?? '')
  return `${fileProblem(error)}; ${foreign ? 'run this as the user who installed it, or in a container take a newer image' : NOTHING_CHANGED}`
}

/** In words, where the system has only its own for it. */
export function plainly(text: string): string {
  return text.replace(
    /\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) (\S+)/,
    'the name $1 is not known here (no network, or no DNS)',
  )
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
      return `see to room; ${NOTHING_CHANGED}`
    default:
      return why satisfies never
  }
}
