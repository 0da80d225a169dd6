// Puts files away that cannot be trusted, for people to look at; the oldest of them go.

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A disk that fails again and again must not be filled with what it has spoilt. */
const KEPT = 3
/** What SQLite keeps beside a file: its log must go along. Before the file: alone, it would be taken for a new file's. */
const PARTS = ['-wal', '-shm', ''] as const

/** Returns where the file is now. @throws the system's error when it cannot be moved. */
export function putAside(file: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[:.]/g, '-')
  const aside = `${file}.corrupt-${stamp}`
  if (existsSync(aside)) return putAside(file, now + 1)
  for (const part of PARTS) {
    try {
      renameSync(file + part, aside + part)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // node:fs throws nothing else
    }
  }
  removeOldest(file)
  return aside
}

function removeOldest(file: string): void {
  const folder = dirname(file)
  const prefix = `${basename(file)}.corrupt-`
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith('Z'))
  for (const name of names.sort().slice(0, -KEPT))
    for (const part of PARTS) rmSync(join(folder, name + part), { force: true })
}
