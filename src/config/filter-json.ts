// A filter of events as a JSON Schema: it holds others of its kind, which the tree of the config cannot say.

const some = (item: object) => ({ anyOf: [item, { type: 'array', minItems: 1, items: item }] })
const digits = { type: ['integer', 'string'], pattern: '^[1-9]\\d{0,19}$' }
const words = { type: ['string', 'integer'], minLength: 1 }
const value = { type: ['string', 'number', 'boolean', 'null'] }
const inner = { $ref: '#/definitions/filter' }
const inners = { type: 'array', minItems: 1, items: inner }

export const filterJson = {
  type: ['object', 'null'],
  properties: {
    mode: { enum: ['allow', 'deny'] },
    groups: some(digits),
    users: some(digits),
    types: some({ type: 'string' }),
    keywords: some(words),
    prefix: some(words),
    '.not': inner,
    '.and': { anyOf: [inner, inners] },
    '.or': inners,
    '.eq': value,
    '.neq': value,
    '.in': { anyOf: [{ type: 'string' }, { type: 'array', minItems: 1, items: value }] },
    '.contains': words,
    '.regex': { type: 'string', minLength: 1 },
  },
  // Fields of events.
  patternProperties: { '^(?!\\.|(?:mode|groups|users|types|keywords|prefix)$)': { anyOf: [value, inner] } },
  additionalProperties: false,
}
