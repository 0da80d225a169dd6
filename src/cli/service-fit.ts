// Whether the system can run a gateway here, looked at before anything is written: its config, its folders, its user.

import { chownSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { implementations } from '../config/implementations.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { problemList } from './check.ts'
import { runningGateway } from './doctor-ports.ts'
import { complain, say } from './say.ts'
import { type Manager, run } from './service-manager.ts'
import { folderIn, isOurs, type Service } from './unit.ts'

/** Ports below are for those whom the system lets. */
const OPEN_PORTS = 1_024

/**
 * The config as the service will read it: without the environment of whoever installs it. Undefined: it cannot be used,
 * which is said; a service that cannot start would only be tried again and again.
 */
export async function configFor(file: string): Promise<Config | undefined> {
  const ours = Object.keys(process.env).filter((name) => name.startsWith('PERPETUA_'))
  if (ours.length > 0)
    complain(`Note: ${ours.join(', ')} of this environment will not be there for the service: write it into ${file}.`)
  try {
    // `start` writes a missing one.
    return (await loadConfig({ file, environment: {}, missing: 'defaults' })).config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    complain(problemList(error))
    return undefined
  }
}

/** What the config asks of the system. `file`: of the config; the service's folder is the one we are in. */
export function needs(config: Config, file: string): Omit<Service, 'command' | 'system' | 'user'> {
  const { http, 'web-socket': web, log, 'data-dir': data } = config
  const folder = process.cwd()
  const range = web['range-port']
  const ports = [http.port, ...(range.enabled ? [range.start] : [])]
  const runs = implementations(config).some(({ kind }) => kind === 'embedded')
  return {
    folder,
    writes: [dirname(file), data, log.dir]
      .filter(Boolean)
      .map((path) => resolve(path))
      .filter(outside(folder)),
    lowPorts: ports.some((port) => port > 0 && port < OPEN_PORTS),
    unpacks: runs ? resolve(data, 'dotnet') : '',
    logs: log.dir !== '',
  }
}

const outside = (folder: string) => (path: string) => relative(folder, path).startsWith('..')

/** Says why it cannot run here. Only asks, and makes folders that are to be its own. */
export async function fits(service: Service, config: Config, manager: Manager): Promise<boolean> {
  const complaint =
    otherFolder(service, manager) ??
    (await otherGateway(config, manager)) ??
    (service.system ? ((await noUser(service)) ?? hiddenFolder(service) ?? (await noAccess(service))) : undefined)
  if (complaint !== undefined) complain(complaint)
  return complaint === undefined
}

/** Names are anybody's: of another program nothing is replaced, and nothing removed. */
export const foreign = (file: string) => `${file} is of another program: give another name, --name NAME`

/** A service has one folder; another gateway's is not simply taken. */
function otherFolder({ folder }: Service, { file }: Manager): string | undefined {
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  if (!isOurs(text)) return foreign(file)
  const there = folderIn(text)
  if (there === undefined || there === folder || !existsSync(there)) return undefined
  return `${file} runs the gateway in ${there}. Give this one another name: --name NAME; or there: perpetua service uninstall`
}

/** One that runs by hand has the folder: the service would give up at once. */
async function otherGateway(config: Config, manager: Manager): Promise<string | undefined> {
  const running = runningGateway(config['data-dir'])
  if (running === undefined || running === (await manager.pid())) return undefined
  return `A gateway runs in this folder already, process ${running}: stop it first (kill ${running}), so that the service can.`
}

/** Says what it means to run as root. */
async function noUser({ user, folder }: Service): Promise<string | undefined> {
  const { code, said } = await run(['id', '-u', user])
  if (code !== 0) return `--user: there is no ${user} on this machine; name somebody who may write ${folder}`
  if (said !== '0') return undefined
  // Its unit takes from root what makes it more than others.
  if (statSync(folder).uid !== 0)
    return `${folder} is not root's, and as a service root may write only what is its own: name its owner by --user NAME`
  say('Note: it runs as root. --user NAME has it run as somebody else, who must be able to write this folder.')
  return undefined
}

function hiddenFolder({ folder, command: [program = ''], unpacks }: Service): string | undefined {
  const hidden = [folder, program].find((path) => /^\/(?:var\/)?tmp\//.test(path))
  if (hidden === undefined || unpacks !== '' || process.platform !== 'linux') return undefined
  return `${hidden}: a service has a /tmp of its own and does not see it; move it to another place, such as /opt or a home`
}

/** Tried by the user's own rights, where we may: what is missing would only be found in a log. */
async function noAccess({ user, folder, writes, command: [program = ''] }: Service): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid, name] = await Promise.all(
    ['-u', '-g', '-nu'].map(async (what) => (await run(['id', what, user])).said),
  )
  for (const path of process.platform === 'darwin' ? [...writes, join(folder, 'logs')] : writes) {
    if (existsSync(path)) continue
    mkdirSync(path, { recursive: true, mode: 0o700 })
    chownSync(path, Number(uid), Number(gid))
  }
  const as = process.platform === 'darwin' ? ['sudo', '-u', `${name}`] : ['runuser', '-u', `${name}`, '--']
  const may = async (test: string, path: string) => {
    const [first = '', ...more] = [...as, '/bin/sh', '-c', test, 'sh', path]
    const { code, said } = await run([first, ...more])
    return code === 0 || said.endsWith('not found')
  }
  for (const path of [folder, ...writes]) {
    if (!(await may('cd "$1"', path)))
      return `${user} may not enter ${path}: move it to where they may, or name its owner by --user`
    if (!(await may('test -w "$1"', path)))
      return `${user} may not write ${path}: sudo chown -R ${user} ${shown(path)}, or name its owner by --user`
  }
  if (!(await may('test -x "$1"', program)))
    return `${user} may not run ${program}: put the program where everybody may, such as /usr/local/bin`
  return undefined
}

/** As a shell reads it. */
const shown = (path: string) => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)
