// Lets one gateway at a time use a data folder.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { HeldError, lockFile } from '../lib/lock-file.ts'

export const LOCK = 'perpetua.lock'

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
  try {
    return lockFile(file)
  } catch (error) {
    throw error instanceof HeldError ? locked(folder, file, error) : error
  }
}

function locked(folder: string, file: string, { owner }: HeldError): LockedError {
  const who = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process'
  return new LockedError(
    `data-dir: ${folder} is in use by a running gateway (${who}); stop it, or set data-dir to another folder ` +
      `(should it not be running: delete ${file})`,
  )
}
