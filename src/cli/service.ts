// perpetua service: makes the system run the gateway, and keep it running.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { defineCommand } from 'citty'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { fileProblem, isOfFiles } from '../lib/file-error.ts'
import { ownCommand } from '../runtime/self.ts'
import { problemList } from './check.ts'
import { EXIT } from './exit.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'
import { type Command, type Manager, manager, run } from './service-manager.ts'
import type { Service } from './unit.ts'

const systemOption = {
  type: 'boolean',
  description: 'For the whole machine, not for this user alone; needs root',
} as const

const installCommand = defineCommand({
  meta: { name: 'service install', description: 'Start it now, and with every start of the machine or session' },
  args: {
    config: configOption,
    system: systemOption,
    user: { type: 'string', valueHint: 'name', description: 'With --system: who runs it; default: who calls' },
    print: { type: 'boolean', description: 'Only print the file that would be written' },
  },
  run: ({ args: { config, system = false, user, print = false } }) =>
    withManager(system, async (manager) => {
      const service = described(config, system, user)
      const text = manager.text(service)
      if (print) {
        say(text.trimEnd())
        return EXIT.ok.code
      }
      const able = (await usableConfig(config)) && (!system || (await usableUser(service.user)))
      return able ? install(manager, text) : EXIT.failed.code
    }),
})

const uninstallCommand = defineCommand({
  meta: { name: 'service uninstall', description: 'Stop it and remove it; config and data stay' },
  args: { system: systemOption },
  run: ({ args: { system = false } }) => withManager(system, uninstall),
})

const statusCommand = defineCommand({
  meta: { name: 'service status', description: 'Say whether it is installed and runs' },
  args: { system: systemOption },
  run: ({ args: { system = false } }) =>
    withManager(system, async ({ file, ask }) => {
      if (!existsSync(file)) {
        complain(`Not installed: ${file} is not there. perpetua service install${system ? ' --system' : ''} makes it.`)
        return EXIT.failed.code
      }
      const { code, said } = await run(ask)
      say(said)
      return code === 0 ? EXIT.ok.code : EXIT.failed.code
    }),
})

export const service = {
  meta: { name: 'service', description: 'Let the system run the gateway: install, uninstall, status' },
  family: { install: installCommand, uninstall: uninstallCommand, status: statusCommand },
}

async function withManager(system: boolean, work: (manager: Manager) => Promise<number>): Promise<number> {
  const found = manager(system)
  if (found === undefined) {
    complain(`perpetua knows no service manager of ${process.platform}. ${WINDOWS}`)
    return EXIT.failed.code
  }
  try {
    return await work(found)
  } catch (error) {
    if (!isOfFiles(error)) throw error
    complain(`${fileProblem(error)}${system ? '; --system needs root: use sudo' : ''}`)
    return EXIT.failed.code
  }
}

/** With the quotes that its command line wants. */
const quoted = (word: string) => (/^[\w-]+$/.test(word) ? word : `\\"${word}\\"`)

const WINDOWS = `On Windows, the task scheduler starts it with your session:
  schtasks /Create /TN perpetua /SC ONLOGON /TR "cmd /c cd /d \\"${process.cwd()}\\" && ${ownCommand().map(quoted).join(' ')} start"`

function described(config: string, system: boolean, user = caller()): Service {
  return { command: [...ownCommand(), 'start', '--config', resolve(config)], folder: process.cwd(), system, user }
}

/** Who asks for it, also by way of sudo; a number where nobody says the name. */
const caller = () => process.env['SUDO_USER'] ?? process.env['USER'] ?? String(process.getuid?.() ?? 0)

/** A service that cannot start would only be tried again and again. Says why it cannot be used. */
async function usableConfig(file: string): Promise<boolean> {
  try {
    // `start` writes a missing one.
    await loadConfig({ file, missing: 'defaults' })
    return true
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    complain(problemList(error))
    return false
  }
}

/** Says why a service of the machine cannot run as somebody, and what it means to run as root. */
async function usableUser(user: string): Promise<boolean> {
  const { code, said } = await run(['id', '-u', user])
  if (code === 0 && said !== '0') return true
  if (code === 0) {
    say('Note: it runs as root. --user NAME has it run as somebody else, who must be able to write this folder.')
    return true
  }
  complain(`--user: there is no ${user} on this machine; name somebody who may write ${process.cwd()}`)
  return false
}

async function install({ file, begin, advice }: Manager, text: string): Promise<number> {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  // Where launchd is to write, and does not make it itself.
  if (process.platform === 'darwin') mkdirSync(join(process.cwd(), 'logs'), { recursive: true })
  say(`Wrote ${file}.`)
  const failed = await firstFailure(begin)
  if (failed !== undefined) {
    complain(`It was not started: ${failed}`)
    for (const remedy of remedies(failed)) complain(remedy)
    complain(`Then start it yourself: ${begin.map((words) => words.join(' ')).join(' && ')}`)
    return EXIT.failed.code
  }
  say(['It runs. perpetua service status shows how.', ...advice].join('\n'))
  return EXIT.ok.code
}

async function uninstall({ file, end, forget }: Manager): Promise<number> {
  if (!existsSync(file)) {
    say(`Nothing to remove: ${file} is not there.`)
    return EXIT.ok.code
  }
  const failed = await firstFailure(end)
  if (failed !== undefined) complain(`It may still run: ${failed}`)
  rmSync(file)
  await firstFailure(forget)
  say(`Removed ${file}. Config and data are as they were.`)
  return failed === undefined ? EXIT.ok.code : EXIT.failed.code
}

/** What to do about what the manager says in words of its own. */
function remedies(failed: string): string[] {
  if (/not been booted with systemd|systemctl: not found/.test(failed))
    return ['Systemd does not run this system: let what does run perpetua start in this folder, and start it again.']
  if (/connect to (?:user scope )?bus/i.test(failed))
    return [
      'This user has no session of systemd: log in as the user directly, not by su or sudo, or allow one without a login',
      `(sudo loginctl enable-linger ${caller()}; export XDG_RUNTIME_DIR=/run/user/${process.getuid?.() ?? 0}). Or use --system.`,
    ]
  return []
}

/** Undefined when all went well. */
async function firstFailure(commands: readonly Command[]): Promise<string | undefined> {
  for (const words of commands) {
    const { code, said } = await run(words)
    if (code !== 0) return `${words.join(' ')}: ${said || `exit code ${code}`}`
  }
  return undefined
}
