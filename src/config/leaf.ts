// The kinds of value a config key may have: how each is read, what it is called in errors, how it looks in a JSON Schema.

import * as v from 'valibot'
import { formatDuration, parseDuration } from '../lib/duration.ts'
import { maskText } from '../lib/mask.ts'
import { formatSize, parseSize } from '../lib/size.ts'

/** What a leaf tells the loader, the reference and the JSON Schema about itself. */
export interface Kind {
  /**
   * `text`: the scalar's own text is the value, so that 0123 and long numbers stay what was written. `tree`: whatever
   * YAML has there, lists and keys included; whole numbers that are too long for a number are text.
   */
  kind: 'text' | 'flag' | 'number' | 'duration' | 'size' | 'rate' | 'tree'
  /** Completes the sentence "wanted ...". */
  wanted: string
  json: Record<string, unknown>
}

/** What a key is for, in both languages. */
export interface About {
  en: string
  zh: string
  /** Never shown in errors and logs. */
  secret?: boolean | undefined
  /** For few: the file that a new user gets does without, or has it commented out. */
  rare?: boolean | undefined
  /** One of the settings that several sections take: explained once. */
  setting?: boolean | undefined
}

/** Separates what is wanted from what to do, in a validation message. */
export const HINT = '\n'

type Refuse = (hint?: string) => undefined

/** Blames a key inside a value, from there downwards; `found` where it is not what stands there. */
export type Report = (keys: (string | number)[], wanted: string, hint?: string, found?: unknown) => void

/** An issue in valibot's form, with the way from `root` to the key that is to blame. */
export function issueAt(root: unknown, ...[keys, wanted, hint, found]: Parameters<Report>) {
  const items: v.IssuePathItem[] = []
  let input: unknown = root
  for (const key of keys) {
    const value: unknown = typeof input === 'object' && input !== null ? Reflect.get(input, key) : undefined
    items.push({ type: 'unknown', origin: 'value', input, key, value })
    input = value
  }
  const [first, ...rest] = items
  const message = hint === undefined ? wanted : wanted + HINT + hint
  const path: [v.IssuePathItem, ...v.IssuePathItem[]] | undefined = first && [first, ...rest]
  return { message, input: found ?? input, ...(path && { path }) }
}

/** A value with an inside of its own: `read` reports everything that is wrong in there. */
export function tree<I, O>(
  kind: Omit<Kind, 'kind'>,
  read: (found: unknown, report: Report) => O | undefined,
): v.GenericSchema<I, O> {
  return v.pipe(
    v.custom<I>(() => true),
    v.rawTransform<I, O>(({ dataset, addIssue, NEVER }) => {
      let sound = true
      const value = read(dataset.value, (...told) => {
        sound = false
        addIssue(issueAt(dataset.value, ...told))
      })
      if (sound && value !== undefined) return value
      if (sound) addIssue({ message: kind.wanted })
      return NEVER
    }),
    v.metadata({ ...kind, kind: 'tree' } satisfies Kind),
  )
}

/** A value of one kind. `read` returns the parsed value, or what `refuse` returns. */
export function leaf<I, O>(kind: Kind, read: (found: unknown, refuse: Refuse) => O | undefined): v.GenericSchema<I, O> {
  return v.pipe(
    v.custom<I>(() => true),
    v.rawTransform<I, O>(({ dataset, addIssue, NEVER }) => {
      let hint: string | undefined
      const value = read(dataset.value, (why) => {
        hint = why
        return undefined
      })
      if (value !== undefined) return value
      addIssue({ message: hint === undefined ? kind.wanted : kind.wanted + HINT + hint })
      return NEVER
    }),
    v.metadata({ ...kind }),
  )
}

export function text(options: { wanted?: string; pattern?: RegExp } = {}): v.GenericSchema<string, string> {
  const { wanted = 'text', pattern } = options
  const json = { type: 'string', ...(pattern && { pattern: pattern.source }) }
  return leaf({ kind: 'text', wanted, json }, (found) =>
    typeof found === 'string' && (pattern?.test(found) ?? true) ? found : undefined,
  )
}

/** A file or folder; `needed`: what is wanted, where empty is none. Windows' paths in double quotes are full of escapes: "C:\\bots\\new" has a line break in it. */
export function place(needed?: string): v.GenericSchema<string, string> {
  const wanted = needed ?? 'text'
  const json = { type: 'string', ...(needed && { pattern: '\\S' }) }
  return leaf({ kind: 'text', wanted, json }, (found, refuse) => {
    if (typeof found !== 'string' || (needed !== undefined && !/\S/.test(found))) return undefined
    const sound = !/\p{Cc}/u.test(found)
    return sound ? found : refuse("in double quotes \\ begins an escape: write 'single quotes', or / in its place")
  })
}

export function choice<const T extends string>(...options: T[]): v.GenericSchema<T, T> {
  const wanted = `one of ${options.join(', ')}`
  return leaf({ kind: 'text', wanted, json: { enum: options } }, (found) => options.find((option) => option === found))
}

/** A QQ number: digits, quoted or not. Out comes a string, '' when none (or 0) was given. */
export function account(): v.GenericSchema<string | number, string> {
  const json = { type: ['string', 'integer'], pattern: '^\\d*$' }
  return leaf({ kind: 'text', wanted: 'a QQ number (digits only)', json }, (found) => {
    const digits = typeof found === 'number' && Number.isSafeInteger(found) ? String(found) : found
    if (typeof digits !== 'string' || !/^\d{0,20}$/.test(digits)) return undefined
    return digits === '0' ? '' : digits
  })
}

