// A running gateway for a test: in this process, or as the program under the runtime or from the binary that is asked for.

import { startGateway } from '../../src/app.ts'
import type { Status } from '../../src/broker/status.ts'
import { type ConfigInput, configOf } from '../../src/config/schema.ts'
import type { Patience } from '../../src/lib/backoff.ts'
import { openLog } from '../../src/observe/log.ts'
import { folder } from './folder.ts'
import { program } from './program.ts'
import { milky, onlyMilky } from './upstream.ts'

export interface TestGateway extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly address: string
  /** ws://127.0.0.1:PORT */
  readonly ws: string
  /** The facts the core reported; only in this process. */
  readonly facts: Status[]
  /** Of the process it runs in. */
  readonly pid: number
  /** Makes the running gateway what this config says; sections left out stay, and so does the port. */
  apply(config: ConfigInput): Promise<void>
  status(): Promise<Overview>
  /** Resolves once the status is as wanted. */
  until(wanted: (status: Overview) => boolean): Promise<Overview>
  stop(): Promise<void>
}

/** The part of GET /api/status that tests look at. */
export interface Overview {
  presence: number
  polls: number
  rss: number
  links: number
  allotments: number
  facts: Partial<Record<Status['kind'], number>>
  bots: {
    name: string
    self_id: string | null
    online: boolean
    journal: { entries: number; bytes: number }
    pools?: { name: string; members: number; waiting: number; dispatched: number; redelivered: number }[]
    waiting: {
      replies: number
      waiting: number
      held: boolean
      paced: number
      catchingUp: number
      away: number
    }
    upstreams: {
      peer: string
      connected: boolean
      told: boolean
      active: boolean
      failing: 'offline' | 'calls' | null
      since: number | null
    }[]
    twins: { dropped: number; rescued: number; held: number }
    calls: { breakers: Record<string, Breaker>; limited: Record<string, number> }
    storage?: { file: string; trouble: { why: string } | null }
    sessions: {
      app_id: string
      client_name?: string
      entry?: string
      pool?: string
      transport: string
      state: string
      away_until?: number
      pending: number | null
      breaker?: Breaker
      unacknowledged?: number
    }[]
  }[]
  reverse: { name: string; target: string; state: string; breaker: Breaker }[]
}

interface Breaker {
  state: string
  failures?: number
  until?: number
}

export interface GatewayOptions {
  /** Only in this process: a program has the patience it ships with. */
  patience?: Patience
  /** A process of its own in any case: for stories about memory, files and signals. */
  apart?: boolean
}

export const ADMIN = 'admin-token-of-tests'

/** Whether the gateway has native sockets and publish; without, a link costs ten times as much, and fewer show the same. */
export const native = (process.env['PERPETUA_RUNTIME'] ?? 'bun') === 'bun'

/** Dials again at once, or nearly. */
export const EAGER: Patience = { first: 20, most: 100, stable: 60_000 }

/** What PERPETUA_BIN or PERPETUA_RUNTIME ask for; without either the gateway runs in this process. */
export const outside = process.env['PERPETUA_BIN'] !== undefined || process.env['PERPETUA_RUNTIME'] !== undefined

export function gateway(input: ConfigInput, options: GatewayOptions = {}): Promise<TestGateway> {
  if (milky) onlyMilky(input)
  const config: ConfigInput = {
    ...input,
    http: { port: 0, ...input.http },
    admin: { token: ADMIN },
    log: { dir: '', level: 'error', ...input.log },
  }
  return options.apart || (outside && options.patience === undefined) ? asProgram(config) : inProcess(config, options)
}

async function inProcess(config: ConfigInput, { patience }: GatewayOptions): Promise<TestGateway> {
  const parsed = configOf(config)
  const log = openLog(parsed.log)
  const facts: Status[] = []
  const running = await startGateway({ config: parsed, log, patience, report: (fact) => void facts.push(fact) })
  const stop = () => running.stop()
  return {
    ...at(running.address),
    facts,
    pid: process.pid,
    stop,
    apply: (next) => running.apply(configOf(merged(config, next))),
    [Symbol.asyncDispose]: stop,
  }
}

async function asProgram(config: ConfigInput): Promise<TestGateway> {
  const place = await folder()
  const file = place.at('config.yml')
  await Bun.write(file, JSON.stringify({ ...config, log: { ...config.log, level: 'info' } }))
  const running = program(['start', '--config', file], { cwd: place.path, as: 'perpetua' })
  const [, address = ''] = await running.says(/started address=(\S+)/)
  const stop = async () => {
    running.signal('SIGTERM')
    await running.ended
    await place[Symbol.asyncDispose]()
  }
  return {
    ...at(address),
    facts: [],
    pid: running.pid,
    stop,
    async apply(next) {
      await Bun.write(file, JSON.stringify({ ...merged(config, next), log: { ...config.log, level: 'info' } }))
      const before = running.output.length
      running.signal('SIGHUP')
      await running.says(new RegExp(`^[\\s\\S]{${before},}config (?:not )?applied`))
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** The port stays what it was unless the change names another. */
const merged = (config: ConfigInput, next: ConfigInput): ConfigInput => ({
  ...config,
  ...next,
  http: { ...config.http, ...next.http },
})

/** How the gateway at this address fares. */
export function reading(address: string): Pick<TestGateway, 'status' | 'until'> {
  const status = async (): Promise<Overview> => {
    const response = await fetch(`${address}/api/status`, {
      headers: { Authorization: `Bearer ${ADMIN}` },
      tls: { rejectUnauthorized: false },
    })
    return (await response.json()) as Overview // our own answer
  }
  return {
    status,
    async until(wanted: (status: Overview) => boolean) {
      for (;;) {
        const now = await status()
        if (wanted(now)) return now
        await Bun.sleep(10)
      }
    },
  }
}

const at = (address: string) => ({ address, ws: address.replace(/^http/, 'ws'), ...reading(address) })
