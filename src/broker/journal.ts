// The in-memory journal: a ring of entries bounded by bytes and age, which makes next to no objects.

import type { Buffer } from 'node:buffer'
import { type Gap, Gaps } from './gaps.ts'
import { Pages } from './pages.ts'
import type { Cursor, Entry, Journal } from './ports.ts'

/** What an entry costs beside its text: its slots in the rings, which may be half empty. */
const ENTRY_OVERHEAD = 40

/** What one name of a targeted event costs. */
const NAME_OVERHEAD = 64

const costOf = (bytes: number, to: ReadonlySet<string> | undefined) =>
  bytes + ENTRY_OVERHEAD + (to?.size ?? 0) * NAME_OVERHEAD

/** A slot for each entry; of the entry with index n: n & (length - 1), the length being a power of two. */
const rings = (length: number) => ({
  places: new Float64Array(length),
  sizes: new Float64Array(length),
  times: new Float64Array(length),
})

/** Entries with consecutive numbers, as they are kept elsewhere. */
export interface Packed {
  /** The number of the first. */
  readonly first: number
  /** Of each entry: milliseconds since 1970, and the bytes of its text. */
  readonly times: Float64Array
  readonly sizes: Uint32Array
  /** Of targeted entries, by their place among these (0 is the first). */
  readonly to: ReadonlyMap<number, ReadonlySet<string>>
  /** The texts one after the other, in UTF-8. */
  readonly texts: Uint8Array
}

/** Where a journal begins that is not new. */
export interface Beginning {
  readonly epoch: string
  /** The number of the first entry to be loaded, or else to come. */
  readonly first: number
  /** Which numbers are left out. */
  readonly gaps: readonly Gap[]
}

export class MemoryJournal implements Journal {
  readonly gaps: Gaps
  #epoch: string
  #length = 64
  #rings = rings(this.#length)
  readonly #pages = new Pages()
  /** Of the few events that are not for everybody, by index. */
  readonly #to = new Map<number, ReadonlySet<string>>()
  /** Indices: sequence numbers without the gaps. */
  #first: number
  #next: number
  #bytes = 0
  #maxBytes: number
  #maxAge: number

  /** @param limits `maxBytes` of memory and `maxAge` in milliseconds. @param beginning default: a new journal. */
  constructor(limits: { maxBytes: number; maxAge: number }, beginning?: Beginning) {
    this.#maxBytes = limits.maxBytes
    this.#maxAge = limits.maxAge
    this.#epoch = beginning?.epoch ?? crypto.randomUUID()
    this.gaps = new Gaps(beginning?.gaps ?? [])
    this.#first = this.gaps.index(beginning?.first ?? 1)
    this.#next = this.#first
  }

  get epoch(): string {
    return this.#epoch
  }
  get entries(): number {
    return this.#next - this.#first
  }
  get bytes(): number {
    return this.#bytes
  }
  get head(): Cursor {
    return this.#position(this.#next)
  }
  get first(): Cursor {
    return this.#position(this.#first)
  }

  append(raw: string, now: number, to?: ReadonlySet<string>): Cursor {
    const place = this.#pages.place(raw)
    const index = this.#add(place, this.#pages.write(raw), now, to)
    this.expire(now)
    return this.#position(index)
  }

