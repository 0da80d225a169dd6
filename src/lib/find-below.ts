// Finds a file by its name in a folder and the folders below.

import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'

// Deeper and larger than any program's folder; what is pointed at may be somebody's whole disk.
const DEEPEST = 12
const MOST = 20_000

/**
 * The nearest file of that name, the first in order of names where several are equally near; undefined: there is none,
 * or it is too far off. Links are not followed. `skip`: folders of these names' kinds are not looked into.
 */
export function findBelow(folder: string, name: string, skip: (name: string) => boolean = () => false) {
  let level = [folder]
  let seen = 0
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    const below: string[] = []
    for (const place of level) {
      const entries = entriesOf(place)
      if (entries.some((entry) => entry.name === name && entry.isFile())) return join(place, name)
      seen += entries.length
      if (seen > MOST) return undefined
      for (const entry of entries) if (entry.isDirectory() && !skip(entry.name)) below.push(join(place, entry.name))
    }
    level = below
  }
  return undefined
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}
