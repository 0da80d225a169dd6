// What of one bot survives a restart: kept in a file beside memory, which goes on alone while the file cannot be used.

import { join } from 'node:path'
import type { DurableStore, Journal, KeptSession, SessionStore } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { refuse } from '../onebot/retcode.ts'
import { putAside } from './aside.ts'
import { DataFile } from './data-file.ts'
import { DurableCalls } from './durable-calls.ts'
import { fileName } from './file-name.ts'
import { KeptJournal } from './kept-journal.ts'
import { BATCH, Mirror } from './mirror.ts'
import { type Restored, restore } from './restore.ts'
import { type Trouble, troubleOf } from './trouble.ts'

export interface StorageOptions {
  /** Where the file goes: `data-dir`. */
  readonly folder: string
  /** The bot's name, which no other bot has at the same time. */
  readonly name: string
  /** Those of journals: bytes of memory, milliseconds. */
  readonly limits: () => { maxBytes: number; maxAge: number }
  readonly report: Report
  /** The clock of the journal's entries: milliseconds since 1970. */
  readonly now: () => number
  /** Durable calls of an earlier run have come to light late: the file could not be used at the start. */
  readonly found?: (() => void) | undefined
  /** Milliseconds until a file that cannot be used is tried again. */
  readonly retry?: number | undefined
  /** Bytes the file may take; default: what its disk gives. */
  readonly ceiling?: number | undefined
}

/** Dispose of it last: what is appended afterwards is not kept, and its numbers are given away again. */
export interface Storage extends SessionStore, Disposable {
  readonly file: string
  /** What an earlier run has left. Its journal is the one to go on with. */
  readonly restored: Restored | undefined
  /** A new, empty journal; what was kept of the one before, and of sessions, is dropped. Durable calls stay. */
  journal(): Journal
  /** The account is known now. */
  identified(selfId: string): void
  /** Its methods throw ActionError (1503) while the file cannot be used. */
  readonly durable: DurableStore
  /** Why nothing is being kept at the moment; undefined: all is well. */
  readonly trouble: Trouble | undefined
  /** Writes everything now. */
  flush(): void
}

/** The file is at most so far behind (ms), and BATCH.entries events. */
const LAG = 50
/** What is written in one go when there is much (batches): the loop is to go round in between. */
const BATCHES = 4
/** How long a start waits for another program that has the file (ms). */
const PATIENCE = 1_000
const RETRY = 30_000

/** Never throws: what cannot be kept is told, and tried again. */
export function openStorage(options: StorageOptions): Storage {
  return new FileStorage(options)
}

