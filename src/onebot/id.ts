// Reads the numbers by which events name groups, people and messages, exact however long.

import { locate } from './json-text.ts'
import { type Fields, own } from './object.ts'

/** The id that the event has under `key`, as text, quoted or not; undefined: it has none, or 0, which names nobody. */
export function idOf(raw: string, event: Fields, key: string): string | undefined {
  const id = own(event, key)
  if (typeof id === 'string') return id === '' || id === '0' ? undefined : id
  if (typeof id !== 'number' || id === 0) return undefined
  const span = Number.isSafeInteger(id) ? undefined : locate(raw, [key])
  return span === undefined ? String(id) : raw.slice(span.start, span.end)
}
