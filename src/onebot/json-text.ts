// Finds and replaces pieces of a JSON object's text, so that every byte we have no business with stays as it was.

/** A piece of a text, from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Member {
  /** Decoded. */
  readonly key: string
  /** Where the key stands, quotes included. */
  readonly name: Span
  readonly value: Span
}

export interface Edit {
  readonly span: Span
  readonly text: string
}

const QUOTE = 34
const COMMA = 44
const OPEN_ARRAY = 91
const BACKSLASH = 92
const CLOSE_ARRAY = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/**
 * The members of the object that starts at `from` (white space before it is fine), in the order of the text, duplicates
 * included. The text must have passed JSON.parse: nothing is checked again.
 */
export function members(raw: string, from = 0): Member[] {
  const found: Member[] = []
  walk(raw, from, (begin, over, start, end) => {
    const name = { start: begin, end: over }
    found.push({ key: keyAt(raw, name), name, value: { start, end } })
  })
  return found
}

/** Tells of each member where its key stands, from the first position up to the second, and where its value does. */
function walk(raw: string, from: number, tell: (begin: number, over: number, start: number, end: number) => void) {
  let at = pastSpace(raw, pastSpace(raw, from) + 1)
  while (raw.charCodeAt(at) === QUOTE) {
    const over = stringEnd(raw, at)
    const start = pastSpace(raw, pastSpace(raw, over) + 1)
    const end = valueEnd(raw, start)
    tell(at, over, start, end)
    at = pastSpace(raw, end)
    if (raw.charCodeAt(at) === COMMA) at = pastSpace(raw, at + 1)
  }
}

/** Where the values of these two top-level keys stand, in one walk that makes nothing of all others. */
export function pairOf(raw: string, one: string, other: string): [Span[], Span[]] {
  const found: [Span[], Span[]] = [[], []]
  walk(raw, 0, (begin, over, start, end) => {
    if (isKey(raw, begin, over, one)) found[0].push({ start, end })
    else if (isKey(raw, begin, over, other)) found[1].push({ start, end })
  })
  return found
}

/** Compared where it stands; with escapes in it, it is longer than what it means. */
function isKey(raw: string, begin: number, over: number, key: string): boolean {
  const more = over - begin - key.length - 2
  if (more <= 0) return more === 0 && raw.startsWith(key, begin + 1)
  for (let at = begin + 1; at < over; at++)
    if (raw.charCodeAt(at) === BACKSLASH) return keyAt(raw, { start: begin, end: over }) === key
  return false
}

/** Where the values of a top-level key stand, duplicates included. */
export function valuesOf(raw: string, key: string): Span[] {
  return members(raw)
    .filter((member) => member.key === key)
    .map(({ value }) => value)
}

/** Where something can be put in front of the first member. */
export function opening(raw: string): Span {
  const start = pastSpace(raw, 0) + 1
  return { start, end: start }
}

/** Where the value at `path` stands, one key per level of objects. Of duplicate keys the last counts, as in JSON.parse. */
export function locate(raw: string, path: readonly string[]): Span | undefined {
  const start = pastSpace(raw, 0)
  let found: Span | undefined = { start, end: valueEnd(raw, start) }
  for (const step of path) {
    if (found === undefined || raw.charCodeAt(found.start) !== OPEN_OBJECT) return undefined
    found = members(raw, found.start).findLast(({ key }) => key === step)?.value
  }
  return found
}

/** Replaces each span by its text. Spans must be in order and must not overlap. */
export function splice(raw: string, edits: readonly Edit[]): string {
  let out = ''
  let at = 0
  for (const { span, text } of edits) {
    out += raw.slice(at, span.start) + text
    at = span.end
  }
  return out + raw.slice(at)
}

/** Gives top-level members new values, written as JSON text; those that are missing are put in front. */
export function assign(raw: string, values: Readonly<Record<string, string>>): string {
  const present = members(raw)
  const missing = new Map(Object.entries(values))
  const edits: Edit[] = []
  for (const { key, value: span } of present) {
    if (!Object.hasOwn(values, key)) continue
    edits.push({ span, text: values[key] ?? 'null' })
    missing.delete(key)
  }
  if (missing.size === 0) return splice(raw, edits)
  const text = [...missing].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')
  return splice(raw, [{ span: opening(raw), text: present.length === 0 ? text : `${text},` }, ...edits])
}

/** Cuts top-level members with the comma before them or, where nothing is left before them, the one after them. */
export function without(raw: string, unwanted: string): string {
  const edits: Edit[] = []
  const cut = (start: number, end: number) => edits.push({ span: { start, end }, text: '' })
  const found = members(raw)
  let kept: number | undefined
  for (const [index, { key, name, value }] of found.entries()) {
    if (key !== unwanted) kept = value.end
    else if (kept === undefined) cut(name.start, found[index + 1]?.name.start ?? value.end)
    else {
      cut(kept, value.end)
      kept = value.end
    }
  }
  return splice(raw, edits)
}

/** The first position from `at` on that is not JSON's white space. */
export function pastSpace(raw: string, at: number): number {
  let end = at
  while (isSpace(raw.charCodeAt(end))) end++
  return end
}

/** The position after the last character before `at` that is not JSON's white space. */
export function beforeSpace(raw: string, at: number): number {
  let end = at
  while (isSpace(raw.charCodeAt(end - 1))) end--
  return end
}

const isSpace = (code: number) => code === 32 || code === 10 || code === 13 || code === 9

function keyAt(raw: string, name: Span): string {
  const inner = raw.slice(name.start + 1, name.end - 1)
  if (!inner.includes('\\')) return inner
  const key: string = JSON.parse(raw.slice(name.start, name.end))
  return key
}

function valueEnd(raw: string, start: number): number {
  const code = raw.charCodeAt(start)
  if (code === QUOTE) return stringEnd(raw, start)
  if (code === OPEN_OBJECT || code === OPEN_ARRAY) return nestEnd(raw, start)
  let end = start
  while (end < raw.length && !ends(raw.charCodeAt(end))) end++
  return end
}

/** What can follow a number, true, false or null. */
const ends = (code: number) => code === COMMA || code === CLOSE_OBJECT || code === CLOSE_ARRAY || code <= 32

/** Past the closing quote. Strings are where the megabytes are: a native search skips them. */
export function stringEnd(raw: string, open: number): number {
  let close = raw.indexOf('"', open + 1)
  while (close !== -1 && isEscaped(raw, close)) close = raw.indexOf('"', close + 1)
  return close === -1 ? raw.length : close + 1
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(raw: string, at: number): boolean {
  let before = at - 1
  while (raw.charCodeAt(before) === BACKSLASH) before--
  return (at - before) % 2 === 0
}

function nestEnd(raw: string, start: number): number {
  let depth = 0
  let at = start
  while (at < raw.length) {
    const code = raw.charCodeAt(at)
    if (code === QUOTE) {
      at = stringEnd(raw, at)
      continue
    }
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return at + 1
    at++
  }
  return at
}
