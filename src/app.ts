// Puts the organs together: a config in, a running gateway out. The only file that knows two organs at once.

import { readFileSync } from 'node:fs'
import { type Context, Hono } from 'hono'
import { onlineClients } from './actions/clients.ts'
import { ownActions } from './actions/table.ts'
import { Bot } from './broker/bot.ts'
import { Bots } from './broker/bots.ts'
import { CLOSING } from './broker/closing.ts'
import { MemoryJournal } from './broker/journal.ts'
import type { CallSettings } from './broker/ports.ts'
import { Room } from './broker/room.ts'
import type { Session } from './broker/session.ts'
import type { Report } from './broker/status.ts'
import { changes } from './config/diff.ts'
import { type Implementation, implementations } from './config/implementations.ts'
import { clientToken } from './config/rules.ts'
import type { Config, PostConfig, ReverseConfig } from './config/schema.ts'
import { type AllotmentSettings, Allotments } from './downstream/allotment.ts'
import { type Access, admit, guard } from './downstream/auth.ts'
import { LinkCount } from './downstream/client.ts'
import { discovery } from './downstream/discovery.ts'
import { forward } from './downstream/forward.ts'
import { httpApi } from './downstream/http-api.ts'
import { postTarget } from './downstream/post.ts'
import { refusal, refusedLink } from './downstream/refusal.ts'
import { reverseLink } from './downstream/reverse.ts'
import type { Patience } from './lib/backoff.ts'
import { openFileLimit } from './lib/process.ts'
import { type AdminToken, adminToken } from './observe/admin-token.ts'
import { counts } from './observe/counts.ts'
import type { Log } from './observe/log.ts'
import { overview } from './observe/overview.ts'
import { page } from './observe/page.ts'
import { statusLog } from './observe/status-log.ts'
import { host as currentHost } from './runtime/current.ts'
import type { Host, HostEnv, Listener } from './runtime/host.ts'
import { AcceptedUpstream, acceptUpstreams } from './upstream/accept.ts'
import { dialUpstream } from './upstream/dial.ts'

export interface GatewayOptions {
  readonly config: Config
  /** Where the gateway keeps what is its own; absent: nothing is written. */
  readonly dataDir?: string | undefined
  readonly log: Log
  /** For the log and for whoever asks. */
  readonly version?: string | undefined
  readonly host?: Host | undefined
  /** Is told every fact that is logged, for tests and for whoever counts. */
  readonly report?: Report | undefined
  /** How patiently links are dialled again; tests cannot wait for minutes. */
  readonly patience?: Patience | undefined
}

export interface Gateway extends AsyncDisposable {
  /** Where clients connect: `http://127.0.0.1:8080`. */
  readonly address: string
  readonly bots: Bots
  /** Opens what shows and steers. */
  readonly admin: AdminToken
  /** Makes the running gateway what the config says; links that it does not concern stay open. */
  apply(config: Config): Promise<void>
  /** Orderly: stops accepting, answers open calls, closes links with 1001. */
  stop(): Promise<void>
}

interface Organ {
  stop(): unknown
}

/** Links in all, and files left for everything else: out of files, nobody could be dialled or told any more. */
const MOST_LINKS = 30_000
const OTHER_FILES = 200
/** How long the implementation may take at the end to answer what was asked of it, and links to close (ms). */
const SETTLE = 3_000
const GOODBYE = 2_000

