// Runs one gateway in this process: lock, log, signals, reload, and an orderly end.

import { dirname } from 'node:path'
import { changes } from '../config/diff.ts'
import type { Loaded } from '../config/load.ts'
import { problemText } from '../config/problem.ts'
import { type Reload, watchConfig } from '../config/reload.ts'
import type { Config } from '../config/schema.ts'
import { writeUpdate } from '../config/write-back.ts'
import { openFileLimit } from '../lib/process.ts'
import { type Log, openLog } from '../observe/log.ts'
import { Recent } from '../observe/recent.ts'
import { giveBackAfterStart } from '../runtime/memory.ts'
import { configFile } from './config-file.ts'
import { EXIT } from './exit.ts'
import { LockedError, lockFolder } from './lock.ts'
import { addressProblem, crashes, type Explained, stopOrderly, stopSignal } from './running.ts'
import { say } from './say.ts'
import { versionText } from './version.ts'

export interface Gateway extends AsyncDisposable {
  /** Where clients connect: `http://127.0.0.1:8080`. */
  readonly address: string
  /** What opens the status; `file`: where a token of our own is kept. */
  readonly admin?: { readonly token: string; readonly file?: string } | undefined
  apply(config: Config): Promise<void>
  stop(): Promise<void>
}
export type StartGateway = (options: {
  config: Config
  dataDir?: string | undefined
  home?: string | undefined
  installed?: ((version: { id: number; platform: string; updatedAt: string }) => void) | undefined
  log: Log
  version: string
  file?: ReturnType<typeof configFile> | undefined
  recent?: Recent | undefined
  simulator?: string | undefined
}) => Promise<Gateway>

interface Told {
  readonly log: Log
  readonly recent: Recent
}

/** Loaded only by the commands that run it: the others start faster. */
export const realGateway = async (): Promise<StartGateway> => (await import('../app.ts')).startGateway

/** Below this many open files, a busy bot's clients may find no room. */
const FEW_FILES = 1_000

/** Resolves with the exit code. */
export async function serve(loaded: Loaded, startGateway: StartGateway): Promise<number> {
  const recent = new Recent()
  const log = openLog(loaded.config.log, { heard: (line) => recent.add(line) })
  crashes(log, () => log.close())
  for (const notice of loaded.notices) log.warn(notice)
  const files = openFileLimit()
  if (files !== undefined && files < FEW_FILES)
    log.warn('few clients can connect: each takes an open file, and the system allows few (ulimit -n)', { files })
  let lock: Disposable | undefined
  try {
    lock = await lockData(loaded.config['data-dir'], log)
    return await runUntilStopped(loaded, { log, recent }, startGateway)
  } catch (error) {
    const { fact, exit } = explained(error, loaded.config)
    log.error(fact, exit === EXIT.failed ? { error } : {})
    return exit.code
  } finally {
    lock?.[Symbol.dispose]()
    await log.close()
  }
}

async function runUntilStopped(loaded: Loaded, told: Told, startGateway: StartGateway): Promise<number> {
  const { config } = loaded
  const { log, recent } = told
  let reload: Reloading | undefined
  const stopped = stopSignal(log, () => void reload?.reload())
  const { file, text } = loaded
  const gateway = await startGateway({
    config,
    dataDir: config['data-dir'],
    home: dirname(file),
    log,
    version: versionText,
    recent,
    file: configFile({
      file,
      config: () => reload?.inForce.config ?? config,
      text: () => reload?.inForce.text ?? text,
      reload: async () => (await reload?.asked()) ?? ['the gateway is starting or stopping'],
    }),
    installed({ id, platform, updatedAt }) {
      if (text === undefined) return
      // Our own doing: no change to be applied.
      writeUpdate(file, { id, platform, 'updated-at': updatedAt }, (next) => reload?.wrote(next))
    },
  })
  reload = reloading(loaded, gateway, log)
  log.info('started', { address: gateway.address, version: versionText, config: loaded.file, pid: process.pid })
  tellAdmin(gateway, log)
  giveBackAfterStart()
  await stopped
  reload[Symbol.dispose]()
  reload = undefined
  return stopOrderly(gateway.stop(), log)
}

/** Where the dashboard is. A token of ours is shown to a person at a terminal only: logs are kept, and read by others. */
function tellAdmin({ address, admin }: Gateway, log: Log): void {
  // Everywhere is no place that a browser can go to.
  const here = address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
  if (admin?.file !== undefined) log.info('dashboard', { address: `${here}/`, 'token-file': admin.file })
  if (admin !== undefined && process.stdout.isTTY) say(`Dashboard / 控制台: ${pageLink(here, '/', admin.token)}`)
}

/** With the token behind a #: what stands there never leaves the browser, and is in no log of a proxy. */
export const pageLink = (address: string, path: string, token: string) =>
  `${address}${path}#token=${encodeURIComponent(token)}`

const NOT_APPLIED = 'config not applied: going on with the one before'

interface Reloading extends Reload {
  readonly inForce: { readonly config: Config; readonly text: string | undefined }
  /** Reads the file anew; returns what kept it from being applied. */
  asked(): Promise<readonly string[]>
}

function reloading({ file, config, text }: Loaded, gateway: Gateway, log: Log): Reloading {
  let inForce = { config, text }
  let wrong: readonly string[] = []
  const watched = watchConfig({
    file,
    current: { config, text },
    async changed(next) {
      wrong = []
      const { log: logging, restart } = changes(inForce.config, next.config)
      for (const notice of next.notices) log.warn(notice)
      if (restart.length > 0) log.warn('takes effect at the next start', { keys: restart.join(' ') })
      try {
        await gateway.apply(next.config)
        inForce = next
        if (logging) log.reconfigure(next.config.log)
        log.info('config applied', { config: file })
      } catch (error) {
        const { fact, exit } = explained(error, next.config, 'config cannot be applied')
        log.error(fact, exit === EXIT.failed ? { error } : {})
        log.error(NOT_APPLIED, { config: file })
        wrong = [fact]
      }
    },
    refused(problems) {
      wrong = problems.map(problemText)
      for (const problem of wrong) log.error(problem)
      log.error(NOT_APPLIED, { config: file })
    },
  })
  return {
    ...watched,
    get inForce() {
      return inForce
    },
    async asked() {
      await watched.reload()
      return wrong
    },
  }
}

/** A folder that cannot be written is no reason not to run. */
async function lockData(folder: string, log: Log): Promise<Disposable> {
  try {
    return await lockFolder(folder)
  } catch (error) {
    if (error instanceof LockedError) throw error
    log.warn('data folder cannot be written: nothing will be kept', { 'data-dir': folder, error })
    return { [Symbol.dispose]() {} }
  }
}

/** What went wrong, in terms of what to change. */
function explained(error: unknown, { http: { host, port } }: Config, otherwise = 'gateway failed'): Explained {
  if (error instanceof LockedError) return { fact: error.message, exit: EXIT.locked }
  const names = { host: 'http.host', port: 'http.port' }
  return addressProblem(error, { host, port, names }) ?? { fact: otherwise, exit: EXIT.failed }
}
