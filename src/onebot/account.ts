// Whose event a frame is: the account as text, exact however long.

import { locate } from './json-text.ts'
import { type Fields, own } from './object.ts'

/** The account an event is of, as text: it may be more than a number of ours can hold. Undefined: it does not say. */
export function accountOf(raw: string, event: Fields): string | undefined {
  const selfId = own(event, 'self_id')
  const text = typeof selfId === 'number' ? digits(raw, selfId) : selfId
  return typeof text === 'string' && /^[1-9]\d{0,19}$/.test(text) ? text : undefined
}

function digits(raw: string, selfId: number): string {
  const span = Number.isSafeInteger(selfId) ? undefined : locate(raw, ['self_id'])
  return span === undefined ? String(selfId) : raw.slice(span.start, span.end)
}
