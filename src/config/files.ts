// Finds out whether the files that a config names can be read.

import { accessSync, constants } from 'node:fs'
import type { Path } from './shape.ts'
import type { Issue } from './validate.ts'

/** Where files are named, as kebab-case paths; `*` stands for every entry of a list. */
const NAMED = [
  ['http', 'tls', 'cert'],
  ['http', 'tls', 'key'],
  ['upstreams', '*', 'ca'],
  ['reverse-web-socket', '*', 'ca'],
]

/** `value`: the config as written, before defaults. Relative names start at the working directory. */
export function unreadableFiles(value: unknown): Issue[] {
  return NAMED.flatMap((pattern) => [...find(value, pattern)])
    .filter(({ file }) => !readable(file))
    .map(({ path, file }) => ({ path, found: file, wanted: 'a file that can be read' }))
}

function* find(value: unknown, [key, ...rest]: string[], path: Path = []): Generator<{ path: Path; file: string }> {
  if (key === undefined) {
    if (typeof value === 'string' && value !== '') yield { path, file: value }
  } else if (key === '*' && Array.isArray(value)) {
    for (const [i, entry] of value.entries()) yield* find(entry, rest, [...path, i])
  } else if (typeof value === 'object' && value !== null) {
    yield* find(Reflect.get(value, key), rest, [...path, key])
  }
}

function readable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}
