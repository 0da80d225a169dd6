// What every journal must do: the same cases in memory and kept on disk, on every runtime, so without any test framework.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Cursor, Journal } from '../../src/broker/ports.ts'

export interface Limits {
  maxBytes: number
  maxAge: number
}

export interface JournalCase {
  /** Starts with the id of its rule in test/SPEC.md. */
  name: string
  run(make: (limits: Limits) => Journal): void
}

const roomy = { maxBytes: 1e9, maxAge: 1e9 }

/** All that a reader starting at `cursor` finds. */
export function read(journal: Journal, cursor: Cursor = journal.first): string[] {
  const found: string[] = []
  for (let entry = journal.at(cursor); entry !== undefined; entry = journal.at(entry.next)) found.push(entry.raw)
  return found
}

export const journalContract: readonly JournalCase[] = [
  {
    name: '[JRN1] entries are read in order from any position still held, and nothing is at the head',
    run(make) {
      const journal = make(roomy)
      const start = journal.head
      assert.equal(journal.at(start), undefined)
      const positions = ['a', 'b', 'c'].map((raw) => journal.append(raw, 5))
      assert.deepEqual(read(journal, start), ['a', 'b', 'c'])
      assert.deepEqual(read(journal, positions[1]), ['b', 'c'])
      assert.equal(journal.at(journal.head), undefined)
      assert.deepEqual([journal.at(start)?.raw, journal.at(start)?.time], ['a', 5])
      journal.append('d', 6)
      assert.deepEqual(read(journal, positions[2]), ['c', 'd'])
    },
  },
  {
    name: '[JRN2] the oldest give way to what is too much, and the newest stays however big',
    run(make) {
      const journal = make({ maxBytes: 10_000, maxAge: 1e9 })
      for (let n = 0; n < 100; n++) {
        journal.append(String(n).padEnd(1_000, '.'), n)
        assert.ok(journal.bytes <= 10_000)
      }
      assert.equal(journal.entries, 9)
      assert.deepEqual(read(journal).map(Number.parseFloat), [91, 92, 93, 94, 95, 96, 97, 98, 99])
      const big = 'x'.repeat(50_000)
      journal.append(big, 100)
      assert.deepEqual(read(journal), [big])
      journal.append('small', 101)
      assert.deepEqual(read(journal), ['small'])
      assert.ok(journal.bytes < 1_000)
    },
  },
  {
    name: '[JRN3] what is older than the age limit goes, but for the newest',
    run(make) {
      const journal = make({ maxBytes: 1e9, maxAge: 100 })
      for (const time of [0, 50, 100]) journal.append(`at ${time}`, time)
      assert.equal(journal.entries, 3)
      journal.expire(101)
      assert.deepEqual(read(journal), ['at 50', 'at 100'])
      journal.append('at 151', 151)
      assert.deepEqual(read(journal), ['at 100', 'at 151'])
      journal.expire(1e6)
      assert.deepEqual(read(journal), ['at 151'])
    },
  },
  {
    name: '[JRN4] a position whose entry is gone tells how many are missing, and finds nothing',
    run(make) {
      const journal = make({ maxBytes: 1e9, maxAge: 100 })
      const start = journal.head
      for (let n = 0; n < 10; n++) journal.append('x', n)
      assert.equal(journal.missed(start), 0)
      journal.expire(107)
      assert.deepEqual([journal.missed(start), journal.missed(journal.first), journal.missed(journal.head)], [7, 0, 0])
      assert.equal(journal.at(start), undefined)
    },
  },
  {
    name: '[JRN5] any mixture of sizes, ages and limits keeps the newest entries, in order, within the limits',
    run(make) {
      const step = fc.record({ size: fc.nat(400), later: fc.nat(30), maxBytes: fc.integer({ min: 1, max: 20_000 }) })
      const steps = fc.array(step, { minLength: 1, maxLength: 400 })
      const property = fc.property(steps, fc.integer({ min: 1, max: 2_000 }), (all, maxAge) =>
        mixture(make({ maxBytes: 20_000, maxAge }), all, maxAge),
      )
      fc.assert(property, { numRuns: 200 })
    },
  },
  {
    name: '[JRN5] the ring grows without mixing entries up, also when it has wrapped',
    run(make) {
      const journal = make({ maxBytes: 1e12, maxAge: 10 })
      let next = 0
      // 40 in, most of them out again: the first slot in use is in the middle when the ring must grow.
      for (; next < 40; next++) journal.append(String(next), 0)
      journal.expire(1_000)
      for (; next < 100_000; next++) journal.append(String(next), 1_000)
      const found = read(journal)
      assert.equal(found.length, 99_960)
      assert.deepEqual(
        found,
        Array.from({ length: 99_960 }, (_, at) => String(at + 40)),
      )
    },
  },
  {
    name: '[JRN6] lower limits count from the next look on',
    run(make) {
      const journal = make(roomy)
      for (let n = 0; n < 10; n++) journal.append('x'.repeat(1_000), n)
      journal.limit({ maxBytes: 5_000, maxAge: 1e9 })
      journal.expire(10)
      assert.equal(journal.entries, 4)
      journal.limit({ maxBytes: 1e9, maxAge: 0 })
      journal.expire(10)
      assert.equal(journal.entries, 1)
    },
  },
  {
    name: '[JRN7] names of targeted events count as bytes',
    run(make) {
      const journal = make({ maxBytes: 100_000, maxAge: 1e9 })
      const before = journal.bytes
      journal.append('x', 0, new Set(Array.from({ length: 500 }, (_, n) => String(n))))
      assert.ok(journal.bytes - before > 500 * 50)
    },
  },
  {
    name: '[JRN8] texts come back as they were, whatever they hold, over any number of pages',
    run(make) {
      const maxBytes = 3 * 1024 * 1024
      const journal = make({ maxBytes, maxAge: 1e9 })
      const all: string[] = []
      for (let n = 0; n < 4_000; n++) {
        const raw = text(n)
        all.push(raw)
        journal.append(raw, n)
        if (n % 250 > 0) continue
        assert.deepEqual(read(journal), all.slice(-journal.entries))
      }
      assert.ok(journal.bytes <= maxBytes)
      assert.ok(journal.entries > 500)
      assert.deepEqual(read(journal), all.slice(-journal.entries))
    },
  },
]

const PIECES = ['', '\ufeff', '"plain"', '今天晚上八点开会', '\u{1f600}', '\0\x7f\x80\xff', '\n\u2028']

/** A text that no other number has; some are longer than what goes into pages. */
export function text(n: number): string {
  const piece = PIECES[n % PIECES.length] ?? ''
  return `${n}${piece.repeat(n % 97 === 0 ? 9_000 : n % 400)}${piece}`
}

interface Step {
  size: number
  later: number
  maxBytes: number
}

function mixture(journal: Journal, steps: readonly Step[], maxAge: number): void {
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
    assert.equal(journal.entries, all.length - missed)
    const found = read(journal)
    const wanted = all.slice(missed).map((entry) => entry.raw)
    // Compared as one text: deep comparisons of lists would take most of the time.
    assert.equal(found.join('\n'), wanted.join('\n'))
    if (journal.entries === 1) continue
    assert.ok(journal.bytes <= limit)
    assert.ok((all[missed]?.time ?? 0) >= now - maxAge)
  }
}
