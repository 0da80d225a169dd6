// Listeners leased to one client each: given out by get_ws_port, taken back when nobody comes or its client leaves.

import { Hono } from 'hono'
import type { Bot } from '../broker/bot.ts'
import { CLOSING } from '../broker/closing.ts'
import type { Guests } from '../broker/ports.ts'
import { nameProblem } from '../broker/registry.ts'
import type { Report } from '../broker/status.ts'
import { refuse } from '../onebot/retcode.ts'
import type { Host, HostEnv, Listener, ListenOptions } from '../runtime/host.ts'
import { type Access, guard } from './auth.ts'
import { acceptClient, type LinkCount } from './client.ts'
import { refusedLink } from './refusal.ts'

export interface AllotmentSettings extends Pick<ListenOptions, 'host' | 'maxFrame' | 'tls'> {
  /** Milliseconds until an allotment to which nobody came is taken back. */
  readonly timeout: number
  /** Both ends included; absent: any free port. */
  readonly range?: { readonly start: number; readonly end: number } | undefined
}

export interface AllotmentOptions {
  readonly host: Host
  readonly settings: () => AllotmentSettings
  readonly access: () => Access
  readonly report: Report
  readonly count: LinkCount
  readonly guests: Guests
}

/** What its client is to be named, and where it asked from. */
interface Wish {
  readonly name?: string | undefined
  readonly peer: string
}

interface Allotment {
  readonly peer: string
  state: 'waiting' | 'taken' | 'over'
  listener?: Listener
  timer?: ReturnType<typeof setTimeout>
}

/** Leases that one address may leave waiting at a time: behind one address may be a whole host of programs that start together. */
const WAITING_PER_PEER = 512

/** How long (ms) a handshake may keep an allotment whose time is over. */
const HANDSHAKE = 1_000

export class Allotments {
  readonly #options: AllotmentOptions
  readonly #allotments = new Set<Allotment>()
  /** Ports of the range that are given out, or being tried. */
  readonly #taken = new Set<number>()
  #stopped = false

  constructor(options: AllotmentOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#allotments.size
  }

  /** Resolves with a port that accepts connections. @throws ActionError when none is free, or too many wait. */
  async lease(bot: Bot, wish: Wish): Promise<number> {
    try {
      return await this.#lease(bot, wish)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#options.report({ kind: 'link-refused', peer: wish.peer, path: 'get_ws_port', status: 503, why })
      throw error
    }
  }

  async #lease(bot: Bot, { name, peer }: Wish): Promise<number> {
    if (name !== undefined) checkName(bot, name)
    const waiting = [...this.#allotments].filter((one) => one.state === 'waiting' && one.peer === peer).length
    if (waiting >= WAITING_PER_PEER)
      refuse(
        'no-port',
        `get_ws_port: ${waiting} ports wait for a client of ${peer}; connect to them, or wait until they are free again`,
      )
    const allotment: Allotment = { peer, state: 'waiting' }
    this.#allotments.add(allotment)
    try {
      const listener = await this.#listen(this.#app(allotment, bot, name))
      allotment.listener = listener
      // It was on its way when the end began, and nobody else would close it.
      if (this.#stopped) {
        await this.#end(allotment)
        refuse('unavailable', CLOSING.shutdown.text)
      }
      allotment.timer = setTimeout(() => this.#expire(allotment), this.#options.settings().timeout)
      this.#options.report({ kind: 'allotted', port: listener.port, peer })
      return listener.port
    } catch (error) {
      this.#allotments.delete(allotment)
      throw error
    }
  }

  /** Takes back every port; from now on none is given out. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#allotments].map((one) => this.#end(one)))
  }

  #app(allotment: Allotment, bot: Bot, name: string | undefined): Hono<HostEnv> {
    const { access, report, count, guests } = this.#options
    const app = new Hono<HostEnv>()
    app.use(guard(access, report))
    app.all('*', async (c) => {
      if (allotment.state !== 'waiting')
        return refusedLink(c, 409, 'this port belongs to another client; ask get_ws_port for one', report)
      let opened = false
      allotment.state = 'taken'
      const response = await acceptClient(c, bot, {
        transport: 'allotment',
        events: true,
        calls: true,
        report,
        count,
        guests,
        access,
        name,
        opened: () => {
          opened = true
          clearTimeout(allotment.timer)
        },
        ended: () => void this.#end(allotment),
      })
      // Refused, and so still to be had. The 101 of an upgrade is not told by every runtime: the socket's opening is.
      if (!opened && response.status >= 400 && allotment.state === 'taken') allotment.state = 'waiting'
      return response
    })
    return app
  }

  async #listen(app: Hono<HostEnv>): Promise<Listener> {
    const { timeout: _, range, ...settings } = this.#options.settings()
    if (range === undefined)
      return this.#options.host.listen({ ...settings, port: 0, app }).catch((error) => {
        // Out of files or of ports.
        const why = error instanceof Error ? error.message : String(error)
        return refuse('no-port', `get_ws_port: no port to be had: ${why}`)
      })
    for (let port = range.start; port <= range.end; port++) {
      if (this.#taken.has(port)) continue
      this.#taken.add(port)
      try {
        return await this.#options.host.listen({ ...settings, port, app })
      } catch {
        // Another program has it, or we may not: the next one will do.
        this.#taken.delete(port)
      }
    }
    return refuse('no-port', `get_ws_port: no port free in web-socket.range-port ${range.start}-${range.end}`)
  }

  #expire(allotment: Allotment): void {
    if (allotment.listener === undefined) return
    // A handshake is being answered: it may yet be refused.
    if (allotment.state === 'taken') allotment.timer = setTimeout(() => this.#expire(allotment), HANDSHAKE)
    if (allotment.state !== 'waiting') return
    this.#options.report({ kind: 'allotment-expired', port: allotment.listener.port })
    void this.#end(allotment)
  }

  async #end(allotment: Allotment): Promise<void> {
    allotment.state = 'over'
    clearTimeout(allotment.timer)
    await allotment.listener?.[Symbol.asyncDispose]()
    // Only now is the port free for another.
    if (this.#allotments.delete(allotment) && allotment.listener) this.#taken.delete(allotment.listener.port)
  }
}

/** Before a port is given out whose client would be refused. */
function checkName(bot: Bot, name: string): void {
  const problem = nameProblem(name)
  if (problem !== undefined) refuse('bad-request', `client_name: ${problem}`)
  // Who may come back bears its name still; it has to prove itself at the port.
  if (bot.sessions.nameTaken(name) && bot.sessions.byName(name)?.returns === undefined)
    refuse('conflict', `client_name: another client is named "${name}"`)
}
