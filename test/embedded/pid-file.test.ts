// A child that a killed gateway left is found and ended at the next start, if it is the one that was noted.

import { expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PidFile } from '../../src/embedded/pid-file.ts'
import type { SupervisorFact } from '../../src/embedded/supervisor.ts'
import { identityOf } from '../../src/lib/identity.ts'
import { type Folder, folder } from '../support/folder.ts'
import { type Program, program } from '../support/program.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import type { StandInFlags } from '../support/stand-in-program.ts'
import { lives } from '../support/system.ts'
import { supervised } from './supervised.ts'

const ROOT = join(import.meta.dir, '../..')
const RUNTIMES = { bun: process.execPath, node: join(ROOT, 'node_modules/.bin/node') }

interface Place extends AsyncDisposable {
  readonly folder: Folder
  readonly standIn: StandIn
  readonly pidFile: string
  parent(runtime: keyof typeof RUNTIMES): Parent
}

interface Parent {
  readonly program: Program
  fact<K extends SupervisorFact['kind']>(kind: K): Promise<SupervisorFact & { kind: K }>
}

async function place(flags: StandInFlags = {}): Promise<Place> {
  const own = await folder()
  const it = await standIn(own.at('bin', 'Lagrange.OneBot'), flags)
  await writeFile(own.at('appsettings.json'), '{}')
  const parents: Program[] = []
  return {
    folder: own,
    standIn: it,
    pidFile: own.at('data', 'lagrange.pid'),
    parent(runtime) {
      const words = [
        fileURLToPath(new URL('parent.ts', import.meta.url)),
        it.executable,
        own.path,
        own.at('data', 'lagrange.pid'),
      ]
      const parent = program(words, { file: RUNTIMES[runtime], cwd: own.path })
      parents.push(parent)
      return {
        program: parent,
        async fact(kind) {
          const [line] = await parent.says(new RegExp(`^\\{"kind":"${kind}".*\\n`, 'm'))
          return JSON.parse(line) // of parent.ts
        },
      }
    },
    async [Symbol.asyncDispose]() {
      for (const parent of parents) await parent[Symbol.asyncDispose]()
      for (const pid of await it.starts()) if (lives(pid)) process.kill(pid, 'SIGKILL')
      await own[Symbol.asyncDispose]()
    },
  }
}

/** Asks it to end in this way, and waits until it has. */
async function ends({ program }: Parent, signal: NodeJS.Signals): Promise<void> {
  program.signal(signal)
  await program.ended
}

