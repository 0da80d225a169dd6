// Writes single values into the config file and leaves every other byte of it as it is.

import { randomUUID } from 'node:crypto'
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml'
import { written } from './template.ts'

export type Written =
  | { readonly outcome: 'written' }
  /** All of it stood there already. */
  | { readonly outcome: 'unchanged' }
  /** Nothing was changed: the file is read-only, not there, or written in a way that cannot be added to. */
  | { readonly outcome: 'left'; readonly why: string }

/** Values by the names of their section and key. */
export type Values = Readonly<Record<string, string | number>>

/**
 * Sets keys of `ntqq-impl.update`. `wrote` is told the new text before it is in the file (see Reload.wrote). Never
 * throws: a config that cannot be written is no reason for anything to fail.
 */
export function writeUpdate(file: string, values: Values, wrote: (text: string) => void = () => {}): Written {
  try {
    const target = realpathSync(file)
    const { mode } = statSync(target)
    if ((mode & 0o222) === 0) return { outcome: 'left', why: `${file} is read-only` }
    const bytes = readFileSync(target)
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const next = withUpdate(text, values)
    if (next === undefined) return { outcome: 'left', why: `${file} is written in a way that cannot be added to` }
    if (next === text) return { outcome: 'unchanged' }
    // The loader takes no byte order mark for part of the text.
    wrote(next.replace(/^\ufeff/, ''))
    replace(target, next, mode)
    return { outcome: 'written' }
  } catch (error) {
    return { outcome: 'left', why: error instanceof Error ? error.message : String(error) }
  }
}

/** By renaming, so that nobody ever reads half a file; in place where it cannot be renamed (mounted into a container). */
function replace(file: string, text: string, mode: number): void {
  const beside = join(dirname(file), `.config-${randomUUID()}`)
  try {
    writeFileSync(beside, text, { mode: mode & 0o777, flag: 'wx' })
    renameSync(beside, file)
  } catch {
    rmSync(beside, { force: true })
    writeFileSync(file, text)
  }
}

/** `text` with the values in it; undefined: it is not understood well enough to be touched. */
export function withUpdate(text: string, values: Values): string | undefined {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : ''
  const original = text.slice(mark.length)
  let next: string | undefined = original
  for (const [key, value] of Object.entries(values)) next = next === undefined ? undefined : set(next, key, value)
  return next !== undefined && holds(original, next, values) ? mark + next : undefined
}

const SECTION = 'ntqq-impl'
const UPDATE = 'update'

function set(text: string, key: string, value: string | number): string | undefined {
  const root = parse(text)?.contents
  if (root === undefined) return undefined
  if (root === null) return append(text, block([SECTION, UPDATE, key], value))
  if (!isMap(root)) return undefined
  const section = find(root, SECTION)
  if (!section) return insert(text, root, [SECTION, UPDATE, key], value)
  if (isEmpty(section)) return fill(text, root, section, [UPDATE, key], value)
  if (!isMap(section.value)) return undefined
  const update = find(section.value, UPDATE)
  // An older shape has the keys beside a plain `update: false`.
  const flat = (update && isScalar(update.value) && update.value.value !== null) || find(section.value, key)
  if (flat) return setIn(text, section.value, key, value)
  if (!update) return insert(text, section.value, [UPDATE, key], value)
  if (isEmpty(update)) return fill(text, section.value, update, [key], value)
  return isMap(update.value) ? setIn(text, update.value, key, value) : undefined
}

function setIn(text: string, map: YAMLMap, key: string, value: string | number): string | undefined {
  const pair = find(map, key)
  if (!pair) return insert(text, map, [key], value)
  if (isEmpty(pair)) return fill(text, map, pair, [], value)
  const { value: old } = pair
  if (!isScalar(old) || !old.range) return undefined
  if (isScalar(old) && (old.value === value || (typeof value === 'string' && old.source === value))) return text
  const [from, to] = old.range
  return splice(text, from, to, like(old, value))
}

