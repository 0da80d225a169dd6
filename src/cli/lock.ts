// Lets one gateway at a time use a data folder.

import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isRunning, startOf } from '../lib/process.ts'

export const LOCK = 'perpetua.lock'

interface Owner {
  pid: number
  /** See lib/process.ts. */
  start?: string | undefined
  host: string
  /** For people. */
  since: string
}

/** A running gateway has the folder. */
export class LockedError extends Error {
  override name = 'LockedError'
}

/**
 * Takes the folder, making it if need be. Throws LockedError when somebody has it, and the system's error when it
 * cannot be written. What a gateway left behind that no longer runs is taken over.
 */
export function lockFolder(folder: string): Disposable {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, LOCK)
  const own = JSON.stringify({ pid: process.pid, start: startOf(process.pid), host: hostname(), since: new Date() })
  // Twice a stale lock at most: then others are quicker than we are.
  for (let tries = 0; tries < 3; tries++) {
    if (take(file, own)) return { [Symbol.dispose]: () => remove(file, own) }
    const text = read(file)
    const owner = ownerOf(text)
    if (owner && owner.pid !== process.pid && isRunning(owner.pid, owner.start)) throw locked(folder, file, owner)
    if (text !== undefined) remove(file, text)
  }
  throw locked(folder, file, ownerOf(read(file)))
}

function take(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o644 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false // node:fs throws nothing else
    throw error
  }
}

/** Only while it still holds `text`: somebody else may have taken it. */
function remove(file: string, text: string): void {
  if (read(file) !== text) return
  try {
    unlinkSync(file)
  } catch {
    // Gone already, or not ours to remove: then it is stale as soon as we end.
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Undefined for a lock that names nobody, as an interrupted write leaves it. */
function ownerOf(text: string | undefined): Owner | undefined {
  try {
    const owner: Partial<Owner> | null = JSON.parse(text ?? 'null')
    return owner && Number.isSafeInteger(owner.pid) && Number(owner.pid) > 0 ? (owner as Owner) : undefined // we wrote it
  } catch {
    return undefined
  }
}

function locked(folder: string, file: string, owner: Owner | undefined): LockedError {
  const who = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process'
  return new LockedError(
    `data-dir: ${folder} is in use by a running gateway (${who}); stop it, or set data-dir to another folder ` +
      `(should it not be running: delete ${file})`,
  )
}
