// Writes the commented config file that a new user starts from; the same answers always make the same text.

import * as v from 'valibot'
import { schema } from './schema.ts'
import { pathText, type Section, SHAPE, type Shape } from './shape.ts'

/** Values that differ from the defaults, by key path: `{ 'http.port': 9000 }`. */
export type Answers = Record<string, string | number | boolean>

/** Where editors find the schema: beside the config. */
export const SCHEMA_FILE = 'config.schema.json'

const HEAD = `# yaml-language-server: $schema=./${SCHEMA_FILE}
# perpetua's config. Every key may be left out; most changes take effect as soon as the file is saved.
# perpetua 配置文件。所有键均可省略；大多数修改在保存后立即生效。
`

export function template(answers: Answers = {}): string {
  const lines = Object.entries(SHAPE.keys).flatMap(([key, shape]) => ['', ...entry(key, shape, [key], answers)])
  return `${HEAD}${lines.join('\n')}\n`
}

function entry(key: string, shape: Shape, path: string[], answers: Answers): string[] {
  if (shape.rare)
    return path.length === 1 ? [...comment(shape), `# ${key}: ${shape.type === 'list' ? '[]' : '{}'}`] : []
  switch (shape.type) {
    case 'section': {
      const inner = Object.entries(shape.keys).flatMap(([name, child]) => entry(name, child, [...path, name], answers))
      return [...comment(shape), `${key}:`, ...inner.map(indent)]
    }
    case 'list':
      return [...comment(shape), ...list(key, shape.item)]
    case 'map':
      return [...comment(shape), `${key}: {}`]
    case 'value': {
      const value = answers[pathText(path)] ?? shape.fallback
      return [...comment(shape), value === undefined ? `# ${key}:` : `${key}: ${written(value)}`]
    }
    default:
      return shape satisfies never
  }
}

/** Entries that count only once they are filled in may stand there; others would be mistakes until then. */
function list(key: string, item: Shape): string[] {
  if (item.type !== 'section') return [`${key}: []`]
  const live = v.safeParse(schema, { [key]: [{}] }).success
  const inner = example(item)
  return live
    ? [`${key}:`, ...inner.map(indent)]
    : [`${key}: []`, ...[`${key}:`, ...inner.map(indent)].map((line) => `# ${line}`)]
}

function example(item: Section): string[] {
  const usual = Object.entries(item.keys).filter(([, { rare }]) => !rare)
  const lines = usual.map(([key, shape]) => {
    const remark = about(shape)
    return shape.fallback === undefined ? `# ${key}:   # ${remark}` : `${key}: ${written(shape.fallback)}   # ${remark}`
  })
  return lines.map((line, i) => (i === 0 ? `- ${line}` : indent(line)))
}

const indent = (line: string) => `  ${line}`
const comment = (shape: Shape) => (shape.en === undefined ? [] : [`# ${about(shape)}`])

function about(shape: Shape): string {
  const options = shape.type === 'value' && shape.json['enum']
  const choices = Array.isArray(options) && !shape.en?.includes('|') ? ` (${options.join(', ')})` : ''
  return `${shape.en}${choices} / ${shape.zh}`
}

/** Plain where YAML reads the same text back, else in double quotes, whose escapes YAML shares with JSON. */
export function written(value: unknown): string {
  return typeof value === 'string' &&
    /^[a-z0-9][a-z0-9.-]*$/i.test(value) &&
    !/^(?:[\d.]+|\d[\dex.-]*|true|false|yes|no|on|off|null)$/i.test(value)
    ? value
    : JSON.stringify(value)
}
