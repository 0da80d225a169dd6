// perpetua service: makes the system run the gateway, and keep it running.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from 'citty'
import type { Config } from '../config/schema.ts'
import { fileProblem, isOfFiles } from '../lib/file-error.ts'
import { ownCommand } from '../runtime/self.ts'
import { EXIT } from './exit.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'
import { configFor, fits, foreign, needs } from './service-fit.ts'
import { type Command, type Manager, manager, NAME, run, windowsTask } from './service-manager.ts'
import { outcome } from './service-outcome.ts'
import { isOurs, type Service } from './unit.ts'
import { UsageError, usable } from './values.ts'

const systemOption = {
  type: 'boolean',
  description: 'For the whole machine, not for this user alone; needs root',
} as const
const nameOption = {
  type: 'string',
  valueHint: 'name',
  description: 'What the system calls it, where there are several',
  default: NAME,
} as const

const installCommand = defineCommand({
  meta: { name: 'service install', description: 'Start it now, and with every start of the machine or session' },
  args: {
    config: configOption,
    system: systemOption,
    user: { type: 'string', valueHint: 'name', description: 'With --system: who runs it; default: who calls' },
    name: nameOption,
    print: { type: 'boolean', description: 'Only print the file that would be written' },
  },
  run: ({ args: { config: file, system = false, user = caller(), name, print = false } }) =>
    withManager(system, name, async (manager) => {
      const config = await configFor(file)
      if (config === undefined) return EXIT.failed.code
      const command = [...ownCommand(), 'start', '--config', resolve(file)]
      const service = { command, system, user, ...needs(config, file) }
      if (print) {
        say(manager.text(service).trimEnd())
        return EXIT.ok.code
      }
      return (await fits(service, config, manager)) ? install(manager, service, config) : EXIT.failed.code
    }),
})

const uninstallCommand = defineCommand({
  meta: { name: 'service uninstall', description: 'Stop it and remove it; config and data stay' },
  args: { system: systemOption, name: nameOption },
  run: ({ args: { system = false, name } }) =>
    withManager(system, name, async (manager) => {
      const { file } = manager
      if (existsSync(file)) {
        if (isOurs(readFileSync(file, 'utf8'))) return uninstall(manager)
        complain(foreign(file))
        return EXIT.failed.code
      }
      say(`Nothing to remove: ${file} is not there.${elsewhere(system, name)}`)
      return EXIT.ok.code
    }),
})

const statusCommand = defineCommand({
  meta: { name: 'service status', description: 'Say whether it is installed and runs' },
  args: { system: systemOption, name: nameOption },
  run: ({ args: { system = false, name } }) =>
    withManager(system, name, async ({ file, ask }) => {
      if (!existsSync(file)) {
        const makes = ` perpetua service install${system ? ' --system' : ''} makes it.`
        complain(`Not installed: ${file} is not there.${elsewhere(system, name) || makes}`)
        return EXIT.failed.code
      }
      const { code, said } = await run(ask)
      say(said)
      for (const text of code === 0 ? [] : remedies(said)) complain(text)
      return code === 0 ? EXIT.ok.code : EXIT.failed.code
    }),
})

/** The other one that may be meant; '' where there is none. */
function elsewhere(system: boolean, name: string): string {
  const other = manager(!system, name)
  if (other === undefined || !existsSync(other.file)) return ''
  return system ? ` There is ${other.file}: leave --system out.` : ` There is ${other.file}: add --system.`
}

export const service = {
  meta: { name: 'service', description: 'Let the system run the gateway: install, uninstall, status' },
  family: { install: installCommand, uninstall: uninstallCommand, status: statusCommand },
}

function withManager(system: boolean, name: string, work: (manager: Manager) => Promise<number>): Promise<number> {
  return usable(async () => {
    if (!/^[a-z0-9][\w.-]*$/i.test(name))
      throw new UsageError(`--name: found "${name}", wanted letters, digits, ., - and _`)
    const found = manager(system, name)
    if (found === undefined) {
      complain(`perpetua knows no service manager of ${process.platform}.`)
      complain(windowsTask([...ownCommand(), 'start'], process.cwd()))
      return EXIT.failed.code
    }
    try {
      return await work(found)
    } catch (error) {
      if (!isOfFiles(error)) throw error
      complain(`${fileProblem(error)}${system ? '; --system needs root: use sudo' : ''}`)
      return EXIT.failed.code
    }
  })
}

/** Who asks for it, also by way of sudo; a number where nobody says the name. */
const caller = () => process.env['SUDO_USER'] ?? process.env['USER'] ?? String(process.getuid?.() ?? 0)

async function install(manager: Manager, service: Service, config: Config): Promise<number> {
  const { enable, start, leave, advice } = manager
  const changed = written(manager.file, manager.text(service))
  // Where launchd is to write, and does not make it itself.
  if (process.platform === 'darwin') mkdirSync('logs', { recursive: true })
  const goesOn = !changed && (await manager.pid()) !== undefined
  if (!goesOn && leave !== undefined) await left(leave, manager)
  const failed = await firstFailure(goesOn ? enable : [...enable, start])
  if (failed !== undefined) {
    complain(`It was not started: ${failed}`)
    const said = remedies(failed)
    for (const text of said.length > 0 ? said : await lastWords(manager)) complain(text)
    complain(`Then start it yourself: ${[...enable, start].map((words) => words.join(' ')).join(' && ')}`)
    return EXIT.failed.code
  }
  const { fine, said } = await outcome(manager, config)
  if (!fine) {
    complain(`It was started, but ${said}.`)
    for (const text of await lastWords(manager)) complain(text)
    complain('See to that, perpetua doctor helps: the system tries again by itself.')
    return EXIT.failed.code
  }
  say([`${said}${goesOn ? ' Nothing has changed.' : ''} perpetua service status shows how.`, ...advice].join('\n'))
  return EXIT.ok.code
}

/** Says what is written; one that was there may have been changed by hand, and is kept. False: it is as it was. */
function written(file: string, text: string): boolean {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  if (before === text) return false
  mkdirSync(dirname(file), { recursive: true })
  if (before !== undefined) renameSync(file, `${file}.old`)
  writeFileSync(file, text)
  say(`Wrote ${file}.${before === undefined ? '' : ` The one before is ${basename(file)}.old.`}`)
  return true
}

/** Until the manager no longer knows it. */
async function left(command: Command, { ask }: Manager): Promise<void> {
  await run(command)
  for (let looks = 0; looks < 75 && (await run(ask)).code === 0; looks++) await sleep(200)
}

async function lastWords({ lastWords }: Manager): Promise<string[]> {
  const { code, said } = await run(lastWords)
  return code === 0 && said !== '' ? ['Its last words:', ...said.split('\n').map((line) => `  ${line}`)] : []
}

async function uninstall({ file, end, forget }: Manager): Promise<number> {
  const failed = await firstFailure(end)
  if (failed !== undefined) complain(`It may still run: ${failed}`)
  for (const each of [file, `${file}.old`]) rmSync(each, { force: true })
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
