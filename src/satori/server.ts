// The Satori server: what is to be had below its path, for which bot, and in whose name.

import type { Context } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING, type Closing } from '../broker/closing.ts'
import type { Guests } from '../broker/ports.ts'
import { nameProblem } from '../broker/registry.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { BreakerSettings } from '../lib/breaker.ts'
import { isObject, own } from '../onebot/object.ts'
import type { HostEnv } from '../runtime/host.ts'
import { answer, bodyText, jsonAnswer, refuse, refuseMethod } from './answer.ts'
import { type Asker, Calls, SatoriError } from './call.ts'
import { Connection } from './connection.ts'
import { parseExact } from './exact.ts'
import { METHODS } from './features.ts'
import type { HookEntry } from './hook.ts'
import { Hooks } from './hooks.ts'
import { Internal } from './internal.ts'
import { Lags } from './lag.ts'
import { Logins } from './logins.ts'
import { HANDLERS } from './methods.ts'
import { formParts } from './multipart.ts'
import { PLATFORM, said } from './qq.ts'
import { MethodRequest } from './request.ts'
import { readableWithin, Uploads } from './uploads.ts'

export interface SatoriOptions {
  readonly bots: Bots
  readonly guests: Guests
  readonly report: Report
  /** All links of the gateway. */
  readonly count: { now: number; readonly most: number }
  /** The refusal for whoever may not come in; undefined: come in. */
  readonly admit: (c: Context<HostEnv>) => Response | undefined
  /** The same for a handshake, which may leave its token for IDENTIFY. */
  readonly admitLater: (c: Context<HostEnv>) => Response | undefined
  /** The token that a request shows, if any. */
  readonly shown: (c: Context<HostEnv>) => string | undefined
  /** Whether this token, or none, opens the door. */
  readonly opens: (token: string | undefined) => boolean
  /** When a web hook that keeps failing is left alone; asked anew each time. */
  readonly breaker: () => BreakerSettings
  /** Milliseconds until IDENTIFY must have come. Default: 10 s. */
  readonly patience?: number | undefined
}

const PATIENCE = 10_000
/** Connections of one address that have not said who they are and need no token for that; behind one may be a whole proxy. */
const MOST_UNKNOWN = 256

export class SatoriServer {
  readonly #options: SatoriOptions
  readonly #calls = new Calls()
  readonly #uploads = new Uploads()
  readonly #lags = new Lags()
  readonly #logins: Logins
  readonly #hooks: Hooks
  readonly #internal: Internal
  readonly #connections = new Set<Connection>()
  readonly #unknown = new Map<string, number>()

  constructor(options: SatoriOptions) {
    this.#options = options
    this.#logins = new Logins(options.bots, this.#calls)
    this.#hooks = new Hooks({ ...options, logins: this.#logins })
    this.#internal = new Internal(options.bots, this.#calls, this.#uploads)
  }

  configure(hooks: readonly HookEntry[]): Promise<void> {
    return this.#hooks.configure(hooks)
  }

