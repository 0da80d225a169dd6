// Puts a new program in the place of one that may be running, in one step, and keeps the one before.

import { randomUUID } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Where the program before is kept. */
export const kept = (program: string): string => `${program}.old`

/** Behind the name of one that was moved out of the way, here or by install.ps1. */
const ASIDE = /^[0-9a-f-]{32,36}$/

/** While two programs change places. */
const asideOf = (program: string) => `${kept(program)}.new`

/** Whether there is one before; one that was killed while it changed places left it under another name. */
export function hasKept(program: string): boolean {
  const [old, aside] = [kept(program), asideOf(program)]
  if (!existsSync(old) && existsSync(aside) && existsSync(program) && !same(aside, program)) renameSync(aside, old)
  return existsSync(old)
}

/**
 * `next` takes the place of `program`, which is kept; both must be on one disk. Whatever fails, a whole program stands
 * in its place, also after a power cut. Throws what the file system says.
 */
export function replaceProgram(program: string, next: string): void {
  const old = kept(program)
  if (process.platform === 'win32') {
    clear(old)
    renameSync(program, old)
    return orElse(
      () => renameSync(next, program),
      () => renameSync(old, program),
    )
  }
  flush(next)
  duplicate(program, asideOf(program))
  moved(asideOf(program), old)
  renameSync(next, program)
  flush(dirname(program))
}

/** The one before and the one in use change places. False: there is none before. */
export function swapPrograms(program: string): boolean {
  const [old, aside] = [kept(program), asideOf(program)]
  if (!hasKept(program)) return false
  if (process.platform === 'win32') {
    clear(aside)
    renameSync(program, aside)
    orElse(
      () => renameSync(old, program),
      () => renameSync(aside, program),
    )
  } else {
    duplicate(program, aside)
    renameSync(old, program)
  }
  moved(aside, old)
  return true
}

/**
 * Makes room where one may still run, which Windows neither replaces nor removes, but renames. Those that were moved out
 * of the way before go as soon as they run no more.
 */
function clear(file: string): void {
  const [folder, before] = [dirname(file), `${basename(file)}.`]
  for (const other of readdirSync(folder))
    if (other.startsWith(before) && ASIDE.test(other.slice(before.length))) gone(join(folder, other))
  if (!gone(file)) renameSync(file, `${file}.${randomUUID()}`)
}

function gone(file: string): boolean {
  try {
    rmSync(file, { force: true })
    return true
  } catch {
    return false
  }
}

/** Two names of one file would both stay. */
function moved(from: string, to: string): void {
  renameSync(from, to)
  rmSync(from, { force: true })
}

function same(a: string, b: string): boolean {
  const [x, y] = [statSync(a), statSync(b)]
  return x.ino === y.ino && x.dev === y.dev
}

/** Onto the disk: a name that is there before the bytes are would be an empty program after a power cut. */
function flush(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
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
