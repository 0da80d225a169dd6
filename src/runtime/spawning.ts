// What every runtime must do alike with processes: why one could not be started, when the last output has come.

import { existsSync } from 'node:fs'
import { SpawnError, type SpawnOptions } from './host.ts'

/** How long (ms) output is awaited after the end: it is there at once unless a process of the child's keeps the pipes. */
const LAST_WORDS_MS = 1_000

/** `error` is what the runtime threw. */
export function notStarted(error: unknown, { command, cwd }: SpawnOptions): SpawnError {
  const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException // runtimes throw errors
  return new SpawnError(`run ${command}: ${reason(code, command, cwd) ?? message}`, { code, cause: error })
}

function reason(code: string, command: string, cwd: string): string | undefined {
  switch (code) {
    case 'ENOENT':
      if (!existsSync(cwd)) return `the folder it should work in, ${cwd}, is not there`
      if (!existsSync(command)) return 'no such file'
      return 'its loader is not there: it was made for another system (glibc instead of musl, for example)'
    case 'EACCES':
      return 'it may not be executed; set its execute bit, and look whether its disk is mounted noexec'
    case 'ENOEXEC':
      return 'it is no program for this machine'
    case 'ETXTBSY':
      return 'it is being written'
    default:
      return undefined
  }
}

/** Waits for what reads the output, but not for ever; then `drop` lets go of the pipes. */
export async function lastWords(reading: Promise<unknown>, drop: () => void): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_WORDS_MS)
  })
  await Promise.race([reading, late]).finally(() => clearTimeout(timer))
  drop()
}
