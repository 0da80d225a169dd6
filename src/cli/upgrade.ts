// perpetua upgrade: replaces this program with a newer release of it, or goes back to the one before.

import { realpathSync } from 'node:fs'
import { defineCommand } from 'citty'
import { compareVersions } from '../lib/newer.ts'
import { kept } from '../lib/replace.ts'
import { EXIT } from './exit.ts'
import { progress } from './progress.ts'
import { complain, say } from './say.ts'
import { restarts } from './service-manager.ts'
import { find, plainly, upgrade as replace, rollBack, UpgradeError, type UpgradeOptions } from './upgrading.ts'
import { http, usable } from './values.ts'
import { repository, target, version, versionText } from './version.ts'

/** With the commands that restart the services of this machine. */
function restart(): string {
  const commands = restarts().map((words) => `\n  ${words.join(' ')}`)
  return `A gateway that runs goes on with the old one until it is restarted${commands.length === 0 ? '.' : `:${commands.join('')}`}`
}

interface Wishes {
  readonly check: boolean
  readonly force: boolean
  readonly to: string | undefined
  readonly base: string | undefined
  readonly mirror: string | undefined
}

export const upgrade = defineCommand({
  meta: { name: 'upgrade', description: 'Replace this program with the newest release; the one before is kept' },
  args: {
    check: { type: 'boolean', description: 'Only say whether there is a newer one' },
    rollback: { type: 'boolean', description: 'Go back to the one before; once more returns' },
    to: { type: 'string', valueHint: 'version', description: 'This version, older or newer' },
    mirror: { type: 'string', valueHint: 'url', description: 'Put before the whole address of a file' },
    base: { type: 'string', valueHint: 'url', description: 'A server that answers as GitHub does' },
    force: { type: 'boolean', description: 'Download it even where nobody can tell whether it is newer' },
  },
  run: ({ args: { check = false, rollback = false, force = false, to, mirror, base } }) =>
    usable(async () => {
      const wishes = { check, force, to, base: http('base', base), mirror: http('mirror', mirror) }
      if (target === undefined) {
        complain('This perpetua runs from its source: there is no program to replace.')
        complain('Bring the checkout up to date instead: git pull, then ./scripts/setup.')
        return EXIT.failed.code
      }
      const program = realpathSync(process.execPath)
      return rollback ? back(program) : forth(program, target, wishes)
    }),
})

async function back(program: string): Promise<number> {
  try {
    const said = await rollBack(program)
    if (said !== undefined) {
      say(`Back to ${said}. ${restart()}`)
      return EXIT.ok.code
    }
    complain(`There is no version before: ${kept(program)} is not there.`)
  } catch (error) {
    if (!(error instanceof UpgradeError)) throw error
    complain(`Not rolled back: ${error.message}.`)
  }
  return EXIT.failed.code
}

async function forth(program: string, target: string, wishes: Wishes): Promise<number> {
  const [owner = '', name = ''] = repository.split('/')
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const shown = progress()
  try {
    return await newer(
      {
        program,
        target,
        repository: { owner, name, tag: wishes.to === undefined ? 'latest' : `v${wishes.to.replace(/^v/, '')}` },
        origin: { base: wishes.base ?? '', mirror: wishes.mirror ?? '' },
        signal: stopped.signal,
        progress: ({ received, total }) => shown.update(received, total),
        notice: (text) => say(`Note: ${text}`),
      },
      wishes,
      () => shown.end(),
    )
  } catch (error) {
    shown.end()
    if (stopped.signal.aborted) complain('Stopped; nothing was changed. What was downloaded is used next time.')
    else if (error instanceof UpgradeError) complain(`Not upgraded: ${error.message}.`)
    else throw error
    return EXIT.failed.code
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

/** `downloaded`: the progress is over. */
async function newer(options: UpgradeOptions, { check, force, to }: Wishes, downloaded: () => void): Promise<number> {
  const found = await find(options)
  const known = found.tag?.replace(/^v/, '')
  if (known !== undefined && to === undefined && found.unchecked !== undefined)
    options.notice?.(
      `the release host could not be asked (${plainly(found.unchecked)}): what is newest is what its files say`,
    )
  if (known === undefined && !force) {
    complain(
      `Nobody can tell whether there is a newer one: asking the release host, ${plainly(found.unchecked ?? 'nothing was heard')}.`,
    )
    complain(
      'Download what is there with perpetua upgrade --force, or a version with --to; where GitHub is slow, add --mirror.',
    )
    return EXIT.failed.code
  }
  if (known !== undefined && !force && (to === undefined ? compareVersions(known, version) <= 0 : known === version)) {
    say(to === undefined ? `${versionText} is the newest there is.` : `${versionText} is in use already.`)
    return EXIT.ok.code
  }
  if (check) {
    say(`${known ?? 'Another version'} can be installed; this is ${versionText}. Run perpetua upgrade.`)
    return EXIT.ok.code
  }
  say(`Downloading ${known ?? 'the newest release'} for ${options.target}.`)
  const said = await replace(options, found)
  downloaded()
  say(`Upgraded from ${versionText} to ${said}.`)
  say(`perpetua upgrade --rollback goes back. ${restart()}`)
  return EXIT.ok.code
}