class FileStorage implements Storage {
  readonly file: string
  readonly restored: Restored | undefined
  readonly durable: DurableCalls
  readonly #options: StorageOptions
  readonly #mirror: Mirror
  #open: DataFile | undefined
  #trouble: Trouble | undefined
  /** What was appended since the last writing. */
  #events = 0
  #characters = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: StorageOptions) {
    this.#options = options
    this.file = join(options.folder, fileName(options.name))
    this.#mirror = new Mirror(() => this.#soon())
    this.durable = new DurableCalls(
      (run) => this.#change(run),
      () => this.#soon(),
    )
    this.restored = this.#start()
  }

  get trouble(): Trouble | undefined {
    return this.#trouble
  }

  journal(): Journal {
    const journal = new KeptJournal(this.#options.limits(), { appended: this.#appended })
    this.#mirror.follow(journal, undefined)
    // At once: of another account's events nothing is to be found.
    this.#attempt((file) => this.#mirror.attach(file))
    return journal
  }

  identified(selfId: string): void {
    this.#mirror.identified(selfId)
  }
  remember(session: KeptSession): void {
    this.#mirror.remember(session)
  }
  forget(appId: string): void {
    this.#mirror.forget(appId)
  }
  mark: SessionStore['mark'] = (name, position) => this.#mirror.mark(name, position)

  flush(): void {
    while (this.#write());
  }

  [Symbol.dispose](): void {
    if (this.#closed) return
    this.flush()
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#retry)
    this.#attempt((file) => this.#mirror.settle(file))
    this.#close()
  }

  #start(): Restored | undefined {
    const restored = this.#read()
    if (restored === undefined) return undefined
    const { journal, sessions, clean } = restored
    this.#mirror.follow(journal, { ...restored, account: restored.selfId })
    this.#attempt((file) => this.#mirror.attach(file))
    const counts = { events: journal.entries, sessions: sessions.length, calls: this.durable.waiting().length }
    this.#options.report({ kind: 'storage-restored', bot: this.#options.name, file: this.file, ...counts, clean })
    return restored
  }

  #read(): Restored | undefined {
    const { limits, now } = this.#options
    try {
      const file = this.#openFile(PATIENCE)
      const restored = restore(file, { limits: limits(), now: now(), appended: this.#appended })
      this.durable.attach(file)
      return restored
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  #openFile(wait: number): DataFile {
    this.#open = DataFile.open(this.file, { wait, ceiling: this.#options.ceiling })
    return this.#open
  }

  #close(): void {
    this.#open?.close()
    this.#open = undefined
  }

  readonly #appended = (journal: KeptJournal, characters: number): void => {
    if (this.#closed || journal !== this.#mirror.journal) return
    if (this.#open === undefined) return this.#mirror.checkReserve()
    this.#events += 1
    this.#characters += characters
    if (this.#events >= BATCH.entries || this.#characters >= BATCH.bytes) this.#writeSome()
    else this.#soon()
  }

  #soon(): void {
    if (this.#open === undefined || this.#closed) return
    this.#timer ??= setTimeout(() => this.#writeSome(), LAG)
  }

  #writeSome(): void {
    if (!this.#write()) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#writeSome(), 0)
  }

  /** True: there is more to write. */
  #write(): boolean {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#events = 0
    this.#characters = 0
    let more = false
    this.#attempt((file) => {
      if (this.#mirror.behind) more = !this.#mirror.write(file, BATCHES)
      this.durable.write(file)
      // Only now: a disk that is full lets itself be opened.
      if (!more) this.#well()
    })
    return more
  }

  /** Does nothing while there is no file. */
  #attempt(run: (file: DataFile) => void): void {
    if (this.#open === undefined) return
    try {
      run(this.#open)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** On disk when it returns. @throws ActionError */
  #change(run: (file: DataFile) => void): void {
    const file = this.#open
    try {
      if (file !== undefined) return file.transaction(() => run(file), true)
    } catch (error) {
      this.#failed(error)
    }
    const why = this.#trouble?.why ?? 'the gateway is stopping'
    refuse('unavailable', `durable: the call cannot be kept, and was not accepted: ${why}`)
  }

  #failed(error: unknown): void {
    this.#close()
    let trouble = troubleOf(error)
    if (trouble.fault === 'damaged') {
      try {
        this.#setAside(trouble.why)
        return this.#use(0)
      } catch (again) {
        this.#close()
        trouble = troubleOf(again)
      }
    }
    this.#tell(trouble)
    if (this.#closed) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#again(), this.#options.retry ?? RETRY)
    this.#retry.unref?.()
  }

  #setAside(why: string): void {
    const { name, report, now } = this.#options
    const aside = putAside(this.file, now())
    report({ kind: 'storage-set-aside', bot: name, file: this.file, aside, why })
  }

  /** Once, until it is over or something else. */
  #tell(trouble: Trouble): void {
    const before = this.#trouble
    this.#trouble = trouble
    if (before?.why === trouble.why) return
    const { why, remedy } = trouble
    this.#options.report({ kind: 'storage-failed', bot: this.#options.name, file: this.file, why, remedy })
  }

  #well(): void {
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#options.report({ kind: 'storage-back', bot: this.#options.name, file: this.file })
  }

  /** Opens the file for what memory has. */
  #use(wait: number): void {
    const file = this.#openFile(wait)
    const found = this.durable.attach(file)
    this.#mirror.attach(file)
    this.#soon()
    if (found) this.#options.found?.()
  }

  #again(): void {
    try {
      this.#use(0)
    } catch (error) {
      this.#failed(error)
    }
  }
}
