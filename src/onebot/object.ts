// Questions asked of values that others made, so that nothing they send throws and no inherited property ever answers.

export type Fields = Readonly<Record<string, unknown>>

/** The value of a JSON text; undefined: it is not JSON. */
export function parse(raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the text of an object says; nothing where it is the text of something else. */
export function fieldsOf(raw: string): Fields {
  const value = parse(raw)
  return isObject(value) ? value : {}
}

export const own = (object: Fields, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined)
