// Makes an executable that stands in for Lagrange.OneBot, and tells what became of it.

import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NAMES, SCANNED, type StandInFlags } from './stand-in-program.ts'

export interface StandIn {
  /** What `ntqq-impl.path` may point at. */
  readonly executable: string
  /** For the starts to come. */
  set(flags: StandInFlags): Promise<void>
  /** The pid of every start so far. */
  starts(): Promise<number[]>
  /** Whether ever one was started while another ran. */
  twice(): Promise<boolean>
}

/**
 * The text of the executable: a script that Bun runs as it is. In an archive it needs its execute bit (and on Windows
 * it is of no use).
 */
export function standInScript(flags: StandInFlags = {}): string {
  const program = fileURLToPath(new URL('stand-in-program.ts', import.meta.url))
  return `#!${process.execPath}\nimport { run } from ${JSON.stringify(program)}\nawait run(${JSON.stringify(flags)})\n`
}

/** `at`: the path of the executable to make, folders and all. */
export async function standIn(at: string, flags: StandInFlags = {}): Promise<StandIn> {
  const folder = dirname(at)
  await mkdir(folder, { recursive: true })
  await writeFile(at, standInScript(flags))
  await chmod(at, 0o755)
  await rm(join(folder, NAMES.flags), { force: true })
  const noted = () => readFile(join(folder, NAMES.starts), 'utf8').catch(() => '')
  return {
    executable: at,
    set: (next) => writeFile(join(folder, NAMES.flags), JSON.stringify(next)),
    starts: async () => [...(await noted()).matchAll(/^start (\d+)$/gm)].map(([, pid]) => Number(pid)),
    twice: async () => /^twice /m.test(await noted()),
  }
}

/** Somebody scans the code that is shown by the one working in `folder`. */
export async function scan(folder: string): Promise<void> {
  await writeFile(join(folder, SCANNED), '')
}
