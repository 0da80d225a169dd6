// The in-memory journal: a ring of entries bounded by bytes and age, which makes next to no objects.

import { Pages } from './pages.ts'
import type { Cursor, Entry, Journal } from './ports.ts'

/** What an entry costs beside its text: its slots in the rings, which may be half empty. */
const ENTRY_OVERHEAD = 40

/** What one name of a targeted event costs. */
const NAME_OVERHEAD = 64

const costOf = (bytes: number, to: ReadonlySet<string> | undefined) =>
  bytes + ENTRY_OVERHEAD + (to?.size ?? 0) * NAME_OVERHEAD

/** A slot for each entry; of sequence number n: n & (length - 1), the length being a power of two. */
const rings = (length: number) => ({
  places: new Float64Array(length),
  sizes: new Float64Array(length),
  times: new Float64Array(length),
})

export class MemoryJournal implements Journal {
  readonly epoch: string = crypto.randomUUID()
  #length = 64
  #rings = rings(this.#length)
  readonly #pages = new Pages()
  /** Of the few events that are not for everybody, by sequence number. */
  readonly #to = new Map<number, ReadonlySet<string>>()
  #first = 1
  #next = 1
  #bytes = 0
  #maxBytes: number
  #maxAge: number

  /** @param limits `maxBytes` of memory and `maxAge` in milliseconds. */
  constructor(limits: { maxBytes: number; maxAge: number }) {
    this.#maxBytes = limits.maxBytes
    this.#maxAge = limits.maxAge
  }

  get entries(): number {
    return this.#next - this.#first
  }
  get bytes(): number {
    return this.#bytes
  }
  get head(): Cursor {
    return position(this.#next)
  }
  get first(): Cursor {
    return position(this.#first)
  }

  append(raw: string, now: number, to?: ReadonlySet<string>): Cursor {
    if (this.entries === this.#length) this.#grow()
    const seq = this.#next++
    const slot = this.#slot(seq)
    this.#rings.places[slot] = this.#pages.place(raw)
    const size = this.#pages.write(raw)
    this.#rings.sizes[slot] = size
    this.#rings.times[slot] = now
    if (to !== undefined) this.#to.set(seq, to)
    this.#bytes += costOf(size, to)
    this.expire(now)
    return position(seq)
  }

  at(cursor: Cursor): Entry | undefined {
    if (cursor < this.#first || cursor >= this.#next) return undefined
    const slot = this.#slot(cursor)
    const { places, sizes, times } = this.#rings
    return {
      raw: this.#pages.read(places[slot] ?? 0, sizes[slot] ?? 0),
      time: times[slot] ?? 0,
      to: this.#to.get(cursor),
      next: position(cursor + 1),
    }
  }

  missed(cursor: Cursor): number {
    return Math.max(0, this.#first - cursor)
  }

  pending(cursor: Cursor, appId: string): number {
    let pending = this.#next - cursor
    for (const [seq, to] of this.#to) if (seq >= cursor && !to.has(appId)) pending -= 1
    return pending
  }

  after(number: number): Cursor | undefined {
    return Number.isSafeInteger(number) && number > 0 && number < this.#next ? position(number + 1) : undefined
  }

  expire(now: number): void {
    const oldest = now - this.#maxAge
    while (this.entries > 1) {
      const slot = this.#slot(this.#first)
      const { places, sizes, times } = this.#rings
      if (this.#bytes <= this.#maxBytes && (times[slot] ?? 0) >= oldest) return
      const to = this.#to.size === 0 ? undefined : this.#to.get(this.#first)
      if (to !== undefined) this.#to.delete(this.#first)
      this.#bytes -= costOf(sizes[slot] ?? 0, to)
      this.#first++
      this.#pages.drop(places[slot] ?? 0, places[this.#slot(this.#first)] ?? 0)
    }
  }

  limit(limits: { maxBytes: number; maxAge: number }): void {
    this.#maxBytes = limits.maxBytes
    this.#maxAge = limits.maxAge
  }

  #slot(seq: number): number {
    return seq & (this.#length - 1)
  }

  #grow(): void {
    const old = this.#rings
    const length = this.#length * 2
    const grown = rings(length)
    for (let seq = this.#first; seq < this.#next; seq++)
      for (const name of ['places', 'sizes', 'times'] as const)
        grown[name][seq & (length - 1)] = old[name][seq & (this.#length - 1)] ?? 0
    this.#rings = grown
    this.#length = length
  }
}

// Only the journal makes positions; a plain sequence number is one.
const position = (seq: number) => seq as Cursor
