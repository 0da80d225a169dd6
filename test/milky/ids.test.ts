// Numbers of messages: the same in every run, never two for one; in memory and in a file.

import { expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import type { MessageNumbers, MessagePlace } from '../../src/broker/ports.ts'
import type { Status } from '../../src/broker/status.ts'
import { flagText, readFlag } from '../../src/milky/flags.ts'
import { firstFor, MessageIds } from '../../src/milky/ids.ts'
import { MemoryNumbers } from '../../src/milky/memory.ts'
import { messageNumbers } from '../../src/storage/message-numbers.ts'
import { folder } from '../support/folder.ts'

const ACCOUNT = 10001
const place = (seq: number, scene: MessagePlace['scene'] = 'group', peer = 123456789): MessagePlace => ({
  scene,
  peer,
  seq,
})

/** Two places whose numbers would be the same, found by looking. */
function clash(): [MessagePlace, MessagePlace] {
  const seen = new Map<number, MessagePlace>()
  for (let row = 0; ; row++) {
    const one = place(row * 256 + 7)
    const id = firstFor(ACCOUNT, one)
    const other = seen.get(id)
    if (other !== undefined) return [other, one]
    seen.set(id, one)
  }
}

interface Kept {
  readonly numbers: MessageNumbers
  readonly facts: Status[]
}

const KINDS: Record<string, (most?: number) => Promise<Kept & AsyncDisposable>> = {
  'in memory': async (most) => {
    const numbers = new MemoryNumbers(most)
    return { numbers, facts: [], [Symbol.asyncDispose]: async () => numbers.close() }
  },
  'in a file': async (most) => {
    const place = await folder()
    const facts: Status[] = []
    const numbers = opened(place.path, { most, facts })
    return {
      numbers,
      facts,
      async [Symbol.asyncDispose]() {
        numbers.close()
        await place[Symbol.asyncDispose]()
      },
    }
  },
}

const opened = (path: string, { most, facts = [] }: { most?: number | undefined; facts?: Status[] } = {}) =>
  messageNumbers({ folder: path, name: 'a bot', bot: 'a bot', report: (fact) => void facts.push(fact), most })

for (const [kind, make] of Object.entries(KINDS)) {
  test(`[MLI1] the same place has the same number, and leads back, ${kind}`, async () => {
    await using kept = await make()
    const ids = new MessageIds(kept.numbers, ACCOUNT)
    const scenes = fc.constantFrom<MessagePlace['scene']>('friend', 'group', 'temp')
    const places = fc.record({ scene: scenes, peer: fc.nat(4_294_967_295), seq: fc.maxSafeNat() })
    fc.assert(
      fc.property(places, (one) => {
        const id = ids.idOf(one)
        expect(Number.isInteger(id) && id > 0 && id <= 0x7fffffff).toBe(true)
        expect(new MessageIds(kept.numbers, ACCOUNT).idOf(one)).toBe(id)
        expect(ids.placeOf(id)).toMatchObject(one)
        expect(new MessageIds(kept.numbers, ACCOUNT + 1).placeOf(id)).toBeUndefined()
      }),
    )
    for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 31, 2 ** 53]) expect(ids.placeOf(wrong)).toBeUndefined()
  })

  test(`[MLI2] two that would have one number have two, whoever is asked for first, ${kind}`, async () => {
    const [one, other] = clash()
    await using kept = await make()
    const ids = new MessageIds(kept.numbers, ACCOUNT)
    const first = ids.idOf(one)
    const second = ids.idOf(other)
    expect(second).not.toBe(first)
    const fresh = new MessageIds(kept.numbers, ACCOUNT)
    expect([fresh.idOf(other), fresh.idOf(one)]).toEqual([second, first])
    expect([fresh.placeOf(first)?.seq, fresh.placeOf(second)?.seq]).toEqual([one.seq, other.seq])
  })

  test(`[MLI3] the oldest are forgotten, those that are asked for stay, ${kind}`, async () => {
    await using kept = await make(100)
    const ids = () => new MessageIds(kept.numbers, ACCOUNT)
    const loved = ids().idOf(place(0))
    // Neighbours are asked for together: these are none.
    const forgotten = ids().idOf(place(256))
    for (let row = 2; row < 500; row++) {
      ids().idOf(place(256 * row))
      if (row % 50 !== 0) continue
      expect(ids().placeOf(loved)).toMatchObject(place(0))
      // A file is written to now and then: its generations end there.
      await Bun.sleep(kind === 'in a file' ? 120 : 0)
    }
    expect(ids().placeOf(forgotten)).toBeUndefined()
    expect(ids().placeOf(loved)).toMatchObject(place(0))
  })
}

