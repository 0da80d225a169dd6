// The files that a config names: whether they can be read, and what is in them.

import { accessSync, constants, readFileSync } from 'node:fs'
import type { Config } from './schema.ts'
import type { Path } from './shape.ts'
import type { Issue } from './validate.ts'

/** Where files are named, as kebab-case paths; `*` stands for every entry of a list. */
const NAMED = [
  ['http', 'tls', 'cert'],
  ['http', 'tls', 'key'],
  ['upstreams', '*', 'ca'],
  ['reverse-web-socket', '*', 'ca'],
]

/** PEM texts, read at one time: what is applied later cannot fail halfway for their sake. */
export interface Files {
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** By the file that an entry names as its `ca`. */
  readonly authorities: ReadonlyMap<string, string>
}

/** @throws the system's error for the first that cannot be read, or an Error that says which is no PEM. */
export function readFiles(config: Config): Files {
  const { cert, key } = config.http.tls
  const trusted = [...config.upstreams, ...config['reverse-web-socket']].map(({ ca }) => ca).filter((ca) => ca !== '')
  return {
    tls: cert === '' ? undefined : { cert: pem(cert, 'CERTIFICATE'), key: pem(key, 'PRIVATE KEY') },
    authorities: new Map(trusted.map((file) => [file, pem(file, 'CERTIFICATE')])),
  }
}

/** Some runtimes take anything for a certificate, and fail with the first who connects. */
function pem(file: string, label: 'CERTIFICATE' | 'PRIVATE KEY'): string {
  const text = readFileSync(file, 'utf8')
  if (new RegExp(`-----BEGIN (?:\\w+ )*${label}-----`).test(text)) return text
  throw new Error(`${file}: found no ${label} in it, wanted a PEM file`)
}

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
