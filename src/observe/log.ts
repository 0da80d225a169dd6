// Writes facts to the console and to a file, without secrets; never blocks, never fails its caller.

import { stripVTControlCharacters } from 'node:util'
import { Consola, type ConsolaReporter, LogLevels } from 'consola/core'
import { colors } from 'consola/utils'
import type { LogConfig } from '../config/schema.ts'
import { coloursOnly, type Fields, line, oneLine } from './line.ts'
import { type LogFile, openLogFile } from './logfile.ts'

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** A fact in lower case, then what belongs to it: `log.info('client came', { app_id })`. */
export type Facts = Record<Level, (fact: string, fields?: Fields) => void>

export interface Log extends Facts {
  readonly level: Level
  /** A line of somebody else's log, behind the name of who said it; a person at a terminal sees it `raw`, with its colours. */
  relay(level: Level, who: string, line: { text: string; raw: string }): void
  /** Something to look at, such as a picture made of characters: on the console only, as it is, whatever the level. */
  show(lines: readonly string[]): void
  /** What is logged from now on, and where. Lines taken before go where they were meant to. */
  reconfigure(config: LogConfig): void
  /** Resolves when the file holds every line; lines after that reach the console only. */
  close(): Promise<void>
}

interface Terminal {
  write(text: string): unknown
  isTTY?: boolean | undefined
}

export interface LogOptions {
  stdout?: Terminal
  stderr?: Terminal
  /** Milliseconds since 1970. */
  now?: () => number
  /** Is told each line that is logged. */
  heard?: (line: { time: number; level: Level; text: string }) => void
}

export function openLog(config: LogConfig, options: LogOptions = {}): Log {
  const { now = Date.now } = options
  const screen = screenFor(config, options)
  let settings = config
  let file: LogFile | undefined = fileFor(config)
  const closing: Promise<void>[] = []

  function fileFor(next: LogConfig): LogFile {
    const failed = (error: Error) =>
      screen.warn(line('log file cannot be written: lines go to the console only', { dir: next.dir, error }))
    const back = (missing: number) => at('warn')('log file is written again', { dir: next.dir, missing })
    return openLogFile({ config: next, now, failed, back })
  }
  const at = (level: Level) => (fact: string, fields?: Fields) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(settings.level)) return
    const text = line(fact, fields)
    options.heard?.({ time: now(), level, text })
    screen[level](text)
    file?.write(`${new Date(now()).toISOString()} ${level.padEnd(5)} ${text}`)
  }

  return {
    get level() {
      return settings.level
    },
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    reconfigure(next) {
      if (file && (next.dir !== settings.dir || next.aging !== settings.aging)) {
        closing.push(file.close())
        // A reload is no start: force-new must not start another file.
        file = fileFor({ ...next, 'force-new': false })
      }
      settings = next
      screen.options.formatOptions.colors = next.colorful
    },
    relay(level, who, { text, raw }) {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(settings.level)) return
      const { stdout = process.stdout, stderr = process.stderr } = options
      const coloured = settings.colorful && (level === 'warn' || level === 'error' ? stderr : stdout).isTTY === true
      // A line that is nothing but its level is nothing without colours.
      if (!coloured && text === '') return
      const plain = line(`[${who}] ${stripVTControlCharacters(text)}`)
      options.heard?.({ time: now(), level, text: plain })
      screen[level](coloured ? `[${who}] ${coloursOnly(raw)}` : plain)
      file?.write(`${new Date(now()).toISOString()} ${level.padEnd(5)} ${plain}`)
    },
    show(lines) {
      const { stdout = process.stdout } = options
      stdout.write(`${lines.map((text) => oneLine(stripVTControlCharacters(text))).join('\n')}\n`)
    },
    async close() {
      const last = file
      file = undefined
      await Promise.all([...closing.splice(0), last?.close()])
    },
  }
}

const PAINT: Record<Level, (text: string) => string> = {
  trace: colors.gray,
  debug: colors.gray,
  info: colors.cyan,
  warn: colors.yellow,
  error: colors.red,
}

/** The console: warnings and errors on stderr, the rest on stdout; coloured only where a person looks. */
function screenFor(config: LogConfig, options: LogOptions) {
  const { stdout = process.stdout, stderr = process.stderr, now = Date.now } = options
  const reporter: ConsolaReporter = {
    log({ type, level, args }, { options: { formatOptions } }) {
      const stream = level <= LogLevels.warn ? stderr : stdout
      const name = LEVELS.find((known) => known === type) ?? 'info'
      const time = new Date(now()).toISOString()
      const painted = formatOptions.colors === true && stream.isTTY === true
      const head = painted ? `${colors.gray(time)} ${PAINT[name](name.padEnd(5))}` : `${time} ${name.padEnd(5)}`
      stream.write(`${head} ${args.join(' ')}\n`)
    },
  }
  // Levels are judged before: the console must show what the file cannot keep, whatever the level.
  const all = new Consola({ level: LogLevels.trace, throttle: 0, reporters: [reporter] })
  all.options.formatOptions.colors = config.colorful
  return all as Consola & Record<Level, (text: string) => void> // consola adds its level methods in the constructor
}
