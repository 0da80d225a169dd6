// Lets one gateway at a time use a data folder.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HeldError, lockFile } from '../lib/lock-file.ts'

export const LOCK = 'perpetua.lock'

/** How long (ms) somebody who has the folder may take to end, and how often we look. */
const PATIENCE = 2_000
const LOOK = 50

/** A running gateway has the folder. */
export class LockedError extends Error {
  override name = 'LockedError'
}

/**
 * Takes the folder, making it if need be. Rejects with LockedError when somebody has it, and with the system's error
 * when it cannot be written. What a gateway left behind that no longer runs is taken over: also of one that is on its
 * way out, since a process that was killed goes on to exist until the system has taken back its memory.
 */
export async function lockFolder(folder: string): Promise<Disposable> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, LOCK)
  for (const end = performance.now() + PATIENCE; ; await sleep(LOOK)) {
    try {
      return lockFile(file)
    } catch (error) {
      if (!(error instanceof HeldError)) throw error
      if (performance.now() >= end) throw locked(folder, file, error)
    }
  }
}

function locked(folder: string, file: string, { owner }: HeldError): LockedError {
  const who = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process'
  return new LockedError(
    `data-dir: ${folder} is in use by a running gateway (${who}); stop it, or set data-dir to another folder ` +
      `(should it not be running: delete ${file})`,
  )
}
