// Runs one gateway in this process: lock, log, signals, reload, and an orderly end.

import { closeSync, openSync } from 'node:fs'
import { changes } from '../config/diff.ts'
import type { Loaded } from '../config/load.ts'
import { problemText } from '../config/problem.ts'
import { type Reload, watchConfig } from '../config/reload.ts'
import type { Config } from '../config/schema.ts'
import { type Log, openLog } from '../observe/log.ts'
import { EXIT } from './exit.ts'
import { LockedError, lockFolder } from './lock.ts'
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
export type StartGateway = (options: { config: Config; dataDir: string; log: Log; version: string }) => Promise<Gateway>

// After this the rest is cut off; service managers wait little longer.
const ORDERLY = 10_000

/** Resolves with the exit code. */
export async function serve(loaded: Loaded, startGateway: StartGateway): Promise<number> {
  const log = openLog(loaded.config.log)
  crashes(log)
  for (const notice of loaded.notices) log.warn(notice)
  let lock: Disposable | undefined
  try {
    lock = lockData(loaded.config['data-dir'], log)
    return await runUntilStopped(loaded, log, startGateway)
  } catch (error) {
    const { fact, exit } = explained(error, loaded.config)
    log.error(fact, exit === EXIT.failed ? { error } : {})
    return exit.code
  } finally {
    lock?.[Symbol.dispose]()
    await log.close()
  }
}

async function runUntilStopped(loaded: Loaded, log: Log, startGateway: StartGateway): Promise<number> {
  const { config } = loaded
  let reload: Reload | undefined
  const stopped = stopSignal(log, () => void reload?.reload())
  const gateway = await startGateway({ config, dataDir: config['data-dir'], log, version: versionText })
  reload = reloading(loaded, gateway, log)
  log.info('started', { address: gateway.address, version: versionText, config: loaded.file, pid: process.pid })
  tellAdmin(gateway, log)
  await stopped
  reload[Symbol.dispose]()
  reload = undefined
  if (await within(ORDERLY, gateway.stop())) {
    log.info('stopped')
    return EXIT.ok.code
  }
  log.error('not everything stopped in time: cut off', { ms: ORDERLY })
  return EXIT.failed.code
}

/** Where the status is. A token of ours is shown to a person at a terminal only: logs are kept, and read by others. */
function tellAdmin({ address, admin }: Gateway, log: Log): void {
  const status = `${address}/api/status`
  if (admin?.file !== undefined) log.info('status', { address: status, 'token-file': admin.file })
  if (admin !== undefined && process.stdout.isTTY) say(`Status / 状态: ${status}?access_token=${admin.token}`)
}

/** Resolves at the first signal that asks for an end; a second one ends the process there and then. */
function stopSignal(log: Log, reload: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = false
  const stop = (signal: NodeJS.Signals) => {
    if (asked) process.exit(EXIT.failed.code)
    asked = true
    log.info('stopping; once more to cut it short', { signal })
    resolve()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  if (process.platform === 'win32') process.on('SIGBREAK', stop)
  // On a terminal, SIGHUP usually means that its window was closed: then nobody could stop us any more.
  else process.on('SIGHUP', (signal) => (process.stdout.isTTY && !terminalThere() ? asked || stop(signal) : reload()))
  return promise
}

function terminalThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

const NOT_APPLIED = 'config not applied: going on with the one before'

function reloading({ file, config, text }: Loaded, gateway: Gateway, log: Log): Reload {
  return watchConfig({
    file,
    current: { config, text },
    async changed(next, old) {
      const { log: logging, restart } = changes(old, next.config)
      if (logging) log.reconfigure(next.config.log)
      for (const notice of next.notices) log.warn(notice)
      if (restart.length > 0) log.warn('takes effect at the next start', { keys: restart.join(' ') })
      try {
        await gateway.apply(next.config)
        log.info('config applied', { config: file })
      } catch (error) {
        log.error(explained(error, next.config).fact, { error })
        log.error(NOT_APPLIED, { config: file })
      }
    },
    refused(problems) {
      for (const problem of problems) log.error(problemText(problem))
      log.error(NOT_APPLIED, { config: file })
    },
  })
}

/** A folder that cannot be written is no reason not to run. */
function lockData(folder: string, log: Log): Disposable {
  try {
    return lockFolder(folder)
  } catch (error) {
    if (error instanceof LockedError) throw error
    log.warn('data folder cannot be written: nothing will be kept', { 'data-dir': folder, error })
    return { [Symbol.dispose]() {} }
  }
}

/** What went wrong, in terms of what to change. */
function explained(error: unknown, { http }: Config): { fact: string; exit: (typeof EXIT)[keyof typeof EXIT] } {
  if (error instanceof LockedError) return { fact: error.message, exit: EXIT.locked }
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return {
        fact: `http.port: ${http.port} is in use on ${http.host}; stop the other program, or set http.port to another`,
        exit: EXIT.portInUse,
      }
    case 'EACCES listen':
      return { fact: `http.port: ${http.port} may not be used by this user; set a port above 1023`, exit: EXIT.failed }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { fact: `http.host: ${http.host} is no address of this machine`, exit: EXIT.failed }
    default:
      return { fact: 'gateway failed', exit: EXIT.failed }
  }
}

function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, syscall }: NodeJS.ErrnoException = at
    // Files are refused with the same code.
    if (code !== undefined) return code === 'EACCES' ? `${code} ${syscall}` : code
  }
  return undefined
}

/** A bug: nothing can be relied on any more, but the log shall tell. */
function crashes(log: Log): void {
  const crash = (error: unknown) => {
    log.error('unexpected error', { error, stack: error instanceof Error ? error.stack : undefined })
    void within(1_000, log.close()).finally(() => process.exit(EXIT.failed.code))
  }
  process.on('uncaughtException', crash).on('unhandledRejection', crash)
}

/** Whether the work was done in time. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer))
}
