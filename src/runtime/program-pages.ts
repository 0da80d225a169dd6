// The pages of the program's own file that the system holds for us: most of them were needed by the start alone.

import { readFile, readlink } from 'node:fs/promises'

/** Addresses, `from` included and `to` not. */
export interface Range {
  from: number
  to: number
}

/** MADV_DONTNEED of madvise(2): pages go, and come back from the file when they are touched. */
const DONTNEED = 4
const LIBRARIES = ['libc.so.6', ...['x86_64', 'aarch64'].map((arch) => `libc.musl-${arch}.so.1`)]
/** What a mapping with bytes of its own says of itself. Dirty pages are not that: a new file's own are, until they are on the disk. */
const CHANGED = ['Anonymous', 'Swap']
/** Out of sight of bundlers and of runtimes that have none. */
const FFI: string = 'bun:ffi'

/** Linux under Bun only; elsewhere, and where the system forbids it, everything stays as it was. */
export async function dropProgramPages(): Promise<void> {
  if (process.platform !== 'linux') return
  try {
    const [smaps, file] = await Promise.all([readFile('/proc/self/smaps', 'utf8'), readlink('/proc/self/exe')])
    const { dlopen } = (await import(FFI)) as typeof import('bun:ffi')
    const system = firstOf(LIBRARIES, (name) =>
      dlopen(name, { madvise: { args: ['u64', 'u64', 'i32'], returns: 'i32' } }),
    )
    for (const { from, to } of unchangedPages(smaps, file)) system?.symbols.madvise(from, to - from, DONTNEED)
    system?.close()
  } catch {
    // Nothing depends on it.
  }
}

/**
 * Where pages of `file` lie that hold what the file holds, and so come back as they were.
 *
 * `smaps`: text of /proc/PID/smaps, proc_pid_smaps(5). Code and constants; data that the loader has changed is left alone.
 */
export function unchangedPages(smaps: string, file: string): Range[] {
  const found: Range[] = []
  for (const mapping of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p .*? (\/.*)$/m.exec(mapping) ?? []
    if (from === undefined || to === undefined || path !== file) continue
    if (CHANGED.every((name) => new RegExp(`^${name}: +0 kB$`, 'm').test(mapping)))
      found.push({ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) })
  }
  return found
}

function firstOf<T>(names: string[], get: (name: string) => T): T | undefined {
  for (const name of names) {
    try {
      return get(name)
    } catch {
      // The next one.
    }
  }
}
