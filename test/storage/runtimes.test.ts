// The storage contracts in processes of Node and Deno, and what Node says of its SQLite.

import { describe, expect, test } from 'bun:test'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { journalContract } from '../contract/journal.ts'
import { storageContract } from '../contract/storage.ts'
import { storageFaults } from '../contract/storage-faults.ts'
import { folder } from '../support/folder.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const script = 'test/contract/run-storage.ts'

function run(runtime: string, args: string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(`${root}node_modules/.bin/${runtime}`, args, { cwd: root, timeout: 230_000 }, (_, stdout, stderr) =>
      resolve({ stdout, stderr }),
    )
  })
}

const runs = {
  node: run('node', [script]),
  deno: run('deno', ['run', '-A', '--node-modules-dir=manual', script]),
}

for (const [runtime, running] of Object.entries(runs)) {
  describe(`on ${runtime}`, () => {
    for (const { name } of [...journalContract, ...storageContract, ...storageFaults]) {
      test(name, async () => {
        const { stdout, stderr } = await running
        const lines = stdout.split('\n').filter((line) => line.startsWith('{"name"'))
        const result = lines.map((line) => JSON.parse(line)).find((one) => one.name === name)
        expect(result === undefined ? `did not run:\n${stdout}${stderr}` : result.error).toBeUndefined()
      })
    }
  })
}

test('[STO18] SQLite is loaded when a storage is opened and not before, without a word on stderr', async () => {
  await using place = await folder()
  const code = `
    import { openStorage } from './src/storage/storage.ts'
    const loaded = () => process.moduleLoadList.includes('NativeModule sqlite')
    const before = loaded()
    const limits = () => ({ maxBytes: 1e6, maxAge: 1e6 })
    const options = { folder: ${JSON.stringify(place.path)}, name: 'bot', limits, report: console.log, now: Date.now }
    openStorage(options)[Symbol.dispose]()
    console.log(JSON.stringify([before, loaded()]))
    process.emitWarning('of others')
  `
  const { stdout, stderr } = await run('node', ['--input-type=module', '-e', code])
  expect(stdout.trim()).toBe('[false,true]')
  expect(stderr).not.toContain('SQLite')
  expect(stderr).toContain('of others')
})
