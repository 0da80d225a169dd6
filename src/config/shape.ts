// The schema as a plain tree, for everything that walks it: loader, environment, template, reference, JSON Schema.

import * as v from 'valibot'
import type { About, Kind } from './leaf.ts'
import { schema } from './schema.ts'

interface Common extends Partial<About> {
  /** As a user would write it; undefined for keys that have none. */
  fallback?: unknown
  /** It must not be left out. */
  needed?: boolean
}
export type Section = Common & { type: 'section'; keys: Record<string, Shape> }
export type Value = Common & { type: 'value' } & Kind
export type Shape =
  | Section
  | Value
  | (Common & { type: 'list'; item: Shape })
  /** Keys of the user's own choice, all with the same shape. */
  | (Common & { type: 'map'; item: Shape })

export type Path = (string | number)[]

/** What valibot's schemas have in common with those we use; its own types are too generic to walk. */
interface Node extends v.GenericSchema {
  wrapped?: Node
  entries?: Record<string, Node>
  item?: Node
  value?: Node
}

function shapeOf(node: Node): Shape {
  if (node.wrapped) return { ...shapeOf(node.wrapped), fallback: v.getDefault(node) }
  const about: Partial<About> = v.getMetadata(node)
  if (node.entries) {
    const keys = Object.entries(node.entries).map(([key, child]) => [
      key,
      { ...shapeOf(child), ...(child.type !== 'optional' && { needed: true }) },
    ])
    return { ...about, type: 'section', keys: Object.fromEntries(keys) }
  }
  if (node.item) return { ...about, type: 'list', item: shapeOf(node.item) }
  if (node.value) return { ...about, type: 'map', item: shapeOf(node.value) }
  return { ...(v.getMetadata(node) as unknown as About & Kind), type: 'value' } // leaf.ts puts a Kind on every leaf
}

const root = shapeOf(schema)
if (root.type !== 'section') throw new TypeError('config schema: it must be an object at the top')
export const SHAPE: Section = root

/** The shape at a path, or undefined where the schema knows nothing. */
export function shapeAt(path: Path): Shape | undefined {
  let shape: Shape | undefined = SHAPE
  for (const key of path) {
    if (shape?.type === 'section') shape = Object.hasOwn(shape.keys, key) ? shape.keys[key] : undefined
    else if (shape?.type === 'list' || shape?.type === 'map') shape = shape.item
    else return undefined
  }
  return shape
}

/** Every value, list and map that has a place of its own, with its path: list items are not gone into. */
export function* leaves(shape: Shape = SHAPE, path: string[] = []): Generator<{ path: string[]; shape: Shape }> {
  if (shape.type !== 'section') yield { path, shape }
  else for (const [key, child] of Object.entries(shape.keys)) yield* leaves(child, [...path, key])
}

/** `http-post[0].url` */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  )
}
