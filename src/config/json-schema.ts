// The config as a JSON Schema, for editors that complete and check YAML.

import { filterJson } from './filter-json.ts'
import { SHAPE, type Shape } from './shape.ts'

type Json = Record<string, unknown>

export function jsonSchema(): Json {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'perpetua',
    ...node(SHAPE),
    type: 'object',
    definitions: { filter: filterJson },
  }
}

function node(shape: Shape): Json {
  const common: Json = {}
  if (shape.en !== undefined) common['description'] = `${shape.en}\n${shape.zh}`
  // A section's default is that of its keys.
  if (shape.fallback !== undefined && shape.type !== 'section') common['default'] = shape.fallback
  switch (shape.type) {
    case 'section': {
      const properties = Object.fromEntries(Object.entries(shape.keys).map(([key, child]) => [key, node(child)]))
      // `http:` with nothing under it is null in YAML, and fine.
      const required = Object.entries(shape.keys).flatMap(([key, { needed }]) => (needed ? [key] : []))
      const must = required.length > 0 && { required }
      return { ...common, type: ['object', 'null'], properties, ...must, additionalProperties: false }
    }
    case 'list':
      return { ...common, type: ['array', 'null'], items: node(shape.item) }
    case 'map':
      return { ...common, type: ['object', 'null'], additionalProperties: node(shape.item) }
    case 'value':
      return { ...common, ...shape.json }
    default:
      return shape satisfies never
  }
}
