// The programs under measurement, from their source or from the binary: the gateway with a config of its own, the simulator.

import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endsWithUs, withFiles } from './child.ts'

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** http://127.0.0.1:PORT */
  readonly address: string
  /** Where clients connect. */
  readonly ws: string
  /** Milliseconds from the start of the process until it listened. */
  readonly startMs: number
  status(): Promise<Overview>
  /** Resolves once the status is as wanted. */
  until(wanted: (status: Overview) => boolean): Promise<Overview>
}

/** The part of GET /api/status that is looked at here. */
export interface Overview {
  rss: number
  links: number
  allotments: number
  bots: {
    online: boolean
    journal: { entries: number; bytes: number }
    waiting: { replies: number; paced: number; catchingUp: number; away: number }
    sessions: { state: string }[]
  }[]
}

const LAST_WORDS = 4_000
export const ADMIN = 'token-of-the-bench'
const ROOT = resolve(import.meta.dir, '../..')

/** The command of the program; `binary`: the path of the executable file, absent: the source. */
export const commandOf = (binary?: string) =>
  binary === undefined ? [process.execPath, join(ROOT, 'src/main.ts')] : [resolve(binary)]

export interface StartOptions {
  command: string[]
  /** The implementation's address; absent: the config says where it is. */
  upstream?: string
  /** More of the config. */
  config?: object
  env?: Record<string, string>
}

export async function startGateway({ command, upstream, config, env }: StartOptions): Promise<Program> {
  const place = await mkdtemp(join(tmpdir(), 'perpetua-bench-'))
  const file = join(place, 'config.yml')
  const settings = {
    http: { port: 0 },
    admin: { token: ADMIN },
    ...(upstream !== undefined && { 'ntqq-impl': { 'external-web-socket': upstream } }),
    ...config,
  }
  await Bun.write(file, JSON.stringify(settings))
  const began = performance.now()
  const running = Bun.spawn(withFiles([...command, 'start', '--config', file]), {
    cwd: place,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  endsWithUs(running)
  const clear = () => rmSync(place, { recursive: true, force: true })
  process.once('exit', clear)
  let ending = false
  void lastWords(running.stderr).then((said) => {
    if (!ending) console.error(`the gateway ended by itself:\n${said}`)
  })
  const end = async () => {
    ending = true
    running.kill('SIGKILL')
    await running.exited
    clear()
  }
  const address = await announced(running.stdout, /started address=(\S+)/)
  const startMs = performance.now() - began
  if (address === undefined) {
    await end()
    throw new Error(`${command.join(' ')}: ended without having started`)
  }
  const status = async () => {
    const response = await fetch(`${address}/api/status`, { headers: { Authorization: `Bearer ${ADMIN}` } })
    return (await response.json()) as Overview // the gateway's own answer
  }
  return {
    pid: running.pid,
    address,
    ws: address.replace('http', 'ws'),
    startMs,
    status,
    async until(wanted) {
      for (;;) {
        const now = await status()
        if (wanted(now)) return now
        await Bun.sleep(50)
      }
    },
    [Symbol.asyncDispose]: end,
  }
}

export interface Simulator extends AsyncDisposable {
  /** Where gateways and clients connect. */
  readonly ws: string
  /** Resolves when the last message has left. */
  burst(load: { count: number; size: number }): Promise<void>
}

export async function startSimulator(command: string[]): Promise<Simulator> {
  const running = Bun.spawn(withFiles([...command, 'simulate', '--port', '0']), {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  endsWithUs(running)
  const http = await announced(running.stdout, /(http:\/\/[\d.]+:\d+)/)
  if (http === undefined) throw new Error('the simulator ended without having started')
  return {
    ws: http.replace('http', 'ws'),
    async burst(load) {
      const response = await fetch(`${http}/simulator/burst`, { method: 'POST', body: JSON.stringify(load) })
      if (!response.ok) throw new Error(`the simulator answered ${response.status}: ${await response.text()}`)
    },
    async [Symbol.asyncDispose]() {
      running.kill('SIGKILL')
      await running.exited
    },
  }
}

export const online = ({ bots }: Overview) => bots[0]?.online === true

/** The end of what it said on stderr: of interest when nobody asked it to end. */
async function lastWords(errors: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let said = ''
  for await (const bytes of errors) said = (said + decoder.decode(bytes, { stream: true })).slice(-LAST_WORDS)
  return said
}

/** What the program says afterwards is read and left alone, so that it never waits for us. */
async function announced(output: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string | undefined> {
  const started = Promise.withResolvers<string | undefined>()
  const decoder = new TextDecoder()
  let said: string | undefined = ''
  const read = async () => {
    for await (const bytes of output) {
      if (said === undefined) continue
      said += decoder.decode(bytes, { stream: true })
      const address = pattern.exec(said)?.[1]
      if (address === undefined) continue
      said = undefined
      started.resolve(address)
    }
    started.resolve(undefined)
  }
  void read()
  return started.promise
}
