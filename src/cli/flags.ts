// Refuses what a command does not know: citty itself lets unknown options and extra words pass.

import type { ArgsDef } from 'citty'
import { suggest } from '../lib/suggest.ts'

/** What is wrong with the words after a command, or undefined. */
export function mistake(words: string[], known: ArgsDef): string | undefined {
  const wanted = positionals(known)
  let given = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!word.startsWith('-') || word === '-') {
      if (given++ < wanted.length || wanted.at(-1)?.many) continue
      return `unexpected argument "${word}"`
    }
    const [name = '', value] = split(word)
    const found = find(name, known)
    if (!found) return unknown(name, known)
    const isSwitch = found.type === 'boolean'
    if (isSwitch && value !== undefined && value !== 'true' && value !== 'false') return `${name} takes no value`
    if (isSwitch) continue
    const text = value ?? words[++i]
    if (
      text === undefined ||
      text === '' ||
      (!word.startsWith('--') && text.startsWith('=')) ||
      (value === undefined && text.startsWith('-'))
    )
      return `${name} needs a value: ${name} <${found.valueHint ?? 'value'}>`
  }
  const missing = wanted.find(({ needed }, at) => needed && at >= given)
  return missing && `wanted ${missing.text}`
}

/** What a command takes beside options, in order. `text`: as help shows it; `many`: any number, of the last. */
export function positionals(known: ArgsDef): { text: string; about: string; needed: boolean; many: boolean }[] {
  return Object.entries(known).flatMap(([name, def]) => {
    if (def.type !== 'positional') return []
    const needed = def.required !== false
    const hint = def.valueHint ?? name
    const text = needed ? `<${hint}>` : `[${hint}]`
    return [{ text, about: def.description ?? '', needed, many: hint.endsWith('...') }]
  })
}

/** `--name=value` and `-nvalue` in two parts. */
function split(word: string): [name: string, value?: string] {
  if (!word.startsWith('--')) return word.length > 2 ? [word.slice(0, 2), word.slice(2)] : [word]
  const at = word.indexOf('=')
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)]
}

function find(flag: string, known: ArgsDef) {
  const name = flag.replace(/^--?/, '')
  const long = flag.startsWith('--')
  return long
    ? Object.hasOwn(known, name) && known[name]?.type !== 'positional'
      ? known[name]
      : undefined
    : Object.values(known).find((def) => 'alias' in def && def.alias === name)
}

/** What other programs take as options, and ours reads from its config. */
const IN_CONFIG: Record<string, [key: string, variable: string]> = {
  port: ['http.port', 'PERPETUA_HTTP_PORT'],
  host: ['http.host', 'PERPETUA_HTTP_HOST'],
  token: ['http.access-token', 'PERPETUA_HTTP_ACCESS_TOKEN'],
}

function unknown(flag: string, known: ArgsDef): string {
  const name = flag.replace(/^-+/, '')
  const [key, variable] = (Object.hasOwn(known, 'config') && Object.hasOwn(IN_CONFIG, name) && IN_CONFIG[name]) || []
  if (key !== undefined) return `unknown option ${flag}: set ${key} in the config, or ${variable} in the environment`
  const near = suggest(name, [...Object.keys(known), 'help', 'version'])
  return `unknown option ${flag}${near === undefined ? '' : `, did you mean --${near}?`}`
}
