// A program that is killed in the middle of writing, again and again.

import { expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Cursor } from '../../src/broker/ports.ts'
import { fileName } from '../../src/storage/file-name.ts'
import { ACCOUNT, onShelf, restoredOf, type Shelf } from '../contract/storage.ts'
import { program } from '../support/program.ts'

/** More of them: PERPETUA_KILLS=20. */
const ROUNDS = Number(process.env['PERPETUA_KILLS'] ?? 3)

interface Said {
  tick: number
  epoch: string
  /** The number of the first event of a tick, and how many came before it in its run. */
  first: { number: number; count: number }
  end: number
  call?: string
}

/** What a run says until it is killed, some time after a tick. */
async function run(folder: string, name: string, tick: number): Promise<Said[]> {
  await using writer = program([folder, name], { cwd: folder, entry: 'test/storage/writer.ts' })
  await writer.says(new RegExp(`"tick":${tick},`))
  writer.signal('SIGKILL')
  const { stdout } = await writer.ended
  // The last line may be half a line.
  const lines = stdout.split('\n').slice(0, -1)
  return lines.filter((line) => line.includes('"tick"')).map((line) => JSON.parse(line))
}

/** Every entry that the file holds, by its number. */
function found(shelf: Shelf) {
  const file = join(shelf.folder, fileName('bot'))
  const storage = shelf.open({ folder: shelf.killed({ file }), name: 'bot' })
  const { journal, ...rest } = restoredOf(storage)
  const entries = new Map<number, { run: string; count: number }>()
  let at: Cursor = journal.first
  for (let entry = journal.at(at); entry !== undefined; entry = journal.at(at)) {
    const [run = '', count = ''] = entry.raw.split(' ')
    entries.set(at, { run, count: Number(count) })
    at = entry.next
  }
  storage[Symbol.dispose]()
  return { ...rest, entries, head: journal.head, epoch: journal.epoch, calls: storage.durable.waiting() }
}

test(`[STO2] [STO3] [STO5] [STO9] killed at 20,000 events a second, ${ROUNDS} times: what was committed is whole, no number is used twice`, () =>
  onShelf(async (shelf) => {
    const given = new Map<number, string>()
    const calls: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const name = `run${round}`
      const told = await run(shelf.folder, name, 100 + round * 7)
      for (const { first, end, call } of told) {
        if (call !== undefined) calls.push(call)
        for (let number = first.number; number < end; number++) {
          expect(given.has(number)).toBe(false)
          given.set(number, `${name} ${first.count + number - first.number}`)
        }
      }

      const { entries, sessions, selfId, clean, epoch, head, calls: kept } = found(shelf)
      expect([selfId, clean, epoch]).toEqual([ACCOUNT, false, told[0]?.epoch ?? ''])
      let before: { run: string; count: number } | undefined
      for (const [number, { run, count }] of entries) {
        // What nobody was told of in time comes after all that was.
        if (given.has(number)) expect(given.get(number)).toBe(`${run} ${count}`)
        if (before?.run === run) expect(count).toBe(before.count + 1)
        before = { run, count }
      }
      const last = told.at(-1)
      const counted = (last?.first.count ?? 0) + (last?.end ?? 0) - (last?.first.number ?? 0)
      expect(before?.run).toBe(name)
      expect(counted - (before?.count ?? 0) - 1).toBeLessThanOrEqual(512)
      const end = Math.max(...entries.keys()) + 1
      expect(sessions.map(({ cursor }) => cursor <= end)).toEqual([true])
      expect(head).toBeGreaterThanOrEqual(end + 1_024)
      const ids = kept.map(({ id }) => id)
      expect(calls.filter((id) => !ids.includes(id))).toEqual([])
    }
    expect(calls.length).toBeGreaterThanOrEqual(ROUNDS)
  }))
