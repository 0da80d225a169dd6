// Turns a fact and its fields into one line of plain text, without secrets and without line breaks.

import { stripVTControlCharacters } from 'node:util'
import { isSecret, MASK, maskText } from '../lib/mask.ts'

export type Fields = Record<string, unknown>

// A frame can be 64 MiB; a line that long helps nobody.
const LONGEST = 2048

/** `lower-case fact key=value key="two words"` */
export function line(fact: string, fields: Fields = {}): string {
  let text = oneLine(maskText(fact))
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) text += ` ${name}=${isSecret(name) ? hidden(value) : shown(value)}`
  return text
}

// Whether a token was there at all is worth knowing.
const hidden = (value: unknown) => (value === '' || value === null ? '""' : MASK)

function shown(value: unknown): string {
  const text = plain(value)
  return text === '' || text.startsWith('"') || /\s/.test(text) || oneLine(text) !== text
    ? oneLine(JSON.stringify(text))
    : text
}

function plain(value: unknown): string {
  if (value instanceof Error) return cut(maskText(reasons(value)))
  if (typeof value !== 'object' || value === null) return cut(maskText(String(value)))
  try {
    return cut(
      maskText(JSON.stringify(value, (name, inner: unknown) => (isSecret(name) ? hidden(inner) : safe(inner)))),
    )
  } catch {
    return '(circular)'
  }
}

const safe = (inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)

/** The error's message and those of its causes. */
function reasons(error: Error): string {
  const messages: string[] = []
  for (let at: unknown = error; at instanceof Error && messages.length < 5; at = at.cause)
    if (!messages.includes(at.message)) messages.push(at.message || at.name)
  return messages.join(': ')
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`
}

const ESCAPE = String.fromCharCode(27)
const COLOUR = new RegExp(`(${ESCAPE}\\[[\\d;]*m)`)

/** A line of a program that runs on this terminal: it may paint, and do nothing else to it. */
export function coloursOnly(text: string): string {
  const cut = text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`
  // Every second piece is a colour.
  const pieces = maskText(cut).split(COLOUR)
  return `${pieces.map((piece, n) => (n % 2 === 1 ? piece : oneLine(stripVTControlCharacters(piece)))).join('')}${ESCAPE}[0m`
}

/** Breaks a line, steers a terminal, or has it show what follows in another order. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

// A peer may choose part of a text: it must not be able to write log lines of its own, or steer a terminal.
export const oneLine = (text: string): string => text.replace(STEERING, escaped)

/** As it stands in JSON, whose texts so stay what they are. */
export function escaped(char: string): string {
  const known = JSON.stringify(char).slice(1, -1)
  return known === char ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : known
}
