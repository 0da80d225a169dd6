// The numbers that messages were given, in a file of their own: written in rows of many, found at once, bounded.

import { join } from 'node:path'
import { addTo, type MessageRow, messagesOf, ROW } from '../broker/message-rows.ts'
import type { MessageNumbers, NumberedMessage } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { putAside } from './aside.ts'
import { fileName } from './file-name.ts'
import { type FileHash, NumbersFile } from './numbers-file.ts'
import { troubleOf } from './trouble.ts'

export interface MessageNumbersOptions {
  /** Where the file goes: `data-dir`. */
  readonly folder: string
  /** The upstream's name, which no other has. */
  readonly name: string
  /** The bot's, for facts. */
  readonly bot: string
  readonly report: Report
  /** Rows of messages in one generation; there are two, and the older one goes. */
  readonly most?: number | undefined
  /** Milliseconds after which a generation is closed, however few are in it. */
  readonly age?: number | undefined
}

/** Rows of messages in one generation: of 32 messages where a conversation is busy, of one where it is not. */
const MOST = 500_000
const AGE = 90 * 24 * 3_600_000
/** The file is at most so far behind (ms), or so many rows. */
const LAG = 100
const BATCH = 2_000
/** Kept in memory while the disk takes nothing; then the oldest go. */
const MOST_WAITING = 100_000
/** A file that cannot be used is tried again after this long (ms). */
const RETRY = 30_000

/** Never throws: what the disk does not take is told, kept in memory as far as there is room, and tried again. */
export function messageNumbers(options: MessageNumbersOptions): MessageNumbers {
  return new KeptNumbers(options)
}

const NOTHING: ReturnType<NumbersFile['between']> = { young: [], old: [] }

class KeptNumbers implements MessageNumbers {
  readonly #options: MessageNumbersOptions
  readonly #path: string
  #open: NumbersFile | undefined
  /** By account, and there by their first number: not written yet. */
  readonly #waiting = new Map<number, Map<number, MessageRow[]>>()
  #waitingRows = 0
  readonly #files = new Map<string, FileHash>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #triedAt = Number.NEGATIVE_INFINITY
  #failing = false
  #closed = false

  constructor(options: MessageNumbersOptions) {
    this.#options = options
    this.#path = join(options.folder, `milky-${fileName(options.name)}`)
    this.#attempt(() => undefined)
  }

  between(account: number, first: number, last: number): readonly NumberedMessage[] {
    const from = first - (first % ROW)
    const { young, old } = this.#attempt((open) => open.between(account, from, last)) ?? NOTHING
    const found = new Map<number, NumberedMessage>()
    for (const row of young) for (const one of messagesOf(row)) found.set(one.id, one)
    for (const row of old)
      for (const one of messagesOf(row)) {
        if (found.has(one.id)) continue
        found.set(one.id, one)
        // What is asked for is not forgotten with its generation.
        this.keep(account, one)
      }
    const waiting = this.#waiting.get(account)
    for (let start = from; waiting !== undefined && start <= last; start += ROW)
      for (const row of waiting.get(start) ?? []) for (const one of messagesOf(row)) found.set(one.id, one)
    return [...found.values()].filter(({ id }) => id >= first && id <= last)
  }

  keep(account: number, message: NumberedMessage): void {
    const waiting = this.#waiting.get(account) ?? new Map<number, MessageRow[]>()
    this.#waiting.set(account, waiting)
    const first = message.id - (message.id % ROW)
    const rows = waiting.get(first) ?? []
    if (addTo(rows, message)) {
      waiting.set(first, rows)
      this.#waitingRows += 1
    }
    // The disk has taken nothing for long: what was known only here is not known any more.
    if (this.#waitingRows > MOST_WAITING) this.#drop()
    this.#soon()
  }

  fileHash(account: number, fileId: string): string | undefined {
    const waiting = this.#files.get(`${account}|${fileId}`)
    return waiting?.hash ?? this.#attempt((open) => open.fileHash(account, fileId))
  }

  keepFile(account: number, fileId: string, hash: string): void {
    this.#files.set(`${account}|${fileId}`, { account, id: fileId, hash })
    if (this.#files.size > MOST_WAITING) this.#drop()
    this.#soon()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#write()
    this.#open?.close()
    this.#open = undefined
    // Nothing is opened any more, and nothing waits to be written: an answer that was on its way may still tell something.
    this.#triedAt = Number.POSITIVE_INFINITY
    this.#closed = true
    this.#drop()
    clearTimeout(this.#timer)
  }

  #drop(): void {
    this.#waiting.clear()
    this.#waitingRows = 0
    this.#files.clear()
  }

  #soon(): void {
    if (this.#closed) return this.#drop()
    if (this.#waitingRows >= BATCH && !this.#failing) this.#write()
    else this.#timer ??= setTimeout(() => this.#write(), this.#failing ? RETRY : LAG)
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waitingRows === 0 && this.#files.size === 0) return
    const written = this.#attempt((open) => {
      open.write(this.#waiting, this.#files.values())
      return true
    })
    if (written !== true) return this.#soon()
    this.#drop()
  }

  #attempt<T>(work: (open: NumbersFile) => T): T | undefined {
    const { most = MOST, age = AGE, report, bot } = this.#options
    if (this.#open === undefined && performance.now() - this.#triedAt < RETRY) return undefined
    try {
      if (this.#open === undefined) {
        this.#triedAt = performance.now()
        this.#open = new NumbersFile(this.#path, most, age)
      }
      const result = work(this.#open)
      if (this.#failing) report({ kind: 'storage-back', bot, file: this.#path })
      this.#failing = false
      return result
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  #failed(error: unknown): void {
    const { report, bot } = this.#options
    const { fault, why, remedy } = troubleOf(error)
    this.#open?.close()
    this.#open = undefined
    const file = this.#path
    if (!this.#failing) report({ kind: 'storage-failed', bot, file, why, remedy })
    this.#failing = true
    if (fault !== 'damaged') return
    try {
      report({ kind: 'storage-set-aside', bot, file, aside: putAside(file, Date.now()), why })
      this.#triedAt = Number.NEGATIVE_INFINITY
    } catch {
      // It has been told, and is tried again.
    }
  }
}
