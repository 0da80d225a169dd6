// Unpacks .zip and .tar.gz archives that nobody vouches for: nothing outside the folder, no links, within limits.

import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32, createGunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import yauzl from 'yauzl'
import { isOfFiles } from './file-error.ts'
import { UnpackError } from './unpack-error.ts'

export interface Limits {
  /** Unpacked, all files together. */
  bytes: number
  entries: number
  /** Unpacked bytes for each byte of the archive; counts from `free` bytes on, since small files may pack very well. */
  ratio: number
  free: number
}

/** Far beyond any program that would be unpacked here, and what a disk can still bear. */
const LIMITS: Limits = { bytes: 2 * 2 ** 30, entries: 20_000, ratio: 100, free: 64 * 2 ** 20 }

/**
 * Unpacks `archive` into `folder`, which it makes, and which must not be there yet; on failure it is gone again.
 * Executable bits are kept, owners and other rights are not. Throws UnpackError, what the file system says, or the
 * signal's reason.
 */
export async function unpack(
  archive: string,
  folder: string,
  { signal, limits = {} }: { signal?: AbortSignal | undefined; limits?: Partial<Limits> } = {},
): Promise<void> {
  const { size } = await stat(archive)
  await mkdir(folder)
  const target = new Target(folder, size, { ...LIMITS, ...limits }, signal)
  try {
    const format = await formatOf(archive)
    if (format === 'zip') await unzip(archive, target)
    else await untar(archive, target)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    signal?.throwIfAborted()
    throw isOfFiles(error) || error instanceof UnpackError
      ? error
      : new UnpackError(`the archive is damaged: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

/** By its first bytes: names lie, and a proxy may have answered with a page. */
async function formatOf(archive: string): Promise<'zip' | 'tar.gz'> {
  const handle = await open(archive)
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(4), 0, 4, 0)
    const start = bytesRead < 4 ? '' : Buffer.from(buffer).toString('latin1')
    if (start === 'PK\u0003\u0004' || start === 'PK\u0005\u0006') return 'zip'
    if (start.startsWith('\u001f\u008b')) return 'tar.gz'
    throw new UnpackError('neither a .zip nor a .tar.gz file: perhaps a page that was sent in its place')
  } finally {
    await handle.close()
  }
}

/** The folder that is filled, and what has been put there. */
class Target {
  readonly #folder: string
  readonly #packed: number
  readonly #limits: Limits
  readonly #signal: AbortSignal | undefined
  #entries = 0
  #bytes = 0

  constructor(folder: string, packed: number, limits: Limits, signal: AbortSignal | undefined) {
    this.#folder = folder
    this.#packed = packed
    this.#limits = limits
    this.#signal = signal
  }

  async directory(name: string): Promise<void> {
    await mkdir(this.#place(name), { recursive: true })
  }

  async file(name: string, executable: boolean, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const place = this.#place(name)
    await mkdir(dirname(place), { recursive: true })
    // 'wx': a second file of the same name would replace what was looked at before.
    const handle = await open(place, 'wx', executable ? 0o755 : 0o644).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? new UnpackError(`${shown(name)} is in the archive twice`) : error
    })
    try {
      for await (const chunk of chunks) await handle.appendFile(chunk)
    } finally {
      await handle.close()
    }
  }

  refuse(name: string, what: string): never {
    throw new UnpackError(`${shown(name)} is ${what}, which a program does not need`)
  }

  /** Counts unpacked bytes, before they are kept. */
  count(bytes: number): void {
    this.#signal?.throwIfAborted()
    const { bytes: most, ratio, free } = this.#limits
    this.#bytes += bytes
    if (this.#bytes > most) throw new UnpackError(`more than ${most} bytes come out of the archive`)
    if (this.#bytes > free && this.#bytes > this.#packed * ratio)
      throw new UnpackError(`more than ${ratio} times its own size comes out of the archive`)
  }

  /** Where an entry goes; every entry passes here. */
  #place(name: string): string {
    this.#signal?.throwIfAborted()
    if (++this.#entries > this.#limits.entries)
      throw new UnpackError(`more than ${this.#limits.entries} entries are in the archive`)
    const parts = name.split('/').filter((part) => part !== '' && part !== '.')
    // A colon is a drive or a hidden stream, a backslash a folder, on Windows.
    if (name.startsWith('/') || parts.includes('..') || /[\0\\:]/.test(name))
      throw new UnpackError(`${shown(name)} would not be inside the folder`)
    return join(this.#folder, ...parts)
  }
}

const shown = (name: string) => JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name)

const KIND = 0o170_000
const REGULAR = 0o100_000
const FOLDER = 0o040_000

async function unzip(archive: string, target: Target): Promise<void> {
  const zip = await yauzl.openPromise(archive, { autoClose: false })
  try {
    for await (const entry of zip.eachEntry()) {
      // The upper half holds the file's mode, if the archive was made on Unix; else 0.
      const mode = entry.externalFileAttributes >>> 16
      const kind = mode & KIND
      const name = entry.fileName
      if (kind !== 0 && kind !== REGULAR && kind !== FOLDER) target.refuse(name, 'a link or a device')
      if (name.endsWith('/')) await target.directory(name)
      else await target.file(name, (mode & 0o111) !== 0, content(zip, entry, target))
    }
  } finally {
    zip.close()
  }
}

/** What is in an entry, counted and checked. */
async function* content(zip: yauzl.ZipFile, entry: yauzl.Entry, target: Target): AsyncGenerator<Uint8Array> {
  let sum = 0
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    target.count(chunk.byteLength)
    sum = crc32(chunk, sum)
    yield chunk
  }
  if (sum !== entry.crc32) throw new UnpackError(`${shown(entry.fileName)} is damaged`)
}

async function untar(archive: string, target: Target): Promise<void> {
  const parser = new Parser({ strict: true })
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // told below, whether or not somebody waits for it just then
  parser.on('error', failed.reject)
  let writing = Promise.resolve()
  let drained = Promise.withResolvers<void>()
  parser.on('drain', () => drained.resolve())
  let over = false
  parser.on('eof', () => {
    over = true
  })
  let last: ReadEntry | undefined
  parser.on('entry', (entry) => {
    last = entry
    writing = writing.then(() => fromTar(entry, target))
    writing.catch(failed.reject)
  })
  const packed = createReadStream(archive)
  const unzipped = packed.pipe(createGunzip())
  packed.on('error', (error) => unzipped.destroy(error))
  try {
    for await (const chunk of unzipped) {
      // What comes out counts, not only what ends up in files: padding may be a bomb, too.
      target.count(chunk.byteLength)
      drained = Promise.withResolvers<void>()
      // The rest is padding, which the parser would pile up; it is read to its end for the checksum that stands there.
      if (over) continue
      // Behind its last entry the parser never says that it has drained: then everything has been written.
      if (!parser.write(chunk)) await Promise.race([drained.promise, writing, failed.promise])
    }
    const ended = new Promise((resolve) => parser.on('end', resolve))
    parser.end()
    // Only then has the last entry been seen.
    await Promise.race([ended.then(() => writing), failed.promise])
  } catch (error) {
    // Whoever writes the file that is not whole waits for more: that must end, and its handle be closed.
    last?.destroy(error)
    await writing.catch(() => {})
    throw error
  } finally {
    packed.destroy()
  }
}

async function fromTar(entry: ReadEntry, target: Target): Promise<void> {
  const { path, type, mode = 0 } = entry
  if (type === 'Directory') await target.directory(path)
  else if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile')
    return target.file(path, (mode & 0o111) !== 0, entry)
  else target.refuse(path, 'a link or a device')
  entry.resume()
}
