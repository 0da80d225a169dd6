// Lets one process at a time do something, by a file that names it; what a process left behind is taken over.

import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isRunning, startOf } from './process.ts'

export interface Owner {
  pid: number
  /** See process.ts. */
  start?: string | undefined
  host: string
  /** For people. */
  since: string
}

/** A running process has the lock; undefined when it does not say which. */
export class HeldError extends Error {
  override readonly name = 'HeldError'
  readonly owner: Owner | undefined
  constructor(file: string, owner: Owner | undefined) {
    super(
      `${file} is held by ${owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process'}`,
    )
    this.owner = owner
  }
}

/** Takes the lock. Throws HeldError when somebody has it, and the system's error when it cannot be written. */
export function lockFile(file: string): Disposable {
  const own = JSON.stringify({ pid: process.pid, start: startOf(process.pid), host: hostname(), since: new Date() })
  // Twice a stale lock at most: then others are quicker than we are.
  for (let tries = 0; tries < 3; tries++) {
    if (take(file, own)) return { [Symbol.dispose]: () => remove(file, own) }
    const text = read(file)
    const owner = ownerOf(text)
    if (owner && owner.pid !== process.pid && isRunning(owner.pid, owner.start)) throw new HeldError(file, owner)
    if (text !== undefined) remove(file, text)
  }
  throw new HeldError(file, ownerOf(read(file)))
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
