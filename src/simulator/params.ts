// What the params of actions may look like: numbers also as text, since forms and many clients write them so.

import * as v from 'valibot'
import { parseCq, type Segment, segmentsOf } from '../onebot/segment.ts'
import { fail } from './failure.ts'

const BAD = 1400

/** @throws Failure that names the path, what was found and what is wanted. */
export function checked<T>(schema: v.GenericSchema<unknown, T>, params: unknown, root = 'params'): T {
  const result = v.safeParse(schema, params, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const path = [root, v.getDotPath(issue)].filter(Boolean).join('.')
  const found = issue.received === 'undefined' ? 'nothing' : shortened(issue.received)
  return fail(`${path}: found ${found}, ${wanted(issue)}`, BAD)
}

const shortened = (found: string) => (found.length > 60 ? `${found.slice(0, 60)}...` : found)

/** valibot words missing and unknown keys itself. */
function wanted({ message, expected }: v.BaseIssue<unknown>): string {
  if (message.startsWith('wanted')) return message
  return expected === 'never' ? 'wanted no such key' : 'wanted a value'
}

const whole = (min: number, wish: string) =>
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^-?\d{1,15}$/, wish))], wish),
    v.transform(Number),
    v.safeInteger(wish),
    v.minValue(min, wish),
  )

/** An account's, a group's or a message's number. */
export const id = whole(Number.MIN_SAFE_INTEGER, 'wanted a whole number')
export const count = whole(0, 'wanted a whole number from 0')

export const flag = v.union(
  [
    v.boolean(),
    v.pipe(
      v.picklist(['true', 'false', '1', '0', 1, 0], 'wanted true or false'),
      v.transform((word) => word === 'true' || word === '1' || word === 1),
    ),
  ],
  'wanted true or false',
)

export const text = v.string('wanted a string')
/** Ids of files and forwards: some clients turn them into numbers. */
export const name = v.pipe(v.union([v.string(), v.number()], 'wanted a string'), v.transform(String))

/** A message in either form, as segments. Not of one's own making: see `message`. */
const content = v.pipe(
  v.custom<string | object>((value) => typeof value === 'string' || typeof value === 'object', 'wanted a message'),
  v.rawTransform(({ dataset, addIssue, NEVER }): Segment[] => {
    const segments = segmentsOf(dataset.value)
    if (segments !== undefined && segments.length > 0) return segments
    addIssue({ message: 'wanted a message: text, or segments {type, data}, at least one' })
    return NEVER
  }),
)

/** What every sending action takes. With `auto_escape`, text is text, whatever codes are in it. */
export const message = {
  message: v.custom<unknown>((value) => value !== undefined, 'wanted a message'),
  auto_escape: v.optional(flag, false),
}

export function segmentsIn(params: { message: unknown; auto_escape: boolean }): Segment[] {
  const { message: given, auto_escape } = params
  if (typeof given === 'string' && auto_escape && given !== '') return [{ type: 'text', data: { text: given } }]
  return checked(content, given, 'params.message')
}

export const cqText = (given: string): Segment[] => checked(content, parseCq(given), 'text')
