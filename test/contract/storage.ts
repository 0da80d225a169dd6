// What is kept of a bot must come back, on every runtime alike, so without any test framework.

import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Cursor, KeptSession } from '../../src/broker/ports.ts'
import type { Status } from '../../src/broker/status.ts'
import { fileName } from '../../src/storage/file-name.ts'
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/storage.ts'
import { read } from './journal.ts'

/** A folder for files, a clock that stands still, and everything that is reported. */
export interface Shelf {
  readonly folder: string
  readonly told: Status[]
  now: number
  /** Closed with the shelf. */
  open(options?: Partial<StorageOptions>): Storage
  /** A folder with what would be found if the program were killed now. */
  killed(storage: Pick<Storage, 'file'>): string
  /** The kinds of what was reported. */
  kinds(): string[]
}

export interface StorageCase {
  /** Starts with the id of its rule in test/SPEC.md. */
  name: string
  run(shelf: Shelf): void | Promise<void>
}

export const BOT = 'ntqq-impl'
export const ACCOUNT = '10001'

export async function onShelf(run: (shelf: Shelf) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'perpetua-'))
  const opened: Storage[] = []
  const told: Status[] = []
  let copies = 0
  const shelf: Shelf = {
    folder,
    told,
    now: 1_000_000,
    open(options = {}) {
      // Getters stay what they are: a test may change its mind.
      const defaults: StorageOptions = {
        folder,
        name: BOT,
        limits: () => ({ maxBytes: 64 * 1024 * 1024, maxAge: 1e9 }),
        report: (status) => void told.push(status),
        now: () => shelf.now,
        retry: 20,
      }
      const storage = openStorage(Object.defineProperties(defaults, Object.getOwnPropertyDescriptors(options)))
      opened.push(storage)
      return storage
    },
    killed({ file }) {
      const place = join(folder, `killed-${copies++}`)
      mkdirSync(place)
      for (const part of [file, `${file}-wal`]) if (existsSync(part)) copyFileSync(part, join(place, basename(part)))
      return place
    },
    kinds: () => told.map(({ kind }) => kind),
  }
  try {
    await run(shelf)
  } finally {
    for (const storage of opened) storage[Symbol.dispose]()
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function eventually(fact: () => boolean): Promise<void> {
  for (const end = Date.now() + 120_000; !fact(); ) {
    if (Date.now() > end) throw new Error(`never came true: ${fact}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export function session(appId: string, cursor: Cursor, more: Partial<KeptSession> = {}): KeptSession {
  const known = {
    name: appId,
    entry: undefined,
    resume: undefined,
    events: true,
    calls: true,
    transport: 'forward' as const,
  }
  return { appId, ...known, secretHash: 'ab'.repeat(32), cursor, since: 1_700_000_000, until: undefined, ...more }
}

export const call = (text: string) => ({ account: ACCOUNT, action: 'send_group_msg', text, since: 5 })

/** A storage that knows its account, with events 0 to `count`. */
export function filled(shelf: Shelf, count: number, options: Partial<StorageOptions> = {}) {
  const storage = shelf.open(options)
  const journal = storage.journal()
  storage.identified(ACCOUNT)
  for (let n = 0; n < count; n++) journal.append(`event ${n}`, shelf.now)
  return { storage, journal }
}

export function restoredOf(storage: Storage): NonNullable<Storage['restored']> {
  assert.ok(storage.restored, 'nothing was restored')
  return storage.restored
}

export const storageContract: readonly StorageCase[] = [
  {
    name: '[STO1] after an orderly end everything is found again, and goes on where it was',
    run(shelf) {
      const { storage, journal } = filled(shelf, 5_000)
      const to = new Set(['alice', 'bob'])
      const position = journal.append('for two', shelf.now + 7, to)
      for (const text of ['', '今天\u{1f600}\0', 'x'.repeat(100_000)]) journal.append(text, shelf.now + 8)
      const away = session('alice', position, { until: 2_000_000, entry: 'a', transport: 'http-post', calls: false })
      storage.remember(away)
      storage.remember(session('bob', journal.head, { name: undefined, until: Number.POSITIVE_INFINITY }))
      storage.remember(session('carol', journal.head))
      storage.forget('carol')
      storage.mark('pool workers', position)
      storage.mark('pool others', position)
      storage.mark('pool others', undefined)
      const id = storage.durable.add(call('{"action":"send"}'))
      storage[Symbol.dispose]()

      const again = shelf.open()
      const { restored } = again
      assert.ok(restored)
      assert.deepEqual([restored.selfId, restored.clean], [ACCOUNT, true])
      assert.deepEqual(
        [restored.journal.epoch, restored.journal.first, restored.journal.head, restored.journal.bytes],
        [journal.epoch, journal.first, journal.head, journal.bytes],
      )
      assert.deepEqual(read(restored.journal), read(journal))
      assert.deepEqual(restored.journal.at(position), { raw: 'for two', time: 1_000_000, to, next: position + 1 })
      assert.deepEqual(restored.sessions, [away, session('bob', journal.head, { name: undefined })])
      assert.deepEqual([...restored.cursors], [['pool workers', position]])
      assert.deepEqual(again.durable.waiting(), [{ ...call('{"action":"send"}'), id, state: 'queued' }])
      assert.equal(restored.journal.append('next', shelf.now), journal.head)
      assert.deepEqual(shelf.kinds(), ['storage-restored'])
    },
  },
  {
    name: '[STO1] what has become too old or too much since is not found again',
    run(shelf) {
      filled(shelf, 100).storage[Symbol.dispose]()
      const few = shelf.open({ limits: () => ({ maxBytes: 1_000, maxAge: 1e9 }) })
      assert.ok(restoredOf(few).journal.entries < 25)
      assert.equal(read(restoredOf(few).journal).at(-1), 'event 99')
      few[Symbol.dispose]()
      shelf.now += 2e9
      assert.deepEqual(read(restoredOf(shelf.open()).journal), ['event 99'])
    },
  },
  {
    name: '[STO2] after an unclean end what was committed is whole, and positions that may have been given away are empty',
    run(shelf) {
      const { storage, journal } = filled(shelf, 2_000)
      const again = shelf.open({ folder: shelf.killed(storage) })
      const { restored } = again
      assert.ok(restored)
      assert.deepEqual([restored.clean, restored.journal.epoch], [false, journal.epoch])
      const found = read(restored.journal)
      assert.deepEqual(
        found,
        Array.from({ length: found.length }, (_, n) => `event ${n}`),
      )
      assert.ok(found.length >= 2_000 - 512)
      assert.ok(restored.journal.head >= found.length + 1_024)
      // Whoever had got everything goes on with what comes now, and has lost nothing that anybody could count.
      const next = restored.journal.append('after the crash', shelf.now)
      assert.deepEqual(read(restored.journal, journal.head), ['after the crash'])
      assert.deepEqual([restored.journal.missed(journal.head), restored.journal.at(next)?.raw], [0, 'after the crash'])
    },
  },
  {
    name: '[STO3] no number is used twice in an epoch, however often and however the program ends',
    run(shelf) {
      const given = new Map<string, string>()
      let folder = shelf.folder
      let seed = 7
      const random = (below: number) => {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
        return seed % below
      }
      for (let round = 0; round < 25; round++) {
        const storage = shelf.open({ folder })
        const journal = storage.restored?.journal ?? storage.journal()
        storage.identified(ACCOUNT)
        const known = new Map(Array.from(read(journal), (raw) => [raw, true]))
        for (const raw of known.keys()) assert.ok(given.has(raw))
        const count = random(3_000)
        for (let n = 0; n < count; n++) {
          const raw = `round ${round}, event ${n}`
          const number = `${journal.epoch} ${journal.append(raw, shelf.now)}`
          assert.ok(!given.has(number), `${number} was ${given.get(number)}`)
          given.set(number, raw)
          given.set(raw, number)
        }
        if (random(2) === 0) storage.flush()
        if (random(3) === 0) storage[Symbol.dispose]()
        folder = shelf.killed(storage)
        storage[Symbol.dispose]()
      }
    },
  },
  {
    name: '[STO4] the file is at most 512 events behind, and soon not at all',
    async run(shelf) {
      const { storage } = filled(shelf, 3 * 512 + 100)
      const found = () => restoredOf(shelf.open({ folder: shelf.killed(storage) })).journal.entries
      assert.ok(found() >= 3 * 512)
      await eventually(() => found() === 3 * 512 + 100)
    },
  },
  {
    name: '[STO5] a cursor on disk is never ahead of the events on disk',
    run(shelf) {
      const { storage, journal } = filled(shelf, 0)
      storage.flush()
      for (let n = 0; n < 3_000; n++) {
        const position = journal.append(`event ${n}`, shelf.now)
        storage.remember(session('alice', position))
        storage.mark('pool', position)
        if (n % 177 > 0) continue
        const { journal: kept, sessions, cursors } = restoredOf(shelf.open({ folder: shelf.killed(storage) }))
        for (const cursor of [...sessions.map((one) => one.cursor), ...cursors.values()])
          assert.equal(kept.at(cursor)?.raw, `event ${cursor - 1}`)
      }
    },
  },
  {
    name: '[STO7] the file is for its owner only',
    run(shelf) {
      const { storage } = filled(shelf, 1_000)
      storage.flush()
      const names = readdirSync(shelf.folder)
      assert.deepEqual(names.sort(), [fileName(BOT), `${fileName(BOT)}-wal`])
      if (process.platform !== 'win32')
        for (const name of names) assert.equal(statSync(join(shelf.folder, name)).mode & 0o777, 0o600)
    },
  },
  {
    name: '[STO8] with another account nothing of the one before is found, but its durable calls',
    run(shelf) {
      const { storage, journal } = filled(shelf, 1_000)
      storage.remember(session('alice', journal.head))
      storage.mark('pool', journal.head)
      storage.durable.add(call('a'))
      storage.flush()
      const other = storage.journal()
      assert.notEqual(other.epoch, journal.epoch)
      // Late, to the journal of before.
      journal.append('nobody', shelf.now)
      assert.equal(shelf.open({ folder: shelf.killed(storage) }).restored, undefined)
      storage.identified('20002')
      other.append('one', shelf.now)
      storage.flush()
      const again = shelf.open({ folder: shelf.killed(storage) })
      const { selfId, journal: kept, sessions, cursors } = restoredOf(again)
      assert.deepEqual([selfId, kept.epoch, read(kept)], ['20002', other.epoch, ['one']])
      assert.deepEqual([sessions.length, cursors.size, again.durable.waiting().length], [0, 0, 1])
    },
  },
  {
    name: '[STO9] a durable call is on disk when it is accepted, and when it is about to be sent; order stays',
    run(shelf) {
      const { storage } = filled(shelf, 10)
      const ids = ['a', 'b', 'c', 'd'].map((text) => storage.durable.add(call(text)))
      const found = (folder: string) =>
        shelf
          .open({ folder })
          .durable.waiting()
          .map(({ id, text, state, account }) => [id, text, state, account])
      const rows = ['a', 'b', 'c', 'd'].map((text, at) => [ids[at], text, 'queued', ACCOUNT])
      assert.deepEqual(found(shelf.killed(storage)), rows)
      storage.durable.sent(ids[1] ?? '')
      assert.deepEqual(found(shelf.killed(storage))[1], [ids[1], 'b', 'sent', ACCOUNT])
      storage.durable.done(ids[0] ?? '')
      storage.durable.done(ids[2] ?? '')
      storage.durable.done('nobody')
      storage.flush()
      const left = found(shelf.killed(storage))
      assert.deepEqual(
        left.map(([id]) => id),
        [ids[1], ids[3]],
      )
      assert.equal(new Set(ids).size, 4)
      assert.ok(!ids.includes(shelf.open({ folder: shelf.killed(storage) }).durable.add(call('e'))))
    },
  },
]
