// Starts processes with Bun.spawn.

import type { Child, SpawnOptions } from './host.ts'
import { lastWords, notStarted } from './spawning.ts'

function start({ command, args, cwd, env, stdin }: SpawnOptions) {
  return Bun.spawn([command, ...args], {
    cwd,
    ...(env && { env }),
    stdin,
    stdout: 'pipe',
    stderr: 'pipe',
    windowsHide: true,
  })
}

export async function spawn(options: SpawnOptions): Promise<Child> {
  let child: ReturnType<typeof start>
  try {
    child = start(options)
  } catch (error) {
    throw notStarted(error, options)
  }
  const readers = (['stdout', 'stderr'] as const).map((from) =>
    read(child[from], (bytes) => options.output(bytes, from)),
  )
  const exited = child.exited
    .then(() =>
      lastWords(Promise.all(readers.map(({ done }) => done)), () => {
        for (const { stop } of readers) stop()
      }),
    )
    .then(() => {
      const signal = child.signalCode
      return signal === null ? { code: child.exitCode, signal } : { code: null, signal: String(signal) }
    })
  return { pid: child.pid, exited, kill: (signal) => child.kill(signal) }
}

function read(stream: ReadableStream<Uint8Array>, output: (bytes: Uint8Array) => void) {
  const reader = stream.getReader()
  let stopped = false
  const all = async () => {
    for (;;) {
      // An error means that the pipe has gone: the end as well.
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
      if (done || stopped || value === undefined) return
      output(value)
    }
  }
  return {
    done: all(),
    stop: () => {
      stopped = true
      reader.cancel().catch(() => {}) // it has ended already
    },
  }
}
