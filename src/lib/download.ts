// Downloads one file over HTTP: goes on where it was cut off, gives silence up, checks size and SHA-256.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as after } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileProblem, isOfFiles } from './file-error.ts'

export interface Download {
  readonly url: string
  /** Where it goes, once it is whole and right. Until then it is `<file>.part`, which a later download goes on with. */
  readonly file: string
  /** What it must be, as far as that is known: bytes, and 64 hexadecimal digits. */
  readonly size?: number | undefined
  readonly sha256?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((progress: Progress) => void) | undefined
  readonly patience?: Partial<Patience> | undefined
}

/** In bytes. `total`: undefined when nobody says. */
export interface Progress {
  readonly received: number
  readonly total: number | undefined
}

export interface Downloaded {
  readonly size: number
  readonly sha256: string
  /** When the server's file was made, as far as it says. */
  readonly modified: Date | undefined
}

/** In milliseconds; `tries` in a row that bring nothing more. */
export interface Patience {
  silence: number
  pause: number
  tries: number
  /** The longest file (bytes) that is taken. */
  most: number
}
const PATIENCE: Patience = { silence: 30_000, pause: 1_000, tries: 3, most: 2 * 2 ** 30 }

/**
 * `refused`: the server said no, with `status`. `lost`: it cannot be reached, or not for long enough.
 * `wrong`: what came is not the file that was meant. `disk`: it cannot be kept.
 */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
  readonly why: 'refused' | 'lost' | 'wrong' | 'disk'
  readonly status: number | undefined
  constructor(why: DownloadError['why'], message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options)
    this.why = why
    this.status = options.status
  }
}

