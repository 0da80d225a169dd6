// One appsettings.json in memory: what it says, in .NET's reading, and how it is changed without touching the rest.

import { JsoncError, member, type Node, type ObjectNode, parseJsonc, withItem, withMember } from '../lib/jsonc.ts'
import { SettingsError } from './kind.ts'

export class Appsettings {
  readonly #file: string
  #text: string

  constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
  }

  get text(): string {
    return this.#text
  }

  /** As the text is now. */
  get root(): ObjectNode {
    let node: Node
    try {
      node = parseJsonc(this.#text)
    } catch (error) {
      if (!(error instanceof JsoncError)) throw error
      throw this.#problem(error, error.message)
    }
    if (node.type !== 'object') throw this.wrong(node, 'wanted an object')
    return node
  }

  /** Those of Implementations; none when it is not there. */
  get entries(): readonly Node[] {
    const list = member(this.root, 'Implementations')
    if (list === undefined || (list.type === 'scalar' && list.value === null)) return []
    if (list.type !== 'array') throw this.wrong(list, 'Implementations: wanted a list')
    return list.items
  }

  add(entry: Record<string, string | number | boolean>): void {
    const { root } = this
    const list = member(root, 'Implementations')
    this.#text =
      list?.type === 'array'
        ? withItem(this.#text, list, entry)
        : withMember(this.#text, root, 'Implementations', [entry])
  }

  /** Sets a key at the top, or in a section there; what means the same already is left as it is written. */
  set(key: string, value: string | number, section?: string): void {
    const { root } = this
    const inside = section === undefined ? root : member(root, section)
    if (section !== undefined && inside === undefined)
      this.#text = withMember(this.#text, root, section, { [key]: value })
    else if (inside?.type !== 'object') throw this.wrong(inside ?? root, `${section}: wanted an object`)
    else if (textOf(inside, key) !== `${value}`) this.#text = withMember(this.#text, inside, key, value)
  }

  /** Sets a key in sections within sections, making those that are missing. */
  put(path: readonly [string, ...string[]], value: string | number | boolean): void {
    let inside: ObjectNode = this.root
    for (const [depth, key] of path.entries()) {
      const rest = path.slice(depth + 1)
      const found = member(inside, key)
      if (rest.length === 0 && textOf(inside, key).toLowerCase() === `${value}`.toLowerCase()) return
      if (rest.length === 0 || found === undefined || (found.type === 'scalar' && found.value === null)) {
        const nested = rest.reduceRight<unknown>((within, name) => ({ [name]: within }), value)
        this.#text = withMember(this.#text, inside, key, nested)
        return
      }
      if (found.type !== 'object') throw this.wrong(found, `${path.slice(0, depth + 1).join('.')}: wanted an object`)
      inside = found
    }
  }

  /** What stands there, in .NET's reading; '' for none. */
  at(path: readonly [string, ...string[]]): string {
    let inside: Node | undefined = this.root
    for (const key of path.slice(0, -1)) inside = inside && member(inside, key)
    return inside === undefined ? '' : textOf(inside, path.at(-1) ?? '')
  }

  wrong(node: Node, what: string): SettingsError {
    return this.#problem(new JsoncError(this.#text, node.start, what), what)
  }

  #problem(at: JsoncError, what: string): SettingsError {
    const where = `${this.#file}:${at.line}:${at.column}`
    return new SettingsError(`${where}: ${what}. Mend the file, or move it away: a new one is written then`, {
      cause: at,
    })
  }
}

/** A value as .NET's configuration has it: text. '' for none, and for what is no single value. */
export function textOf(node: Node, key: string): string {
  const found = member(node, key)
  return found?.type === 'scalar' ? `${found.value ?? ''}` : ''
}
