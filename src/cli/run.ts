// Finds the command somebody asked for, runs it, and says with which code to exit.

import { type CommandDef, runCommand } from 'citty'
import { suggest } from '../lib/suggest.ts'
import { alerts } from './alerts.ts'
import { call } from './call.ts'
import { calls, drop, retry } from './calls.ts'
import { check } from './check.ts'
import { completions as completionsOf } from './completions.ts'
import { doctor } from './doctor.ts'
import { EXIT } from './exit.ts'
import { mistake } from './flags.ts'
import { healthz } from './healthz.ts'
import { commandHelp, type Described, familyHelp, programHelp } from './help.ts'
import { init } from './init.ts'
import { lagrange } from './lagrange.ts'
import { sandbox } from './sandbox.ts'
import { complain, say } from './say.ts'
import { schema } from './schema.ts'
import type { StartGateway } from './serve.ts'
import { service } from './service.ts'
import { simulate } from './simulate.ts'
import { start } from './start.ts'
import { clients, kick, status } from './status.ts'
import { tail } from './tail.ts'
import { upgrade } from './upgrade.ts'
import { versionText } from './version.ts'

// biome-ignore lint/suspicious/noExplicitAny: each takes different options, which only its own `run` knows
type Command = CommandDef<any> & Described
/** Commands that belong together: `perpetua lagrange install`. */
interface Family extends Described {
  readonly family: Record<string, Command>
}

const completions = completionsOf(() => COMMANDS)

// citty also allows promises for each part; ours are plain.
const COMMANDS = {
  start,
  init,
  check,
  doctor,
  status,
  clients,
  tail,
  kick,
  call,
  calls,
  retry,
  drop,
  alerts,
  lagrange,
  service,
  upgrade,
  healthz,
  sandbox,
  simulate,
  schema,
  completions,
} as unknown as Record<string, Command | Family>

/** What commands get from outside; tests bring a gateway of their own. */
export interface Means {
  startGateway?: StartGateway
}

// Enough for output on its way; whatever else is still open then must not keep the process alive.
const GRACE = 500

/** Runs what the command line says, and ends the process. */
export async function main(words: string[], means: Means = {}): Promise<void> {
  // A console that went away is no reason to end: `perpetua start | head`.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  process.exitCode = await run(words, means)
  setTimeout(() => process.exit(), GRACE).unref()
}

/** What is wrong with the words of a command line, or undefined; nothing is run. */
export function mistakeIn(words: string[]): string | undefined {
  const { name, rest } = commandOf(words)
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!found) return `no command ${name}`
  if (!('family' in found)) return mistakeOf(found, rest)
  const [member = '', ...more] = rest
  const command = Object.hasOwn(found.family, member) ? found.family[member] : undefined
  return command ? mistakeOf(command, more) : `no command ${name} ${member}`
}

const mistakeOf = ({ args = {} }: Command, words: string[]) =>
  mistake(
    words.filter((word) => !COMMON.includes(word)),
    args,
  )

/** Resolves with the exit code once everything is done. */
async function run(words: string[], means: Means = {}): Promise<number> {
  const { name, rest: after, named } = commandOf(words)
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!found) return misuse(`unknown command "${name}"`, suggest(name, Object.keys(COMMANDS)))
  if ('family' in found) return runFamily(found, after, means)
  return runOne(found, after, means, named)
}

async function runFamily(family: Family, words: string[], means: Means): Promise<number> {
  const { family: members } = family
  const [name = '', ...rest] = words
  if (name === '' || name.startsWith('-')) {
    if (asks(words, '--version', '-v')) return answer(versionText)
    if (asks(words, '--help', '-h')) return answer(familyHelp(family, Object.values(members)))
    const known = Object.keys(members).join(', ')
    return misuse(`${family.meta.name} needs to know what to do: ${known}`, undefined, `perpetua ${family.meta.name}`)
  }
  const found = Object.hasOwn(members, name) ? members[name] : undefined
  if (found) return runOne(found, rest, means, true)
  const near = suggest(name, Object.keys(members))
  const known = near === undefined ? `: there are ${Object.keys(members).join(', ')}` : ''
  return misuse(`unknown command "${family.meta.name} ${name}"${known}`, near, `perpetua ${family.meta.name}`)
}

async function runOne(command: Command, rest: string[], means: Means, named: boolean): Promise<number> {
  if (asks(rest, '--version', '-v')) return answer(versionText)
  if (asks(rest, '--help', '-h'))
    return answer(named ? commandHelp(command) : programHelp(Object.values(COMMANDS), command))
  const wrong = mistake(rest, command.args ?? {})
  if (wrong !== undefined) return misuse(wrong, undefined, named ? `perpetua ${command.meta.name}` : 'perpetua')
  const { result } = await runCommand(command, { rawArgs: rest, data: means })
  return typeof result === 'number' ? result : EXIT.ok.code
}

/** Without a command, start is meant. */
function commandOf(words: string[]): { name: string; rest: string[]; named: boolean } {
  const [first, ...rest] = words
  if (first === 'help') return commandOf([...rest, '--help'])
  const named = first !== undefined && !first.startsWith('-')
  return named ? { name: first, rest, named } : { name: 'start', rest: words, named }
}

const COMMON = ['--help', '-h', '--version', '-v']
const asks = (words: string[], ...flags: string[]) => words.some((word) => flags.includes(word))

function answer(text: string): number {
  say(text)
  return EXIT.ok.code
}

function misuse(what: string, near?: string, program = 'perpetua'): number {
  complain(`perpetua: ${what}${near === undefined ? '' : `, did you mean ${near}?`}`)
  complain(`Run ${program} --help for ${program === 'perpetua' ? 'commands and options' : 'its options'}.`)
  return EXIT.usage.code
}