  /** Nobody stays whose token does not count any more. */
  review(): void {
    for (const connection of [...this.#connections]) connection.review()
  }

  /** Web hooks are posted nothing more. */
  windDown(): Promise<void> {
    return this.#hooks.windDown()
  }

  /** Closes what is open. */
  async stop(closing: Closing = CLOSING.shutdown): Promise<void> {
    for (const connection of [...this.#connections]) connection.end(closing)
    this.#uploads.clear()
    await this.#hooks.stop()
  }

  /** Answers a request. @param path below `/v1/`, as it was sent. */
  async handle(c: Context<HostEnv>, path: string): Promise<Response> {
    try {
      if (path === 'events') return await this.#events(c)
      const refused = this.#options.admit(c)
      if (refused !== undefined) return refused
      if (path.startsWith('proxy/')) return this.#internal.proxy(c.req.method, decoded(path.slice('proxy/'.length)))
      c.env.keepOpen()
      if (path.startsWith('internal/')) return await this.#inside(c, decoded(path.slice('internal/'.length)))
      if (c.req.method !== 'POST') return refuseMethod(c.req.method)
      if (path === 'meta' || path.startsWith('meta/')) return answer(await this.#meta(c, path.slice('meta'.length + 1)))
      const found = await this.#method(c, path)
      return found instanceof Response ? found : answer(found)
    } catch (error) {
      if (!(error instanceof SatoriError)) throw error
      return refuse(error.status, error.message, error.retryAfter)
    }
  }

  async #events(c: Context<HostEnv>): Promise<Response> {
    const { admitLater, count, report } = this.#options
    const refused = admitLater(c)
    if (refused !== undefined) return refused
    const { peer } = c.env
    const name = nameIn(c)
    const not = (status: number, why: string) => {
      report({ kind: 'link-refused', peer, path: c.req.path, status, why })
      return refuse(status, why)
    }
    const problem = name === undefined ? undefined : nameProblem(name)
    if (problem !== undefined) return not(400, `client_name: ${problem}`)
    if (count.now >= count.most) return not(503, `${count.now} links are open, which is the most this gateway holds`)
    if ((this.#unknown.get(peer) ?? 0) >= MOST_UNKNOWN)
      return not(503, `${MOST_UNKNOWN} connections from ${peer} have not sent IDENTIFY yet`)
    return (
      (await c.env.upgrade(c, this.#connection(c, name))) ??
      not(426, 'this path speaks WebSocket; connect to it with a Satori client')
    )
  }

  #connection(c: Context<HostEnv>, name: string | undefined): Connection {
    const { bots, guests, report, count, shown, opens, patience = PATIENCE } = this.#options
    const { peer, listener } = c.env
    const waiting = (by: 1 | -1) => {
      const now = (this.#unknown.get(peer) ?? 0) + by
      if (now > 0) this.#unknown.set(peer, now)
      else this.#unknown.delete(peer)
    }
    const connection = new Connection({
      ...{ bots, guests, report, opens, patience, peer, name },
      logins: this.#logins,
      lags: this.#lags,
      channel: listener,
      path: c.req.path,
      shown: shown(c),
      opened: () => {
        count.now += 1
        waiting(1)
        this.#connections.add(connection)
      },
      settled: () => waiting(-1),
      ended: () => {
        count.now -= 1
        this.#connections.delete(connection)
      },
    })
    return connection
  }

  async #method(c: Context<HostEnv>, name: string): Promise<unknown> {
    const method = Object.hasOwn(METHODS, name) ? METHODS[name as keyof typeof METHODS] : undefined // the cast: as just asked
    if (method === undefined) throw new SatoriError(404, `there is no method ${name}`)
    if (method.state === 'lacking') throw new SatoriError(404, `${name}: there is no such thing on QQ: ${method.by}`)
    if (method.state === 'undone') throw new SatoriError(501, `${name}: not implemented: ${method.by}`)
    const bot = this.#bot(c)
    const asker = this.#asker(c, bot)
    if (name === 'upload.create') return this.#upload(c, bot)
    const params = await paramsIn(c)
    const context = {
      calls: this.#calls,
      asker,
      self: () => this.#logins.owner(bot)?.user,
      source: readableWithin(this.#uploads),
      note: (note: string) => this.#options.report({ kind: 'content-note', bot: bot.name, note }),
    }
    // Forwarded messages name who says what.
    if (name === 'message.create' && String(own(params, 'content')).includes('<message')) await this.#logins.named()
    const request = new MethodRequest(bot, params, context)
    return name === 'login.get' ? this.#login(request) : HANDLERS.get(name)?.(request)
  }

  /** What the account is called is asked anew. */
  async #login(request: MethodRequest): Promise<unknown> {
    const { bot } = request
    if (bot.online) {
      const name = said(await request.ask('get_login_info'), 'nickname')
      if (name !== undefined && bot.selfId !== undefined) this.#logins.name(bot, bot.selfId, name)
    }
    const login = this.#logins.whole(bot)
    if (login === undefined) throw new SatoriError(503, 'the account is not known yet; try again later')
    return login
  }

  /** Links to the files, by the names of their fields, in their order: some clients go by that alone. */
  async #upload(c: Context<HostEnv>, bot: Bot): Promise<Response> {
    const body = await c.req.arrayBuffer().catch(() => undefined)
    const parts = body && formParts(c.req.header('content-type') ?? '', new Uint8Array(body))
    if (parts === undefined)
      throw new SatoriError(400, 'body: found no form that can be read, want multipart/form-data')
    const links = new Map<string, string>()
    for (const { name, filename, type, bytes } of parts) {
      const upload = { bytes, type: type || 'text/plain', name: filename }
      links.set(freeKey(name, links), this.#uploads.keep(bot.selfId ?? '0', upload))
    }
    if (links.size === 0) throw new SatoriError(400, 'body: found no file, want one or several')
    // Not as an object of ours: that would put numbers first.
    const pairs = Array.from(links, (pair) => pair.map((text) => JSON.stringify(text)).join(':'))
    return jsonAnswer(`{${pairs.join(',')}}`)
  }

  async #meta(c: Context<HostEnv>, what: string): Promise<unknown> {
    const params = await paramsIn(c)
    if (what === '') {
      await this.#logins.named()
      return { logins: this.#logins.all(), proxy_urls: [] }
    }
    // A web hook gets all that anybody gets, and a client of its own may be allowed less.
    if (what.startsWith('webhook.') && this.#owner(c) !== undefined)
      throw new SatoriError(
        403,
        `meta/${what}: with the token of one client no web hooks are asked for; use satori.webhooks`,
      )
    if (what === 'webhook.create') return void (await this.#hooks.create(own(params, 'url'), own(params, 'token')))
    if (what === 'webhook.delete') return void (await this.#hooks.delete(own(params, 'url')))
    throw new SatoriError(404, `there is no method meta/${what}`)
  }

  #inside(c: Context<HostEnv>, path: string): Promise<Response> {
    const bot = () => this.#bot(c)
    return this.#internal.handle(c, path, {
      bot,
      asker: (of) => this.#asker(c, of),
    })
  }

  /** The bot that the headers name; without a name, the first. */
  #bot(c: Context<HostEnv>): Bot {
    const platform = c.req.header('satori-platform') ?? c.req.header('x-platform')
    const id = c.req.header('satori-user-id') ?? c.req.header('x-self-id')
    const bot = platform === undefined || platform === PLATFORM ? this.#options.bots.choose(id) : undefined
    if (bot !== undefined) return bot
    const known = this.#logins.all().map((login) => `${login.platform} ${login.user.id}`)
    throw new SatoriError(403, `no login ${platform ?? PLATFORM} ${id} here; known: ${known.join(', ') || 'none'}`)
  }

  /** In whose name it is: a token of one client's own says that, and a name alone does not make anybody that client. */
  #asker(c: Context<HostEnv>, bot: Bot): Asker {
    const mine = this.#owner(c)
    const named = nameIn(c)
    const terms =
      mine === undefined || named === undefined || named === mine.name
        ? this.#options.guests.terms({ entry: mine?.entry, name: mine?.name ?? named })
        : undefined
    if (terms === undefined)
      throw new SatoriError(
        403,
        mine === undefined
          ? `client_name: "${named}" is a client with a token of its own; call with that token`
          : `client_name: this token is that of "${mine.name}"; leave the name out, or use its own token`,
      )
    const gone = () => c.req.raw.signal.aborted
    return { peer: c.env.peer, session: this.#session(c, bot, mine), terms, gone }
  }

  /** The client of the configuration that the shown token is of. */
  #owner(c: Context<HostEnv>): Owner | undefined {
    const shown = this.#options.shown(c)
    return shown === undefined ? undefined : this.#options.guests.byToken(shown)
  }

  /** The connection of who asks: the one it names, or the only one from its address. */
  #session(c: Context<HostEnv>, bot: Bot, mine: Owner | undefined): Session | undefined {
    const name = mine?.name ?? nameIn(c)
    const sessions = [...this.#connections].flatMap((connection) =>
      connection.entry === mine?.entry && (name !== undefined || connection.peer === c.env.peer)
        ? (connection.session(bot) ?? [])
        : [],
    )
    const found = name === undefined ? sessions : sessions.filter((session) => session.name === name)
    return found.length === 1 ? found[0] : undefined
  }
}

type Owner = NonNullable<ReturnType<Guests['byToken']>>

const nameIn = (c: Context<HostEnv>) => c.req.query('client_name') || c.req.header('x-client-name') || undefined

/** Some clients send nothing where nothing is asked, and call that whatever they like. */
async function paramsIn(c: Context<HostEnv>): Promise<Record<string, unknown>> {
  const text = await bodyText(c)
  const params = text === '' ? {} : parseExact(text ?? '')
  if (!isObject(params)) throw new SatoriError(400, 'body: found something else, want a JSON object')
  return params
}

function freeKey(field: string, taken: ReadonlyMap<string, unknown>): string {
  let key = field
  for (let n = 1; taken.has(key); n++) key = `${field}.${n}`
  return key
}

/** A percent sign that begins no escape stands for itself. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