test('[MLI4] no two of many messages have one number, also of those to whom the hash gives the same', async () => {
  await using place = await folder()
  const numbers = opened(place.path, { most: 10_000_000 })
  const ids = new MessageIds(numbers, ACCOUNT)
  const taken = new Set<number>()
  let clashes = 0
  for (let n = 0; n < 50_000; n++) {
    // Each in a row of its own, and all at the same place in it.
    const one = { scene: 'group', peer: 100_000_000 + (n % 97), seq: n * 256 } as const
    const id = ids.idOf(one)
    if (taken.has(id)) throw new Error(`${id} twice, at message ${n}`)
    taken.add(id)
    if (id !== firstFor(ACCOUNT, one)) clashes += 1
  }
  numbers.close()
  expect(clashes).toBeGreaterThan(50)
})

test('[MLI5] after a restart the numbers mean what they meant, those that clashed too', async () => {
  await using home = await folder()
  const [one, other] = clash()
  const before = opened(home.path)
  const ids = new MessageIds(before, ACCOUNT)
  const told = [ids.idOf(other), ids.idOf(one), ids.idOf(place(5, 'friend', 20002))]
  before.keepFile(ACCOUNT, 'file', 'hash')
  before.close()

  const after = opened(home.path)
  const again = new MessageIds(after, ACCOUNT)
  expect([one, other].map((at) => again.idOf(at))).toEqual([told[1] ?? 0, told[0] ?? 0])
  expect(again.placeOf(told[2] ?? 0)).toMatchObject(place(5, 'friend', 20002))
  expect(after.fileHash(ACCOUNT, 'file')).toBe('hash')
  after.close()
})

test('[MLI6] a file that cannot be used is told, and what was in it is put away; numbers are given all the same', async () => {
  await using home = await folder()
  const first = opened(home.path)
  first.close()
  const [file = ''] = [...new Bun.Glob('milky-*.db').scanSync(home.path)]
  await Bun.write(home.at(file), 'x'.repeat(20_000))
  const facts: Status[] = []
  const numbers = opened(home.path, { facts })
  const ids = new MessageIds(numbers, ACCOUNT)
  const id = ids.idOf(place(1))
  expect(ids.placeOf(id)).toMatchObject(place(1))
  numbers.close()
  expect(facts.map(({ kind }) => kind)).toEqual(['storage-failed', 'storage-set-aside', 'storage-back'])
  expect([...new Bun.Glob('*corrupt*').scanSync(home.path)]).toHaveLength(1)
  expect(new MessageIds(opened(home.path), ACCOUNT).placeOf(id)).toMatchObject(place(1))
})

test('[MLI6] a disk that takes nothing is told once, and memory does', async () => {
  await using home = await folder()
  await Bun.write(home.at('data'), 'a file where a folder is wanted')
  const facts: Status[] = []
  const numbers = opened(home.at('data'), { facts })
  const ids = new MessageIds(numbers, ACCOUNT)
  const told = Array.from({ length: 5_000 }, (_, seq) => ids.idOf(place(seq)))
  expect(new Set(told).size).toBe(5_000)
  expect(ids.placeOf(told[7] ?? 0)).toMatchObject(place(7))
  numbers.close()
  expect(facts.map(({ kind }) => kind)).toEqual(['storage-failed'])
})

