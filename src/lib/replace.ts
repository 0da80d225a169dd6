// Puts a new program in the place of one that may be running, in one step, and keeps the one before.

import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs'

/** Where the program before is kept. */
export const kept = (program: string): string => `${program}.old`

/**
 * `next` takes the place of `program`, which is kept; both must be on one disk. Whatever fails, a whole program stands
 * in its place. Throws what the file system says.
 */
export function replaceProgram(program: string, next: string): void {
  const old = kept(program)
  if (process.platform === 'win32') {
    // One that runs cannot be written there, but renamed.
    rmSync(old, { force: true })
    renameSync(program, old)
    return orElse(
      () => renameSync(next, program),
      () => renameSync(old, program),
    )
  }
  duplicate(program, `${old}.new`)
  renameSync(`${old}.new`, old)
  renameSync(next, program)
}

/** The one before and the one in use change places. False: there is none before. */
export function swapPrograms(program: string): boolean {
  const old = kept(program)
  const aside = `${old}.new`
  if (!existsSync(old)) return false
  if (process.platform === 'win32') {
    renameSync(program, aside)
    orElse(
      () => renameSync(old, program),
      () => renameSync(aside, program),
    )
  } else {
    duplicate(program, aside)
    renameSync(old, program)
  }
  renameSync(aside, old)
  return true
}

/** A second name for it, or a copy where a disk has no such thing. */
function duplicate(file: string, to: string): void {
  rmSync(to, { force: true })
  try {
    linkSync(file, to)
  } catch {
    copyFileSync(file, to)
  }
}

function orElse(work: () => void, undo: () => void): void {
  try {
    work()
  } catch (error) {
    undo()
    throw error
  }
}
