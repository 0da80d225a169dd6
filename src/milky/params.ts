// Reads the params of OneBot actions: numbers also as text, since forms and many clients write them so.

import { type Fields, own } from '../onebot/object.ts'
import { type Segment, segmentsOf } from '../onebot/segment.ts'
import { BAD_REQUEST, MilkyError } from './api.ts'

/** @throws MilkyError always. */
function bad(key: string, found: unknown, wanted: string): never {
  const seen = found === undefined || found === null ? 'nothing' : JSON.stringify(found).slice(0, 60)
  throw new MilkyError(BAD_REQUEST, `params.${key}: found ${seen}, wanted ${wanted}`)
}

/** The first of these keys that has a value: implementations call some params differently. */
export function given(params: Fields, ...keys: string[]): unknown {
  for (const key of keys) {
    const value = own(params, key)
    if (value !== undefined && value !== null && value !== '') return value
  }
  return undefined
}

/** A whole number from 0. @throws MilkyError */
export function whole(params: Fields, ...keys: [string, ...string[]]): number {
  return number(given(params, ...keys)) ?? bad(keys[0], given(params, ...keys), 'a whole number')
}

/** The same; `fallback` where it is left out. @throws MilkyError */
export function wholeOr<T>(params: Fields, fallback: T, ...keys: [string, ...string[]]): number | T {
  return given(params, ...keys) === undefined ? fallback : whole(params, ...keys)
}

/** @throws MilkyError */
export function text(params: Fields, ...keys: [string, ...string[]]): string {
  return textOr(params, undefined, ...keys) ?? bad(keys[0], undefined, 'text')
}

/** @throws MilkyError */
export function textOr<T>(params: Fields, fallback: T, ...keys: [string, ...string[]]): string | T {
  const value = given(params, ...keys)
  if (value === undefined) return fallback
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  return bad(keys[0], value, 'text')
}

/** Text that may be empty: to take a card or a title away. @throws MilkyError */
export const words = (params: Fields, ...keys: [string, ...string[]]): string => textOr(params, '', ...keys)

/** @throws MilkyError */
export function flag(params: Fields, fallback: boolean, ...keys: [string, ...string[]]): boolean {
  const value = given(params, ...keys)
  if (value === undefined) return fallback
  const known = FLAGS.get(value)
  return known ?? bad(keys[0], value, 'true or false')
}

const FLAGS = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  [1, true],
  ['1', true],
  [false, false],
  ['false', false],
  [0, false],
  ['0', false],
])

/** A message in either form, at least one segment. @throws MilkyError */
export function message(params: Fields, key = 'message'): Segment[] {
  const value = own(params, key)
  if (typeof value === 'string' && value !== '' && FLAGS.get(own(params, 'auto_escape')) === true)
    return [{ type: 'text', data: { text: value } }]
  const segments = value === undefined || value === null ? undefined : segmentsOf(value)
  if (segments === undefined || segments.length === 0)
    return bad(key, value, 'a message: text, or segments {type, data}, at least one')
  return segments
}

function number(value: unknown): number | undefined {
  const found = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : undefined
}
