// Satori's content as messages for QQ: one or several, plain, forwarded, or a file by itself.

import type { Segment } from '../onebot/segment.ts'
import { OWN } from './content.ts'
import { type Element, type Node, writeContent } from './element.ts'
import { withoutLayout } from './layout.ts'
import { cut } from './long-text.ts'

/** A message as OneBot sends it. Files have actions of their own, which every implementation knows. */
export type Outgoing =
  | { readonly kind: 'plain'; readonly segments: readonly Segment[] }
  | { readonly kind: 'forward'; readonly nodes: readonly Segment[] }
  | { readonly kind: 'file'; readonly file: string; readonly name: string }

export interface Spoken {
  readonly messages: readonly Outgoing[]
  /** What could not be said on QQ, in words. */
  readonly notes: readonly string[]
}

export interface Speaker {
  /** Who says what nobody is named for, in forwarded messages. */
  readonly self: { readonly id: string; readonly name: string }
  /** What an implementation can read of a `src`: an address, a path, or base64. */
  readonly source: (src: string) => string
}

export function spoken(nodes: readonly Node[], speaker: Speaker): Spoken {
  const writer = new Writer(speaker, new Set())
  writer.all(withoutLayout(nodes))
  writer.flush()
  return {
    messages: writer.messages.filter((message) => isSaid(message, writer)).flatMap(sendable),
    notes: [...writer.notes],
  }
}

/** White space alone, as it stands between messages, is none; neither is a quote alone, which QQ does not take. */
function isSaid(message: Outgoing, to: Writer): boolean {
  if (message.kind !== 'plain') return true
  const silent = ({ type, data }: Segment) => type === 'reply' || (type === 'text' && `${data['text']}`.trim() === '')
  if (!message.segments.every(silent)) return true
  if (message.segments.some(({ type }) => type === 'reply'))
    to.note('<quote> with nothing in its message that QQ shows beside it: left out')
  return false
}

/** A plain message as QQ takes it: as several where its text is too long. */
const sendable = (message: Outgoing): readonly Outgoing[] =>
  message.kind === 'plain' ? cut(message.segments).map((segments) => ({ kind: 'plain', segments })) : [message]

/** The same as segments, for content that is a part of a message: forwarded messages are nodes then. */
export function segmentsIn(nodes: readonly Node[], speaker: Speaker, notes: Set<string> = new Set()): Segment[] {
  const writer = new Writer(speaker, notes)
  writer.all(nodes)
  writer.flush()
  const joined = new Writer(speaker, notes)
  for (const message of writer.messages)
    if (message.kind === 'plain') for (const segment of message.segments) joined.push(segment)
    else if (message.kind === 'forward') for (const node of message.nodes) joined.push(node)
    else joined.push({ type: 'file', data: { file: message.file, name: message.name } })
  return joined.segments
}

class Writer {
  readonly speaker: Speaker
  readonly notes: Set<string>
  readonly messages: Outgoing[] = []
  /** Of the message so far. */
  segments: Segment[] = []
  /** What comes next in this message begins a line of its own. */
  #line = false

  constructor(speaker: Speaker, notes: Set<string>) {
    this.speaker = speaker
    this.notes = notes
  }

