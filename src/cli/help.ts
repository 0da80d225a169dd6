// Writes the help of the program and of its commands.

import type { ArgsDef } from 'citty'
import { EXIT } from './exit.ts'
import { positionals } from './flags.ts'
import { description, versionText } from './version.ts'
import { columns, wrapped } from './wrap.ts'

/** The part of a citty command that help is about. */
export interface Described {
  meta: { name: string; description: string }
  args?: ArgsDef
}

const COMMON: ArgsDef = {
  help: { type: 'boolean', alias: 'h', description: 'Show this help' },
  version: { type: 'boolean', alias: 'v', description: 'Show the version' },
}

const WITHOUT = 'Without a command, perpetua starts the gateway. perpetua <command> --help tells more about a command.'

/** `standard`: the command that is meant where none is named. */
export function programHelp(commands: Described[], standard: Pick<Described, 'args'>): string {
  return page(
    `perpetua ${versionText}: ${description}`,
    'perpetua [command] [options]',
    ['Commands', commands.map(({ meta }) => [meta.name, meta.description])],
    ['Options', options({ ...standard.args, ...COMMON })],
    ['Exit codes', exitCodes()],
  ).concat(wrapped(WITHOUT, columns() ?? Number.POSITIVE_INFINITY).join('\n'))
}

export function commandHelp({ meta, args = {} }: Described): string {
  const words = positionals(args)
  const usage = ['perpetua', meta.name, ...words.map(({ text }) => text), '[options]'].join(' ')
  const named: Part[] = words.length === 0 ? [] : [['Arguments', words.map(({ text, about }) => [text, about])]]
  return page(
    `perpetua ${meta.name}: ${meta.description}`,
    usage,
    ...named,
    ['Options', options({ ...args, ...COMMON })],
    ['Exit codes', exitCodes()],
  ).trimEnd()
}

export function familyHelp({ meta }: Described, commands: Described[]): string {
  return page(
    `perpetua ${meta.name}: ${meta.description}`,
    `perpetua ${meta.name} <command> [options]`,
    ['Commands', commands.map((command) => [command.meta.name.slice(meta.name.length + 1), command.meta.description])],
    ['Options', options(COMMON)],
    ['Exit codes', exitCodes()],
  ).trimEnd()
}

type Part = [heading: string, rows: [name: string, text: string][]]

function page(title: string, usage: string, ...parts: Part[]): string {
  const widest = Math.max(...parts.flatMap(([, rows]) => rows.map(([name]) => name.length)))
  const width = (columns() ?? Number.POSITIVE_INFINITY) - widest - 4
  const row = ([name, text]: [string, string]) =>
    `  ${name.padEnd(widest)}  ${wrapped(text, width).join(`\n${' '.repeat(widest + 4)}`)}`
  const blocks = parts.map(([heading, rows]) => [bold(heading), ...rows.map(row)].join('\n'))
  return `${[title, `${bold('Usage')}\n  ${usage}`, ...blocks].join('\n\n')}\n\n`
}

function options(args: ArgsDef): [string, string][] {
  return Object.entries(args).flatMap(([name, def]) => {
    if (def.type === 'positional') return []
    const short = 'alias' in def && def.alias !== undefined ? `-${def.alias}, ` : '    '
    const value = def.valueHint === undefined ? '' : ` <${def.valueHint}>`
    const fallback = def.default === undefined ? '' : ` (default: ${def.default})`
    return [[`${short}--${name}${value}`, `${def.description}${fallback}`] satisfies [string, string]]
  })
}

const exitCodes = () => Object.values(EXIT).map(({ code, means }): [string, string] => [String(code), means])

// Removed again where nobody looks, see say.ts.
const bold = (text: string) => `\u001b[1m${text}\u001b[22m`