/** Rejects with the system's error when the port cannot be had; nothing is left running then. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new RunningGateway(options)
  try {
    await gateway.start()
  } catch (error) {
    await gateway.stop()
    throw error
  }
  return gateway
}

class RunningGateway implements Gateway {
  readonly bots = new Bots()
  readonly #options: GatewayOptions
  readonly #since = Date.now()
  readonly #host: Host
  readonly #report: Report
  readonly #counts = counts()
  #config: Config
  #listener: Listener | undefined
  /** Listeners of earlier addresses, kept for the links they still hold. */
  readonly #retired: Listener[] = []
  readonly #room = new Room((session) => this.#giveUp(session))
  readonly #count = new LinkCount(mostLinks())
  readonly #allotments: Allotments
  readonly #upstreams = new Map<Implementation, { bot: Bot; organ: Organ }>()
  readonly #reverse = new Map<ReverseConfig, Organ>()
  readonly #posts = new Map<PostConfig, Organ>()
  readonly #app: Hono<HostEnv>
  #admin: AdminToken
  #stopping: Promise<void> | undefined

  constructor(options: GatewayOptions) {
    const { config, dataDir, log, host = currentHost, report } = options
    const logged = statusLog(log)
    this.#options = options
    this.#admin = adminToken(config.admin.token, dataDir)
    this.#host = host
    this.#config = config
    this.#report = (status) => {
      logged(status)
      this.#counts.report(status)
      report?.(status)
      // Afterwards: who dials or joins because of it must find the bot ready.
      if (status.kind === 'bot-identified') queueMicrotask(() => this.bots.changed())
    }
    this.#allotments = new Allotments({
      host,
      bots: this.bots,
      settings: () => allotmentSettings(this.#config),
      access: () => access(this.#config),
      report: this.#report,
      count: this.#count,
    })
    this.#app = this.#routes()
  }

  get address(): string {
    if (this.#listener === undefined) return ''
    const { host, port } = this.#listener
    const scheme = this.#config.http.tls.cert === '' ? 'http' : 'https'
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  get admin(): AdminToken {
    return this.#admin
  }

  async start(): Promise<void> {
    this.#listener = await this.#listen(this.#config)
    for (const entry of implementations(this.#config)) this.#addUpstream(entry)
    for (const entry of this.#config['reverse-web-socket']) this.#addReverse(entry)
    for (const entry of this.#config['http-post']) this.#addPost(entry)
  }

  async apply(config: Config): Promise<void> {
    const changed = changes(this.#config, config)
    // First what can fail: an address that cannot be had leaves everything as it is.
    if (changed.http) await this.#move(config)
    this.#config = config
    if (changed.admin) this.#admin = adminToken(config.admin.token, this.#options.dataDir)
    await this.#drop(this.#reverse, changed.reverse.kept)
    await this.#drop(this.#posts, changed.post.kept)
    for (const entry of [...this.#upstreams.keys()])
      if (!changed.upstreams.kept.some((kept) => sameEntry(kept, entry))) await this.#removeUpstream(entry)
    for (const entry of changed.upstreams.added) this.#addUpstream(entry)
    for (const entry of changed.reverse.added) this.#addReverse(entry)
    for (const entry of changed.post.added) this.#addPost(entry)
    if (changed.journal) for (const bot of this.bots.all()) bot.limit(journalLimits(config))
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    const listeners = [this.#listener, ...this.#retired].filter((one) => one !== undefined)
    for (const listener of listeners) void listener.stop()
    for (const bot of this.bots.all()) bot.windDown()
    await within(SETTLE, () => this.bots.all().every(({ online, waiting }) => !online || waiting.replies === 0))
    for (const bot of this.bots.all()) bot.stop()
    this.#room.stop()
    const organs = [...this.#reverse.values(), ...this.#posts.values()]
    for (const { organ } of this.#upstreams.values()) organs.push(organ)
    await Promise.all(organs.map((organ) => organ.stop()))
    // Links have been asked to close; what their peers do not answer in time is cut.
    await within(GOODBYE, () => this.#count.now === 0)
    await this.#allotments.stop()
    await Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]()))
  }

  #listen({ http, 'web-socket': links }: Config): Promise<Listener> {
    const { host, port } = http
    return this.#host.listen({ host, port, app: this.#app, maxFrame: links['max-frame'], tls: tlsOf(http.tls) })
  }

  /** The new address first, then the old one stops accepting; its links live on. */
  async #move(config: Config): Promise<void> {
    const old = this.#listener
    const sameAddress =
      old !== undefined && config.http.port === this.#config.http.port && config.http.host === this.#config.http.host
    if (sameAddress) await old.stop()
    try {
      this.#listener = await this.#listen(config)
    } catch (error) {
      if (sameAddress) this.#listener = await this.#listen(this.#config)
      throw error
    } finally {
      if (old !== undefined && old !== this.#listener) this.#retired.push(old)
    }
    if (!sameAddress) await old?.stop()
  }

  #routes(): Hono<HostEnv> {
    const { bots } = this
    const report = this.#report
    const count = this.#count
    const guarded = () => access(this.#config)
    const lease = (bot: Bot, wish: { name?: string | undefined; peer: string }) => this.#allotments.lease(bot, wish)
    // With a slash at the end or without: both are in use.
    const app = new Hono<HostEnv>({ strict: false })
    // Before the discovery calls, which let in more people.
    const admin = () => ({ ...guarded(), token: this.#admin.token, openDiscovery: false })
    app.get('/api/status', guard(admin, report), (c) => c.json(this.#overview()))
    app.route('/', discovery({ bots, access: guarded, report, lease, clients: onlineClients }))
    const places = () =>
      [...this.#upstreams.values()].map(({ organ }) => organ).filter((organ) => organ instanceof AcceptedUpstream)
    const admitted = (c: Context<HostEnv>, token: string) =>
      admit(c, { ...guarded(), ...(token === '' ? {} : { token }) }, report)
    app.get('/onebot/v11/implementation', acceptUpstreams(places, admitted, report))
    app.route('/', forward({ bots, access: guarded, report, count, page: () => page(bots) }))
    app.use('/onebot/v11/*', guard(guarded, report))
    app.route('/onebot/v11', httpApi({ bots, report }))
    app.notFound((c) => refusal(c, 404, `there is nothing at ${c.req.path}`))
    app.onError((error, c) => {
      this.#options.log.error('unexpected error', { path: c.req.path, error, stack: error.stack })
      return refusedLink(c, 500, 'internal error; the log of perpetua says more', report)
    })
    return app
  }

  /** It holds room that others need: given back now, not when its socket has ended. */
  #giveUp(session: Session): void {
    const { code, text } = CLOSING.behind
    session.link.close(CLOSING.behind)
    for (const bot of this.bots.all()) bot.leave(session, code, text)
  }

  #overview() {
    return overview({
      bots: this.bots,
      version: this.#options.version ?? '',
      since: this.#since,
      links: () => this.#count.now,
      allotments: () => this.#allotments.size,
      facts: this.#counts.facts,
    })
  }

  #addUpstream(entry: Implementation): void {
    const { bots } = this
    const report = this.#report
    const bot = new Bot({
      name: entry.name || entry.url || entry['self-id'] || entry.kind,
      journal: () => new MemoryJournal(journalLimits(this.#config)),
      room: this.#room,
      own: (self) => ownActions(self, { report, allot: (of, wish) => this.#allotments.lease(of, wish) }),
      settings: () => callSettings(this.#config),
      report,
      free: (selfId, self) => bots.free(selfId, self),
    })
    bots.add(bot)
    this.#upstreams.set(entry, { bot, organ: this.#upstreamOrgan(entry, bot) })
  }

  #upstreamOrgan(entry: Implementation, bot: Bot): Organ {
    const report = this.#report
    const accessToken = entry['access-token']
    if (entry.kind === 'reverse') return new AcceptedUpstream({ bot, selfId: entry['self-id'], accessToken, report })
    return dialUpstream({
      bot,
      url: entry.url,
      accessToken,
      tls: { ca: fileText(entry.ca), insecure: entry.insecure },
      maxFrame: this.#config['web-socket']['max-frame'],
      host: this.#host,
      report,
      patience: this.#options.patience,
    })
  }

  async #removeUpstream(entry: Implementation): Promise<void> {
    const upstream = this.#upstreams.get(entry)
    if (upstream === undefined) return
    this.#upstreams.delete(entry)
    this.bots.remove(upstream.bot)
    upstream.bot.stop(CLOSING.removed)
    await upstream.organ.stop()
  }

  #addReverse(entry: ReverseConfig): void {
    const reverse = reverseLink({
      entry,
      tls: { ca: fileText(entry.ca), insecure: entry.insecure },
      bots: this.bots,
      host: this.#host,
      report: this.#report,
      maxFrame: this.#config['web-socket']['max-frame'],
      patience: this.#options.patience,
    })
    this.#reverse.set(entry, reverse)
  }

  #addPost(entry: PostConfig): void {
    this.#posts.set(entry, postTarget({ entry, bots: this.bots, report: this.#report }))
  }

  /** All at once: peers that do not answer the closing handshake cost the same time however many they are. */
  async #drop<T>(running: Map<T, Organ>, kept: readonly T[]): Promise<void> {
    const gone = [...running].filter(([entry]) => !kept.some((one) => sameEntry(one, entry)))
    for (const [entry] of gone) running.delete(entry)
    await Promise.all(gone.map(([, organ]) => organ.stop()))
  }
}

/** Resolves as soon as it is so, or after so many milliseconds. */
async function within(milliseconds: number, isSo: () => boolean): Promise<void> {
  const end = performance.now() + milliseconds
  while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
}

const mostLinks = () => Math.max(1, Math.min(MOST_LINKS, (openFileLimit() ?? Infinity) - OTHER_FILES))

/** Configs are parsed anew: entries are the same when they say the same. */
const sameEntry = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

const access = (config: Config): Access => ({
  token: clientToken(config),
  openDiscovery: config.http['open-discovery'],
  hosts: config.http['allowed-hosts'],
  origins: config.http['allowed-origins'],
})

const callSettings = ({ actions }: Config): CallSettings => ({
  timeout: actions.timeout,
  timeouts: actions.timeouts,
  rateLimitedInterval: actions['rate-limited-interval'],
})

const journalLimits = (config: Config) => ({
  maxBytes: config.journal['max-bytes'],
  maxAge: config['msg-expire-time'],
})

function allotmentSettings({ http, 'web-socket': links }: Config): AllotmentSettings {
  const { enabled, start, end } = links['range-port']
  const range = enabled ? { start, end } : undefined
  return { host: http.host, maxFrame: links['max-frame'], tls: tlsOf(http.tls), timeout: links.timeout, range }
}

const tlsOf = ({ cert, key }: Config['http']['tls']) =>
  cert === '' ? undefined : { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }

const fileText = (file: string) => (file === '' ? undefined : readFileSync(file, 'utf8'))
