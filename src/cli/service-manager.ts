// The managers that keep services running, systemd and launchd: where their files are and what they are told.

import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { host } from '../runtime/current.ts'
import { LABEL, launchdJob, type Service, systemdUnit } from './unit.ts'

export interface Manager {
  /** The file that makes the service. */
  readonly file: string
  /** What is in it. */
  text(service: Service): string
  /** Commands: the service starts now and whenever the machine or the user's session does. */
  readonly begin: readonly Command[]
  readonly end: readonly Command[]
  /** After the file is gone. */
  readonly forget: readonly Command[]
  /** Exits 0 when it runs, and prints how it does. */
  readonly ask: Command
  /** What somebody should know. */
  readonly advice: readonly string[]
}
export type Command = readonly [program: string, ...words: string[]]

/** Undefined: this system has none that we know how to tell. */
export function manager(system: boolean): Manager | undefined {
  switch (process.platform) {
    case 'linux':
      return systemd(system)
    case 'darwin':
      return launchd(system)
    default:
      return undefined
  }
}

const UNIT = 'perpetua.service'

function systemd(system: boolean): Manager {
  const systemctl = (...words: string[]): Command => ['systemctl', ...(system ? [] : ['--user']), ...words]
  const own = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config')
  return {
    file: join(system ? '/etc' : own, 'systemd', system ? 'system' : 'user', UNIT),
    text: systemdUnit,
    begin: [systemctl('daemon-reload'), systemctl('enable', '--now', UNIT)],
    end: [systemctl('disable', '--now', UNIT)],
    forget: [systemctl('daemon-reload')],
    ask: systemctl('status', '--no-pager', UNIT),
    advice: [
      `Its log: journalctl ${system ? '' : '--user '}-u perpetua`,
      ...(system ? [] : ['It ends when you log out, unless you allow it to stay: loginctl enable-linger']),
    ],
  }
}

function launchd(system: boolean): Manager {
  const file = join(system ? '/' : homedir(), 'Library', system ? 'LaunchDaemons' : 'LaunchAgents', `${LABEL}.plist`)
  const domain = system ? 'system' : `gui/${process.getuid?.() ?? 501}`
  return {
    file,
    text: launchdJob,
    begin: [['launchctl', 'bootstrap', domain, file]],
    end: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
    forget: [],
    ask: ['launchctl', 'print', `${domain}/${LABEL}`],
    advice: ['Its log: logs/service.log below its folder'],
  }
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
