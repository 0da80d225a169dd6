// Reads a filter of events: go-cqhttp's operators and a few shorthands, turned into plain data that needs no more checks.

import { regexFlaw } from '../lib/regex.ts'
import { suggest } from '../lib/suggest.ts'
import { typeFlaw } from './event-types.ts'
import { digitsOf, type Report, tree } from './leaf.ts'

export type Scalar = string | number | boolean | null

/**
 * What is asked of an event, or of a value in it: all that it names must hold; `{}` always does. Ids too long for a
 * number are text: `.eq`, `.neq` and `.in` compare what values look like as text.
 */
export interface FilterConfig {
  /** What the shorthands together mean: `allow` these (the default), or `deny` them and let everything else past. */
  readonly mode?: 'allow' | 'deny'
  /** Digits. */
  readonly groups?: readonly string[]
  readonly users?: readonly string[]
  /** `message`, or finer: `message.group`, `notice.group_increase`. */
  readonly types?: readonly string[]
  /** One of them is in the message. */
  readonly keywords?: readonly string[]
  /** The message starts with one of them. */
  readonly prefix?: readonly string[]
  readonly '.not'?: FilterConfig
  readonly '.and'?: readonly FilterConfig[]
  readonly '.or'?: readonly FilterConfig[]
  readonly '.eq'?: Scalar
  readonly '.neq'?: Scalar
  /** One of these; or, of a text, any part of it. */
  readonly '.in'?: readonly Scalar[] | string
  readonly '.contains'?: string
  /** For `compileRegex` of lib/regex.ts. */
  readonly '.regex'?: string
  /** By path from here, `sender.role` or `message.0.type`: what is asked of the value there. */
  readonly fields?: Readonly<Record<string, FilterConfig>>
}
/** As it is written: conditions on fields stand beside the operators, and a plain value means `.eq`. */
export type FilterInput = Readonly<Record<string, unknown>>

const WANTED = 'a filter such as {groups: [123456789], .not: {user_id: 10001}}'

export const filter = () =>
  tree<FilterInput, FilterConfig>(
    { wanted: WANTED, json: { allOf: [{ $ref: '#/definitions/filter' }] } },
    (found, report) => (isKeys(found) ? read(found, 'event', report) : undefined),
  )

/** Where we are: at the whole event, or at one of its values. */
type Place = 'event' | 'value'
/** Reads what stands at one key; undefined: it was reported. */
type Reader = (found: unknown, report: Report, place: Place) => unknown

const SHORTHANDS: Record<string, Reader> = {
  mode: (found, report) => (found === 'allow' || found === 'deny' ? found : report([], 'allow or deny')),
  groups: some('a group number (digits only)', digitsOf),
  users: some('a QQ number (digits only)', digitsOf),
  types: some('a type of events', (found) => (typeof found === 'string' ? found : undefined), typeFlaw),
  keywords: some('text', words),
  prefix: some('text', words),
}

const LOGIC: Record<string, Reader> = {
  '.not': (found, report, place) =>
    isKeys(found) ? read(found, place, report) : report([], 'conditions: keys and values'),
  '.and': (found, report, place) =>
    isKeys(found)
      ? [conditions(found, report, place)]
      : list(found, report, 'conditions', (one, told) => conditions(one, told, place)),
  '.or': (found, report, place) => list(found, report, 'conditions', (one, told) => conditions(one, told, place)),
}

const COMPARISONS: Record<string, Reader> = {
  '.eq': scalar,
  '.neq': scalar,
  '.in': (found, report) => (typeof found === 'string' && found !== '' ? found : list(found, report, 'values', scalar)),
  '.contains': (found, report) => words(found) ?? report([], 'text'),
  '.regex': (found, report) => {
    if (typeof found !== 'string' || found === '') return report([], 'a regular expression')
    const flaw = regexFlaw(found)
    return flaw === undefined ? found : report([], flaw.wanted, flaw.hint)
  },
}

const OPERATORS = { ...LOGIC, ...COMPARISONS }

