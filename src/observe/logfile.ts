// Appends lines to the log file of the moment: which file that is, when a new one starts, what happens when it fails.

import { createWriteStream, mkdirSync, readdirSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import type { LogConfig } from '../config/schema.ts'

export interface LogFile {
  /** Takes one line; never blocks and never throws. */
  write(line: string): void
  /** Resolves when everything taken so far is on its way to the disk, or cannot be. */
  close(): Promise<void>
}

export interface LogFileOptions {
  config: Pick<LogConfig, 'dir' | 'aging' | 'force-new'>
  now: () => number
  /** Told once when lines can no longer be kept, and not again before writing has worked again. */
  failed(error: Error): void
  /** Told once when lines are kept again: how many are not in the file. */
  back(missing: number): void
}

// A disk that stopped taking bytes must not fill the memory instead.
const PATIENCE = 4 * 1024 * 1024
const RETRY_AFTER = 60_000
const NAME = /^perpetua-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(?:-\d+)?\.log$/

export function openLogFile({ config, now, failed, back }: LogFileOptions): LogFile {
  let stream: WriteStream | undefined
  let started = 0
  let fresh = config['force-new']
  let brokenAt: number | undefined
  /** Lines that no file has. */
  let missing = 0
  /** Files of before whose last lines are still on their way. */
  const ending = new Set<Promise<void>>()

  const broke = (error: Error) => {
    stream?.destroy()
    stream = undefined
    const first = brokenAt === undefined
    brokenAt = now()
    if (first) failed(error)
  }
  const open = () => {
    mkdirSync(config.dir, { recursive: true })
    const file = fileFor(config, now(), fresh)
    fresh = false
    started = file.started
    const opened = createWriteStream(join(config.dir, file.name), { flags: 'a', mode: 0o640 })
    // The error of a stream that was replaced meanwhile is nobody's concern.
    opened.on('error', (error) => opened === stream && broke(error))
    return opened
  }
  const current = () => {
    if (config.dir === '' || (brokenAt !== undefined && now() - brokenAt < RETRY_AFTER)) return undefined
    if (stream && config.aging > 0 && now() - started >= config.aging) {
      const old = ended(stream)
      ending.add(old)
      void old.then(() => ending.delete(old))
      stream = undefined
    }
    stream ??= open()
    return stream
  }

  const written = (file: WriteStream, error: Error | null | undefined) => {
    if (error) missing++
    if (error || file !== stream || brokenAt === undefined) return
    brokenAt = undefined
    back(missing)
    missing = 0
  }

  return {
    write(line) {
      try {
        const file = current()
        if (!file) {
          missing++
          return
        }
        if (file.writableLength > PATIENCE) throw new Error('the disk does not keep up')
        file.write(`${line}\n`, (error) => written(file, error))
      } catch (error) {
        missing++
        broke(error instanceof Error ? error : new Error(String(error)))
      }
    },
    async close() {
      const last = stream
      stream = undefined
      await Promise.all([...ending, last && ended(last)])
    },
  }
}

/** Ends the stream; resolves when it has, or has failed on the way: either way nothing more will happen. */
function ended(stream: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve()
    stream.on('close', resolve).on('error', () => resolve())
    stream.end()
  })
}

/** The newest file while it is young enough, else a new one named after this moment (UTC). */
function fileFor(config: LogFileOptions['config'], now: number, fresh: boolean): { name: string; started: number } {
  const names = readdirSync(config.dir)
  const newest = names
    .map((name) => ({ name, started: startOf(name) }))
    .filter((file): file is { name: string; started: number } => file.started !== undefined && file.started <= now)
    .sort((a, b) => a.started - b.started || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
    .at(-1)
  if (newest && !fresh && (config.aging === 0 || now - newest.started < config.aging)) return newest
  const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  let name = `perpetua-${stamp}.log`
  for (let n = 2; names.includes(name); n++) name = `perpetua-${stamp}-${n}.log`
  return { name, started: now }
}

function startOf(name: string): number | undefined {
  const [, ...digits] = NAME.exec(name) ?? []
  if (digits.length === 0) return undefined
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = digits.map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}
