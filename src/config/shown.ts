// The configuration as an operator may see it: every secret is a mask, in the values and in the text of the file.

import { isScalar, type Node, visit } from 'yaml'
import { MASK, maskText } from '../lib/mask.ts'
import type { Config } from './schema.ts'
import { type Path, SHAPE, type Shape, shapeAt } from './shape.ts'
import { parseText } from './yaml.ts'

/** What is in force. Durations are milliseconds, sizes bytes. */
export const shown = (config: Config): object => masked(config, SHAPE) as object // the root is a section

function masked(value: unknown, shape: Shape | undefined): unknown {
  if (shape?.secret) return value === '' || value === undefined ? value : MASK
  if (typeof value === 'string') return maskText(value)
  if (Array.isArray(value)) return value.map((item) => masked(item, shape?.type === 'list' ? shape.item : undefined))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner, keyOf(shape, key))]))
}

function keyOf(shape: Shape | undefined, key: string): Shape | undefined {
  if (shape?.type === 'section') return Object.hasOwn(shape.keys, key) ? shape.keys[key] : undefined
  return shape?.type === 'map' ? shape.item : undefined
}

/** What is commented out may still be a secret; more than is one does no harm there. */
const COMMENT = /#.*/g
const NAMED = /(\b(?:[\w-]*token|secret|password|key|url)["']?\s*:\s*)(?:"[^"]*"|'[^']*'|[^\s,}]+)/g

/** The text of a file, with masks. Undefined: it is not to be understood, so nobody knows where its secrets are. */
export function shownText(text: string): string | undefined {
  const { doc, flaws } = parseText(text)
  if (flaws.length > 0) return undefined
  const secrets: [from: number, to: number][] = []
  visit(doc, {
    Scalar(key, node, above) {
      if (key === 'key' || !node.range || node.value === '' || node.value === null) return
      if (shapeAt(pathOf(above, node))?.secret) secrets.push([node.range[0], node.range[1]])
    },
  })
  let [result, from] = ['', 0]
  for (const [start, end] of secrets.sort(([one], [other]) => one - other)) {
    result += text.slice(from, start) + MASK
    from = end
  }
  return maskText(result + text.slice(from)).replace(COMMENT, (comment) => comment.replace(NAMED, `$1${MASK}`))
}

function pathOf(above: readonly unknown[], node: Node): Path {
  const path: Path = []
  const all = [...above, node]
  for (const [at, one] of all.entries()) {
    const next = all[at + 1]
    if (isPairOf(one)) path.push(isScalar(one.key) ? String(one.key.value) : String(one.key))
    else if (isList(one) && next !== undefined) path.push(one.items.indexOf(next))
  }
  return path
}

const isPairOf = (node: unknown): node is { key: unknown } =>
  typeof node === 'object' && node !== null && 'key' in node && 'value' in node && !isScalar(node)

const isList = (node: unknown): node is { items: unknown[] } =>
  typeof node === 'object' &&
  node !== null &&
  'items' in node &&
  Array.isArray(node.items) &&
  !node.items.some(isPairOf)
