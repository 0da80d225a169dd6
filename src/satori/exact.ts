// Numbers that no number of ours can hold: read from JSON as text, and written into JSON as the digits they are.

import { isObject, parse } from '../onebot/object.ts'

/** Shorter runs of digits are safe integers. */
const LONG = /\d{16}/

/** JSON.parse hands the source of each number to its reviver; TypeScript's library does not say so yet. */
type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown // the cast: see above

const keep: Reviver = (_key, value, context) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? context?.source
    : value

/** The value of a JSON text, whole numbers beyond 2^53 as text; undefined: it is not JSON. */
export function parseExact(raw: string): unknown {
  if (!LONG.test(raw)) return parse(raw)
  try {
    return parseWith(raw, keep)
  } catch {
    return undefined
  }
}

/** An id, or whatever else is told in either way, as text; undefined: it is neither text nor a number. */
export function idText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

/** JSON text that stands for itself among params. */
export class Digits {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** What OneBot has as a number, written digit by digit; anything else stays text. */
export const digits = (id: string): Digits | string => (/^(?:0|-?[1-9]\d{0,19})$/.test(id) ? new Digits(id) : id)

/** JSON text of params; those that are undefined are left out. */
export function exactJson(value: unknown): string {
  if (value instanceof Digits) return value.text
  if (Array.isArray(value)) return `[${value.map(exactJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const pairs = Object.entries(value).filter(([, one]) => one !== undefined)
  return `{${pairs.map(([key, one]) => `${JSON.stringify(key)}:${exactJson(one)}`).join(',')}}`
}
