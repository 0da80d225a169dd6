// The host contract on all three runtimes: here on Bun, and in processes of Node and Deno.

import { describe, expect, test } from 'bun:test'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { bunHost } from '../../src/runtime/bun.ts'
import { hostContract, perform, warmUp } from '../contract/host.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const script = 'test/contract/run-host.ts'

interface Run {
  exitCode: number | string | undefined
  output: string
  /** What went wrong by case; null: nothing. */
  errors: Map<string, string | null>
}

function run(runtime: string, args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd: root, timeout: 230_000 }
    const child = execFile(`${root}node_modules/.bin/${runtime}`, args, options, (_, stdout, stderr) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{"name"'))
      const cases = lines.map((line): { name: string; error?: string } => JSON.parse(line))
      const errors = new Map(cases.map(({ name, error }) => [name, error ?? null]))
      resolve({ exitCode: child.exitCode ?? child.signalCode ?? undefined, output: stdout + stderr, errors })
    })
  })
}

// All at once: the longest case is patience, which costs nothing but time.
const runs = {
  node: run('node', [script]),
  deno: run('deno', ['run', '-A', '--node-modules-dir=manual', script]),
}
warmUp(bunHost)

describe('on bun', () => {
  for (const one of hostContract) test(one.name, () => perform(one, bunHost))
})

for (const [runtime, running] of Object.entries(runs)) {
  describe(`on ${runtime}`, () => {
    for (const { name } of hostContract) {
      test(name, async () => {
        const { errors, output } = await running
        expect(errors.has(name) ? errors.get(name) : `did not run:\n${output}`).toBeNull()
      })
    }

    test('[RUN31] needs no special flags and ends well', async () => {
      const { exitCode, output } = await running
      expect(exitCode, output).toBe(0)
      expect(output).toContain(`{"runtime":"${runtime}"}`)
    })
  })
}