/** The number of somebody or of a group: digits, quoted or not. Out comes a string, exact however long. */
export function number(): v.GenericSchema<string | number, string> {
  const json = { type: ['string', 'integer'], pattern: '^[1-9]\\d*$' }
  return leaf({ kind: 'text', wanted: 'a number (digits only)', json }, (found) => digitsOf(found))
}

/** Undefined: no number of somebody, or not exact. */
export function digitsOf(found: unknown): string | undefined {
  const text = typeof found === 'number' && Number.isSafeInteger(found) ? String(found) : found
  return typeof text === 'string' && /^[1-9]\d{0,19}$/.test(text) ? text : undefined
}

const FLAGS: Record<string, boolean> = { true: true, false: false, yes: true, no: false, on: true, off: false }

/** True or false; yes, no, on and off too, as YAML 1.1 readers took them. */
export function flag(): v.GenericSchema<boolean, boolean> {
  return leaf({ kind: 'flag', wanted: 'true or false', json: { type: 'boolean' } }, (found) =>
    typeof found === 'string' ? FLAGS[found.toLowerCase()] : typeof found === 'boolean' ? found : undefined,
  )
}

export function whole(options: { wanted: string; min: number; max?: number }): v.GenericSchema<number, number> {
  const { wanted, min, max = Number.MAX_SAFE_INTEGER } = options
  const json = { type: 'integer', minimum: min, ...(options.max !== undefined && { maximum: max }) }
  return leaf({ kind: 'number', wanted, json }, (found) =>
    typeof found === 'number' && Number.isSafeInteger(found) && found >= min && found <= max ? found : undefined,
  )
}

/** Out comes a number of milliseconds. The limits are milliseconds, too. */
export function duration(options: { min?: number; max?: number } = {}): v.GenericSchema<string | number, number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options
  const limits = [min > 0 && `at least ${formatDuration(min)}`, options.max && `at most ${formatDuration(max)}`]
  const wanted = ['a duration such as 15s, 1h30m or 1500ms', ...limits.filter(Boolean)].join(', ')
  const json = { type: ['string', 'integer'], pattern: '^(0|(\\d+(\\.\\d+)?(ns|us|µs|ms|s|m|h))+)$' }
  return leaf({ kind: 'duration', wanted, json }, (found, refuse) => {
    const bare = /^\d+$/.exec(String(found))?.[0]
    if (bare !== undefined && Number(bare) !== 0) return refuse(`a number needs its unit: ${bare}s or ${bare}ms`)
    const value = typeof found === 'string' || typeof found === 'number' ? parseDuration(String(found)) : undefined
    return value !== undefined && value >= min && value <= max ? value : undefined
  })
}

/** Out comes a number of bytes. */
export function size(options: { min: number; max?: number }): v.GenericSchema<string | number, number> {
  const { min, max = Number.MAX_SAFE_INTEGER } = options
  const limits = [`at least ${formatSize(min)}`, options.max !== undefined && `at most ${formatSize(max)}`]
  const wanted = ['a size such as 64MiB, 64MB or 1048576', ...limits.filter(Boolean)].join(', ')
  const json = { type: ['string', 'integer'], pattern: '^\\d+(\\.\\d+)?\\s*([kKmMgGtT]?[iI]?[bB])?$' }
  return leaf({ kind: 'size', wanted, json }, (found) => {
    const value = typeof found === 'string' || typeof found === 'number' ? parseSize(String(found)) : undefined
    return value !== undefined && value >= min && value <= max ? value : undefined
  })
}

/** An address with one of the schemes given; '' when there is none. */
export function address(...schemes: [string, ...string[]]): v.GenericSchema<string, string> {
  const wanted = `an address that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`
  const json = { type: 'string', pattern: `^$|^(${schemes.join('|')})://.+` }
  return leaf({ kind: 'text', wanted, json }, (found, refuse) => {
    if (found === '') return found
    if (typeof found !== 'string') return undefined
    const [, scheme, rest] = /^(?:([a-z][a-z+.-]*):\/\/)?(.*)$/i.exec(found) ?? []
    if (scheme === undefined || !schemes.includes(scheme.toLowerCase()))
      return refuse(
        rest && URL.canParse(`${schemes[0]}://${rest}`) ? maskText(`write ${schemes[0]}://${rest}`) : undefined,
      )
    return URL.canParse(found) && new URL(found).hash === '' ? found : undefined
  })
}

const PERIODS: Record<string, number> = { s: 1, sec: 1, m: 60, min: 60, h: 3_600 }

/** How often something may happen: 1/s, 30/min, 500/h. Out comes how often per second. */
export function rate(): v.GenericSchema<string | number, number> {
  const json = { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*/\\s*(s|sec|m|min|h)$' }
  return leaf({ kind: 'rate', wanted: 'a rate such as 1/s, 30/min or 500/h', json }, (found, refuse) => {
    const written = typeof found === 'string' || typeof found === 'number' ? String(found).trim() : ''
    const [, amount, period = ''] = /^(\d+(?:\.\d+)?)\s*(?:\/\s*([a-z]+))?$/.exec(written) ?? []
    if (amount !== undefined && period === '') return refuse(`a rate needs its time: ${amount}/s or ${amount}/min`)
    const often = Number(amount) / (PERIODS[period] ?? Number.NaN)
    if (often === 0) return refuse('to allow none at all, use deny')
    return often > 0 && Number.isFinite(often) ? often : undefined
  })
}