/** Worth another try. */
class Interrupted extends Error {
  readonly status: number | undefined
  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

/** What is known of a part: whether it may be gone on with is for the server to say. */
interface Note {
  readonly url: string
  /** For If-Range: a strong ETag or a date; '' when there is neither, and so no going on. */
  readonly validator: string
  readonly modified: string
}

/** Rejects with DownloadError, or with the signal's reason; a part that may be gone on with is left behind. */
export async function download(options: Download): Promise<Downloaded> {
  const { file, signal } = options
  const patience = { ...PATIENCE, ...options.patience }
  const part = `${file}.part`
  let most = await sizeOf(part)
  for (let failures = 0; ; ) {
    try {
      const note = await attempt(options, part, patience)
      return await finish(options, part, note)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (!(error instanceof Interrupted)) throw onDisk(error)
      const held = await sizeOf(part)
      failures = held > most ? 1 : failures + 1
      most = Math.max(most, held)
      if (failures >= patience.tries) throw givenUp(error)
      await sleep(patience.pause * failures, undefined, { signal }).catch(() => {}) // aborted: the next look at it
      signal?.throwIfAborted()
    }
  }
}

/** One request. Resolves once the part is whole. */
async function attempt(options: Download, part: string, patience: Patience): Promise<Note> {
  const { url, progress, signal } = options
  const old = await readNote(part)
  const held = old?.url === url && old.validator !== '' ? await sizeOf(part) : 0
  const ended = new AbortController()
  const timer = after(() => ended.abort(new Interrupted(silence(patience))), patience.silence)
  const end = () => ended.abort(signal?.reason)
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  try {
    const response = await fetch(url, {
      // The bytes as they lie there: a packed answer would be unpacked on the way, and have no ranges.
      headers: { 'Accept-Encoding': 'identity', ...(held > 0 && old && resumption(held, old)) },
      signal: ended.signal,
    })
    const whole = old && response.status === 416 && rangeOf(response).total === held
    if (whole) return old
    const { from, total } = await begin(response, held, part)
    checkTotal(total, options, patience)
    const note = from > 0 && old ? old : noteOf(url, response)
    const handle = await open(part, from > 0 ? 'a' : 'w')
    let received = from
    try {
      // After the part was emptied: a note must never stand beside bytes of another file.
      if (from === 0) await writeNote(part, note)
      progress?.({ received, total })
      for await (const chunk of response.body ?? []) {
        timer.refresh()
        await handle.appendFile(chunk)
        received += chunk.byteLength
        checkTotal(received, { ...options, size: undefined }, patience)
        progress?.({ received, total })
      }
    } finally {
      await handle.close()
    }
    if (total !== undefined && received < total) throw new Interrupted(`cut off after ${received} of ${total} bytes`)
    return note
  } catch (error) {
    if (ended.signal.aborted) throw ended.signal.reason
    throw isOurs(error) ? error : new Interrupted(reasonOf(error))
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}

const silence = ({ silence }: Patience) => `nothing came for ${Math.round(silence / 1000)} s`

/** What is wanted of a server that has the rest. */
const resumption = (held: number, { validator }: Note) => ({ Range: `bytes=${held}-`, 'If-Range': validator })

/** Where the answer starts, and how long the whole file is. */
async function begin(response: Response, held: number, part: string): Promise<{ from: number; total?: number }> {
  const { status } = response
  if (status === 206) {
    const { from, total } = rangeOf(response)
    if (held > 0 && from === held) return { from, ...(total !== undefined && { total }) }
  } else if (response.ok) {
    const length = Number(response.headers.get('content-length') ?? Number.NaN)
    return { from: 0, ...(Number.isSafeInteger(length) && { total: length }) }
  }
  await response.body?.cancel()
  if (status === 206 || status === 416) {
    await discard(part)
    throw new Interrupted('the server sent another part than was asked for', status)
  }
  const said = `the server answered ${status}${response.statusText === '' ? '' : ` ${response.statusText}`}`
  if (status >= 500 || status === 429 || status === 408) throw new Interrupted(said, status)
  throw new DownloadError('refused', said, { status })
}

function rangeOf(response: Response): { from?: number; total?: number } {
  const [, from, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? []
  return { ...(from && { from: Number(from) }), ...(total && total !== '*' && { total: Number(total) }) }
}

function checkTotal(total: number | undefined, { size }: Download, { most }: Patience): void {
  if (total === undefined) return
  if (size !== undefined && total !== size) throw wrongSize(total, size)
  if (total > most) throw new DownloadError('wrong', `the file is longer than ${most} bytes, the most that is taken`)
}

const wrongSize = (found: number, wanted: number) =>
  new DownloadError('wrong', `the file has ${found} bytes, wanted ${wanted}: another version, or not the file at all`)

/** Looks at what came as a whole, and gives it its name. */
async function finish({ file, size, sha256, signal }: Download, part: string, note: Note): Promise<Downloaded> {
  const found = await sizeOf(part)
  const hash = await sha256Of(part, signal)
  const wrong =
    size !== undefined && found !== size
      ? wrongSize(found, size)
      : sha256 !== undefined && hash !== sha256.toLowerCase()
        ? new DownloadError('wrong', `the file's SHA-256 is ${hash}, wanted ${sha256}: it is damaged, or another file`)
        : undefined
  if (wrong) {
    await discard(part)
    throw wrong
  }
  await rename(part, file)
  await rm(noteFile(part), { force: true })
  const modified = new Date(note.modified)
  return { size: found, sha256: hash, modified: Number.isNaN(modified.getTime()) ? undefined : modified }
}

/** 64 hexadecimal digits. */
export async function sha256Of(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, signal && { signal })) hash.update(chunk)
  return hash.digest('hex')
}

const noteFile = (part: string) => `${part}.json`
const writeNote = (part: string, note: Note) => writeFile(noteFile(part), JSON.stringify(note))

function noteOf(url: string, { headers }: Response): Note {
  const etag = headers.get('etag') ?? ''
  const modified = headers.get('last-modified') ?? ''
  // A weak ETag says that files mean the same, not that their bytes are.
  return { url, validator: etag.startsWith('"') ? etag : modified, modified }
}

async function readNote(part: string): Promise<Note | undefined> {
  try {
    const note: Partial<Note> | null = JSON.parse(await readFile(noteFile(part), 'utf8'))
    const texts = [note?.url, note?.validator, note?.modified]
    return texts.every((text) => typeof text === 'string') ? (note as Note) : undefined // just checked
  } catch {
    return undefined
  }
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true })
  await rm(noteFile(part), { force: true })
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

function isOurs(error: unknown): boolean {
  return error instanceof Interrupted || error instanceof DownloadError || isOfFiles(error)
}

const onDisk = (error: unknown) =>
  isOfFiles(error) ? new DownloadError('disk', fileProblem(error), { cause: error }) : error

function givenUp(error: Interrupted): DownloadError {
  const { message, status } = error
  return status !== undefined && status >= 400 && status !== 416
    ? new DownloadError('refused', message, { cause: error, status })
    : new DownloadError('lost', message, { cause: error })
}

/** Runtimes hide why a connection failed behind "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // And Bun adds advice for programmers.
  return error.cause instanceof Error
    ? reasonOf(error.cause)
    : error.message.replace(/ For more information, pass.*/, '')
}
