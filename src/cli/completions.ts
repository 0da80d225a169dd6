// perpetua completions: prints what makes a shell complete perpetua's commands and options.

import { type ArgsDef, type CommandDef, defineCommand } from 'citty'
import { LEVELS } from '../observe/log.ts'
import { bash, fish, powershell, type Word, zsh } from './completing.ts'
import { EXIT } from './exit.ts'
import type { Described } from './help.ts'
import { say } from './say.ts'

/** What there is to complete: a command, or a family of them. */
export interface Completable extends Described {
  readonly family?: Readonly<Record<string, Described>>
}

const SHELLS = { bash, zsh, fish, powershell }
type Shell = keyof typeof SHELLS

/** Where each keeps them. */
const WHERE: Record<Shell, string> = {
  bash: 'For bash: perpetua completions bash > ~/.local/share/bash-completion/completions/perpetua',
  zsh: 'For zsh: perpetua completions zsh > ~/.zfunc/_perpetua, a folder in your fpath',
  fish: 'For fish: perpetua completions fish > ~/.config/fish/completions/perpetua.fish',
  powershell: 'For PowerShell: perpetua completions powershell | Out-File -Append -Encoding utf8 $PROFILE',
}

/** `commands`: all there are, asked for when they are printed. */
export function completions(commands: () => Readonly<Record<string, Completable>>) {
  const command = (shell: Shell): CommandDef =>
    defineCommand({
      meta: { name: `completions ${shell}`, description: WHERE[shell] },
      run() {
        say(SHELLS[shell](words(commands())))
        return EXIT.ok.code
      },
    })
  return {
    meta: { name: 'completions', description: 'Print completions for bash, zsh, fish or powershell' },
    family: Object.fromEntries((Object.keys(SHELLS) as Shell[]).map((shell) => [shell, command(shell)])),
  }
}

/** What options can have that have little to choose from; they mean the same wherever they are. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  kinds: ['event', 'action', 'reply', 'fact', 'log'],
  level: LEVELS,
  type: ['message', 'message.group', 'message.private', 'notice', 'request', 'meta_event'],
}

const COMMON = [option('help', 'Show this help'), option('version', 'Show the version')]

function words(commands: Readonly<Record<string, Completable>>): Word[] {
  return Object.entries(commands).map(([name, { meta, args, family }]) => ({
    name,
    about: meta.description,
    options: options(args),
    members: Object.entries(family ?? {}).map(([member, described]) => ({
      name: member,
      about: described.meta.description,
      options: options(described.args),
      members: [],
    })),
  }))
}

const options = (args: ArgsDef = {}) => [
  ...Object.entries(args)
    .filter(([, { type }]) => type !== 'positional')
    .map(([name, { description = '', valueHint }]) => option(name, description, valueHint)),
  ...COMMON,
]

function option(name: string, about: string, value?: string) {
  return { name: `--${name}`, about, value, values: VALUES[name] ?? [] }
}
