// What is kept of a bot: the contracts on Bun, and what only needs to be shown once.

import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import type { Status } from '../../src/broker/status.ts'
import { statusLog } from '../../src/observe/status-log.ts'
import { fileName } from '../../src/storage/file-name.ts'
import { bringUpToDate, recognise } from '../../src/storage/schema.ts'
import { journalContract, read } from '../contract/journal.ts'
import { ACCOUNT, filled, onShelf, restoredOf, storageContract } from '../contract/storage.ts'
import { storageFaults } from '../contract/storage-faults.ts'

for (const { name, run } of [...storageContract, ...storageFaults]) test(name, () => onShelf(run))

for (const { name, run } of journalContract)
  test(`${name}, kept on disk`, () =>
    onShelf((shelf) => {
      const storage = shelf.open()
      let journal = storage.journal()
      run((limits) => {
        journal = storage.journal()
        storage.identified(ACCOUNT)
        journal.limit(limits)
        return journal
      })
      expect(shelf.told).toEqual([])
      storage.flush()
      const { journal: kept } = restoredOf(shelf.open({ folder: shelf.killed(storage) }))
      expect(kept.head).toBeGreaterThan(journal.head)
      expect(read(kept).slice(-journal.entries)).toEqual(read(journal))
    }))

test('[STO6] the file does not grow with the number of events, and forgets what the journal has', () =>
  onShelf(async (shelf) => {
    const limits = { maxBytes: 8 * 1024 * 1024, maxAge: 1e9 }
    const { storage, journal } = filled(shelf, 0, { limits: () => limits })
    const raw = JSON.stringify({ post_type: 'message', message: 'x'.repeat(400) })
    const sizes: number[] = []
    for (let n = 0; n < 1_000_000; n++) {
      journal.append(raw, shelf.now)
      if (n % 250_000 === 249_999) sizes.push(statSync(storage.file).size + statSync(`${storage.file}-wal`).size)
    }
    storage.flush()
    expect(Math.max(...sizes)).toBeLessThan(limits.maxBytes + 6 * 1024 * 1024)
    expect(sizes.at(-1)).toBeLessThan((sizes[0] ?? 0) * 1.1)
    const { journal: kept } = restoredOf(shelf.open({ folder: shelf.killed(storage), limits: () => limits }))
    expect([kept.entries, kept.epoch]).toEqual([journal.entries, journal.epoch])
  }))

test('[STO6] one enormous event is kept, and leaves room again when it goes', () =>
  onShelf((shelf) => {
    const limits = { maxBytes: 1024 * 1024, maxAge: 1e9 }
    const { storage, journal } = filled(shelf, 1_000, { limits: () => limits })
    journal.append('中'.repeat(10_000_000), shelf.now)
    storage.flush()
    const open = () => restoredOf(shelf.open({ folder: shelf.killed(storage), limits: () => limits })).journal
    expect(read(open()).map((text) => text.length)).toEqual([10_000_000])
    const { size } = statSync(storage.file)
    for (let n = 0; n < 100_000; n++) journal.append(`later ${n}`, shelf.now)
    storage.flush()
    expect(statSync(storage.file).size).toBeLessThan(Math.max(size, 31_000_000) + 1_000_000)
    expect(read(open())).toEqual(read(journal))
  }))

test('[STO7] names of bots that differ have files that differ, with names that any file system takes', () => {
  const names = ['ntqq-impl', 'NTQQ-impl', 'ntqq/impl', 'ntqq.impl', '', '..', 'ws://127.0.0.1:8081/', '机器人', 'CON']
  const files = names.map(fileName)
  expect(files[0]).toMatch(/^ntqq-impl-[0-9a-f]{12}\.db$/)
  expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(names.length)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => /^[a-z0-9][a-z0-9-]{0,60}\.db$/.test(fileName(name))))
})

const V1 = ['CREATE TABLE old (x); INSERT INTO old VALUES (1)']
const V2 = [...V1, 'ALTER TABLE old ADD COLUMN y; UPDATE old SET y = x + 1']

test('[STO16] an older file becomes one of now, step by step, with what is in it', () => {
  const database = new DatabaseSync(':memory:')
  bringUpToDate(database, V1)
  expect(() => recognise(database, V1)).not.toThrow()
  bringUpToDate(database, V2)
  expect(database.prepare('SELECT x, y FROM old').all().map(Object.values)).toEqual([[1, 2]])
  expect(() => recognise(database, V1)).toThrow(/version 2, .* later than 1/)
  bringUpToDate(database, V2)
  expect(() => recognise(database, V2)).not.toThrow()
})

test('[STO16] a step that fails leaves the file as it was', () => {
  const database = new DatabaseSync(':memory:')
  bringUpToDate(database, V1)
  expect(() => bringUpToDate(database, [...V2, 'no SQL at all'])).toThrow(/syntax/)
  expect(() => recognise(database, V1)).not.toThrow()
  expect(database.prepare('SELECT * FROM old').all().map(Object.keys)).toEqual([['x']])
})

test('[STO19] the log says what is wrong, with which file, and what to do', () => {
  const lines: unknown[][] = []
  const at = (level: string) => (what: string, fields?: object) => void lines.push([level, what, fields])
  const facts = { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const log = { ...facts, level: 'info', relay() {}, show() {}, reconfigure() {}, close: async () => {} } as const
  const say = statusLog(log)
  const about = { bot: 'b', file: '/data/b.db' }
  const told: Status[] = [
    { kind: 'storage-failed', ...about, why: 'SQLite: database or disk is full (13)', remedy: 'free some space' },
    { kind: 'storage-set-aside', ...about, aside: '/data/b.db.corrupt-1', why: 'malformed' },
    { kind: 'storage-back', ...about },
    { kind: 'storage-restored', ...about, events: 5, sessions: 2, calls: 1, clean: false },
  ]
  for (const status of told) say(status)
  expect(lines).toEqual([
    [
      'error',
      'nothing can be kept on disk: going on from memory, durable calls are refused',
      { ...about, why: 'SQLite: database or disk is full (13)', remedy: 'free some space' },
    ],
    [
      'error',
      'kept file damaged: put aside, a new one is begun',
      { ...about, aside: '/data/b.db.corrupt-1', why: 'malformed' },
    ],
    ['info', 'kept on disk again', about],
    ['info', 'going on where the last run ended', { bot: 'b', events: 5, sessions: 2, calls: 1, orderly: false }],
  ])
})
