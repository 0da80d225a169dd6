// Finds the elements of a JSON array in its text, and values in objects and arrays however deep.

import { beforeSpace, locate, type Span } from './json-text.ts'

/** Where the elements of an array stand; the text is the array's, and has passed JSON.parse. */
export function elements(text: string): Span[] {
  const found: Span[] = []
  const last = beforeSpace(text, beforeSpace(text, text.length) - 1)
  let at = text.indexOf('[') + 1
  while (at < last) {
    const value = locate(text.slice(at, last), [])
    if (value === undefined) break
    const end = at + value.end
    found.push({ start: at + value.start, end })
    // Nothing but white space stands between a value and its comma.
    at = end < last ? text.indexOf(',', end) + 1 : last
  }
  return found
}

/** The text of the value at `path`, keys and indexes; of duplicate keys the last counts, as in JSON.parse. */
export function textAt(raw: string, path: readonly string[]): string | undefined {
  let found: string | undefined = raw.trim()
  for (const step of path) {
    if (found === undefined) return undefined
    const span: Span | undefined = found.startsWith('[') ? elements(found)[Number(step)] : locate(found, [step])
    found = span && found.slice(span.start, span.end)
  }
  return found
}

/** A number of an event as text: where ours cannot hold it, as it stands at `path`. */
export function digitsAt(raw: string, path: readonly string[], value: number): string {
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return String(value)
  return textAt(raw, path) ?? String(value)
}
