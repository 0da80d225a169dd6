// Looks at the ports of the config: whether the gateway runs there, or could.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { clientToken, isLoopback } from '../config/rules.ts'
import type { Config } from '../config/schema.ts'
import { isRunning } from '../lib/process.ts'
import type { RunningStatus } from './doctor-running.ts'
import { bad, type Finding, fine, warning } from './finding.ts'
import { LOCK } from './lock.ts'
import { nearAddress, unwell } from './near.ts'
import { addressProblem } from './running.ts'
import { versionText } from './version.ts'

/** As many of a range are tried: a person waits for it. */
const MOST_TRIED = 256

/** `running`: what the gateway tells of itself that runs, if it does. */
export async function ports(config: Config, running?: RunningStatus): Promise<Finding[]> {
  const owner = runningGateway(config['data-dir'])
  const main = owner === undefined ? [await freePort(config)] : await answering(config, owner, running)
  // Those of a gateway that runs are its own.
  return [...main, ...exposure(config), ...(owner === undefined ? await range(config) : [])]
}

/** The process that holds the data folder. */
export function runningGateway(folder: string): number | undefined {
  const { pid, start } = ownerOf(folder)
  const alive = typeof pid === 'number' && isRunning(pid, typeof start === 'string' ? start : undefined)
  return alive ? pid : undefined
}

/** Whether one of another machine or container may hold the data folder: nobody here can tell whether it runs. */
export function heldElsewhere(folder: string): boolean {
  const { host } = ownerOf(folder)
  return typeof host === 'string' && host !== hostname()
}

function ownerOf(folder: string): { pid?: unknown; start?: unknown; host?: unknown } {
  try {
    return JSON.parse(readFileSync(join(folder, LOCK), 'utf8')) ?? {}
  } catch {
    return {}
  }
}

async function answering(config: Config, pid: number, running?: RunningStatus): Promise<Finding[]> {
  const ill = await unwell(config)
  if (ill !== undefined)
    return [
      bad('gateway', `process ${pid} holds ${config['data-dir']}, but ${ill}`, 'look into its log, then restart it'),
    ]
  const fact = `it runs (process ${pid}) and answers at ${nearAddress(config)}`
  if (running === undefined || running.version === versionText) return [fine('gateway', fact)]
  const other = `it runs as ${running.version}, this program is ${versionText}`
  return [fine('gateway', fact), warning('gateway', other, 'restart it')]
}

async function freePort({ http: { host, port } }: Config): Promise<Finding> {
  const error = await refusal(host, port)
  if (error === undefined) return fine('gateway', `not running; ${host}:${port} is free for it`)
  const names = { host: 'http.host', port: 'http.port' }
  const [fact = '', remedy] = (addressProblem(error, { host, port, names })?.fact ?? `${error}`).split('; ')
  return bad('gateway', fact, remedy ?? 'set http.host to an address of this machine, or to 127.0.0.1')
}

function exposure(config: Config): Finding[] {
  if (isLoopback(config.http.host) || clientToken(config) !== '') return []
  const fact = `everybody who reaches ${config.http.host}:${config.http.port} can act as the bot`
  return [warning('access', fact, 'set http.access-token, unless a firewall keeps others out')]
}

async function range({ http, 'web-socket': { 'range-port': range } }: Config): Promise<Finding[]> {
  if (!range.enabled) return []
  const { start, end } = range
  const tried = Math.min(end - start + 1, MOST_TRIED)
  const taken: number[] = []
  for (let port = start; port < start + tried; port++)
    if ((await refusal(http.host, port)) !== undefined) taken.push(port)
  const about = 'allotted ports'
  if (taken.length === 0) return [fine(about, `${start}-${end} are free`)]
  const fact = `of ${start}-${end}, ${taken.length} cannot be had: ${taken.slice(0, 5).join(', ')}${taken.length > 5 ? ' …' : ''}`
  const remedy = 'set web-socket.range-port to ports that nobody uses'
  return [(taken.length === tried ? bad : warning)(about, fact, remedy)]
}

/** Why a port cannot be listened on; undefined: it can. */
async function refusal(host: string, port: number): Promise<unknown> {
  const server = createServer()
  try {
    const listening = once(server, 'listening')
    server.listen(port, host)
    await listening
    return undefined
  } catch (error) {
    return error
  } finally {
    server.close()
  }
}