/** In the quotes that were there. */
function like({ type }: Scalar, value: string | number): string {
  if (typeof value === 'number') return String(value)
  if (type === 'QUOTE_DOUBLE') return JSON.stringify(value)
  if (type === 'QUOTE_SINGLE') return `'${value.replaceAll("'", "''")}'`
  // Times need no quotes, and had none.
  return /^\d[\w.:+-]*\w$/.test(value) && Number.isNaN(Number(value)) ? value : written(value)
}

/** A key without a value gets one, on its own line: comments behind and below it stay where they are. */
function fill(text: string, map: YAMLMap, pair: Pair, path: string[], value: string | number): string | undefined {
  const end = isScalar(pair.key) ? pair.key.range?.[1] : undefined
  if (end === undefined) return undefined
  const inner = `${path.map((key) => `{${key}: `).join('')}${plain(value)}${'}'.repeat(path.length)}`
  const colon = /^[ \t]*:/.exec(text.slice(end))?.[0]
  if (colon !== undefined) return splice(text, end + colon.length, end + colon.length, ` ${inner}`)
  return map.flow ? splice(text, end, end, `: ${inner}`) : undefined
}

/** A pair that is not there yet, behind the others. */
function insert(text: string, map: YAMLMap, path: string[], value: string | number): string | undefined {
  const last = map.items.at(-1)
  if (map.flow) {
    const inside = `${path.join(': {')}: ${plain(value)}${'}'.repeat(path.length - 1)}`
    if (!last) return map.range ? splice(text, map.range[0] + 1, map.range[0] + 1, inside) : undefined
    const end = endOf(last)
    return end === undefined ? undefined : splice(text, end, end, `, ${inside}`)
  }
  const first = map.items[0]
  const start = isScalar(first?.key) ? first.key.range?.[0] : undefined
  const end = last && endOf(last)
  if (start === undefined || end === undefined) return undefined
  const column = start - (text.lastIndexOf('\n', start - 1) + 1)
  const lines = block(path, value).map((line) => ' '.repeat(column) + line)
  // Behind the line on which the last one ends: its comment stays with it.
  const lineEnd = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end)
  const added = lines.join(newline(text)) + newline(text)
  return lineEnd === -1 ? append(text, lines) : splice(text, lineEnd + 1, lineEnd + 1, added)
}

function append(text: string, lines: string[]): string {
  const end = newline(text)
  return `${text}${text === '' || text.endsWith('\n') ? '' : end}${lines.join(end)}${end}`
}

const block = (path: string[], value: string | number): string[] =>
  path.map((key, depth) => `${'  '.repeat(depth)}${key}:${depth === path.length - 1 ? ` ${plain(value)}` : ''}`)

const plain = (value: string | number) => (typeof value === 'number' ? String(value) : written(value))
const newline = (text: string) => /\r?\n/.exec(text)?.[0] ?? '\n'
const splice = (text: string, from: number, to: number, inner: string) => text.slice(0, from) + inner + text.slice(to)

const find = (map: YAMLMap, key: string) => map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)
const isEmpty = ({ value }: Pair) => value === null || (isScalar(value) && value.value === null && value.source === '')

/** Where a pair's text ends. */
function endOf({ key, value }: Pair): number | undefined {
  const node = (value ?? key) as { range?: [number, number, number] | null } // parsed, so each node has its range
  return node.range?.[1]
}

function parse(text: string) {
  const doc = parseDocument(text, { prettyErrors: false })
  return doc.errors.length > 0 ? undefined : doc
}

/** Whether nothing but the values differs: what could not be placed well is not placed at all. */
function holds(before: string, after: string, values: Values): boolean {
  const [old, now] = [parse(before)?.toJS() ?? {}, parse(after)?.toJS()]
  if (typeof now !== 'object' || now === null) return false
  const wanted = structuredClone(old)
  wanted[SECTION] ??= {}
  const section = wanted[SECTION]
  const flat = typeof section[UPDATE] === 'boolean'
  const place = flat ? section : { ...section[UPDATE] }
  for (const [key, value] of Object.entries(values)) {
    if (!flat && Object.hasOwn(section, key)) section[key] = value
    else place[key] = value
  }
  if (!flat) section[UPDATE] = place
  return isDeepStrictEqual(now, wanted)
}
