// perpetua lagrange: fetches, updates and shows the Lagrange that perpetua runs itself.

import { dirname, join } from 'node:path'
import { defineCommand } from 'citty'
import { type Loaded, loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { writeUpdate } from '../config/write-back.ts'
import { chooseKind } from '../embedded/choose.ts'
import { FindError, find } from '../embedded/find.ts'
import { InstallError } from '../embedded/install-error.ts'
import { type InstallOptions, type InstallProgress, install, update } from '../embedded/installer.ts'
import type { Kind } from '../embedded/kind.ts'
import { thisMachine } from '../embedded/machine.ts'
import { allVersions, rollBack, type Version, versionsIn } from '../embedded/versions.ts'
import { problemList } from './check.ts'
import { EXIT } from './exit.ts'
import { restartCommand } from './lagrange-restart.ts'
import { configOption } from './options.ts'
import { progress } from './progress.ts'
import { complain, say } from './say.ts'

interface Place {
  readonly loaded: Loaded
  readonly kind: Kind
  readonly folder: string
}

const RESTART = 'A gateway that runs goes on with the old one until it is restarted.'
const force = (what: string) => ({ type: 'boolean', description: what }) as const

const installCommand = defineCommand({
  meta: { name: 'lagrange install', description: 'Download Lagrange, or unpack an archive of it' },
  args: {
    config: configOption,
    archive: { type: 'string', valueHint: 'file', description: 'A .zip or .tar.gz with it, instead of a download' },
    force: force('Install even where a version is already there'),
  },
  run: ({ args: { config, archive, force = false } }) =>
    at(
      config,
      async (place) => {
        const { current } = versionsIn(place.folder)
        if (current && archive === undefined && !force) {
          say(`${named(place, current)} is installed already: ${current.program}`)
          say('Look for a newer one with perpetua lagrange update, or use --force.')
          return EXIT.ok.code
        }
        const source = archive === undefined ? origin(place) : { archive }
        const { version } = await installing(place, (options) => install({ ...options, source }))
        return finished(place, version)
      },
      archive,
    ),
})

const updateCommand = defineCommand({
  meta: { name: 'lagrange update', description: 'Install what the release has now, if it is another one' },
  args: { config: configOption, force: force('Download it even where nobody can tell whether it is another one') },
  run: ({ args: { config, force = false } }) =>
    at(config, async (place) => {
      const source = origin(place)
      if (force) return finished(place, (await installing(place, (options) => install({ ...options, source }))).version)
      const updated = await installing(place, (options) => update({ ...options, source }))
      switch (updated.outcome) {
        case 'installed':
          return finished(place, updated.version)
        case 'current':
          say(`${named(place, updated.version)} is the newest there is.`)
          return EXIT.ok.code
        case 'unknown':
          complain(`Nobody can tell whether there is a newer one: asking the release host, ${updated.why}.`)
          complain('Download what is there with perpetua lagrange update --force.')
          return EXIT.failed.code
        default:
          return updated satisfies never
      }
    }),
})

const listCommand = defineCommand({
  meta: { name: 'lagrange list', description: 'List the versions that are installed' },
  args: { config: configOption },
  run: ({ args: { config } }) =>
    at(config, async ({ folder }) => {
      const { current, previous } = versionsIn(folder)
      const all = allVersions(folder)
      if (all.length === 0) say(`No version is installed in ${folder}.`)
      for (const version of all) {
        const use = version.name === current?.name ? 'in use' : version.name === previous?.name ? 'before' : ''
        say([version.name.padEnd(22), version.platform.padEnd(12), use.padEnd(6), version.from].join('  '))
      }
      return EXIT.ok.code
    }),
})

const pathCommand = defineCommand({
  meta: { name: 'lagrange path', description: 'Print where the program is that would be run' },
  args: { config: configOption },
  run: ({ args: { config } }) =>
    at(config, async ({ loaded, kind, folder }) => {
      const { path, archive } = loaded.config['ntqq-impl']
      const found = await find({ kind, machine: thisMachine(), path, archive, folder })
      if ('executable' in found) {
        say(found.executable)
        return EXIT.ok.code
      }
      complain(`${kind.name} is not installed yet: perpetua lagrange install`)
      return EXIT.failed.code
    }),
})

const rollbackCommand = defineCommand({
  meta: { name: 'lagrange rollback', description: 'Go back to the version before' },
  args: { config: configOption },
  run: ({ args: { config } }) =>
    at(config, async (place) => {
      const version = rollBack(place.folder)
      if (!version) {
        complain(`There is no version before in ${place.folder}.`)
        return EXIT.failed.code
      }
      say(`Back to ${named(place, version)}: ${version.program}`)
      say(`${RESTART} Once more returns to the newer one.`)
      noteDown(place, version)
      return EXIT.ok.code
    }),
})

export const lagrange = {
  meta: { name: 'lagrange', description: 'Install, update and show the Lagrange that perpetua runs itself' },
  family: {
    install: installCommand,
    update: updateCommand,
    list: listCommand,
    path: pathCommand,
    rollback: rollbackCommand,
    restart: restartCommand,
  },
}

const named = ({ kind }: Place, { name, platform }: Version) => `${kind.name} ${name} (${platform})`
const origin = ({ loaded }: Place) => loaded.config['ntqq-impl'].download

/** With the config; a file that is not there means the defaults. */
async function at(file: string, work: (place: Place) => Promise<number>, archive?: string): Promise<number> {
  try {
    const loaded = await loadConfig({ file, missing: 'defaults' })
    const home = dirname(file)
    const own = loaded.config['ntqq-impl']
    const kind = await chooseKind({ ...own, archive: archive ?? own.archive }, home, thisMachine())
    return await work({ loaded, kind, folder: join(home, kind.folder) })
  } catch (error) {
    if (error instanceof ConfigError) complain(problemList(error))
    else if (error instanceof InstallError || error instanceof FindError) complain(error.message)
    else if (error instanceof Stopped) complain('Stopped; nothing was changed. What was downloaded is used next time.')
    else throw error
    return EXIT.failed.code
  }
}

class Stopped extends Error {}

/** Tells how it goes on, and stops at Ctrl-C. */
async function installing<T>(
  { kind, folder }: Place,
  work: (options: Omit<InstallOptions, 'source'>) => Promise<T>,
): Promise<T> {
  const stopped = new AbortController()
  const stop = () => stopped.abort(new Stopped())
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const shown = progress()
  const tell = (now: InstallProgress) => {
    if (now.step === 'download') return shown.update(now.received, now.total)
    shown.end()
    say(worded(now))
  }
  try {
    return await work({ kind, folder, machine: thisMachine(), signal: stopped.signal, progress: tell })
  } finally {
    shown.end()
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

function worded(now: Exclude<InstallProgress, { step: 'download' }>): string {
  switch (now.step) {
    case 'found':
      return `Downloading ${now.url}`
    case 'notice':
      return `Note: ${now.text}`
    case 'unpack':
      return `Unpacking ${now.archive}`
    default:
      return now satisfies never
  }
}

function finished(place: Place, version: Version): number {
  say(`Installed ${named(place, version)}: ${version.program}`)
  if (versionsIn(place.folder).previous) say(`${RESTART} perpetua lagrange rollback goes back.`)
  noteDown(place, version)
  return EXIT.ok.code
}

/** A config that cannot be written to is as good as ever. */
function noteDown({ loaded: { file, text } }: Place, { id, platform, updatedAt }: Version): void {
  if (text === undefined) return
  const { outcome } = writeUpdate(file, { id, platform, 'updated-at': updatedAt })
  if (outcome === 'left') say(`${file} was left as it is.`)
}
