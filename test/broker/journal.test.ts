import { heapStats } from 'bun:jsc'
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { MemoryJournal } from '../../src/broker/journal.ts'
import type { Cursor } from '../../src/broker/ports.ts'

const roomy = { maxBytes: 1e9, maxAge: 1e9 }

/** All that a reader starting at `cursor` finds. */
function read(journal: MemoryJournal, cursor: Cursor): string[] {
  const found: string[] = []
  for (let entry = journal.at(cursor); entry !== undefined; entry = journal.at(entry.next)) found.push(entry.raw)
  return found
}

test('[JRN1] entries are read in order from any position still held, and nothing is at the head', () => {
  const journal = new MemoryJournal(roomy)
  const start = journal.head
  expect(journal.at(start)).toBeUndefined()
  const positions = ['a', 'b', 'c'].map((raw) => journal.append(raw, 5))
  expect(read(journal, start)).toEqual(['a', 'b', 'c'])
  expect(read(journal, positions[1] as Cursor)).toEqual(['b', 'c'])
  expect(journal.at(journal.head)).toBeUndefined()
  expect(journal.at(start)).toMatchObject({ raw: 'a', time: 5 })
  journal.append('d', 6)
  expect(read(journal, positions[2] as Cursor)).toEqual(['c', 'd'])
})

test('[JRN2] the oldest give way to what is too much, and the newest stays however big', () => {
  const journal = new MemoryJournal({ maxBytes: 10_000, maxAge: 1e9 })
  for (let n = 0; n < 100; n++) {
    journal.append(String(n).padEnd(1_000, '.'), n)
    expect(journal.bytes).toBeLessThanOrEqual(10_000)
  }
  expect(journal.entries).toBe(9)
  expect(read(journal, journal.first).map(Number.parseFloat)).toEqual([91, 92, 93, 94, 95, 96, 97, 98, 99])
  const big = 'x'.repeat(50_000)
  journal.append(big, 100)
  expect(read(journal, journal.first)).toEqual([big])
  journal.append('small', 101)
  expect(read(journal, journal.first)).toEqual(['small'])
  expect(journal.bytes).toBeLessThan(1_000)
})

test('[JRN3] what is older than the age limit goes, but for the newest', () => {
  const journal = new MemoryJournal({ maxBytes: 1e9, maxAge: 100 })
  for (const time of [0, 50, 100]) journal.append(`at ${time}`, time)
  expect(journal.entries).toBe(3)
  journal.expire(101)
  expect(read(journal, journal.first)).toEqual(['at 50', 'at 100'])
  journal.append('at 151', 151)
  expect(read(journal, journal.first)).toEqual(['at 100', 'at 151'])
  journal.expire(1e6)
  expect(read(journal, journal.first)).toEqual(['at 151'])
})

test('[JRN4] a position whose entry is gone tells how many are missing, and finds nothing', () => {
  const journal = new MemoryJournal({ maxBytes: 1e9, maxAge: 100 })
  const start = journal.head
  for (let n = 0; n < 10; n++) journal.append('x', n)
  expect(journal.missed(start)).toBe(0)
  journal.expire(107)
  expect([journal.missed(start), journal.missed(journal.first), journal.missed(journal.head)]).toEqual([7, 0, 0])
  expect(journal.at(start)).toBeUndefined()
})

