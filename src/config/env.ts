// Lets the environment override the config: PERPETUA_HTTP_PORT is http.port.

import { isSeq } from 'yaml'
import { suggest } from '../lib/suggest.ts'
import type { Problem } from './problem.ts'
import { leaves, type Path, pathText, type Shape } from './shape.ts'
import { type Flaw, parseText, readNode } from './yaml.ts'

export type Environment = Record<string, string | undefined>

const PREFIX = 'PERPETUA_'
/** The program's own; no keys. */
const INTERNAL = new Set(['PERPETUA_BIN', 'PERPETUA_COMMIT'])
// What Kubernetes sets in every container beside a service named perpetua.
const KUBERNETES = /^PERPETUA_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

export const environmentName = (path: string[]): string => PREFIX + path.join('_').replaceAll('-', '_').toUpperCase()

const NAMES = new Map([...leaves()].map((leaf) => [environmentName(leaf.path), leaf]))

export interface Override {
  name: string
  path: string[]
  value: unknown
}

/** What the environment says, and what is wrong with it. */
export function overrides(environment: Environment): { found: Override[]; problems: Problem[] } {
  const found: Override[] = []
  const problems: Problem[] = []
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith(PREFIX) || INTERNAL.has(name) || KUBERNETES.test(name)) continue
    const known = NAMES.get(name)
    if (!known) problems.push(unknownName(name))
    else {
      const { value, flaws } = read(text, known.shape)
      problems.push(...flaws.map((flaw) => toProblem(name, known.path, flaw)))
      if (value !== undefined) found.push({ name, path: known.path, value })
    }
  }
  return { found, problems }
}

function unknownName(name: string): Problem {
  const near = suggest(
    name.slice(PREFIX.length),
    [...NAMES.keys()].map((known) => known.slice(PREFIX.length)),
  )
  return {
    file: name,
    path: '',
    found: 'an environment variable that names no key',
    wanted: 'PERPETUA_ and a key, such as PERPETUA_HTTP_PORT for http.port',
    hint: near && `did you mean ${PREFIX}${near}?`,
  }
}

/** Text is taken as it is; lists of text may be written a,b; everything else is read as YAML. */
function read(text: string, shape: Shape): { value?: unknown; flaws: Flaw[] } {
  if (shape.type === 'value' && shape.kind === 'text') return { value: text, flaws: [] }
  if (text.trim() === '') return { flaws: [] }
  const { doc, flaws } = parseText(text)
  if (flaws.length > 0) return { flaws }
  if (shape.type === 'list' && shape.item.type === 'value' && !isSeq(doc.contents))
    return { value: text.split(',').map((part) => part.trim()), flaws: [] }
  return { value: readNode(doc, doc.contents, shape, flaws), flaws }
}

function toProblem(name: string, path: Path, { path: inner, found, wanted, hint }: Flaw): Problem {
  return { file: name, path: pathText([...path, ...inner]), found, wanted, hint }
}