  all(nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (typeof node === 'string') this.text(node)
      else if (node.type.startsWith(OWN)) this.push(ownSegment(node))
      else if (Object.hasOwn(KINDS, node.type)) KINDS[node.type]?.(node, this)
      else this.other(node)
    }
  }

  text(text: string): void {
    if (text === '') return
    this.#begin()
    this.#add(text)
  }

  line(): void {
    this.#line = true
  }

  push(segment: Segment): void {
    if (segment.type === 'text') return this.text(`${segment.data['text'] ?? ''}`)
    this.#begin()
    this.segments.push(segment)
  }

  /** A line of its own, where one is wanted and none has just begun. */
  #begin(): void {
    const last = this.segments.at(-1)
    const begun = last === undefined || last.type === 'reply' || `${last.data['text'] ?? ''}`.endsWith('\n')
    if (this.#line && !begun) this.#add('\n')
    this.#line = false
  }

  #add(text: string): void {
    const last = this.segments.at(-1)
    if (last?.type !== 'text') this.segments.push({ type: 'text', data: { text } })
    else this.segments[this.segments.length - 1] = { type: 'text', data: { text: `${last.data['text']}${text}` } }
  }

  /** QQ takes it as a message of its own only. */
  alone(message: Outgoing): void {
    this.flush()
    this.messages.push(message)
  }

  /** The message so far is whole. */
  flush(): void {
    const segments = this.segments
    this.segments = []
    this.#line = false
    if (segments.length > 0) this.messages.push({ kind: 'plain', segments })
  }

  note(what: string): void {
    this.notes.add(what)
  }

  /** An element nobody knows is what it holds. */
  other({ type, children }: Element): void {
    if (children.length === 0) this.note(`<${type}>: there is no such thing on QQ: left out`)
    this.all(children)
  }
}

const said = ({ attrs }: Element, name: string): string => {
  const value = attrs[name]
  return typeof value === 'string' && Object.hasOwn(attrs, name) ? value : ''
}

const holds = (name: string, one: Element) => Object.hasOwn(one.attrs, name) && one.attrs[name] !== false

const children = (one: Element, to: Writer) => to.all(one.children)

/** Data without what is empty. */
const data = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))

const KINDS: Record<string, (one: Element, to: Writer) => void> = {
  text(one, to) {
    to.text(said(one, 'content'))
    to.all(one.children)
  },
  at(one, to) {
    if (said(one, 'type') === 'all') to.push({ type: 'at', data: { qq: 'all' } })
    else if (said(one, 'id') !== '')
      to.push({ type: 'at', data: data({ qq: said(one, 'id'), name: said(one, 'name') }) })
    else to.text(`@${said(one, 'name') || said(one, 'role') || said(one, 'type')}`)
    to.all(one.children)
  },
  sharp(one, to) {
    to.text(`#${said(one, 'name') || said(one, 'id')}`)
    to.all(one.children)
  },
  emoji: face,
  face,
  a(one, to) {
    const href = said(one, 'href')
    const shown = writeContent(one.children)
    to.all(one.children)
    if (href !== '' && shown !== href) to.text(shown === '' ? href : ` (${href})`)
  },
  img: picture,
  image: picture,
  audio: (one, to) => medium('record', one, to),
  record: (one, to) => medium('record', one, to),
  video: (one, to) => medium('video', one, to),
  file(one, to) {
    const src = said(one, 'src')
    const name = said(one, 'title')
    const known = said(one, 'file-id')
    if (src === '') to.push({ type: 'file', data: data({ file: name, file_id: known }) })
    else to.alone({ kind: 'file', file: to.speaker.source(src), name: name || nameIn(src) })
    to.all(one.children)
  },
  br(one, to) {
    to.text('\n')
    to.all(one.children)
  },
  p(one, to) {
    to.line()
    to.all(one.children)
    to.line()
  },
  message(one, to) {
    to.flush()
    if (holds('forward', one)) forward(one, to)
    else to.all(one.children)
    to.flush()
  },
  quote(one, to) {
    const id = said(one, 'id')
    if (id === '') to.note('<quote> without an id: QQ can only quote a message that it knows: left out')
    else to.push({ type: 'reply', data: { id } })
  },
  author: (_one, to) =>
    to.note('<author> outside of a forwarded message: on QQ nobody speaks as somebody else: left out'),
  button: (_one, to) => to.note('<button>: QQ has none for accounts like this one: left out'),
  ...Object.fromEntries(
    ['b', 'strong', 'i', 'em', 'u', 'ins', 's', 'del', 'spl', 'code', 'sup', 'sub', 'template'].map((style) => [
      style,
      children,
    ]),
  ),
}

