// Satori's content as a tree: read in time that grows with its length only, and written so that every reader reads it back.

export interface Element {
  readonly type: string
  /** `true` for a bare name, `false` for `no-name`. */
  readonly attrs: Readonly<Record<string, string | boolean>>
  readonly children: readonly Node[]
}

/** Text stands for itself, unescaped. */
export type Node = string | Element

/** Tags nested deeper than this are left out, what they hold stays: nobody writes such, and walks over a tree recurse. */
const DEEPEST = 64
const NAME = /[a-z][\w:.-]*/iy
const ATTRIBUTE = /([^\s=]+)(?:="([^"]*)"|='([^']*)')?/g
const ENTITY = /&(?:lt|gt|quot|apos|amp|#\d{1,7}|#x[\da-f]{1,6});/gi
const PLAIN = new Map([
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&apos;', "'"],
  ['&amp;', '&'],
])

/** What follows more tags than this is text: each takes memory, and nobody reads that much. */
const MOST_TAGS = 65_536
const MOST_ATTRIBUTES = 64

interface Open {
  readonly element: { type: string; attrs: Element['attrs']; children: Node[] }
  readonly parent: Node[]
  /** The tag as written. */
  readonly source: string
}

/** Never throws. What is no tag is text as written, and so is a tag that is never closed, or closes nothing. */
export function readContent(content: string): Node[] {
  const reader = new Reader()
  const finder = new Finder(content)
  let plain = 0
  let at = content.indexOf('<')
  for (let tags = 0; at !== -1 && tags < MOST_TAGS; at = content.indexOf('<', at)) {
    const found = finder.at(at)
    if (found === undefined) at += 1
    else {
      reader.text(unescapeText(content.slice(plain, at)))
      if (found.tag !== undefined) reader.tag(found.tag, content.slice(at, found.end))
      plain = found.end
      at = found.end
      tags += 1
    }
  }
  reader.text(unescapeText(content.slice(plain)))
  return reader.end()
}

/** Looks for the end of tags and comments: once for each, however many are begun before it. */
class Finder {
  readonly #content: string
  #tagEnd = -1
  #commentEnd = -1

  constructor(content: string) {
    this.#content = content
  }

  /** What begins at `at`, a comment having no tag; undefined: text. */
  at(at: number): { end: number; tag: Tag | undefined } | undefined {
    if (this.#content.startsWith('<!--', at)) {
      this.#commentEnd = this.#next('-->', at + 4, this.#commentEnd)
      const end = this.#commentEnd
      return Number.isFinite(end) ? { end: end + 3, tag: undefined } : undefined
    }
    this.#tagEnd = this.#next('>', at, this.#tagEnd)
    const end = this.#tagEnd
    const tag = Number.isFinite(end) ? tagOf(this.#content, at, end) : undefined
    return tag && { end: end + 1, tag }
  }

  #next(what: string, from: number, known: number): number {
    if (known >= from) return known
    const found = this.#content.indexOf(what, from)
    return found === -1 ? Number.POSITIVE_INFINITY : found
  }
}

interface Tag {
  readonly kind: 'open' | 'close' | 'empty'
  readonly type: string
  readonly attrs: Element['attrs']
}

function tagOf(content: string, at: number, close: number): Tag | undefined {
  const closing = content[at + 1] === '/'
  NAME.lastIndex = closing ? at + 2 : at + 1
  const type = NAME.exec(content)?.[0]
  if (type === undefined || NAME.lastIndex > close) return undefined
  const rest = content.slice(NAME.lastIndex, close)
  if (closing) return rest.trim() === '' ? { kind: 'close', type, attrs: {} } : undefined
  if (rest !== '' && !/^[\s/]/.test(rest)) return undefined
  const empty = rest.endsWith('/')
  return { kind: empty ? 'empty' : 'open', type, attrs: attributes(empty ? rest.slice(0, -1) : rest) }
}

function attributes(text: string): Element['attrs'] {
  if (text.trim() === '') return {}
  const pairs: [string, string | boolean][] = []
  for (const [, name = '', double, single] of text.matchAll(ATTRIBUTE)) {
    const value = double ?? single
    if (value !== undefined) pairs.push([name, unescapeText(value)])
    else pairs.push(name.startsWith('no-') ? [name.slice(3), false] : [name, true])
    if (pairs.length === MOST_ATTRIBUTES) break
  }
  // fromEntries makes own properties, also of a name like __proto__.
  return Object.fromEntries(pairs)
}

/** Puts tags and texts together. */
class Reader {
  readonly #root: Node[] = []
  readonly #open: Open[] = []
  /** Tags that were too deep, by type: what closes them is no text either. */
  readonly #deep = new Map<string, number>()

  text(text: string): void {
    if (text !== '') add(this.#inner, text)
  }

  tag({ kind, type, attrs }: Tag, source: string): void {
    if (kind === 'close') return this.#close(type, source)
    if (kind === 'open' && this.#open.length >= DEEPEST) return this.#count(type, 1)
    const element = { type, attrs, children: [] }
    const parent = this.#inner
    parent.push(element)
    if (kind === 'open') this.#open.push({ element, parent, source })
  }

  end(): Node[] {
    while (this.#open.length > 0) this.#abandon()
    return this.#root
  }

  get #inner(): Node[] {
    return this.#open.at(-1)?.element.children ?? this.#root
  }

  #close(type: string, source: string): void {
    if (this.#deep.has(type)) return this.#count(type, -1)
    if (!this.#open.some(({ element }) => element.type === type)) return this.text(unescapeText(source))
    while (this.#open.at(-1)?.element.type !== type) this.#abandon()
    this.#open.pop()
  }

  #count(type: string, by: 1 | -1): void {
    const now = (this.#deep.get(type) ?? 0) + by
    if (now > 0) this.#deep.set(type, now)
    else this.#deep.delete(type)
  }

  /** Nobody closes it: it was text, and what seemed to be in it comes after it. */
  #abandon(): void {
    const last = this.#open.pop()
    if (last === undefined) return
    // The last there: what came later went into it.
    last.parent.pop()
    add(last.parent, unescapeText(last.source))
    for (const child of last.element.children.splice(0)) add(last.parent, child)
  }
}

/** Texts side by side are one. */
export function add(nodes: Node[], node: Node): void {
  const last = nodes.at(-1)
  if (typeof node === 'string' && typeof last === 'string') nodes[nodes.length - 1] = last + node
  else nodes.push(node)
}

export const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const escapeValue = (text: string): string => escapeText(text).replaceAll('"', '&quot;')

function unescapeText(text: string): string {
  return text.includes('&') ? text.replace(ENTITY, plainOf) : text
}

/** An entity that names no character stays as written. */
function plainOf(entity: string): string {
  const known = PLAIN.get(entity.toLowerCase())
  if (known !== undefined) return known
  const code = /^&#x/i.test(entity) ? Number.parseInt(entity.slice(3, -1), 16) : Number(entity.slice(2, -1))
  const character = code > 0 && code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff)
  return character ? String.fromCodePoint(code) : entity
}

export function writeContent(nodes: readonly Node[]): string {
  return nodes.map((node) => (typeof node === 'string' ? writeText(node) : writeElement(node))).join('')
}

/** Readers drop white space with a line break in it where a text begins or ends: such breaks are written as `<br/>`. */
function writeText(text: string): string {
  if (!text.includes('\n')) return escapeText(text)
  const lead = edge(text, 0, 1)
  if (lead === text.length) return escapeText(text).replaceAll('\n', '<br/>')
  const tail = edge(text, text.length - 1, -1) + 1
  const breaks = (part: string) => escapeText(part).replaceAll('\n', '<br/>')
  return breaks(text.slice(0, lead)) + escapeText(text.slice(lead, tail)) + breaks(text.slice(tail))
}

/** The first position from `at` on, going by `step`, that is not white space. */
function edge(text: string, at: number, step: 1 | -1): number {
  let end = at
  while (end >= 0 && end < text.length && /\s/.test(text[end] ?? '')) end += step
  return end
}

function writeElement({ type, attrs, children }: Element): string {
  const written = Object.entries(attrs).map(([name, value]) => {
    if (typeof value === 'string') return ` ${name}="${escapeValue(value)}"`
    return value ? ` ${name}` : ` no-${name}`
  })
  const head = `<${type}${written.join('')}`
  return children.length === 0 ? `${head}/>` : `${head}>${writeContent(children)}</${type}>`
}

export const element = (type: string, attrs: Element['attrs'] = {}, children: readonly Node[] = []): Element => ({
  type,
  attrs,
  children,
})