test('[MLI6] a store that is closed takes no more, however much is told to it', async () => {
  await using home = await folder()
  const facts: Status[] = []
  const numbers = opened(home.path, { facts })
  const ids = new MessageIds(numbers, ACCOUNT)
  const id = ids.idOf(place(1))
  numbers.close()
  for (let seq = 0; seq < 5_000; seq++) ids.idOf(place(seq * 1_000))
  numbers.keepFile(ACCOUNT, 'file', 'hash')
  numbers.close()
  expect(facts).toEqual([])
  const again = opened(home.path)
  expect(again.fileHash(ACCOUNT, 'file')).toBeUndefined()
  expect(new MessageIds(again, ACCOUNT).placeOf(id)).toMatchObject(place(1))
  again.close()
})

test('[MLI8] a file in which each message has a row is taken over, those that clashed too', async () => {
  await using home = await folder()
  opened(home.path).close()
  const [file = ''] = [...new Bun.Glob('milky-*.db').scanSync(home.path)]
  const [one, other] = clash()
  const id = firstFor(ACCOUNT, one)
  const row = Array.from({ length: 70 }, (_, at) => ({ id: 512 + at, at: place(256 + at) }))
  using database = new DatabaseSync(home.at(file))
  database.exec(`
    DROP TABLE young; DROP TABLE old; PRAGMA user_version = 1;
    CREATE TABLE young (account INTEGER, id INTEGER, scene INTEGER NOT NULL, peer INTEGER NOT NULL, seq INTEGER NOT NULL,
      PRIMARY KEY (account, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE old AS SELECT * FROM young`)
  const add = database.prepare('INSERT INTO young VALUES (?, ?, 1, ?, ?)')
  for (const { id, at } of row) add.run(ACCOUNT, id, at.peer, at.seq)
  add.run(ACCOUNT, id + 256, one.peer, one.seq)
  database.prepare('INSERT INTO old VALUES (?, ?, 1, ?, ?)').run(ACCOUNT, id, other.peer, other.seq)
  database.close()

  const facts: Status[] = []
  const numbers = opened(home.path, { facts })
  const ids = new MessageIds(numbers, ACCOUNT)
  for (const { id, at } of row) expect(ids.placeOf(id)).toEqual(at)
  expect([ids.placeOf(511), ids.placeOf(512 + 70)]).toEqual([undefined, undefined])
  expect([ids.idOf(one), ids.idOf(other)]).toEqual([id + 256, id])
  numbers.close()
  expect(facts).toEqual([])
})

test('[MLI8] 32 messages that stand side by side are one row of the file, told at once or one after the other', async () => {
  await using home = await folder()
  const told: number[] = []
  for (const upTo of [5, 6, 40, 64]) {
    const numbers = opened(home.path)
    const ids = new MessageIds(numbers, ACCOUNT)
    while (told.length < upTo) told.push(ids.idOf(place(told.length)))
    numbers.close()
  }
  const [file = ''] = [...new Bun.Glob('milky-*.db').scanSync(home.path)]
  using database = new DatabaseSync(home.at(file))
  expect(database.prepare('SELECT places FROM young').all()).toEqual([{ places: 2 ** 32 - 1 }, { places: 2 ** 32 - 1 }])
  database.close()
  const numbers = opened(home.path)
  const ids = new MessageIds(numbers, ACCOUNT)
  expect(told.map((id) => ids.placeOf(id)?.seq)).toEqual([...told.keys()])
  numbers.close()
})

test('[MLI7] flags carry what accepting and rejecting need, whatever is in them', () => {
  const number = fc.nat(4_294_967_295)
  fc.assert(
    fc.property(fc.string(), fc.boolean(), number, number, (uid, filtered, group, seq) => {
      for (const flag of [
        { kind: 'friend', uid, filtered },
        { kind: 'joins', group, seq, filtered },
        { kind: 'invited', group, seq },
        { kind: 'invitation', group, seq },
      ] as const)
        expect(readFlag(flagText(flag))).toEqual(flag)
    }),
  )
  for (const wrong of ['', 'f', 'x|1|2', 'j|1', 'v|1|2|1', 'j|a|b|0', '1|2|3|4'])
    expect(readFlag(wrong)).toBeUndefined()
})
