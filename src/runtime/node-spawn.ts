// Starts processes with node:child_process.

import { spawn as start } from 'node:child_process'
import { once } from 'node:events'
import type { Child, Ending, SpawnOptions } from './host.ts'
import { lastWords, notStarted } from './spawning.ts'

export async function spawn(options: SpawnOptions): Promise<Child> {
  const { command, args, cwd, env, stdin, output } = options
  try {
    const child = start(command, args, { cwd, env, stdio: [stdin, 'pipe', 'pipe'], windowsHide: true })
    const ended = new Promise<Ending>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code: signal === null ? code : null, signal }))
    })
    const reading = (['stdout', 'stderr'] as const).map((from) => {
      const stream = child[from]
      stream.on('data', (bytes: Buffer) => output(bytes, from))
      stream.on('error', () => {}) // the pipe has gone: `close` follows
      return new Promise((resolve) => stream.once('close', resolve))
    })
    const exited = ended.then(async (ending) => {
      await lastWords(Promise.all(reading), () => {
        for (const stream of [child.stdout, child.stderr]) stream.removeAllListeners('data').destroy()
      })
      return ending
    })
    await once(child, 'spawn') // rejects with what 'error' says
    const pid = child.pid as number // it runs
    const kill = (signal: NodeJS.Signals) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      try {
        // Not by the child's own method: on Deno that one does nothing the second time.
        process.kill(pid, signal)
      } catch {
        // It is just ending, or became somebody else's.
      }
    }
    return { pid, exited, kill }
  } catch (error) {
    throw notStarted(error, options)
  }
}
