// Decides which events pass a filter: compiled once into a function that looks at each event and never throws.

import type { FilterConfig, Scalar } from '../config/filter.ts'
import { compileRegex } from '../lib/regex.ts'
import { beginning, isMessage } from '../onebot/format.ts'
import { digitsAt } from '../onebot/json-array.ts'
import { type Fields, isObject, own } from '../onebot/object.ts'
import { formatCq, parseCq, segmentsOf, wordsOf } from '../onebot/segment.ts'

/** Whether an event, given as its text and as what JSON.parse makes of it, passes. */
export type Filter = (raw: string, event: Fields) => boolean

export interface FilterProblem {
  readonly problem: string
}

/**
 * The filter as a function. Meta events pass whatever it asks. The shorthands judge only what came from QQ: of other
 * events, they ask nothing. What the config lets through always compiles.
 */
export function compileFilter(filter: FilterConfig): Filter | FilterProblem {
  try {
    const test = conditions(filter, [], true)
    return (raw, event) => own(event, 'post_type') === 'meta_event' || test(subjectOf(raw, event))
  } catch (error) {
    return { problem: `filter: ${error instanceof Error ? error.message : error}` }
  }
}

/** An event that is being judged. */
interface Subject {
  readonly raw: string
  readonly event: Fields
  /** Not by the gateway about its clients. */
  readonly fromQq: boolean
  /** What its people say; undefined: nobody has asked yet. */
  words: string | undefined
}

type Test = (subject: Subject) => boolean
type Path = readonly string[]

function subjectOf(raw: string, event: Fields): Subject {
  const fromQq =
    own(event, 'post_type') === 'notice'
      ? own(event, 'notice_type') !== 'client_status'
      : isMessage(event) || own(event, 'post_type') === 'request'
  return { raw, event, fromQq, words: undefined }
}

/** @param passing what these conditions must come to for the event to pass: false within a `.not`. */
function conditions(node: FilterConfig, path: Path, passing: boolean): Test {
  const tests: Test[] = []
  for (const key of Object.keys(node)) if (!KNOWN.has(key)) throw new TypeError(`nothing is called ${key}`)
  const shorthand = shorthands(node, passing)
  if (shorthand !== undefined) tests.push(shorthand)
  if (node['.eq'] !== undefined) tests.push(oneOf([node['.eq']], path))
  if (node['.neq'] !== undefined) tests.push(not(oneOf([node['.neq']], path)))
  if (node['.in'] !== undefined) tests.push(within(node['.in'], path))
  if (node['.contains'] !== undefined) tests.push(contains(node['.contains'], path))
  for (const [key, asked] of Object.entries(node.fields ?? {}))
    tests.push(conditions(asked, [...path, ...key.split('.')], passing))
  if (node['.not'] !== undefined) tests.push(not(conditions(node['.not'], path, !passing)))
  for (const asked of node['.and'] ?? []) tests.push(conditions(asked, path, passing))
  if (node['.or'] !== undefined) tests.push(any(node['.or'].map((asked) => conditions(asked, path, passing))))
  // Last: it costs more than the others.
  if (node['.regex'] !== undefined) tests.push(matches(node['.regex'], path))
  return all(tests)
}

const SHORTHANDS: (keyof FilterConfig)[] = ['mode', 'groups', 'users', 'types', 'keywords', 'prefix']
const OPERATORS: (keyof FilterConfig)[] = ['.not', '.and', '.or', '.eq', '.neq', '.in', '.contains', '.regex', 'fields']
const KNOWN = new Set<string>([...SHORTHANDS, ...OPERATORS])

// Shorthands.

function shorthands(node: FilterConfig, passing: boolean): Test | undefined {
  const denies = node.mode === 'deny'
  // What does not come from QQ is not what they are about: they come to what lets it pass.
  const elsewhere = denies ? !passing : passing
  const ofQq =
    (test: Test): Test =>
    (subject) =>
      subject.fromQq ? test(subject) : elsewhere
  const tests: Test[] = []
  if (node.types !== undefined) tests.push(any(node.types.map(ofType)))
  if (node.groups !== undefined) tests.push(ofQq(oneOf(node.groups, ['group_id'])))
  if (node.users !== undefined) tests.push(ofQq(oneOf(node.users, ['user_id'])))
  const { keywords, prefix } = node
  if (keywords !== undefined)
    tests.push(ofQq((subject) => keywords.some((keyword) => wordsIn(subject).includes(keyword))))
  if (prefix !== undefined)
    tests.push(ofQq((subject) => prefix.some((one) => beginning(wordsIn(subject), one) !== undefined)))
  if (tests.length === 0) return undefined
  return denies ? not(all(tests)) : all(tests)
}

