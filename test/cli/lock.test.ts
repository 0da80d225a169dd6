// The lock of a data folder, when its owner is on its way out.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { LOCK, LockedError, lockFolder } from '../../src/cli/lock.ts'
import { startOf } from '../../src/lib/process.ts'
import { folder } from '../support/folder.ts'
import { lacks, linux } from '../support/system.ts'

/** The lock as this process would have written it. */
const lockOf = (pid: number) =>
  JSON.stringify({ pid, start: startOf(pid), host: hostname(), since: new Date().toISOString() })

test('[CLI26] who has the folder and is about to end is waited for, who goes on is not for long', async () => {
  await using at = await folder()
  await using owner = Bun.spawn(['sleep', '1000'])
  await Bun.write(at.at(LOCK), lockOf(owner.pid))
  // The first look is over when this returns, and found it running.
  const taking = lockFolder(at.path)
  owner.kill('SIGKILL')
  {
    using _ = await taking
    expect(JSON.parse(await at.read(LOCK)).pid).toBe(process.pid)
  }
  await using other = Bun.spawn(['sleep', '1000'])
  const theirs = lockOf(other.pid)
  await Bun.write(at.at(LOCK), theirs)
  expect(await lockFolder(at.path).catch((error: unknown) => error)).toBeInstanceOf(LockedError)
  expect(await at.read(LOCK)).toBe(theirs)
})

test.skipIf(lacks(!linux, 'only Linux tells whether a process has ended unburied'))(
  '[CLI26] a killed gateway that its parent never buries keeps nothing',
  async () => {
    await using at = await folder()
    // It has a child that ends, and never asks what became of it.
    await using careless = Bun.spawn(['sh', '-c', 'sleep 0 & exec sleep 1000'])
    const dead = await unburied(careless.pid)
    await Bun.write(at.at(LOCK), lockOf(dead))
    // It would be refused to whoever thought that it runs.
    using _ = await lockFolder(at.path)
    expect(await at.read(LOCK)).toContain(`"pid":${process.pid}`)
  },
)

/** The pid of a child that has ended without anybody asking. */
async function unburied(parent: number): Promise<number> {
  for (;;) {
    const [pid] = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')
    if (pid && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return Number(pid)
    await Bun.sleep(1)
  }
}
