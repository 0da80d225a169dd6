// The managers that keep services running, systemd and launchd: where their files are and what they are told.

import { accessSync, constants, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { host } from '../runtime/current.ts'
import { launchdJob, type Service, systemdUnit } from './unit.ts'

export interface Manager {
  /** The file that makes the service. */
  readonly file: string
  /** What is in it. */
  text(service: Service): string
  /** Commands: from now on it starts whenever the machine or the user's session does. */
  readonly enable: readonly Command[]
  /** First, where one that runs must be gone before another can start; it may not be there. */
  readonly leave: Command | undefined
  /** Starts it, as it is written now. */
  readonly start: Command
  readonly end: readonly Command[]
  /** After the file is gone. */
  readonly forget: readonly Command[]
  /** Exits 0 when it runs, and prints how it does. */
  readonly ask: Command
  /** The process that runs; undefined: none does. */
  pid(): Promise<number | undefined>
  /** Prints the last it said. */
  readonly lastWords: Command
  /** What somebody should know. */
  readonly advice: readonly string[]
}
export type Command = readonly [program: string, ...words: string[]]

export const NAME = 'perpetua'

/** Undefined: this system has none that we know how to tell. */
export function manager(system: boolean, name: string = NAME): Manager | undefined {
  switch (process.platform) {
    case 'linux':
      return systemd(system, name)
    case 'darwin':
      return launchd(system, name)
    default:
      return undefined
  }
}

/** How services of ours that are installed are started again, under their usual name. */
export function restarts(): Command[] {
  return [false, true].flatMap((system) => {
    const found = manager(system)
    if (found === undefined || !existsSync(found.file)) return []
    if (process.platform === 'darwin') return [['launchctl', 'kickstart', '-k', `${domain(system)}/${NAME}`]]
    return [system ? ['sudo', ...found.start] : found.start]
  })
}

function systemd(system: boolean, name: string): Manager {
  const unit = `${name}.service`
  const whose = system ? [] : ['--user']
  const systemctl = (...words: string[]): Command => ['systemctl', ...whose, ...words]
  const own = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config')
  return {
    file: join(system ? '/etc' : own, 'systemd', system ? 'system' : 'user', unit),
    text: systemdUnit,
    enable: [systemctl('daemon-reload'), systemctl('enable', unit)],
    leave: undefined,
    start: systemctl('restart', unit),
    end: [systemctl('disable', '--now', unit)],
    forget: [systemctl('daemon-reload')],
    ask: systemctl('status', '--no-pager', unit),
    async pid() {
      const { said } = await run(systemctl('show', '--property=MainPID', '--value', unit))
      return Number(said) || undefined
    },
    lastWords: ['journalctl', ...whose, '--unit', unit, '--lines=8', '--no-pager', '--output=cat'],
    advice: [
      `Its log: journalctl ${system ? '' : '--user '}-u ${name}`,
      ...(system || lingers() ? [] : [LINGER]),
      ...(system || process.getuid?.() !== 0 ? [] : ['For root, perpetua service install --system fits better.']),
    ],
  }
}

const LINGER = 'It ends when you log out, unless you allow it to stay: loginctl enable-linger'

/** Whether the services of this user stay without a session. */
const lingers = () => existsSync(join('/var/lib/systemd/linger', process.env['USER'] || 'root'))

const domain = (system: boolean) => (system ? 'system' : `gui/${process.getuid?.() ?? 501}`)

function launchd(system: boolean, name: string): Manager {
  const file = join(system ? '/' : homedir(), 'Library', system ? 'LaunchDaemons' : 'LaunchAgents', `${name}.plist`)
  const job = `${domain(system)}/${name}`
  const log = join(process.cwd(), 'logs', 'service.log')
  return {
    file,
    text: (service) => launchdJob(service, name),
    enable: [],
    leave: ['launchctl', 'bootout', job],
    start: ['launchctl', 'bootstrap', domain(system), file],
    end: [['launchctl', 'bootout', job]],
    forget: [],
    ask: ['launchctl', 'print', job],
    async pid() {
      const { said } = await run(['launchctl', 'print', job])
      return Number(/^\s*pid = (\d+)$/m.exec(said)?.[1]) || undefined
    },
    lastWords: ['tail', '-n', '8', log],
    advice: ['Its log: logs below its folder; what has no place there: logs/service.log'],
  }
}

/** What makes Windows run it, in PowerShell: by its own defaults a task ends after three days, and without mains. */
export function windowsTask(command: readonly string[], folder: string): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
  const [program = '', ...words] = command
  const line = words.map((word) => `"${word}"`).join(' ')
  return `On Windows the task scheduler starts it with your session, and again when it fails. In PowerShell:
  $do = New-ScheduledTaskAction -Execute ${quoted(program)} -Argument ${quoted(line)} -WorkingDirectory ${quoted(folder)}
  $at = New-ScheduledTaskTrigger -AtLogOn -User "$env:USERDOMAIN\\$env:USERNAME"
  $so = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries \`
    -DontStopIfGoingOnBatteries -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1)
  Register-ScheduledTask ${NAME} -Action $do -Trigger $at -Settings $so -Force; Start-ScheduledTask ${NAME}
How it does: Get-ScheduledTaskInfo ${NAME}. Its end: Stop-ScheduledTask ${NAME}; Unregister-ScheduledTask ${NAME}`
}

/** Runs it to its end. `code` is null when it is not there or was ended by a signal. */
export async function run([program, ...args]: Command): Promise<{ code: number | null; said: string }> {
  const command = found(program)
  if (command === undefined) return { code: null, said: `${program}: not found` }
  let said = ''
  const output = (bytes: Uint8Array) => {
    said += new TextDecoder().decode(bytes)
  }
  const child = await host.spawn({ command, args, cwd: '/', stdin: 'ignore', output })
  const { code } = await child.exited
  return { code, said: said.trim() }
}

function found(program: string): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  return places
    .map((place) => join(place, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