function read(found: object, place: Place, report: Report): FilterConfig {
  const entries: [string, unknown][] = []
  const fields: [string, FilterConfig][] = []
  for (const [key, value] of Object.entries(found)) {
    const inside = within(report, key)
    const reader = readerOf(key, place)
    if (reader !== undefined) entries.push([key, reader(value, inside, place)])
    else if (!misnamed(key, place, report)) fields.push([key, condition(value, inside)])
  }
  const given = Object.fromEntries(entries)
  if (
    given['mode'] !== undefined &&
    !Object.keys(SHORTHANDS).some((key) => key !== 'mode' && Object.hasOwn(given, key))
  )
    report(['mode'], `one of ${Object.keys(SHORTHANDS).slice(1).join(', ')} beside it`, 'mode says what these mean')
  return { ...given, ...(fields.length > 0 && { fields: Object.fromEntries(fields) }) }
}

function readerOf(key: string, place: Place): Reader | undefined {
  const known = place === 'event' ? { ...SHORTHANDS, ...LOGIC } : OPERATORS
  return Object.hasOwn(known, key) ? known[key] : undefined
}

/** Whether a key that is none of ours is no path into an event either. */
function misnamed(key: string, place: Place, report: Report): boolean {
  const told = (wanted: string, hint?: string) => {
    report([key], wanted, hint, key)
    return true
  }
  if (Object.hasOwn(COMPARISONS, key)) return told('the path of a value around it', `raw_message: {${key}: ...}`)
  const operators = Object.keys(OPERATORS)
  if (key.startsWith('.')) return told(`one of ${operators.join(', ')}`, meant(suggest(key, operators)))
  if (!PATH.test(key)) return told('a path such as sender.role or message.0.type')
  if (Object.hasOwn(OPERATORS, `.${key}`)) return told(`one of ${operators.join(', ')}`, meant(`.${key}`))
  if (place === 'value' || FIELDS.has(key)) return false
  const near = suggest(key, Object.keys(SHORTHANDS))
  return near === undefined ? false : told('a shorthand, an operator or a field of an event', meant(near))
}

const PATH = /^[\p{L}\p{N}_$-]+(?:\.[\p{L}\p{N}_$-]+)*$/u
// Of those that every event has, the ones that could be taken for a shorthand misspelt.
const FIELDS = new Set(['group_id', 'user_id'])
const meant = (key: string | undefined) => key && `did you mean ${key}?`

/** What is asked of one value: a plain one is to be equal. */
function condition(found: unknown, report: Report): FilterConfig {
  if (isKeys(found)) return conditions(found, report, 'value')
  if (!Array.isArray(found)) return { '.eq': scalar(found, report) }
  report([], 'a value, or {.in: [...]} for one of several')
  return {}
}

/** Not empty: that would always hold, which nobody writes on purpose. */
function conditions(found: unknown, report: Report, place: Place): FilterConfig {
  if (isKeys(found) && Object.keys(found).length > 0) return read(found, place, report)
  report([], 'conditions: keys and values')
  return {}
}

function scalar(found: unknown, report: Report): Scalar {
  if (found === null || typeof found === 'string' || typeof found === 'boolean') return found
  if (typeof found === 'number' && (Number.isSafeInteger(found) || !Number.isInteger(found)) && Number.isFinite(found))
    return found
  if (typeof found === 'number') report([], 'a number that is exact', 'write it in quotes')
  else report([], 'text, a number, true, false or null')
  return null
}

function list<T>(found: unknown, report: Report, of: string, item: (found: unknown, report: Report) => T): T[] {
  if (!Array.isArray(found)) report([], `a list of ${of}`, 'start each entry with "- "')
  else if (found.length === 0) report([], `a list of ${of} that is not empty`)
  else return found.map((one, i) => item(one, within(report, i)))
  return []
}

/** One or several, out comes a list. */
function some(
  wanted: string,
  take: (found: unknown) => string | undefined,
  flaw: typeof typeFlaw = () => undefined,
): Reader {
  const one = (found: unknown, report: Report) => {
    const taken = take(found)
    const wrong = taken === undefined ? { wanted } : flaw(taken)
    if (wrong !== undefined) report([], wrong.wanted, wrong.hint)
    return taken ?? ''
  }
  return (found, report) =>
    Array.isArray(found) ? list(found, report, `values, each ${wanted}`, one) : [one(found, report)]
}

function words(found: unknown): string | undefined {
  const text = typeof found === 'number' && Number.isSafeInteger(found) ? String(found) : found
  return typeof text === 'string' && text !== '' ? text : undefined
}

const within =
  (report: Report, key: string | number): Report =>
  (keys, ...told) =>
    report([key, ...keys], ...told)

const isKeys = (found: unknown): found is object => typeof found === 'object' && found !== null && !Array.isArray(found)
