import { heapStats } from 'bun:jsc'
import { expect, test } from 'bun:test'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { MemoryJournal, type Packed } from '../../src/broker/journal.ts'
import type { Cursor } from '../../src/broker/ports.ts'
import { journalContract, read, text } from '../contract/journal.ts'

const roomy = { maxBytes: 1e9, maxAge: 1e9 }
const room = (bytes: number) => Buffer.alloc(bytes)

for (const { name, run } of journalContract) test(name, () => run((limits) => new MemoryJournal(limits)))

test('[JRN7] a full journal holds no more objects than before', () => {
  const journal = new MemoryJournal({ maxBytes: 100_000, maxAge: 1e9 })
  const fill = () => {
    for (let n = 0; n < 50_000; n++) journal.append('x'.repeat(50), 0)
    Bun.gc(true)
    return heapStats().objectTypeCounts['Object'] ?? 0
  }
  // Full: every entry that comes lets one go.
  const full = fill()
  expect(Math.abs(fill() - full)).toBeLessThan(5_000)
  expect(journal.entries).toBeLessThan(1_200)
})

test('[JRN9] a full journal costs the collector no more objects than an empty one', () => {
  const journal = new MemoryJournal({ maxBytes: 16 * 1024 * 1024, maxAge: 1e9 })
  Bun.gc(true)
  const { objectCount } = heapStats()
  for (let n = 0; n < 60_000; n++) journal.append(`${n}${'中'.repeat(100)}`, n)
  Bun.gc(true)
  expect(journal.entries).toBeGreaterThan(40_000)
  // Some are code that has just been compiled.
  expect(heapStats().objectCount - objectCount).toBeLessThan(5_000)
})

/** A journal whose next entry has the number `head`, after gaps that may lie anywhere. */
function withGaps(gaps: { start: number; end: number }[], limits = roomy): MemoryJournal {
  return new MemoryJournal(limits, { epoch: 'the epoch', first: 1, gaps })
}

test('[JRN10] numbers that are left out hold nothing, cost nothing and are no loss; positions among them go on after them', () => {
  const journal = withGaps([{ start: 4, end: 1_000 }])
  const positions = ['a', 'b', 'c', 'd', 'e'].map((raw, at) => journal.append(raw, at))
  expect(positions as number[]).toEqual([1, 2, 3, 1_000, 1_001])
  expect(read(journal)).toEqual(['a', 'b', 'c', 'd', 'e'])
  for (const inside of [4, 5, 999, 1_000]) expect(read(journal, inside as Cursor)).toEqual(['d', 'e'])
  expect(journal.at(3 as Cursor)).toMatchObject({ raw: 'c', next: 1_000 })
  expect([journal.entries, journal.head as number]).toEqual([5, 1_002])
  journal.limit({ maxBytes: 1e9, maxAge: 0 })
  journal.expire(4)
  expect(read(journal)).toEqual(['e'])
  expect([1, 3, 4, 500, 1_000, 1_001].map((at) => journal.missed(at as Cursor))).toEqual([4, 2, 1, 1, 1, 0])
})

test('[JRN10] counts of what is to come, and positions after a number, know of the gaps too', () => {
  const journal = withGaps([{ start: 3, end: 10 }])
  for (const raw of ['a', 'b', 'c', 'd']) journal.append(raw, 0, raw === 'd' ? new Set(['alice']) : undefined)
  expect([1, 3, 7, 10, 12].map((from) => journal.pending(from as Cursor, 'alice'))).toEqual([4, 2, 2, 2, 0])
  expect(journal.pending(1 as Cursor, 'bob')).toBe(3)
  expect([0, 1, 2, 5, 10, 11, 12].map((number) => journal.after(number) as number | undefined)).toEqual([
    undefined,
    2,
    10,
    10,
    11,
    12,
    undefined,
  ])
})

test('[JRN10] with any gaps a reader finds every entry once, in order, and counts every loss', () => {
  const gap = fc.record({ entries: fc.nat(20), numbers: fc.integer({ min: 1, max: 2_000 }) })
  fc.assert(
    fc.property(fc.array(gap, { maxLength: 8 }), fc.integer({ min: 1, max: 60 }), (wanted, kept) => {
      const gaps: { start: number; end: number }[] = []
      let at = 1
      for (const { entries, numbers } of wanted) {
        const start = at + entries
        const last = gaps.at(-1)
        if (last?.end === start) last.end += numbers
        else gaps.push({ start, end: start + numbers })
        at = start + numbers
      }
      const journal = withGaps(gaps, { maxBytes: 1e9, maxAge: kept })
      const numbers = Array.from({ length: 200 }, (_, n) => journal.append(String(n), n))
      for (const [n, number] of numbers.entries()) {
        expect(gaps.some(({ start, end }) => number >= start && number < end)).toBe(false)
        expect(journal.missed(number)).toBe(Math.max(0, 200 - journal.entries - n))
        if (n >= 200 - journal.entries) expect(journal.at(number)?.raw).toBe(String(n))
      }
      expect(read(journal).length).toBe(journal.entries)
    }),
  )
})

test('[JRN11] what is packed and loaded elsewhere is the same there: numbers, texts, times and addressees', () => {
  const journal = withGaps([{ start: 300, end: 5_000 }])
  const names = (n: number) => (n % 7 === 0 ? new Set([`a${n}`, 'b']) : undefined)
  for (let n = 0; n < 1_000; n++) journal.append(text(n), n, names(n))
  const copy = withGaps([{ start: 300, end: 5_000 }])
  const batches: Packed[] = []
  for (let from = 1; ; ) {
    const packed = journal.pack(from, { entries: 64, bytes: 200_000 }, room)
    if (packed === undefined) break
    batches.push(packed)
    copy.load(packed, 1e9)
    from = packed.first + packed.sizes.length
  }
  expect(
    batches.every(({ sizes, texts }) => sizes.length <= 64 && (texts.length <= 200_000 || sizes.length === 1)),
  ).toBe(true)
  // No batch has a gap inside: its entries are numbered one after the other.
  expect(batches.some(({ first, sizes }) => first + sizes.length === 300)).toBe(true)
  expect(copy.head).toBe(journal.head)
  for (let entry = journal.at(journal.first), at = journal.first; entry !== undefined; ) {
    expect(copy.at(at)).toEqual(entry)
    at = entry.next
    entry = journal.at(at)
  }
  // Both go on alike.
  expect(copy.append('next', 1_000)).toBe(journal.append('next', 1_000))
})

test('[JRN11] nobody is younger than now, whatever a clock said when it was packed', () => {
  const journal = new MemoryJournal(roomy)
  journal.append('from the future', 9_999)
  const packed = journal.pack(1, { entries: 1, bytes: 1 }, room)
  const copy = new MemoryJournal({ maxBytes: 1e9, maxAge: 100 })
  copy.load(packed as Packed, 500)
  copy.append('later', 601)
  expect(read(copy)).toEqual(['later'])
})
