// Notes which child is ours, and at the next start ends the one that a killed gateway left behind.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Identity, identityOf, sameProcess } from '../lib/identity.ts'
import { hasEnded, isRunning } from '../lib/process.ts'

interface Note extends Identity {
  readonly pid: number
}

/** How often (ms) somebody else's child is asked whether it has ended: there is nothing to wait for. */
const POLL_MS = 50

export class PidFile {
  readonly #path: string
  /** Who is to be noted: the system may be slow to say what that is. */
  #pid: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Resolves with why it could not be noted, or undefined when it was or has ended already. */
  async note(pid: number): Promise<string | undefined> {
    this.#pid = pid
    const identity = await identityOf(pid)
    if (this.#pid !== pid) return undefined
    if (identity === undefined) return isRunning(pid) ? `the system does not tell what process ${pid} is` : undefined
    try {
      mkdirSync(dirname(this.#path), { recursive: true })
      writeFileSync(this.#path, `${JSON.stringify({ pid, ...identity } satisfies Note)}\n`, { mode: 0o600 })
      return undefined
    } catch (error) {
      return `write ${this.#path}: ${(error as Error).message}` // node:fs throws nothing else
    }
  }

  clear(): void {
    this.#pid = undefined
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // A note of a process that has ended is recognised as such.
    }
  }

  /**
   * Ends the noted process if it is still the one that was noted: number, start and executable. `found` is told before.
   * Rejects when it does not end within twice `graceMs`.
   */
  async settle(graceMs: number, found: (pid: number) => void): Promise<void> {
    const note = this.#read()
    if (note !== undefined && (await isThere(note))) {
      found(note.pid)
      await end(note, graceMs)
    }
    this.clear()
  }

  /** Undefined for a file that is missing, or that an interrupted write left. */
  #read(): Note | undefined {
    try {
      const note: Partial<Note> | null = JSON.parse(readFileSync(this.#path, 'utf8'))
      const { pid, start, executable } = note ?? {}
      if (!Number.isSafeInteger(pid) || Number(pid) <= 1 || pid === process.pid) return undefined
      return typeof start === 'string' && typeof executable === 'string' ? (note as Note) : undefined // just checked
    } catch {
      return undefined
    }
  }
}

async function isThere(note: Note): Promise<boolean> {
  if (!isRunning(note.pid)) return false
  const identity = await identityOf(note.pid)
  return identity !== undefined && sameProcess(note, identity)
}

async function end(note: Note, graceMs: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (await isThere(note)) send(note.pid, signal)
    // On Linux, where it may only show its executable no more because it is dying, its end is waited for.
    else if (process.platform !== 'linux') return
    if (await ended(note, graceMs)) return
  }
  throw new Error(`process ${note.pid} (${note.executable}), left by an earlier run, does not end; end it by hand`)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has just ended, or may not be signalled: that shows by its not ending.
  }
}

async function ended(note: Note, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs
  for (;;) {
    if (hasEnded(note.pid, note.start)) return true
    if (performance.now() >= deadline) return false
    await sleep(POLL_MS)
  }
}
