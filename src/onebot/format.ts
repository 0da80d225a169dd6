// Rewrites the message of an event: in the other of its two forms, or without a prefix. Every other byte stays.

import { elements } from './json-array.ts'
import { type Edit, members, type Span, splice } from './json-text.ts'
import { type Fields, isObject, own, parse } from './object.ts'
import { cqLength, cqPieces, formatCq, parseCq, type Segment, segmentsOf } from './segment.ts'

/** Segments, or text with CQ codes. */
export type MessageForm = 'array' | 'string'

export interface Wishes {
  /** Absent: as it came. */
  readonly form?: MessageForm | undefined
  /** Taken off the front of the first words, white space before it aside. Absent or '': nothing is. */
  readonly strip?: string | undefined
}

/** A value, and the JSON text it was read from. */
interface Written {
  readonly text: string
  readonly value: unknown
}

/** A piece of a message's words: of the CQ text, or of the text in the segment at `index`. */
type Place = Span & { readonly index?: number }

/**
 * The event's text with `message` as wished for, and `raw_message` without the prefix. Only the event's own message is
 * rewritten, not those that it holds, such as the content of a forward. `raw` itself where nothing changes: also where
 * the event is no message, or its message is in neither form.
 */
export function reshaped(raw: string, event: Fields, { form, strip = '' }: Wishes): string {
  if (!isMessage(event)) return raw
  const message = own(event, 'message')
  const said = own(event, 'raw_message')
  const cut = prefixAt(message, strip)
  const cutSaid = said === message ? cut : typeof said === 'string' ? prefixAt(said, strip) : undefined
  const turned = form !== undefined && formOf(message) === OTHER[form]
  if (cut === undefined && cutSaid === undefined && !turned) return raw
  const edits: Edit[] = []
  const found = members(raw)
  const rewrite = (key: string, change: (text: string) => string) => {
    const spans = found.filter((member) => member.key === key).map(({ value }) => value)
    const last = spans.at(-1)
    if (last === undefined) return
    const text = change(raw.slice(last.start, last.end))
    // Every duplicate: whichever of them the client's parser takes, it finds ours.
    for (const span of spans) edits.push({ span, text })
  }
  if (cut !== undefined || turned)
    rewrite('message', (text) => {
      const kept = cut === undefined ? { text, value: message } : without({ text, value: message }, cut)
      return turned ? TURN[form](kept) : kept.text
    })
  if (cutSaid !== undefined) rewrite('raw_message', (text) => without({ text, value: said }, cutSaid).text)
  return splice(
    raw,
    edits.sort((a, b) => a.span.start - b.span.start),
  )
}

export const isMessage = (event: Fields): boolean => {
  const type = own(event, 'post_type')
  return type === 'message' || type === 'message_sent'
}

const OTHER = { array: 'string', string: 'array' } as const

const formOf = (message: unknown): MessageForm | undefined =>
  typeof message === 'string' ? 'string' : Array.isArray(message) ? 'array' : undefined

const TURN: Record<MessageForm, (message: Written) => string> = {
  array: ({ value }) => JSON.stringify(parseCq(String(value))),
  string: ({ text, value }) => {
    const segments = segmentsOf(value)
    // Something that we do not understand is better passed on than guessed at.
    if (segments === undefined) return text
    return JSON.stringify(formatCq(segments.every(isPlain) ? segments : exact(text, segments)))
  },
}

/** Whether there is no need to look at the text: no number, which ours might not hold as it was written, and no nesting. */
const isPlain = ({ data }: Segment): boolean =>
  Object.values(data).every((value) => typeof value !== 'number' && (typeof value !== 'object' || value === null))

/** The segments with values as text: numbers, arrays and objects exactly as they were written. */
function exact(text: string, segments: readonly Segment[]): Segment[] {
  const places = elements(text)
  return segments.map((segment, index) => {
    const place = isPlain(segment) ? undefined : places[index]
    const data = place && lastOf(text, place.start).get('data')
    if (data === undefined) return segment
    const values = [...lastOf(text, data.start)].map(([key, span]) => [key, asText(cutOut(text, span))])
    return { type: segment.type, data: Object.fromEntries(values) }
  })
}

/** The values of the object at `at`; of duplicate keys the last, in the place of the first, as JSON.parse has it. */
const lastOf = (text: string, at: number) => new Map(members(text, at).map(({ key, value }) => [key, value]))

const cutOut = (text: string, { start, end }: Span) => text.slice(start, end)

/** A JSON text as the value of a CQ code; null: there is none. */
const asText = (json: string): unknown => (json.startsWith('"') || json === 'null' ? parse(json) : json)

/** Where the first words begin with `prefix`; undefined: they do not, or there are none. */
function prefixAt(message: unknown, prefix: string): Place | undefined {
  if (prefix === '') return undefined
  if (typeof message === 'string') return prefixInCq(message, prefix)
  if (!Array.isArray(message)) return undefined
  for (const [index, segment] of message.entries()) {
    const text = textIn(segment)
    if (text === undefined || text.trim() === '') continue
    const start = beginning(text, prefix)
    return start === undefined ? undefined : { index, start, end: start + prefix.length }
  }
  return undefined
}

function prefixInCq(message: string, prefix: string): Place | undefined {
  for (const { segment, start: from } of cqPieces(message)) {
    const text = textIn(segment)
    if (text === undefined || text.trim() === '') continue
    const before = beginning(text, prefix)
    if (before === undefined) return undefined
    const start = from + cqLength(message, from, before)
    return { start, end: start + cqLength(message, start, prefix.length) }
  }
  return undefined
}

function textIn(segment: unknown): string | undefined {
  const data = isObject(segment) && own(segment, 'type') === 'text' ? own(segment, 'data') : undefined
  const text = isObject(data) ? own(data, 'text') : undefined
  return typeof text === 'string' ? text : undefined
}

/** Where in `text` the prefix begins: at its front, or after the space that follows a mention; undefined: it does not. */
export function beginning(text: string, prefix: string): number | undefined {
  if (text.startsWith(prefix)) return 0
  const start = text.length - text.trimStart().length
  return text.startsWith(prefix, start) ? start : undefined
}

/** The message without what is at `place`. */
function without({ text, value }: Written, { index, start, end }: Place): Written {
  if (typeof value === 'string')
    return { text: cutLiteral(text, { start, end }), value: value.slice(0, start) + value.slice(end) }
  const element = index === undefined ? undefined : elements(text)[index]
  const data = element && lastOf(text, element.start).get('data')
  const span = data && lastOf(text, data.start).get('text')
  if (!Array.isArray(value) || index === undefined || span === undefined) return { text, value }
  const words = textIn(value[index]) ?? ''
  const rest = { type: 'text', data: { ...value[index].data, text: words.slice(0, start) + words.slice(end) } }
  const literal = cutLiteral(cutOut(text, span), { start, end })
  return { text: splice(text, [{ span, text: literal }]), value: value.with(index, rest) }
}

/** Cuts characters, counted decoded, out of a JSON string's text. */
function cutLiteral(literal: string, { start, end }: Span): string {
  const from = encodedEnd(literal, 1, start)
  return literal.slice(0, from) + literal.slice(encodedEnd(literal, from, end - start))
}

/** Where the `count` characters from `at` on end in a JSON string's text. */
function encodedEnd(literal: string, at: number, count: number): number {
  let end = at
  for (let left = count; left > 0; left--)
    end += literal[end] !== '\\' ? 1 : literal[end + 1] === 'u' ? '\\u0000'.length : '\\n'.length
  return end
}
