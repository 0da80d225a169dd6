// Keeps this process running until somebody ends it: signals, an orderly stop, bugs, addresses that cannot be had.

import { closeSync, openSync } from 'node:fs'
import type { Facts } from '../observe/log.ts'
import { EXIT } from './exit.ts'

/** Where those who run are heard. */
export type Voice = Pick<Facts, 'info' | 'error'>

// After this the rest is cut off; service managers wait little longer.
const ORDERLY = 10_000

/**
 * Resolves at the first signal that asks for an end; a second one ends the process there and then. `reload` is what a
 * SIGHUP asks for.
 */
export function stopSignal(voice: Voice, reload: () => void = () => {}): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = false
  const stop = (signal: NodeJS.Signals) => {
    if (asked) process.exit(EXIT.failed.code)
    asked = true
    voice.info('stopping; once more to cut it short', { signal })
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

/** Waits for what stops, but not for ever. Resolves with the exit code. */
export async function stopOrderly(stopping: Promise<unknown>, voice: Voice): Promise<number> {
  if (await within(ORDERLY, stopping)) {
    voice.info('stopped')
    return EXIT.ok.code
  }
  voice.error('not everything stopped in time: cut off', { ms: ORDERLY })
  return EXIT.failed.code
}

/** A bug: nothing can be relied on any more, but it shall be told. `flush` resolves when it is. */
export function crashes(voice: Voice, flush: () => Promise<unknown> = async () => {}): void {
  const crash = (error: unknown) => {
    voice.error('unexpected error', { error, stack: error instanceof Error ? error.stack : undefined })
    void within(1_000, flush()).finally(() => process.exit(EXIT.failed.code))
  }
  process.on('uncaughtException', crash).on('unhandledRejection', crash)
}

interface Wanted {
  readonly host: string
  readonly port: number
  /** What the person changes to have another. */
  readonly names: { readonly host: string; readonly port: string }
}

export interface Explained {
  /** In terms of what to change. */
  readonly fact: string
  readonly exit: (typeof EXIT)[keyof typeof EXIT]
}

/** Why an address cannot be listened on; undefined: the error is about something else. */
export function addressProblem(error: unknown, { host, port, names }: Wanted): Explained | undefined {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return {
        fact: `${names.port}: ${port} is in use on ${host}; stop the other program, or set ${names.port} to another`,
        exit: EXIT.portInUse,
      }
    case 'EACCES listen':
      return {
        fact:
          `${names.port}: ${port} may not be used by this user; set a port above 1023` +
          (names.port === 'http.port' && process.platform === 'linux'
            ? ', or let perpetua service install --system run it'
            : ''),
        exit: EXIT.failed,
      }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { fact: `${names.host}: ${host} is no address of this machine`, exit: EXIT.failed }
    default:
      return undefined
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

/** Whether the work was done in time. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer))
}
