// Reads JSON with comments and trailing commas, keeping where everything stands, and edits it without touching the rest.

interface Place {
  readonly start: number
  /** Just after. */
  readonly end: number
}
export interface ObjectNode extends Place {
  readonly type: 'object'
  readonly members: readonly Member[]
}
export interface ArrayNode extends Place {
  readonly type: 'array'
  readonly items: readonly Node[]
}
export interface Scalar extends Place {
  readonly type: 'scalar'
  readonly value: string | number | boolean | null
}
export type Node = ObjectNode | ArrayNode | Scalar
export interface Member extends Place {
  readonly key: string
  readonly node: Node
}

/** The text is not what was wanted at a place. It quotes one character at most: files hold secrets. */
export class JsoncError extends Error {
  override name = 'JsoncError'
  readonly line: number
  readonly column: number
  constructor(text: string, at: number, wanted: string) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0)
    super(`found ${at >= text.length ? 'the end' : JSON.stringify(char)}, wanted ${wanted}`)
    const before = text.slice(0, at)
    this.line = before.split('\n').length
    this.column = at - before.lastIndexOf('\n')
  }
}

/** As deep as .NET and others go. */
const DEEPEST = 64

const GAP = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
const STRING = /"(?:[^"\\]|\\[\s\S])*"/y
const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y

/** Throws JsoncError. A key given twice in an object, in whatever case, is one. */
export function parseJsonc(text: string): Node {
  let at = text.startsWith('\uFEFF') ? 1 : 0
  const root = value(1)
  gap()
  if (at < text.length) throw new JsoncError(text, at, 'the end')
  return root

  function match(pattern: RegExp): string {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? ''
    at += found.length
    return found
  }
  function gap(): void {
    match(GAP)
  }
  function take(char: string): boolean {
    gap()
    if (text[at] !== char) return false
    at += 1
    return true
  }

  function value(depth: number): Node {
    gap()
    const start = at
    if (depth > DEEPEST) throw new JsoncError(text, start, `at most ${DEEPEST} levels`)
    if (take('{')) return { type: 'object', members: members(depth), start, end: at }
    if (take('[')) return { type: 'array', items: list(']', () => value(depth + 1)), start, end: at }
    const read = text[at] === '"' ? string() : JSON.parse(match(WORD) || fail(start, 'a value'))
    return { type: 'scalar', value: read, start, end: at }
  }

  function members(depth: number): Member[] {
    const seen = new Set<string>()
    return list('}', () => {
      gap()
      const start = at
      const key = text[at] === '"' ? string() : fail(start, 'a key in double quotes or }')
      if (seen.has(key.toLowerCase())) fail(start, 'every key only once')
      seen.add(key.toLowerCase())
      if (!take(':')) fail(at, 'a colon')
      const node = value(depth + 1)
      return { key, node, start, end: at }
    })
  }

  function list<T>(end: string, one: () => T): T[] {
    const all: T[] = []
    while (!take(end)) {
      all.push(one())
      if (take(',')) continue
      if (!take(end)) fail(at, `a comma or ${end}`)
      break
    }
    return all
  }

  function string(): string {
    const start = at
    try {
      return JSON.parse(match(STRING))
    } catch {
      return fail(start, 'text in double quotes, ended on its line')
    }
  }

  function fail(where: number, wanted: string): never {
    throw new JsoncError(text, where, wanted)
  }
}

/** The value of a key, whatever its case. */
export function member(node: Node | undefined, key: string): Node | undefined {
  if (node?.type !== 'object') return undefined
  return node.members.find((one) => one.key.toLowerCase() === key.toLowerCase())?.node
}

/** The text with `key` of that object set; everything else stays as it was written. */
export function withMember(text: string, object: ObjectNode, key: string, value: unknown): string {
  const old = member(object, key)
  if (old !== undefined) return splice(text, old.start, old.end, JSON.stringify(value))
  return added(text, object, object.members, (indent) => `${JSON.stringify(key)}: ${pretty(value, indent)}`)
}

/** The text with one more item at the end of that array. */
export function withItem(text: string, array: ArrayNode, value: unknown): string {
  return added(text, array, array.items, (indent) => pretty(value, indent))
}

/** After the last of them, set in as that one is: a comma that trails stays behind what is new. */
function added(text: string, whole: Place, parts: readonly Place[], write: (indent: string) => string): string {
  const last = parts.at(-1)
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  if (last === undefined) {
    const outer = lineOf(text, whole.start).indent
    const inner = `${outer}    `
    return splice(text, whole.start + 1, whole.start + 1, lines(`\n${inner}${write(inner)}\n${outer}`, newline))
  }
  const { indent, alone } = lineOf(text, last.start)
  const more = alone ? `,\n${indent}${write(indent)}` : `, ${write(indent)}`
  return splice(text, last.end, last.end, lines(more, newline))
}

/** What the line that holds `at` begins with, and whether it holds nothing else before. */
function lineOf(text: string, at: number): { indent: string; alone: boolean } {
  const before = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
  const indent = /^[ \t]*/.exec(before)?.[0] ?? ''
  return { indent, alone: indent === before }
}

const pretty = (value: unknown, indent: string) => JSON.stringify(value, undefined, 4).replaceAll('\n', `\n${indent}`)
const lines = (text: string, newline: string) => text.replaceAll('\n', newline)
const splice = (text: string, start: number, end: number, by: string) => text.slice(0, start) + by + text.slice(end)
