// What is stamped into a build: the same commit always gives the same stamp.

import manifest from '../../package.json' with { type: 'json' }

export interface Stamp {
  readonly version: string
  /** Seven digits; `-dirty` behind them when files were changed since. */
  readonly commit: string
  /** When the commit was made: builds have no time of their own. */
  readonly time: Date
  /** `owner/name`: where releases are published, and upgrades looked for. */
  readonly repository: string
}

/** Throws outside a checkout. */
export function stamp(): Stamp {
  const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
  return {
    version: manifest.version,
    // Not what git calls short: that is as long as this clone needs to tell its objects apart.
    commit: `${git('rev-parse', 'HEAD').slice(0, 7)}${changed ? '-dirty' : ''}`,
    time: new Date(git('show', '--no-patch', '--format=%cI', 'HEAD')),
    // A fork's releases upgrade from the fork.
    repository: process.env['GITHUB_REPOSITORY'] ?? new URL(manifest.repository.url).pathname.slice(1),
  }
}

function git(...words: string[]): string {
  const run = Bun.spawnSync(['git', ...words])
  if (run.exitCode !== 0) throw new Error(`git ${words.join(' ')}: ${run.stderr.toString().trim()}`)
  return run.stdout.toString().trim()
}
