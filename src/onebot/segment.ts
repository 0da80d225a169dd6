// Messages in both of their forms: segments, and text with CQ codes.

import { isObject, own } from './object.ts'

export interface Segment {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A code, or the text between two of them. */
export interface Piece {
  readonly segment: Segment
  /** Where it stands in the CQ text. */
  readonly start: number
  readonly end: number
}

/** Reads text with CQ codes. What is no well-formed code is text, as written. */
export const parseCq = (text: string): Segment[] => cqPieces(text).map(({ segment }) => segment)

/** As `parseCq`, with the places of the segments. */
export function cqPieces(text: string): Piece[] {
  const pieces: Piece[] = []
  let plain = 0
  const flush = (end: number) => {
    if (end > plain) pieces.push({ segment: textSegment(unescapeCq(text.slice(plain, end))), start: plain, end })
  }
  let close = -1
  for (let at = text.indexOf(OPEN); at !== -1; at = text.indexOf(OPEN, at + 1)) {
    // Looked for once, however many codes are begun before it: each would otherwise search the rest of the text.
    if (close < at) close = text.indexOf(']', at)
    if (close === -1) break
    const next = text.indexOf('[', at + 1)
    const segment = next === -1 || next > close ? codeOf(text.slice(at + OPEN.length, close)) : undefined
    if (segment === undefined) continue
    flush(at)
    plain = close + 1
    pieces.push({ segment, start: at, end: plain })
  }
  flush(text.length)
  return pieces
}

const textSegment = (text: string): Segment => ({ type: 'text', data: { text } })

/** What a message in either form says in words: its texts, one after the other; '' where it has none. */
export function wordsOf(message: unknown): string {
  // Nothing but words, as most messages in this form.
  if (typeof message === 'string' && !message.includes(OPEN)) return unescapeCq(message)
  const parts: unknown = typeof message === 'string' ? parseCq(message) : message
  let words = ''
  for (const part of Array.isArray(parts) ? parts : [parts]) words += wordsIn(part)
  return words
}

function wordsIn(part: unknown): string {
  const data = isObject(part) && own(part, 'type') === 'text' ? own(part, 'data') : undefined
  return isObject(data) ? textOf(own(data, 'text')) : ''
}

/** Writes segments as text with CQ codes. Values that are no strings are written as JSON, missing ones left out. */
export function formatCq(segments: readonly Segment[]): string {
  let text = ''
  for (const { type, data } of segments) text += type === 'text' ? escapeCq(textOf(data['text'])) : code(type, data)
  return text
}

/** Reads a message in either form, or a single segment; undefined: it is neither. */
export function segmentsOf(message: unknown): Segment[] | undefined {
  if (typeof message === 'string') return parseCq(message)
  const parts: unknown[] = Array.isArray(message) ? message : [message]
  const segments = parts.map((part) => {
    const type = isObject(part) ? own(part, 'type') : undefined
    const data = isObject(part) ? (own(part, 'data') ?? {}) : undefined
    return typeof type === 'string' && isObject(data) ? { type, data } : undefined
  })
  return segments.every((segment) => segment !== undefined) ? segments : undefined
}

/** How many characters of a CQ text, from `at` on, stand for `count` characters of what is meant: escapes are longer. */
export function cqLength(text: string, at: number, count: number): number {
  let end = at
  for (let left = count; left > 0 && end < text.length; left--) {
    ENTITY_AT.lastIndex = end
    end = text[end] === '&' && ENTITY_AT.test(text) ? ENTITY_AT.lastIndex : end + 1
  }
  return end - at
}

/** Makes text safe between CQ codes. */
export const escapeCq = (text: string): string => text.replace(/[&[\]]/g, escapeOne)

/** Makes text safe as a value within a CQ code. */
export const escapeCqValue = (text: string): string => text.replace(/[&[\],]/g, escapeOne)

export const unescapeCq = (text: string): string =>
  text.includes('&') ? text.replace(/&(?:amp|#91|#93|#44);/g, (entity) => PLAIN.get(entity) ?? entity) : text

const OPEN = '[CQ:'
const ENTITY = new Map([
  ['&', '&amp;'],
  ['[', '&#91;'],
  [']', '&#93;'],
  [',', '&#44;'],
])
/** One entity, at `lastIndex`. */
const ENTITY_AT = /&(?:amp|#91|#93|#44);/y
const PLAIN = new Map([...ENTITY].map(([plain, entity]) => [entity, plain]))
const escapeOne = (character: string) => ENTITY.get(character) ?? character

/** Reads what stands between `[CQ:` and `]`; undefined: no code. */
function codeOf(inner: string): Segment | undefined {
  const [type = '', ...values] = inner.split(',')
  if (!/^[\w.-]+$/.test(type)) return undefined
  const pairs = values.map((pair) => {
    const equals = pair.indexOf('=')
    return equals === -1 ? [pair.trim(), ''] : [pair.slice(0, equals).trim(), unescapeCq(pair.slice(equals + 1))]
  })
  // fromEntries makes own properties, also of a key like __proto__.
  return { type, data: Object.fromEntries(pairs) }
}

function code(type: string, data: Segment['data']): string {
  const values = Object.entries(data)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `,${key}=${escapeCqValue(textOf(value))}`)
  return `${OPEN}${type}${values.join('')}]`
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : (JSON.stringify(value) ?? '')
