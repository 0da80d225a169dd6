// Holds plain values against the schema and finds everything that is wrong at once, rules between keys included.

import * as v from 'valibot'
import { HINT } from './leaf.ts'
import { type Config, schema } from './schema.ts'
import { type Path, shapeAt } from './shape.ts'

export interface Issue {
  path: Path
  found: unknown
  wanted: string
  hint?: string | undefined
}

/** Either the config or what keeps it from being one. `value` holds kebab-case keys as in the file. */
export function validate(value: Record<string, unknown>): { config: Config } | { issues: Issue[] } {
  const issues: Issue[] = []
  const rest = structuredClone(value)
  // A rule between keys is looked at only when the keys are sound: so each unsound key gives way to its default.
  for (;;) {
    const result = v.safeParse(schema, rest)
    if (result.success) return issues.length === 0 ? { config: result.output } : { issues }
    const found = result.issues.map(toIssue)
    issues.push(...found.filter(({ path }) => !issues.some((known) => follows(path, known.path))))
    if (found.filter(({ path }) => remove(rest, path)).length === 0) return { issues }
  }
}

function toIssue(issue: v.BaseIssue<unknown>): Issue {
  const path = issue.path?.map(({ key }) => (typeof key === 'number' ? key : String(key))) ?? []
  const shape = shapeAt(path)
  // A key that must be there and is not: the value's own words say what it would be.
  const missing = issue.type === 'strict_object' && issue.input === undefined && shape?.type === 'value'
  const [wanted = '', hint] = missing ? [shape.wanted] : issue.message.split(HINT)
  return { path, found: issue.input, wanted, hint }
}

/** Whether what is wrong at `path` is the same, or is wrong only because something in there gave way. */
const follows = (path: Path, known: Path) => covers(known, path) || (covers(path, known) && inTree(path))

/** A filter makes one value of all that is in it. */
const inTree = (path: Path) => path.some((_, i) => shapeAt(path.slice(0, i + 1))?.type === 'value')

/** Whether `outer` is `inner` or around it. */
export const covers = (outer: Path, inner: Path): boolean => outer.every((key, i) => key === inner[i])

function remove(value: unknown, path: Path): boolean {
  const key = path.at(-1)
  let parent = value
  for (const step of path.slice(0, -1)) parent = isObject(parent) ? parent[step] : undefined
  if (key === undefined || !isObject(parent) || !Object.hasOwn(parent, key)) return false
  return delete parent[key]
}

const isObject = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === 'object' && value !== null
