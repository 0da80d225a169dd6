// Watches the config file and hands on what it says next; a file that cannot be used changes nothing.

import { stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Loaded, type LoadOptions, loadConfig } from './load.ts'
import { ConfigError, type Problem } from './problem.ts'
import type { Config } from './schema.ts'

export interface ReloadOptions extends LoadOptions {
  /** What is in force now, and the text it came from. */
  current: Pick<Loaded, 'config' | 'text'>
  /**
   * A config that differs from `old`, the one before; or any that was asked for: what failed may work now, and the files
   * that it names may have changed. Calls never overlap.
   */
  changed(next: Loaded, old: Config): void | Promise<void>
  refused(problems: Problem[]): void
  /** Milliseconds between two looks at the file. */
  interval?: number
}

export interface Reload extends Disposable {
  /** Looks now, whether or not the file seems changed (SIGHUP). Resolves when everything is done. */
  reload(): Promise<void>
  /** The program itself is about to write this text to the file: no change is to be seen in that. */
  wrote(text: string): void
}

// Looking once a second costs nothing and sees what file watchers miss: editors that rename, links that are switched
// (Kubernetes), folders mounted from elsewhere, a folder that is not there yet.
const INTERVAL = 1_000

export function watchConfig(options: ReloadOptions): Reload {
  const { file, environment, current, changed, refused, interval = INTERVAL } = options
  let { config, text } = current
  let refusedText: string | undefined
  let seen: string | undefined
  let settled = true
  let work = Promise.resolve()

  const load = async (asked: boolean) => {
    try {
      const next = await loadConfig({ file, environment })
      if (isBlank(next.text) && !isBlank(text)) throw new ConfigError([emptied(file)])
      const known = next.text === text
      text = next.text
      refusedText = undefined
      if (!asked && (known || isDeepStrictEqual(next.config, config))) return
      const old = config
      config = next.config
      await changed(next, old)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const missing = (await stamp(file)) === undefined
      // A file that is away for a moment is being replaced; the same mistake is told once.
      if (!asked && (missing || error.message === refusedText)) return
      refusedText = error.message
      refused(error.problems)
    }
  }
  const look = async () => {
    const now = await stamp(file)
    // Still being written: what is there may be half of it.
    const quiet = now === seen
    seen = now
    if (quiet && !settled) await load(false)
    settled = quiet
  }
  const queue = (job: () => Promise<void>) => {
    work = work.catch(() => {}).then(job)
    return work
  }

  void queue(async () => {
    seen = await stamp(file)
    // Written between loading and now?
    settled = false
  })
  const timer = setInterval(() => void queue(look), interval)
  timer.unref()

  return {
    reload: () => queue(() => load(true)),
    wrote(own) {
      text = own
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

const isBlank = (text: string | undefined) => text === undefined || text.trim() === ''

/** A full disk leaves such files, and so does an editor for a moment: nobody means to be without tokens and clients. */
const emptied = (file: string): Problem => ({
  file,
  path: '',
  found: 'an empty file',
  wanted: 'the config',
  hint: 'was the disk full as it was saved? For the defaults, write {}',
})

/** Changes whenever the file does; undefined while there is none. */
async function stamp(file: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file)
    return [ino, size, mtimeMs, ctimeMs].join()
  } catch {
    return undefined
  }
}
