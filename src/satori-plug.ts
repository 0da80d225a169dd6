// Plugs the Satori server to the config and to the judgement of who may come in; without `satori.enabled` none of it is loaded.

import type { Context, MiddlewareHandler } from 'hono'
import type { Bots } from './broker/bots.ts'
import { CLOSING } from './broker/closing.ts'
import type { Guests } from './broker/ports.ts'
import type { Report } from './broker/status.ts'
import type { Config } from './config/schema.ts'
import { type Access, admit, tokenShown } from './downstream/auth.ts'
import type { LinkCount } from './downstream/client.ts'
import type { BreakerSettings } from './lib/breaker.ts'
import { sameSecret } from './lib/secret.ts'
import type { HostEnv } from './runtime/host.ts'
import type { SatoriServer } from './satori/server.ts'

export interface SatoriPlugOptions {
  readonly bots: Bots
  readonly guests: Guests
  readonly count: LinkCount
  readonly report: Report
  /** Asked anew for each request. */
  readonly config: () => Config
  /** When a web hook that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
  readonly access: () => Access
}

export class SatoriPlug {
  readonly #options: SatoriPlugOptions
  #server: SatoriServer | undefined
  #stopped = false

  constructor(options: SatoriPlugOptions) {
    this.#options = options
  }

  /** Answers what lies below the path of the config; to be asked after everything else. */
  readonly handle: MiddlewareHandler<HostEnv> = async (c, next) => {
    const base = `${this.#options.config().satori.path.replace(/\/+$/, '')}/v1/`
    if (this.#server === undefined || !c.req.path.startsWith(base)) return next()
    return this.#server.handle(c, c.req.path.slice(base.length).replace(/\/+$/, ''))
  }

  /** Makes it what the config says now. */
  async apply(): Promise<void> {
    const { enabled, webhooks } = this.#options.config().satori
    if (!enabled || this.#stopped) {
      const server = this.#server
      this.#server = undefined
      return server?.stop(CLOSING.removed)
    }
    this.#server ??= await this.#load()
    await this.#server.configure(webhooks)
  }

  /** Nobody stays whose token does not count any more. */
  review(): void {
    this.#server?.review()
  }

  /** Its web hooks post no more. */
  async windDown(): Promise<void> {
    await this.#server?.windDown()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#server?.stop()
  }

  /** Only who enables it pays for it. */
  async #load(): Promise<SatoriServer> {
    const { SatoriServer } = await import('./satori/server.ts')
    const { bots, guests, count, report, breaker } = this.#options
    return new SatoriServer({
      ...{ bots, guests, count, report, breaker },
      admit: (c) => admit(c, this.#access(), report),
      admitLater: (c) => this.#admitLater(c),
      shown: tokenShown,
      opens: (token) => this.#opens(token),
    })
  }

  /** Its own token in place of that of all clients; tokens of single clients open every door. */
  #access(): Access {
    const access = this.#options.access()
    return { ...access, token: this.#options.config().satori.token || access.token }
  }

  /** Most clients keep their token for IDENTIFY. Until then nothing is told, so that the name we are called by is no matter. */
  #admitLater(c: Context<HostEnv>): Response | undefined {
    const access = this.#access()
    if (access.token === '' || tokenShown(c) !== undefined) return admit(c, access, this.#options.report)
    const called = (c.req.header('host') ?? '').replace(/:\d*$/, '')
    return admit(c, { ...access, token: '', hosts: [called] }, this.#options.report)
  }

  #opens(token: string | undefined): boolean {
    const access = this.#access()
    if (access.token === '') return true
    return token !== undefined && (sameSecret(token, access.token) || access.isClients?.(token) === true)
  }
}