/** Only the faces of QQ have numbers; others are named. */
function face(one: Element, to: Writer): void {
  const id = said(one, 'id')
  const name = said(one, 'name')
  if (/^\d+$/.test(id)) to.push({ type: 'face', data: { id } })
  else to.text(name || id)
  to.all(one.children)
}

function picture(one: Element, to: Writer): void {
  const src = said(one, 'src') || said(one, 'url')
  if (src === '') to.note('<img> without a src: left out')
  else
    to.push({
      type: 'image',
      data: data({
        file: to.speaker.source(src),
        summary: said(one, 'summary'),
        sub_type: said(one, 'sub-type'),
        type: said(one, 'kind'),
      }),
    })
  to.all(one.children)
}

function medium(type: 'record' | 'video', one: Element, to: Writer): void {
  const src = said(one, 'src') || said(one, 'url')
  if (src === '') to.note(`<${one.type}> without a src: left out`)
  else to.alone({ kind: 'plain', segments: [{ type, data: { file: to.speaker.source(src) } }] })
  to.all(one.children)
}

/** The last part of an address or a path, as far as it looks like a name. */
function nameIn(src: string): string {
  if (/^(?:data|base64):/i.test(src)) return 'file'
  const last =
    src
      .replace(/[?#].*$/s, '')
      .split(/[/\\]/)
      .at(-1) ?? ''
  return last === '' ? 'file' : last
}

function forward(one: Element, to: Writer): void {
  const id = said(one, 'id')
  const nodes = nodesIn(one.children, to)
  if (nodes.length > 0) to.alone({ kind: 'forward', nodes })
  else if (id !== '') to.alone({ kind: 'plain', segments: [{ type: 'forward', data: { id } }] })
  else to.note('<message forward> with no message in it: left out')
}

/** What stands between the messages is said by the account itself. */
function nodesIn(inside: readonly Node[], to: Writer): Segment[] {
  const nodes: Segment[] = []
  let loose: Node[] = []
  const settle = () => {
    if (loose.some((node) => typeof node !== 'string' || node.trim() !== '')) nodes.push(nodeOf(loose, undefined, to))
    loose = []
  }
  for (const node of inside)
    if (typeof node === 'string' || node.type !== 'message') loose.push(node)
    else {
      settle()
      const known = said(node, 'id')
      if (known !== '' && node.children.length === 0) nodes.push({ type: 'node', data: { id: known } })
      else if (holds('forward', node)) nodes.push(nodeOf([node], undefined, to))
      else nodes.push(nodeOf(node.children, node, to))
    }
  settle()
  return nodes.filter(({ data }) => 'id' in data || (Array.isArray(data['content']) && data['content'].length > 0))
}

function nodeOf(inside: readonly Node[], message: Element | undefined, to: Writer): Segment {
  const author = inside.find((node): node is Element => typeof node !== 'string' && node.type === 'author')
  const from = author ?? message
  const id = (author && said(author, 'id')) || (message && said(message, 'user-id')) || to.speaker.self.id
  const name = (from && (said(from, 'name') || said(from, 'nickname'))) || to.speaker.self.name || id
  const content = segmentsIn(
    inside.filter((node) => node !== author),
    to.speaker,
    to.notes,
  )
  // The standard's names, and those of go-cqhttp.
  return { type: 'node', data: { user_id: id, nickname: name, uin: id, name, content } }
}

function ownSegment({ type, attrs }: Element): Segment {
  const pairs = Object.entries(attrs).map(([name, value]) => [name.replaceAll('-', '_'), String(value)])
  const { segment_type: named, ...rest } = Object.fromEntries(pairs)
  const plain = type.slice(OWN.length)
  return plain === 'segment' && named !== undefined
    ? { type: named, data: rest }
    : { type: plain, data: Object.fromEntries(pairs) }
}