  at(cursor: Cursor): Entry | undefined {
    const index = this.gaps.index(cursor)
    if (index < this.#first || index >= this.#next) return undefined
    const slot = this.#slot(index)
    const { places, sizes, times } = this.#rings
    return {
      raw: this.#pages.read(places[slot] ?? 0, sizes[slot] ?? 0),
      time: times[slot] ?? 0,
      to: this.#to.get(index),
      next: this.#position(index + 1),
    }
  }

  missed(cursor: Cursor): number {
    return Math.max(0, this.#first - this.gaps.index(cursor))
  }

  pending(cursor: Cursor, appId: string): number {
    const from = this.gaps.index(cursor)
    let pending = this.#next - from
    for (const [index, to] of this.#to) if (index >= from && !to.has(appId)) pending -= 1
    return pending
  }

  after(number: number): Cursor | undefined {
    if (!Number.isSafeInteger(number) || number <= 0 || number >= this.head) return undefined
    const index = this.gaps.index(number)
    // A number of a gap was an entry's once: what follows it is the entry after the gap.
    return this.#position(this.gaps.seq(index) === number ? index + 1 : index)
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

  /** From now on positions of before count as those of another journal for whoever has noted them down elsewhere. */
  renew(): void {
    this.#epoch = crypto.randomUUID()
  }

  /** Entries of an earlier run, which follow the last one here; nothing expires. `now` is the latest they can be of. */
  load({ times, sizes, to, texts }: Packed, now: number): void {
    let start = 0
    for (const [at, size] of sizes.entries()) {
      const { place, size: taken } = this.#pages.put(texts.subarray(start, start + size))
      this.#add(place, taken, Math.min(times[at] ?? 0, now), to.get(at))
      start += size
    }
  }

  /**
   * What stands from `from` on, `limits.entries` at most, with texts of `limits.bytes` in all unless the first alone has
   * more. Undefined: nothing. `texts` lies in a buffer of `room(bytes)`, which may hold more.
   */
  pack(from: number, limits: { entries: number; bytes: number }, room: (bytes: number) => Buffer): Packed | undefined {
    const start = Math.max(this.#first, this.gaps.index(from))
    const { count, bytes } = this.#run(start, limits)
    if (count === 0) return undefined
    const texts = room(bytes)
    const packed = { times: new Float64Array(count), sizes: new Uint32Array(count), to: new Map() }
    const { places, sizes, times } = this.#rings
    let end = 0
    for (let at = 0; at < count; at++) {
      const slot = this.#slot(start + at)
      const [place = 0, size = 0] = [places[slot], sizes[slot]]
      this.#pages.copy(place, size, texts, end)
      packed.sizes[at] = this.#pages.encoded(place, size)
      end += packed.sizes[at] ?? 0
      packed.times[at] = times[slot] ?? 0
      const to = this.#to.size === 0 ? undefined : this.#to.get(start + at)
      if (to !== undefined) packed.to.set(at, to)
    }
    return { ...packed, first: this.#position(start), texts: texts.subarray(0, bytes) }
  }

  /** How many entries without a gap between them keep to the limits, and the bytes of their texts. */
  #run(start: number, limits: { entries: number; bytes: number }): { count: number; bytes: number } {
    const most = Math.min(limits.entries, this.#next - start)
    const first = this.#position(start)
    let [count, bytes] = [0, 0]
    for (; count < most && this.#position(start + count) === first + count; count++) {
      const slot = this.#slot(start + count)
      const size = this.#pages.encoded(this.#rings.places[slot] ?? 0, this.#rings.sizes[slot] ?? 0)
      if (count > 0 && bytes + size > limits.bytes) break
      bytes += size
    }
    return { count, bytes }
  }

  #add(place: number, size: number, time: number, to: ReadonlySet<string> | undefined): number {
    if (this.entries === this.#length) this.#grow()
    const index = this.#next++
    const slot = this.#slot(index)
    this.#rings.places[slot] = place
    this.#rings.sizes[slot] = size
    this.#rings.times[slot] = time
    if (to !== undefined) this.#to.set(index, to)
    this.#bytes += costOf(size, to)
    return index
  }

  #slot(index: number): number {
    return index & (this.#length - 1)
  }

  // Only the journal makes positions; a plain sequence number is one.
  #position(index: number): Cursor {
    return this.gaps.seq(index) as Cursor
  }

  #grow(): void {
    const old = this.#rings
    const length = this.#length * 2
    const grown = rings(length)
    for (let index = this.#first; index < this.#next; index++)
      for (const name of ['places', 'sizes', 'times'] as const)
        grown[name][index & (length - 1)] = old[name][index & (this.#length - 1)] ?? 0
    this.#rings = grown
    this.#length = length
  }
}