test('[JRN5] any mixture of sizes, ages and limits keeps the newest entries, in order, within the limits', () => {
  const step = fc.record({ size: fc.nat(400), later: fc.nat(30), maxBytes: fc.integer({ min: 1, max: 20_000 }) })
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 400 }),
      fc.integer({ min: 1, max: 2_000 }),
      (steps, maxAge) => {
        const journal = new MemoryJournal({ maxBytes: 20_000, maxAge })
        const start = journal.head
        const all: { raw: string; time: number }[] = []
        let now = 0
        let limit = 20_000
        for (const { size, later, maxBytes } of steps) {
          now += later
          if (maxBytes < 400) {
            limit = maxBytes * 50
            journal.limit({ maxBytes: limit, maxAge })
          }
          const raw = `${all.length}:${'x'.repeat(size)}`
          all.push({ raw, time: now })
          journal.append(raw, now)
          const missed = journal.missed(start)
          expect(journal.entries).toBe(all.length - missed)
          expect(read(journal, journal.first)).toEqual(all.slice(missed).map((entry) => entry.raw))
          if (journal.entries === 1) continue
          expect(journal.bytes).toBeLessThanOrEqual(limit)
          expect((all[missed] as { time: number }).time).toBeGreaterThanOrEqual(now - maxAge)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('[JRN5] the ring grows without mixing entries up, also when it has wrapped', () => {
  const journal = new MemoryJournal({ maxBytes: 1e12, maxAge: 10 })
  let next = 0
  // 40 in, most of them out again: the first slot in use is in the middle when the ring must grow.
  for (; next < 40; next++) journal.append(String(next), 0)
  journal.expire(1_000)
  for (; next < 100_000; next++) journal.append(String(next), 1_000)
  const found = read(journal, journal.first)
  expect(found.length).toBe(99_960)
  expect(found).toEqual(Array.from({ length: 99_960 }, (_, at) => String(at + 40)))
})

test('[JRN6] lower limits count from the next look on', () => {
  const journal = new MemoryJournal(roomy)
  for (let n = 0; n < 10; n++) journal.append('x'.repeat(1_000), n)
  journal.limit({ maxBytes: 5_000, maxAge: 1e9 })
  journal.expire(10)
  expect(journal.entries).toBe(4)
  journal.limit({ maxBytes: 1e9, maxAge: 0 })
  journal.expire(10)
  expect(journal.entries).toBe(1)
})

test('[JRN7] names of targeted events count as bytes, and a cost per event that does not grow', () => {
  const journal = new MemoryJournal({ maxBytes: 100_000, maxAge: 1e9 })
  const before = journal.bytes
  journal.append('x', 0, new Set(Array.from({ length: 500 }, (_, n) => String(n))))
  expect(journal.bytes - before).toBeGreaterThan(500 * 50)
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

test('[JRN8] texts come back as they were, whatever they hold, over any number of pages', () => {
  const maxBytes = 3 * 1024 * 1024
  const journal = new MemoryJournal({ maxBytes, maxAge: 1e9 })
  const pieces = ['', '\ufeff', '"plain"', '今天晚上八点开会', '\u{1f600}', '\0\x7f\x80\xff', '\n\u2028']
  const all: string[] = []
  for (let n = 0; n < 4_000; n++) {
    const piece = pieces[n % pieces.length] ?? ''
    // Some longer than what goes into pages.
    const raw = `${n}${piece.repeat(n % 97 === 0 ? 9_000 : n % 400)}${piece}`
    all.push(raw)
    journal.append(raw, n)
    if (n % 250 > 0) continue
    expect(read(journal, journal.first)).toEqual(all.slice(-journal.entries))
  }
  expect(journal.bytes).toBeLessThanOrEqual(maxBytes)
  expect(journal.entries).toBeGreaterThan(500)
  expect(read(journal, journal.first)).toEqual(all.slice(-journal.entries))
})

test('[JRN9] a full journal costs the collector no more objects than an empty one', () => {
  const journal = new MemoryJournal({ maxBytes: 16 * 1024 * 1024, maxAge: 1e9 })
  Bun.gc(true)
  const { objectCount } = heapStats()
  for (let n = 0; n < 60_000; n++) journal.append(`${n}${'中'.repeat(100)}`, n)
  Bun.gc(true)
  expect(journal.entries).toBeGreaterThan(40_000)
  expect(heapStats().objectCount - objectCount).toBeLessThan(1_000)
})
