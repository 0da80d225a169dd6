// OneBot's messages as Satori's content: each kind of segment, and the element that stands for it.

import { isObject, own } from '../onebot/object.ts'
import { type Segment, segmentsOf } from '../onebot/segment.ts'
import { add, type Element, element, type Node, writeContent } from './element.ts'
import { idText } from './exact.ts'

type Data = Segment['data']

/** Elements of ours: what QQ has and Satori has no word for, and what one needs to send it back. */
export const OWN = 'onebot:'

/** Forwarded messages hold messages; beyond this depth only their id is told. */
const DEEPEST = 8

/** @param message in either form; anything else is empty content. */
export const contentOf = (message: unknown): string => writeContent(nodesOf(message))

export function nodesOf(message: unknown, depth = 0): Node[] {
  const nodes: Node[] = []
  // One by one: what cannot be read takes nothing else with it.
  const segments = Array.isArray(message) ? message.flatMap((part) => segmentsOf(part) ?? []) : segmentsOf(message)
  // Nodes in a row are one forwarded message: the form in which it is sent.
  let row: Node[] | undefined
  for (const segment of segments ?? []) {
    const node = nodeOf(segment, depth)
    if (segment.type !== 'node') row = undefined
    if (row !== undefined) row.push(node)
    else if (segment.type !== 'node') add(nodes, node)
    else {
      row = [node]
      nodes.push(element('message', { forward: true }, row))
    }
  }
  return nodes.filter((node) => node !== '')
}

function nodeOf({ type, data }: Segment, depth: number): Node {
  const node = Object.hasOwn(KINDS, type) ? KINDS[type]?.(data, depth) : undefined
  if (node === undefined) return ownElement(type, data)
  const lacks = typeof node !== 'string' && NEEDED[node.type]?.every((key) => !(key in node.attrs))
  return lacks ? ownElement(type, plain(data)) : node
}

/** Of these each element has one: clients fail on it without. */
const NEEDED: Record<string, readonly string[] | undefined> = {
  at: ['id', 'type'],
  emoji: ['id'],
  img: ['src'],
  audio: ['src'],
  video: ['src'],
  file: ['src'],
  quote: ['id'],
}

const text = (data: Data, key: string): string => idText(own(data, key)) ?? ''

/** Without what says nothing in words. */
const plain = (data: Data): Data => Object.fromEntries(Object.entries(data).filter(([key]) => text(data, key) !== ''))

/** An element that has those attributes which say something. */
const brief = (type: string, attrs: Record<string, string>, children: readonly Node[] = []): Element =>
  element(type, Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== '')), children)

const KINDS: Record<string, (data: Data, depth: number) => Node> = {
  text: (data) => text(data, 'text'),
  at: (data) =>
    text(data, 'qq') === 'all'
      ? element('at', { type: 'all' })
      : brief('at', { id: text(data, 'qq'), name: text(data, 'name').replace(/^@/, '') }),
  face: (data) => brief('emoji', { id: text(data, 'id'), name: faceName(data) }),
  image: (data) =>
    brief('img', {
      src: source(data),
      title: named(data),
      summary: text(data, 'summary'),
      'sub-type': text(data, 'sub_type') || text(data, 'subType'),
      kind: text(data, 'type'),
    }),
  record: (data) => brief('audio', { src: source(data), title: named(data) }),
  video: (data) => brief('video', { src: source(data), title: named(data) }),
  file: (data) =>
    brief('file', {
      src: source(data),
      title: text(data, 'name') || named(data),
      'file-id': text(data, 'file_id') || text(data, 'id'),
    }),
  reply: (data) => brief('quote', { id: text(data, 'id') }),
  forward: (data, depth) => {
    const content = own(data, 'content')
    const nodes = Array.isArray(content) && depth < DEEPEST ? content.map((node) => forwarded(node, depth + 1)) : []
    return element('message', { ...idOf(text(data, 'id')), forward: true }, nodes)
  },
  node: (data, depth) => (depth < DEEPEST ? forwarded(data, depth + 1) : element('message', idOf(text(data, 'id')))),
}

const idOf = (id: string): Record<string, string> => (id === '' ? {} : { id })

/** One message within a forwarded one: a node segment's data, or a whole message as get_forward_msg has it. */
function forwarded(node: unknown, depth: number): Node {
  const outer: Data = isObject(node) ? node : {}
  const inner = own(outer, 'data')
  const data: Data = isObject(inner) ? inner : outer
  const sender = own(data, 'sender')
  const from: Data = isObject(sender) ? sender : data
  const author = brief('author', {
    id: text(from, 'user_id') || text(from, 'uin'),
    name: text(from, 'nickname') || text(from, 'name'),
  })
  const said = nodesOf(own(data, 'content') ?? own(data, 'message') ?? [], depth)
  const known = Object.keys(author.attrs).length > 0
  return element('message', idOf(text(data, 'message_id') || text(data, 'id')), known ? [author, ...said] : said)
}

/** Where the file can be had: implementations keep the address beside a name of their own. */
const source = (data: Data): string => text(data, 'url') || text(data, 'file') || text(data, 'path')

/** The file's own name, where the address does not stand in its place. */
function named(data: Data): string {
  const file = text(data, 'file')
  return text(data, 'url') === '' || /^[a-z][a-z\d+.-]*:/i.test(file) ? '' : file
}

function faceName(data: Data): string {
  const raw = own(data, 'raw')
  return (isObject(raw) ? text(raw, 'faceText') : '').replace(/^\//, '')
}

/** A kind that Satori has no element for. Values that are no strings are written as JSON, missing ones left out. */
function ownElement(type: string, data: Data): Element {
  const attrs = Object.entries(data)
    .filter(([key, value]) => ATTRIBUTE.test(key) && value !== null && value !== undefined)
    .map(([key, value]) => [key.replaceAll('_', '-'), typeof value === 'string' ? value : JSON.stringify(value)])
  if (TYPE.test(type)) return element(OWN + type, Object.fromEntries(attrs))
  return element(`${OWN}segment`, { ...Object.fromEntries(attrs), 'segment-type': type })
}

const TYPE = /^[a-z][\w.-]*$/i
const ATTRIBUTE = /^[a-z_][\w.]*$/i
