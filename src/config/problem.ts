// What is wrong with a config, where, and what to do about it; and how that reads.

import { maskText } from '../lib/mask.ts'

export interface Problem {
  /** A file, or the name of an environment variable. */
  file: string
  /** Counted from 1; absent where there is no such place, as in an environment variable. */
  line?: number | undefined
  column?: number | undefined
  /** `http.port`; empty for the file as a whole. */
  path: string
  found: string
  wanted: string
  hint?: string | undefined
}

/** A config that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: Problem[]
  constructor(problems: Problem[]) {
    super(problems.map(problemText).join('\n'))
    this.problems = problems
  }
}

/** `config/config.yml:12:9  http.port: found "80a", wanted a port 0-65535` */
export function problemText(problem: Problem): string {
  const { file, line, column, path, found, wanted, hint } = problem
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  return `${place}  ${path && `${path}: `}found ${found}, wanted ${wanted}${hint === undefined ? '' : ` (${hint})`}`
}

// Enough to recognise a value by.
const LONGEST = 60

/** A value as an error shows it. */
export function foundText(value: unknown, secret = false): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'keys and values'
  if (secret) return value === '' ? 'nothing' : 'a value that is not shown here'
  const text = typeof value === 'string' ? JSON.stringify(maskText(value)) : String(value)
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`
}
