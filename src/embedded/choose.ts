// Which implementation is ours to run: the one that the config names, or the one whose program is there already.

import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { programIn } from './find.ts'
import type { Kind, Machine } from './kind.ts'
import { lagrange } from './lagrange.ts'
import { lagrangeMilky } from './lagrange-milky.ts'
import { versionsIn } from './versions.ts'

/** By the names that `ntqq-impl.embedded` gives them, in the order in which they are looked for. */
const KINDS = { 'lagrange-onebot': lagrange, 'lagrange-milky': lagrangeMilky } as const satisfies Record<string, Kind>

export interface Choice {
  /** ntqq-impl.embedded */
  readonly embedded: keyof typeof KINDS | 'auto'
  readonly path: string
  readonly archive: string
}

/** @param cwd where the kinds have their folders. What is not there decides nothing; then it is Lagrange.Milky. */
export async function chooseKind({ embedded, path, archive }: Choice, cwd: string, { os }: Machine): Promise<Kind> {
  if (embedded !== 'auto') return KINDS[embedded]
  const kinds: Kind[] = Object.values(KINDS)
  if (path !== '') return (await kindAt(path, kinds, os)) ?? lagrangeMilky
  for (const kind of kinds) if (await isIn(join(cwd, kind.folder), kind, os)) return kind
  return kinds.find(({ name }) => basename(archive).startsWith(name)) ?? lagrangeMilky
}

/** A program may have been given another name: what stands before it counts then. */
async function kindAt(path: string, kinds: readonly Kind[], os: string): Promise<Kind | undefined> {
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    for (const kind of kinds) if ((await programIn(path, kind.executable(os))) !== undefined) return kind
    return undefined
  }
  const exact = kinds.find((kind) => basename(path) === kind.executable(os))
  return exact ?? kinds.find(({ name }) => path.includes(name))
}

async function isIn(folder: string, kind: Kind, os: string): Promise<boolean> {
  return versionsIn(folder).current !== undefined || (await programIn(folder, kind.executable(os))) !== undefined
}
