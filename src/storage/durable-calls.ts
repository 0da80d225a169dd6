// Durable calls: on disk before anybody is told that they are, and known here as long as they are wanted.

import type { DurableCall, DurableStore } from '../broker/ports.ts'
import type { DataFile } from './data-file.ts'

/** Runs a change on the file that is open; throws what the client is told while there is none. */
export type Change = (run: (file: DataFile) => void) => void

export class DurableCalls implements DurableStore {
  /** Ids of one run are not those of another. */
  readonly #run = crypto.randomUUID().slice(0, 8)
  #count = 0
  #calls = new Map<string, DurableCall>()
  /** Ended, and perhaps still on disk. */
  readonly #done = new Set<string>()
  readonly #change: Change
  readonly #changed: () => void

  /** @param changed there is something to write, some time soon. */
  constructor(change: Change, changed: () => void) {
    this.#change = change
    this.#changed = changed
  }

  add(wanted: Omit<DurableCall, 'id' | 'state'>): string {
    const id = `${this.#run}-${(this.#count + 1).toString(36)}`
    const call: DurableCall = { ...wanted, id, state: 'queued' }
    this.#change((file) => file.addCall(call))
    this.#count += 1
    this.#calls.set(id, call)
    return id
  }

  sent(id: string): void {
    const call = this.#calls.get(id)
    if (call === undefined || call.state === 'sent') return
    this.#change((file) => file.callSent(id))
    this.#calls.set(id, { ...call, state: 'sent' })
  }

  done(id: string): void {
    if (!this.#calls.delete(id)) return
    this.#done.add(id)
    this.#changed()
  }

  waiting(): readonly DurableCall[] {
    return [...this.#calls.values()]
  }

  /** There is something that the file does not know. */
  get behind(): boolean {
    return this.#done.size > 0
  }

  /**
   * The file has just been opened; it learns what it does not know, and may hold calls of an earlier run. True: it does.
   */
  attach(file: DataFile): boolean {
    const found = file.calls().filter(({ id }) => !this.#done.has(id))
    const known = new Set(found.map(({ id }) => id))
    file.transaction(() => {
      for (const call of this.#calls.values()) if (!known.has(call.id)) file.addCall(call)
      for (const id of this.#done) file.dropCall(id)
    }, true)
    this.#done.clear()
    const news = found.some(({ id }) => !this.#calls.has(id))
    // The file's first: they are older.
    this.#calls = new Map([...found.map((call) => [call.id, call] as const), ...this.#calls])
    return news
  }

  write(file: DataFile): void {
    if (this.#done.size === 0) return
    file.transaction(() => {
      for (const id of this.#done) file.dropCall(id)
    })
    this.#done.clear()
  }
}
