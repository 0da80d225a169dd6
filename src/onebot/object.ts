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

/** What is there is looked up before whose it is: most of what is asked for is not there. */
export function own(object: Fields, key: string): unknown {
  const value = object[key]
  return value !== undefined && Object.hasOwn(object, key) ? value : undefined
}