/** `notice`, `notice.notify` or `notice.notify.poke`. */
function ofType(type: string): Test {
  const [post = '', detail, sub] = type.split('.')
  const detailKey = post === 'message_sent' ? 'message_type' : `${post}_type`
  return ({ event }) =>
    own(event, 'post_type') === post &&
    (detail === undefined || own(event, detailKey) === detail) &&
    (sub === undefined || own(event, 'sub_type') === sub)
}

/** The text of a message without its codes, whichever form it has, or what comes with a request. */
function wordsIn(subject: Subject): string {
  subject.words ??= readWords(subject.event)
  return subject.words
}

function readWords(event: Fields): string {
  if (isMessage(event)) return wordsOf(own(event, 'message') ?? own(event, 'raw_message'))
  const comment = own(event, 'post_type') === 'request' ? own(event, 'comment') : undefined
  return typeof comment === 'string' ? comment : ''
}

// Operators.

/** Values are compared as text: ids are numbers here and strings there. Null is what is null, and what is not there. */
function oneOf(values: readonly Scalar[], path: Path): Test {
  const wanted = new Set(values.map((value) => (value === null ? null : String(value))))
  return (subject) => {
    const text = textOf(subject, path)
    return text !== undefined && wanted.has(text)
  }
}

/** One of a list, or any part of a text. */
function within(values: readonly Scalar[] | string, path: Path): Test {
  if (typeof values !== 'string') return oneOf(values, path)
  return onText(path, (text) => values.includes(text))
}

const contains = (part: string, path: Path): Test => onText(path, (text) => text.includes(part))

/**
 * As much of a text as patterns see: their time grows with it, and it is spent on each event. It is more than people
 * can send as text; longer values are data, such as cards and files in place.
 */
const REGEX_SEES = 16_384

function matches(source: string, path: Path): Test {
  const regex = compileRegex(source)
  return onText(path, (text) => regex.test(text.length > REGEX_SEES ? text.slice(0, REGEX_SEES) : text))
}

function onText(path: Path, test: (text: string) => boolean): Test {
  return (subject) => {
    const text = textOf(subject, path)
    return typeof text === 'string' && test(text)
  }
}

/** The value as text, all digits of a number included; null: there is none; undefined: it has no text. */
function textOf(subject: Subject, path: Path): string | null | undefined {
  const value = valueAt(subject.event, path)
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return null
  if (typeof value === 'number') return digitsAt(subject.raw, path, value)
  if (typeof value === 'boolean') return String(value)
  return path.length === 1 && path[0] === 'message' ? messageText(subject.event) : undefined
}

/** A message of segments as the text with CQ codes that another implementation would have sent. */
function messageText(event: Fields): string | undefined {
  const said = own(event, 'raw_message')
  if (typeof said === 'string') return said
  const segments = segmentsOf(own(event, 'message'))
  return segments && formatCq(segments)
}

/** Nothing inherited is found: neither in objects nor in arrays. */
function valueAt(event: Fields, path: Path): unknown {
  let value: unknown = event
  for (const [depth, step] of path.entries()) {
    // Another implementation would have sent segments.
    if (depth === 1 && path[0] === 'message' && typeof value === 'string') value = parseCq(value)
    if (isObject(value)) value = own(value, step)
    else value = Array.isArray(value) ? value[Number(step)] : undefined
  }
  return value
}

// Logic.

const not =
  (test: Test): Test =>
  (subject) =>
    !test(subject)

function all(tests: readonly Test[]): Test {
  const [only] = tests
  if (only !== undefined && tests.length === 1) return only
  return (subject) => {
    for (const test of tests) if (!test(subject)) return false
    return true
  }
}

function any(tests: readonly Test[]): Test {
  const [only] = tests
  if (only !== undefined && tests.length === 1) return only
  return (subject) => {
    for (const test of tests) if (test(subject)) return true
    return false
  }
}
