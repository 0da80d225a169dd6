// The contract of processes: output, endings, signals, what they are given, and those that cannot be started.

import assert from 'node:assert/strict'
import { chmodSync, fstatSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Host, SpawnError, type SpawnOptions } from '../../src/runtime/host.ts'
import type { Case } from './case.ts'
import { Inbox } from './witness.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))
const running = ({ name }: Host) => (name === 'deno' ? ['run', '-A', '--no-check', script] : [script])

/** A folder of its own, gone after the case. */
function folder() {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'perpetua-')))
  return { path, [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true }) }
}

async function start(host: Host, words: string[], options: Partial<SpawnOptions> = {}) {
  const said = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  const heard = new Inbox<string>()
  const child = await host.spawn({
    command: process.execPath,
    args: [...running(host), ...words],
    cwd: tmpdir(),
    stdin: 'ignore',
    output(bytes, from) {
      said[from].push(bytes)
      heard.push(new TextDecoder().decode(bytes))
    },
    ...options,
  })
  const all = (from: 'stdout' | 'stderr') => Buffer.concat(said[from])
  const end = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return { child, heard, all, [Symbol.asyncDispose]: end }
}

async function refusal(host: Host, options: Partial<SpawnOptions>): Promise<SpawnError> {
  const error: unknown = await host
    .spawn({ command: process.execPath, args: [], cwd: tmpdir(), stdin: 'ignore', output: () => {}, ...options })
    .then(
      () => assert.fail('it was started'),
      (reason) => reason,
    )
  assert.ok(error instanceof SpawnError, `${error}`)
  return error
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

export const processes: readonly Case[] = [
  {
    name: '[RUN32] what a process says comes byte for byte, its streams told apart, all of it before its end is told',
    async run(host, own) {
      const speaker = await own(start(host, ['speak']))
      assert.deepEqual(await speaker.child.exited, { code: 7, signal: null })
      assert.deepEqual(speaker.all('stdout'), Buffer.from(Uint8Array.from({ length: 512 }, (_, i) => i)))
      assert.equal(speaker.all('stderr').toString(), 'é 群')

      const flood = await own(start(host, ['flood', '24']))
      assert.deepEqual(await flood.child.exited, { code: 0, signal: null })
      const bytes = flood.all('stdout')
      assert.equal(bytes.length, 24 * 1024 * 1024)
      for (let i = 0; i < 24; i++) assert.equal(bytes[i * 1024 * 1024 + i], i)
    },
  },
  {
    name: '[RUN33] a process gets its arguments, folder and environment, and the stdin that was asked for',
    async run(host, own) {
      const place = await own(Promise.resolve(folder()))
      const told = async (words: string[], options: Partial<SpawnOptions>) => {
        const it = await own(start(host, ['tell', ...words], options))
        await it.child.exited
        return JSON.parse(it.all('stdout').toString())
      }
      const env = { CONTRACT: 'held' }
      const one = await told(['read', 'a b', '"$x"', ''], { cwd: place.path, env })
      assert.deepEqual(one.rest, ['read', 'a b', '"$x"', ''])
      assert.deepEqual([one.cwd, one.CONTRACT, one.HOME, one.read], [place.path, 'held', null, ''])
      const { HOME = null } = process.env
      const two = await told([], { stdin: 'inherit' })
      const { dev, ino } = fstatSync(0)
      assert.deepEqual([two.stdin, two.HOME], [[dev, ino], HOME])
    },
  },
  {
    name: '[RUN34] a signal reaches the process, its end tells which one, and later ones have no effect',
    async run(host, own) {
      const calm = await own(start(host, ['stay']))
      assert.equal(await calm.heard.take(), 'here')
      assert.ok(isThere(calm.child.pid))
      calm.child.kill('SIGTERM')
      assert.deepEqual(await calm.child.exited, { code: null, signal: 'SIGTERM' })
      assert.ok(!isThere(calm.child.pid))
      calm.child.kill('SIGTERM')
      calm.child.kill('SIGKILL')

      const stubborn = await own(start(host, ['stubborn']))
      assert.equal(await stubborn.heard.take(), 'here')
      stubborn.child.kill('SIGTERM')
      assert.equal(await stubborn.heard.take(), 'no')
      stubborn.child.kill('SIGKILL')
      assert.deepEqual(await stubborn.child.exited, { code: null, signal: 'SIGKILL' })
    },
  },
  {
    name: '[RUN35] a process that cannot be started is refused with the code of the system and the reason in words',
    async run(host, own) {
      const place = await own(Promise.resolve(folder()))
      const missing = join(place.path, 'missing')
      const none = await refusal(host, { command: missing })
      assert.deepEqual([none.code, none.message], ['ENOENT', `run ${missing}: no such file`])
      const nowhere = await refusal(host, { cwd: missing })
      assert.equal(nowhere.code, 'ENOENT')
      assert.match(nowhere.message, /the folder it should work in, .*missing, is not there$/)

      const file = join(place.path, 'file')
      writeFileSync(file, '#!/no/such/loader\n')
      const bare = await refusal(host, { command: file })
      assert.equal(bare.code, 'EACCES')
      assert.match(bare.message, /may not be executed; set its execute bit/)
      chmodSync(file, 0o755)
      const foreign = await refusal(host, { command: file })
      assert.equal(foreign.code, 'ENOENT')
      assert.match(foreign.message, /its loader is not there/)
    },
  },
  {
    name: '[RUN36] the end of a process is told though one of its own keeps its pipes',
    async run(host, own) {
      const it = await own(start(host, ['bequeath', ...running(host), 'stay']))
      assert.deepEqual(await it.child.exited, { code: 0, signal: null })
      const heir = Number(/^\d+/.exec(it.all('stdout').toString().replace(/here/, ''))?.[0])
      assert.ok(isThere(heir))
      process.kill(heir, 'SIGKILL')
    },
  },
]
