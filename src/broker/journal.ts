// The in-memory journal: a ring of entries bounded by bytes and age.

import type { Cursor, Entry, Journal } from './ports.ts'

/** What an entry costs beside its text: the object, its ring slot, the string's header. Measured on JavaScriptCore, rounded up. */
const ENTRY_OVERHEAD = 128

/** What one name of a targeted event costs. */
const NAME_OVERHEAD = 64

/** Texts with characters beyond Latin-1 take two bytes a character in memory; counted so for all, to stay on the safe side. */
const costOf = (raw: string, to: ReadonlySet<string> | undefined) =>
  raw.length * 2 + ENTRY_OVERHEAD + (to?.size ?? 0) * NAME_OVERHEAD

export class MemoryJournal implements Journal {
  readonly epoch: string = crypto.randomUUID()
  // Slot of sequence number n: n & (length - 1); the length is a power of two.
  #ring: (Entry | undefined)[] = new Array(64).fill(undefined)
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
    if (this.entries === this.#ring.length) this.#grow()
    const seq = this.#next++
    this.#ring[seq & (this.#ring.length - 1)] = { raw, time: now, to, next: position(seq + 1) }
    this.#bytes += costOf(raw, to)
    this.expire(now)
    return position(seq)
  }

  at(cursor: Cursor): Entry | undefined {
    return cursor < this.#first || cursor >= this.#next ? undefined : this.#ring[cursor & (this.#ring.length - 1)]
  }

  missed(cursor: Cursor): number {
    return Math.max(0, this.#first - cursor)
  }

  expire(now: number): void {
    const oldest = now - this.#maxAge
    while (this.entries > 1) {
      const slot = this.#first & (this.#ring.length - 1)
      const entry = this.#ring[slot]
      if (entry !== undefined) {
        if (this.#bytes <= this.#maxBytes && entry.time >= oldest) return
        this.#bytes -= costOf(entry.raw, entry.to)
      }
      this.#ring[slot] = undefined
      this.#first++
    }
  }

  limit(limits: { maxBytes: number; maxAge: number }): void {
    this.#maxBytes = limits.maxBytes
    this.#maxAge = limits.maxAge
  }

  #grow(): void {
    const old = this.#ring
    this.#ring = new Array(old.length * 2).fill(undefined)
    for (let seq = this.#first; seq < this.#next; seq++)
      this.#ring[seq & (this.#ring.length - 1)] = old[seq & (old.length - 1)]
  }
}

// Only the journal makes positions; a plain sequence number is one.
const position = (seq: number) => seq as Cursor
