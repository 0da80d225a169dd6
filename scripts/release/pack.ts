// Packs what a user downloads: the program with licences, README and the pages it links to, the default config and its schema.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { create } from 'tar'
import { template } from '../../src/config/template.ts'
import { within } from './compile.ts'
import { thirdParty } from './components.ts'
import { archiveName, isWindows, LIMITS, programName, type Target } from './targets.ts'
import { zip } from './zip.ts'

/** The repository's files that go along, as they are. */
const ALONG = ['LICENSE', 'README.md', 'README.zh-CN.md', 'ARCHITECTURE.md', 'docs/config.schema.json']

export interface Packed {
  readonly file: string
  /** Bytes. */
  readonly size: number
}

/** Puts the archive of `program` into `folder`; `time` is that of every file in it. */
export async function pack(target: Target, program: string, folder: string, time: Date): Promise<Packed> {
  const top = `perpetua-${target}`
  const staged = join(folder, top)
  rmSync(staged, { recursive: true, force: true })
  mkdirSync(staged, { recursive: true })
  try {
    cpSync(program, join(staged, programName(target)))
    for (const file of ALONG) cpSync(file, join(staged, basename(file)))
    cpSync('docs', join(staged, 'docs'), { recursive: true })
    // Not where `perpetua` looks for its config: unpacked over an older version it must replace nobody's settings.
    writeFileSync(join(staged, 'config.default.yml'), template())
    writeFileSync(join(staged, 'THIRD-PARTY.txt'), thirdParty())
    const file = join(folder, archiveName(target))
    if (isWindows(target)) writeFileSync(file, zip(entries(staged, top), time))
    else await tarball(folder, top, file, time)
    const { size } = statSync(file)
    within(LIMITS.archive, size, file)
    return { file, size }
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}

const isProgram = (name: string) => /^perpetua(\.exe)?$/.test(name)
/** Files with their paths inside, as archives write them. */
const names = (staged: string) =>
  readdirSync(staged, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(staged, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .toSorted()

const entries = (staged: string, top: string) =>
  names(staged).map((name) => ({
    name: `${top}/${name}`,
    bytes: readFileSync(join(staged, name)),
    executable: isProgram(name),
  }))

async function tarball(folder: string, top: string, file: string, time: Date): Promise<void> {
  for (const name of names(join(folder, top))) utimesSync(join(folder, top, name), time, time)
  // Portable: no owners, and no time of packing.
  await create(
    {
      cwd: folder,
      file,
      portable: true,
      gzip: { level: 9, portable: true },
      mtime: time,
      onWriteEntry(entry) {
        if (entry.stat) entry.stat.mode = isProgram(basename(entry.path)) ? 0o100_755 : 0o100_644
      },
    },
    names(join(folder, top)).map((name) => `${top}/${name}`),
  )
}
