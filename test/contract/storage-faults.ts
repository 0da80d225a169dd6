// What goes wrong with files: the gateway goes on from memory, says so once, and writes again when it can.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Journal } from '../../src/broker/ports.ts'
import { ActionError } from '../../src/onebot/retcode.ts'
import { fileName } from '../../src/storage/file-name.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { read } from './journal.ts'
import { ACCOUNT, BOT, call, eventually, filled, restoredOf, type Shelf, type StorageCase, session } from './storage.ts'

/** Room for the events of a test, and not for twice as much. */
const CEILING = 2 * 1024 * 1024

export const storageFaults: readonly StorageCase[] = [
  {
    name: '[STO11] on a full disk memory goes on, it is said once, and everything is written as soon as there is room',
    async run(shelf) {
      const disk: { ceiling: number | undefined } = { ceiling: CEILING / 8 }
      const { storage, journal } = filled(shelf, 10, {
        get ceiling() {
          return disk.ceiling
        },
      })
      const early = storage.durable.add(call('early'))
      const late = storage.durable.add(call('late'))
      for (let n = 0; n < 2_000; n++) journal.append(`${n} ${'x'.repeat(1_000)}`, shelf.now)
      assert.equal(journal.entries, 2_010)
      assert.deepEqual(shelf.kinds(), ['storage-failed'])
      const { why, remedy, file } = fact(shelf, 'storage-failed')
      assert.match(why, /SQLite: database or disk is full/)
      assert.match(remedy, /free some space/)
      assert.equal(file, storage.file)
      assert.equal(storage.trouble?.fault, 'full')
      refused(storage, /is full/)
      // What ends meanwhile has ended.
      storage.durable.done(early)
      assert.throws(() => storage.durable.sent(late), /cannot be kept/)
      storage.remember(session('alice', journal.head))
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.deepEqual(shelf.kinds(), ['storage-failed'])

      disk.ceiling = undefined
      await eventually(() => shelf.kinds().at(-1) === 'storage-back')
      storage.flush()
      assert.equal(storage.trouble, undefined)
      same(shelf, storage, journal)
      const again = shelf.open({ folder: shelf.killed(storage) })
      assert.deepEqual(again.restored?.sessions, [session('alice', journal.head)])
      assert.deepEqual(
        again.durable.waiting().map(({ id, state }) => [id, state]),
        [[late, 'queued']],
      )
      storage.durable.sent(late)
    },
  },
  {
    name: '[STO11] a journal that has moved on while nothing could be written leaves nothing stale in the file',
    async run(shelf) {
      const limits = { maxBytes: 100_000, maxAge: 1e9 }
      const { storage, journal } = filled(shelf, 1_000, { limits: () => limits, ceiling: CEILING })
      const free = breakDown(storage)
      for (let n = 0; n < 5_000; n++) journal.append(`later ${n}`, shelf.now)
      free()
      await eventually(() => shelf.kinds().includes('storage-back'))
      storage.flush()
      same(shelf, storage, journal)
    },
  },
  {
    name: '[STO12] a file that another program has: begun anew once it is free, and calls of an earlier run are found',
    async run(shelf) {
      const first = filled(shelf, 100)
      first.storage.remember(session('alice', first.journal.head))
      const old = first.storage.durable.add(call('old'))
      first.storage[Symbol.dispose]()
      const free = take(first.storage.file)
      let found = 0
      const { storage, journal } = filled(shelf, 700, { found: () => void found++ })
      assert.equal(storage.restored, undefined)
      assert.match(fact(shelf, 'storage-failed').why, /locked/)
      refused(storage, /locked/)
      assert.deepEqual(storage.durable.waiting(), [])
      free()
      await eventually(() => shelf.kinds().includes('storage-back'))
      assert.deepEqual([found, storage.durable.waiting().map(({ id }) => id)], [1, [old]])
      storage.durable.add(call('new'))
      storage.flush()
      const again = shelf.open({ folder: shelf.killed(storage) })
      assert.deepEqual([again.restored?.journal.epoch, again.restored?.sessions], [journal.epoch, []])
      assert.deepEqual(
        again.durable.waiting().map(({ text }) => text),
        ['old', 'new'],
      )
      same(shelf, storage, journal)
    },
  },
  {
    name: '[STO13] a file that is no database, or cut off, is put aside and told, and a new one is begun',
    run(shelf) {
      const spoil: ((file: string) => void)[] = [
        (file) => writeFileSync(file, 'a text that is longer than the header of a database\n'.repeat(100)),
        (file) => writeFileSync(file, crypto.getRandomValues(new Uint8Array(50_000))),
        (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
        (file) => truncateSync(file, 1_000),
      ]
      for (const [at, harm] of spoil.entries()) {
        const folder = join(shelf.folder, `folder ${at}`)
        const { storage: before } = filled(shelf, 3_000, { folder })
        before[Symbol.dispose]()
        harm(before.file)
        const spoilt = readFileSync(before.file)
        shelf.told.length = 0
        const { storage, journal } = filled(shelf, 600, { folder })
        assert.equal(storage.restored, undefined)
        assert.deepEqual(shelf.kinds(), ['storage-set-aside'])
        const { aside, why } = fact(shelf, 'storage-set-aside')
        assert.ok(aside.startsWith(`${storage.file}.corrupt-1970`) && why !== '')
        assert.deepEqual(readFileSync(aside), spoilt)
        storage.durable.add(call('kept'))
        storage.flush()
        same(shelf, storage, journal)
      }
    },
  },
  {
    name: '[STO13] whatever bytes change, nothing that was not written is ever read as an event',
    run(shelf) {
      const { storage } = filled(shelf, 5_000)
      storage[Symbol.dispose]()
      const whole = readFileSync(storage.file)
      let aside = 0
      for (let round = 0; round < 30; round++) {
        const folder = join(shelf.folder, `round ${round}`)
        const spoilt = Uint8Array.from(whole)
        const [start = 0, size = 0] = crypto.getRandomValues(new Uint32Array(2))
        const from = start % spoilt.length
        crypto.getRandomValues(spoilt.subarray(from, from + 1 + (size % 200)))
        const { storage: empty } = filled(shelf, 0, { folder })
        empty[Symbol.dispose]()
        writeFileSync(empty.file, spoilt)
        shelf.told.length = 0
        const again = shelf.open({ folder })
        const found = again.restored === undefined ? [] : read(again.restored.journal)
        for (const [n, raw] of found.entries()) assert.equal(raw, `event ${n}`)
        if (shelf.kinds().includes('storage-set-aside')) aside++
        again[Symbol.dispose]()
      }
      assert.ok(aside > 3, `${aside} of 30 were noticed`)
    },
  },
  {
    name: '[STO13] a file that breaks while it is in use is replaced by what memory holds, calls included',
    async run(shelf) {
      const limits = { maxBytes: 200_000, maxAge: 1e9 }
      const { storage, journal } = filled(shelf, 3_000, { limits: () => limits, ceiling: CEILING })
      const id = storage.durable.add(call('kept'))
      storage.flush()
      // Everything stands in the file itself when it has been opened anew.
      breakDown(storage)()
      await eventually(() => shelf.kinds().includes('storage-back'))
      truncateSync(storage.file, 8_192)
      for (let n = 0; n < 20_000 && !shelf.kinds().includes('storage-set-aside'); n++)
        journal.append(`later ${n}`, shelf.now)
      storage.flush()
      assert.ok(shelf.kinds().includes('storage-set-aside'), String(shelf.kinds()))
      same(shelf, storage, journal)
      const again = shelf.open({ folder: shelf.killed(storage) })
      assert.deepEqual(
        again.durable.waiting().map((one) => one.id),
        [id],
      )
    },
  },
  {
    name: '[STO13] of files put aside the latest three stay',
    run(shelf) {
      for (let round = 0; round < 6; round++) {
        shelf.now += 1_000
        const { storage } = filled(shelf, 10)
        storage[Symbol.dispose]()
        writeFileSync(storage.file, `spoilt ${round}`.repeat(100))
      }
      shelf.open()
      const names = readdirSync(shelf.folder).filter((name) => name.includes('corrupt'))
      const texts = names.sort().map((name) => readFileSync(join(shelf.folder, name), 'utf8').slice(0, 8))
      assert.deepEqual(texts, ['spoilt 3', 'spoilt 4', 'spoilt 5'])
    },
  },
  {
    name: '[STO14] a folder that cannot be written to is told, and used once it can be',
    async run(shelf) {
      const folder = join(shelf.folder, 'data')
      writeFileSync(folder, 'in the way')
      const { storage, journal } = filled(shelf, 1_000, { folder })
      assert.equal(storage.restored, undefined)
      const { why, remedy } = fact(shelf, 'storage-failed')
      assert.match(why, /a file cannot be written or read: .*data/)
      assert.match(remedy, /let perpetua write/)
      refused(storage, /cannot be written/)
      rmSync(folder)
      await eventually(() => shelf.kinds().includes('storage-back'))
      storage.flush()
      same(shelf, storage, journal)
      assert.deepEqual(shelf.kinds().slice(0, 2), ['storage-failed', 'storage-back'])
    },
  },
  {
    name: '[STO15] a file of a later version, or of another program, is left alone byte for byte',
    run(shelf) {
      const foreign = (sql: string) => (file: string) => {
        const database = new DatabaseSync(file)
        database.exec(sql)
        database.close()
      }
      const cases = [
        [foreign('PRAGMA user_version = 99'), /version 99.*later than 1/, /newer perpetua/, true],
        [foreign('CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)'), /another program/, /move the file/, false],
        [foreign('PRAGMA application_id = 7; CREATE TABLE theirs (x)'), /another program/, /data-dir/, false],
      ] as const
      for (const [at, [make, why, remedy, ours]] of cases.entries()) {
        const folder = join(shelf.folder, `folder ${at}`)
        const { storage: before } = filled(shelf, 10, { folder })
        before[Symbol.dispose]()
        if (!ours) rmSync(before.file)
        make(before.file)
        const bytes = readFileSync(before.file)
        shelf.told.length = 0
        const { storage, journal } = filled(shelf, 600, { folder })
        storage.flush()
        assert.equal(journal.entries, 600)
        assert.deepEqual(shelf.kinds(), ['storage-failed'])
        assert.match(fact(shelf, 'storage-failed').why, why)
        assert.match(fact(shelf, 'storage-failed').remedy, remedy)
        storage[Symbol.dispose]()
        assert.deepEqual(readFileSync(before.file), bytes)
        assert.deepEqual(readdirSync(folder), [fileName(BOT)])
      }
    },
  },
  {
    name: '[STO17] numbers that the disk has not heard of belong to another epoch',
    async run(shelf) {
      const limits = { maxBytes: 1_000_000, maxAge: 1e9 }
      const { storage, journal } = filled(shelf, 1_000, { limits: () => limits, ceiling: CEILING })
      storage.flush()
      const { epoch } = journal
      const free = breakDown(storage)
      const left = shelf.killed(storage)
      let last = journal.head
      for (let n = 0; n < 2_000_000 && journal.epoch === epoch; n++) last = journal.append('x', shelf.now)
      assert.notEqual(journal.epoch, epoch)
      const { journal: kept } = restoredOf(shelf.open({ folder: left }))
      assert.deepEqual([kept.epoch, kept.head >= last], [epoch, true])
      // Readers of now do not notice.
      assert.equal(journal.at(last)?.raw, 'x')
      free()
      await eventually(() => shelf.kinds().includes('storage-back'))
      storage.flush()
      same(shelf, storage, journal)
    },
  },
  {
    name: '[STO17] a file that can be read but not written at the start is gone on with, in another epoch from the first event on',
    run(shelf) {
      const { storage: before, journal: old } = filled(shelf, 1_000)
      before[Symbol.dispose]()
      const database = new DatabaseSync(before.file)
      database.exec("CREATE TRIGGER no BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'not now'); END")
      database.close()
      const storage = shelf.open()
      const { journal, selfId } = restoredOf(storage)
      assert.deepEqual([selfId, journal.epoch, journal.entries], [ACCOUNT, old.epoch, 1_000])
      assert.deepEqual(shelf.kinds(), ['storage-failed', 'storage-restored'])
      journal.append('x', shelf.now)
      assert.notEqual(journal.epoch, old.epoch)
    },
  },
]

/** The file holds what the journal holds. */
function same(shelf: Shelf, storage: Storage, journal: Journal): void {
  const { journal: kept } = restoredOf(shelf.open({ folder: shelf.killed(storage) }))
  assert.equal(kept.epoch, journal.epoch)
  const found = read(kept)
  // A batch stays as long as anything in it is held.
  assert.deepEqual(found.slice(-journal.entries), read(journal))
  assert.equal(kept.at(journal.first)?.raw, journal.at(journal.first)?.raw)
}

/** Makes a writing fail, and has the file from then on. Returns what gives it free. The ceiling must be CEILING. */
function breakDown(storage: Storage): () => void {
  assert.throws(() => storage.durable.add(call('x'.repeat(2 * CEILING))), /is full/)
  return take(storage.file)
}

/** Another program has the file. */
function take(file: string): () => void {
  const other = new DatabaseSync(file)
  other.exec('BEGIN EXCLUSIVE')
  return () => {
    other.exec('ROLLBACK')
    other.close()
  }
}

function refused(storage: Storage, why: RegExp): void {
  const before = storage.durable.waiting()
  assert.throws(
    () => storage.durable.add(call('refused')),
    (error) => error instanceof ActionError && error.retcode === 1503 && why.test(error.message),
  )
  assert.deepEqual(storage.durable.waiting(), before)
}

function fact<K extends string>(shelf: Shelf, kind: K) {
  const found = shelf.told.find((status) => status.kind === kind)
  assert.ok(found, `${kind} was not reported, but ${shelf.kinds()}`)
  return found as Extract<(typeof shelf.told)[number], { kind: K }>
}
