// The versions of a program that lie side by side in one folder; which of them is in use changes in one step.

import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

// Folder
//   versions.json       {current, previous}: names of folders; replaced by renaming, so it is always whole
//   2025-09-12-1a2b3c4d/  one version, as it was unpacked
//     perpetua.json     what is known of it
//   .new-*              being unpacked, or left behind by somebody who was killed meanwhile

const known = v.object({
  /** The release's number; 0: not known. */
  id: v.number(),
  /** `linux-x64` */
  platform: v.string(),
  /** When the release's file was made (ISO 8601). */
  updatedAt: v.string(),
  sha256: v.string(),
  /** The program, below the version's folder, with slashes. */
  executable: v.string(),
  installedAt: v.string(),
  /** Where it came from, without secrets. */
  from: v.string(),
})
export type Known = v.InferOutput<typeof known>

export interface Version extends Known {
  /** Its folder's name. */
  readonly name: string
  /** The program's whole path. */
  readonly program: string
}

export interface Versions {
  readonly current: Version | undefined
  /** What a rollback returns to. */
  readonly previous: Version | undefined
}

const STATE = 'versions.json'
const KNOWN = 'perpetua.json'
export const NEW = '.new-'

/** Those in use; a version that is broken or gone counts as none. Never throws. */
export function versionsIn(folder: string): Versions {
  const { current, previous } = state(folder)
  return { current: versionAt(folder, current), previous: versionAt(folder, previous) }
}

/** All that are there, newest first, whether in use or not. */
export function allVersions(folder: string): Version[] {
  return namesIn(folder)
    .map((name) => versionAt(folder, name))
    .filter((version) => version !== undefined)
    .toSorted((a, b) => (a.installedAt < b.installedAt ? 1 : -1))
}

/** A name for a version that no other has. */
export function freeName(folder: string, { updatedAt, sha256 }: Pick<Known, 'updatedAt' | 'sha256'>): string {
  const name = `${updatedAt.slice(0, 10)}-${sha256.slice(0, 8)}`
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`
    if (!existsSync(join(folder, candidate))) return candidate
  }
}

export const describe = (unpacked: string, about: Known): void =>
  writeFileSync(join(unpacked, KNOWN), `${JSON.stringify(about, null, 2)}\n`)

/** From now on this one is in use, and the one before is kept. Others are removed, as far as that is possible. */
export function use(folder: string, name: string): void {
  const { current, previous } = versionsIn(folder)
  const next = versionAt(folder, name)
  // The same program again replaces itself: going back to it would go nowhere.
  const before = current?.sha256 === next?.sha256 ? previous : current
  write(folder, { current: name, previous: before?.name === name ? undefined : before?.name })
  prune(folder)
}

/** Changes places with the version before. Undefined: there is none, and nothing changed. */
export function rollBack(folder: string): Version | undefined {
  const { current, previous } = versionsIn(folder)
  if (previous) write(folder, { current: previous.name, previous: current?.name })
  return previous
}

/** Removes what somebody who was killed left behind. Versions stay, even if nobody knows any more which is in use. */
export const sweep = (folder: string): void =>
  remove(folder, (name) => name.startsWith(NEW) || name.startsWith(`.${STATE}-`))

/** Removes what is neither in use nor the one before. */
function prune(folder: string): void {
  const { current, previous } = state(folder)
  remove(folder, (name) => name !== current && name !== previous && existsSync(join(folder, name, KNOWN)))
}

/** A program that runs cannot be removed on Windows: another time, then. */
function remove(folder: string, which: (name: string) => boolean): void {
  for (const name of namesIn(folder).filter(which)) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true })
    } catch {
      // In use still.
    }
  }
}

const names = v.object({ current: v.optional(v.string()), previous: v.optional(v.string()) })

function state(folder: string): v.InferOutput<typeof names> {
  return read(join(folder, STATE), names) ?? {}
}

function write(folder: string, state: { current: string; previous: string | undefined }): void {
  const next = join(folder, `.${STATE}-${randomUUID()}`)
  try {
    writeFileSync(next, `${JSON.stringify(state)}\n`)
    renameSync(next, join(folder, STATE))
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

function versionAt(folder: string, name: string | undefined): Version | undefined {
  if (name === undefined || /[\\/]|^\.+$/.test(name)) return undefined
  const about = read(join(folder, name, KNOWN), known)
  const program = about && join(folder, name, about.executable)
  return about && program !== undefined && existsSync(program) ? { ...about, name, program } : undefined
}

function read<T>(file: string, schema: v.GenericSchema<unknown, T>): T | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(readFileSync(file, 'utf8')))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
