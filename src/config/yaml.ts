// Reads YAML into plain values by the config's shape, and remembers where everything stood.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { suggest } from '../lib/suggest.ts'
import { foundText } from './problem.ts'
import { leaves, type Path, pathText, type Section, type Shape, type Value } from './shape.ts'
import { slipIn } from './slips.ts'

/** A problem inside one text; the file is added by whoever knows it. */
export interface Flaw {
  offset: number
  path: Path
  found: string
  wanted: string
  hint?: string | undefined
}

export interface Text {
  doc: Document
  flaws: Flaw[]
  /** Lines and columns count from 1. */
  place(offset: number): { line: number; column: number }
  /** What to write instead of the likely slip in the line that `offset` is in. */
  slip(offset: number): string | undefined
}

/** Of a line that is longer nobody looks at the rest. */
const LONGEST_LINE = 1_000

export function parseText(text: string): Text {
  const lines = new LineCounter()
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const slip = (offset: number) => {
    const start = text.lastIndexOf('\n', offset - 1) + 1
    return slipIn(/.*/.exec(text.slice(start, start + LONGEST_LINE))?.[0] ?? '')
  }
  if (tooDeep(text)) {
    const flaw = { offset: 0, path: [], found: 'lists or keys nested far too deep', wanted: 'YAML of a sane depth' }
    return { doc: parseDocument(''), flaws: [flaw], place, slip }
  }
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  // One slip makes the parser stumble many times over, often at one place.
  const slips = doc.errors.filter((error, i, all) => error.pos[0] !== all[i - 1]?.pos[0]).slice(0, 10)
  return { doc, flaws: slips.map((error) => syntaxFlaw(error, doc)), place, slip }
}

// The parser recurses, and V8 aborts the process when a regular expression is compiled with little stack left. Brackets
// in comments and texts are counted along: no sane file leaves that many open.
function tooDeep(text: string): boolean {
  let open = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open = Math.max(0, open + (bracket === '[' || bracket === '{' ? 1 : -1))
    if (open > 100) return true
  }
  return /^\s*(?:[-?]\s){100}/m.test(text)
}

// The parser's own words quote the text, which may be a token: ours do not.
const SYNTAX: Partial<Record<YAMLError['code'], { found: string; wanted: string; hint?: string }>> = {
  TAB_AS_INDENT: { found: 'a tab as indentation', wanted: 'spaces' },
  BAD_INDENT: { found: 'a line that is indented differently', wanted: 'the same indentation for keys side by side' },
  MULTIPLE_DOCS: { found: 'a second document (---)', wanted: 'one' },
  BLOCK_AS_IMPLICIT_KEY: {
    found: 'a key inside a value',
    wanted: 'one key on a line',
    hint: 'indent keys side by side alike, and quote values that contain ": "',
  },
  MULTILINE_IMPLICIT_KEY: { found: 'a key without ":"', wanted: 'key: value' },
  MISSING_CHAR: {
    found: 'something unfinished',
    wanted: 'its closing quote or bracket, or a space or ":" between key and value',
  },
  UNEXPECTED_TOKEN: { found: 'something that does not belong here', wanted: 'key: value' },
  BAD_SCALAR_START: { found: 'a value that starts with a reserved character', wanted: 'quotes around it' },
  BAD_ALIAS: { found: 'a value that starts with *', wanted: 'quotes around it' },
  BAD_DQ_ESCAPE: { found: 'an unknown \\ escape', wanted: "'single quotes', where \\ means itself" },
}

function syntaxFlaw({ code, message, pos: [offset] }: YAMLError, doc: Document): Flaw {
  // Brackets left open are told as wrong indentation of what follows.
  const kind = code === 'BAD_INDENT' && message.startsWith('Flow') ? 'MISSING_CHAR' : code
  if (kind !== 'DUPLICATE_KEY')
    return { offset, path: [], ...(SYNTAX[kind] ?? { found: 'invalid YAML', wanted: 'YAML' }) }
  return { offset, path: keyAt(doc.contents, offset) ?? [], found: 'this key a second time', wanted: 'it once' }
}

/** The path of the key that starts at `offset`. */
function keyAt(node: unknown, offset: number, depth = 0): Path | undefined {
  if (depth > DEEPEST) return undefined
  const children: [string | number, unknown][] = []
  if (isMap(node))
    for (const { key, value } of node.items) {
      if (offsetOf(key, -1) === offset) return [nameOf(key)]
      children.push([nameOf(key), value])
    }
  if (isSeq(node)) children.push(...node.items.entries())
  for (const [name, child] of children) {
    const inner = keyAt(child, offset, depth + 1)
    if (inner) return [name, ...inner]
  }
  return undefined
}

const nameOf = (key: unknown) => (isScalar(key) ? String(key.value) : '(not a name)')

// A config has some hundred nodes; aliases of aliases could make millions of few lines.
const MOST = 20_000
const DEEPEST = 20