/** Some other program, that is really there. */
function bystander() {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  return { pid: child.pid!, [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

for (const runtime of ['bun', 'node'] as const) {
  test(`[SUP16] after a kill -9 on ${runtime} the next start ends the child that was left, and then starts its own`, async () => {
    await using at = await place({ ignoresSigterm: true })
    const killed = at.parent(runtime)
    const { pid } = await killed.fact('started')
    await killed.program.says(/QrCode Fetched/)
    await ends(killed, 'SIGKILL')
    expect(lives(pid)).toBe(true)

    const next = at.parent(runtime)
    expect(await next.fact('left-over')).toEqual({ kind: 'left-over', pid })
    const { pid: successor } = await next.fact('started')
    expect(lives(pid)).toBe(false)
    await next.program.says(/QrCode Fetched/)
    expect(await at.standIn.starts()).toEqual([pid, successor])
    expect(await at.standIn.twice()).toBe(false)

    await ends(next, 'SIGTERM')
    expect(lives(successor)).toBe(false)
    expect(await at.folder.list('data')).toEqual([])
  })

  test(`[SUP17] a gateway on ${runtime} that leaves in a hurry tells its child to end`, async () => {
    await using at = await place()
    const hasty = at.parent(runtime)
    const { pid } = await hasty.fact('started')
    await hasty.program.says(/QrCode Fetched/)
    await ends(hasty, 'SIGINT')
    while (lives(pid)) await Bun.sleep(10)
  })
}

test('[SUP16] it is found though its file was moved meanwhile, or is a script that became the program', async () => {
  await using own = await folder()
  // A program of its own: that a script is running says nothing of where the script is.
  await copyFile('/bin/sleep', own.at('program'))
  await writeFile(own.at('script'), `#!/bin/sh\necho here\nread line\nexec ${own.at('program')} 600\n`)
  for (const file of ['program', 'script']) await chmod(own.at(file), 0o755)
  const child = spawn(own.at('script'), [], { stdio: ['pipe', 'pipe', 'ignore'] })
  using undo = new DisposableStack()
  undo.defer(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const file = new PidFile(own.at('pid'))
  expect(await file.note(child.pid!)).toBeUndefined()
  expect(JSON.parse(await own.read('pid')).executable).not.toBe(own.at('program'))
  child.stdin.write('\n')
  while ((await identityOf(child.pid!))?.executable !== own.at('program')) await Bun.sleep(10)
  await file.note(child.pid!)
  expect(JSON.parse(await own.read('pid'))).toMatchObject({ pid: child.pid, executable: own.at('program') })

  await rename(own.at('program'), own.at('previous'))
  const found: number[] = []
  await new PidFile(own.at('pid')).settle(5_000, (pid) => found.push(pid))
  expect(found).toEqual([child.pid!])
  expect(lives(child.pid!)).toBe(false)
})

test('[SUP18] a process with the noted number that is another one by start or executable is left alone', async () => {
  await using own = await folder()
  using other = bystander()
  const identity = await identityOf(other.pid)
  const notes = [
    { pid: other.pid, ...identity, start: '1' },
    { pid: other.pid, start: identity?.start, executable: '/opt/Lagrange.OneBot', file: '1:1' },
    { pid: other.pid, start: identity?.start, executable: '/opt/Lagrange.OneBot' },
    { pid: other.pid },
    { pid: process.pid, ...(await identityOf(process.pid)) },
    { pid: -1, ...identity },
    { pid: 1, ...(await identityOf(1)) },
    null,
    [],
  ]
  const found: number[] = []
  for (const text of [...notes.map((note) => JSON.stringify(note)), '', '{"pid":', '\u0000']) {
    await writeFile(own.at('pid'), text)
    await new PidFile(own.at('pid')).settle(100, (pid) => found.push(pid))
    expect(await own.list()).toEqual([])
  }
  await new PidFile(own.at('pid')).settle(100, (pid) => found.push(pid))
  expect(found).toEqual([])
  expect(lives(other.pid)).toBe(true)
  // The same note, but right.
  await writeFile(own.at('pid'), JSON.stringify({ pid: other.pid, ...identity }))
  await new PidFile(own.at('pid')).settle(5_000, (pid) => found.push(pid))
  expect(found).toEqual([other.pid])
  expect(lives(other.pid)).toBe(false)
})

test('[SUP19] a note that cannot be written is told, and the process runs all the same', async () => {
  await using bed = await supervised({}, { pidFile: '/dev/null/pid' })
  bed.supervisor.start()
  const { pid } = await bed.fact('started')
  const { why } = await bed.fact('unnoted')
  expect(why).toStartWith('write /dev/null/pid: ')
  expect(lives(pid)).toBe(true)
})

test('[SUP16] one that has ended and nobody buried counts as ended', async () => {
  await using own = await folder()
  using undo = new DisposableStack()
  // Its parent becomes a program that never asks how its children ended.
  const line = 'sleep 600 & echo $!; exec sleep 600'
  const parent = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] })
  undo.defer(() => parent.kill('SIGKILL'))
  const [told] = await once(parent.stdout, 'data')
  const pid = Number(String(told))
  undo.defer(() => process.kill(pid, 'SIGKILL')) // while its parent lives, the number is its own
  let identity = await identityOf(pid)
  // Until the shell's fork has become what it is to be.
  while (!identity?.executable.endsWith('sleep')) {
    await Bun.sleep(5)
    identity = await identityOf(pid)
  }
  await writeFile(own.at('pid'), JSON.stringify({ pid, ...identity }))
  await new PidFile(own.at('pid')).settle(5_000, () => {})
  expect(lives(pid)).toBe(false)
  expect(() => process.kill(pid, 0)).not.toThrow()
})