/** The plain value that `node` holds; keys that are null count as left out, and so do those with flaws. */
export function readNode(doc: Document, node: unknown, shape: Shape, flaws: Flaw[]): unknown {
  let read = 0
  let deep = false

  const at = (found: unknown, shape: Shape, path: Path, depth: number, wasAt: number): unknown => {
    const node = isAlias(found) ? found.resolve(doc) : found
    const offset = isAlias(found) ? wasAt : offsetOf(node, wasAt)
    const refuse = (wanted: string, hint?: string) => {
      flaws.push({ offset, path, found: nodeText(node, shape.secret), wanted, hint })
      return undefined
    }
    if (++read > MOST || depth > DEEPEST) return read === MOST + 1 ? refuse('fewer aliases') : undefined
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return undefined
    switch (shape.type) {
      case 'value':
        if (shape.kind === 'tree') return tree(node, path, depth, offset)
        return isScalar(node) ? scalar(node, shape) : refuse(shape.wanted)
      case 'list':
        // A hole keeps its place, so that later entries keep their numbers.
        if (!isSeq(node)) return refuse('a list', 'start each entry with "- "')
        return node.items.map((item, i) => at(item, shape.item, [...path, i], depth + 1, offset) ?? hole(shape.item))
      case 'map':
        if (!isMap(node)) return noKeys(node, path, offset)
        return Object.fromEntries(
          pairs(doc, node).map(([key, , item]) => [key, at(item, shape.item, [...path, key], depth + 1, offset)]),
        )
      case 'section':
        return isMap(node) ? section(node, shape, path, depth, offset) : noKeys(node, path, offset)
      default:
        return shape satisfies never
    }
  }
  const noKeys = (node: unknown, path: Path, offset: number) => {
    // With a colon in it, it was to be a key and its value, which may be a token.
    const found = isScalar(node) && /[:：]/.test(String(node.value)) ? 'text' : nodeText(node)
    flaws.push({ offset, path, found, wanted: 'keys and values' })
    return undefined
  }
  /** Whatever is there. Unlike elsewhere, null is a value; and what is nested too deep is refused, never left out. */
  const tree = (found: unknown, path: Path, depth: number, wasAt: number): unknown => {
    const node = isAlias(found) ? found.resolve(doc) : found
    const offset = isAlias(found) ? wasAt : offsetOf(node, wasAt)
    if (++read > MOST || depth > DEEPEST) {
      if (!deep) flaws.push({ offset, path, found: nodeText(node), wanted: 'fewer levels and aliases' })
      deep = true
      return null
    }
    if (isSeq(node)) return node.items.map((item, i) => tree(item, [...path, i], depth + 1, offset))
    if (!isMap(node)) return isScalar(node) ? exact(node) : null
    return Object.fromEntries(
      pairs(doc, node).map(([key, at, item]) => [key, tree(item, [...path, key], depth + 1, at ?? offset)]),
    )
  }
  const section = (node: YAMLMap, shape: Section, path: Path, depth: number, offset: number) => {
    const value: Record<string, unknown> = {}
    for (const [key, keyOffset, item] of pairs(doc, node)) {
      const child = Object.hasOwn(shape.keys, key) ? shape.keys[key] : undefined
      if (!child)
        flaws.push({ offset: keyOffset ?? offset, path: [...path, nameIn(key)], ...unknownKey(key, shape, path) })
      const read = child && at(item, child, [...path, key], depth + 1, keyOffset ?? offset)
      if (read !== undefined) value[key] = read
    }
    return value
  }
  return at(node, shape, [], 0, 0)
}

/** Where the colon was no colon, the value is part of the key, and may be a token. */
const nameIn = (key: string) => key.replace(/\s*[:：].*$/s, '')

const hole = (shape: Shape) => (shape.type === 'section' ? {} : null)

/** Keys with their places and values; `<<` brings the pairs of another map, behind the map's own. */
function pairs(doc: Document, map: YAMLMap, depth = 0): [key: string, offset: number | undefined, value: unknown][] {
  const own: [string, number | undefined, unknown][] = []
  const merged: typeof own = []
  for (const { key, value } of map.items) {
    const name = nameOf(key)
    if (name !== '<<') own.push([name, offsetOf(key), value])
    else if (depth < DEEPEST)
      for (const part of isSeq(value) ? value.items : [value]) {
        const source = isAlias(part) ? part.resolve(doc) : part
        if (isMap(source)) merged.push(...pairs(doc, source, depth + 1))
      }
  }
  const names = new Set(own.map(([name]) => name))
  return [...merged.filter(([name]) => !names.has(name)), ...own]
}

/** Text keeps its own spelling; everything else is what YAML 1.2 makes of it. */
function scalar(node: { value: unknown; source?: string | undefined }, shape: Value): unknown {
  if (shape.kind !== 'text' || typeof node.value === 'string') return node.value
  return node.source ?? String(node.value)
}

/** Ids may be longer than a number can be. */
function exact({ value, source }: { value: unknown; source?: string | undefined }): unknown {
  const long = typeof value === 'number' && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(source ?? '')
  return long ? source : value
}

function unknownKey(key: string, shape: Section, path: Path): Pick<Flaw, 'found' | 'wanted' | 'hint'> {
  const known = Object.keys(shape.keys)
  const near = suggest(key, known)
  const elsewhere = [...leaves()].find((leaf) => leaf.path.at(-1) === key)
  const meant = near === undefined ? elsewhere && pathText(elsewhere.path) : pathText([...path, near])
  const hint = meant === undefined || nameIn(key) !== key ? undefined : `did you mean ${meant}?`
  return { found: 'an unknown key', wanted: `one of ${known.join(', ')}`, hint }
}

const offsetOf = (node: unknown, otherwise = 0): number => (node as Partial<Node> | null)?.range?.[0] ?? otherwise // only nodes have a range

function nodeText(node: unknown, secret = false): string {
  if (isSeq(node)) return foundText([])
  return isScalar(node) ? foundText(node.value, secret) : foundText(node === null ? null : {})
}

/** Where the value at `path` starts, or the nearest thing around it. */
export function offsetAt(doc: Document, path: Path): number {
  let node: unknown = doc.contents
  let offset = offsetOf(node)
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(doc)
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (!pair) break
      node = pair.value
      offset = offsetOf(node, offsetOf(pair.key, offset))
    } else if (isSeq(node) && typeof key === 'number' && node.items[key] !== undefined) {
      node = node.items[key]
      offset = offsetOf(node, offset)
    } else break
  }
  return offset
}
