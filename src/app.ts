// Puts the organs together: a config in, a running gateway out. With embed.ts the only file that knows two organs at once.

import { isDeepStrictEqual } from 'node:util'
import type { Hono } from 'hono'
import { Accounts } from './accounts.ts'
import type { ConfigFile } from './admin/config.ts'
import type { Bot } from './broker/bot.ts'
import { Bots } from './broker/bots.ts'
import { CLOSING } from './broker/closing.ts'
import { type Guests, OPEN_TERMS } from './broker/ports.ts'
import { Presence } from './broker/presence.ts'
import { Room } from './broker/room.ts'
import { isOnline, type Session } from './broker/session.ts'
import type { Report, Status } from './broker/status.ts'
import { turnOut } from './broker/steering.ts'
import { changes } from './config/diff.ts'
import { type Files, readFiles } from './config/files.ts'
import type { Config, PostConfig, ReverseConfig } from './config/schema.ts'
import { access, allotmentSettings, breakerSettings, journalLimits, mainAddress } from './config/settings.ts'
import { Allotments } from './downstream/allotment.ts'
import { LinkCount } from './downstream/client.ts'
import { Listening } from './downstream/listening.ts'
import { type PostTarget, postTarget } from './downstream/post.ts'
import { type ReverseLink, reverseLink } from './downstream/reverse.ts'
import type { Version } from './embedded/versions.ts'
import { guestsOf } from './governance/guests.ts'
import type { Patience } from './lib/backoff.ts'
import { keyed } from './lib/keyed.ts'
import { openFileLimit } from './lib/process.ts'
import { type AdminToken, adminToken } from './observe/admin-token.ts'
import { counts } from './observe/counts.ts'
import type { Log } from './observe/log.ts'
import type { Recent } from './observe/recent.ts'
import { statusLog } from './observe/status-log.ts'
import { Operator } from './operator.ts'
import { routes } from './routes.ts'
import { host as currentHost } from './runtime/current.ts'
import type { Host, HostEnv } from './runtime/host.ts'
import { SatoriPlug } from './satori-plug.ts'

export interface GatewayOptions {
  readonly config: Config
  /** Where the gateway keeps what is its own; absent: nothing is written. */
  readonly dataDir?: string | undefined
  /** The folder of the config file, where an implementation of our own lives. Default: where we are. */
  readonly home?: string | undefined
  /** Is told of a version of that implementation which we have just installed. */
  readonly installed?: ((version: Version) => void) | undefined
  readonly log: Log
  /** For the log and for whoever asks. */
  readonly version?: string | undefined
  readonly host?: Host | undefined
  /** Is told every fact that is logged, for tests and for whoever counts. */
  readonly report?: Report | undefined
  /** The file behind the config, for who looks at it from elsewhere, and the lines of the log. */
  readonly file?: ConfigFile | undefined
  readonly recent?: Recent | undefined
  /** Where the simulated bot of the sandbox is steered: `http://127.0.0.1:5700/simulator`. */
  readonly simulator?: string | undefined
  /** How patiently links are dialled again; tests cannot wait for minutes. */
  readonly patience?: Patience | undefined
}

export interface Gateway extends AsyncDisposable {
  /** Where clients connect: `http://127.0.0.1:8080`. */
  readonly address: string
  readonly bots: Bots
  /** Opens what shows and steers. */
  readonly admin: AdminToken
  /**
   * Makes the running gateway what the config says; links that it does not concern stay open. Rejects with the system's
   * error when an address cannot be had or a file not be used: then everything is as it was. Calls wait for each other.
   */
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

/** The facts after which who is there, or how they fare, looks different. */
const PRESENCE: ReadonlySet<Status['kind']> = new Set([
  ...(['session-opened', 'session-closed', 'session-away', 'session-expired', 'session-named'] as const),
  ...(['session-slow', 'session-in-step', 'upstream-connected', 'upstream-lost', 'bot-identified'] as const),
  ...([
    'upstream-failing',
    'upstream-works',
    'upstream-active',
    'calls-failing',
    'calls-work',
    'circuit-opened',
    'circuit-closed',
    'session-paused',
    'session-unpaused',
  ] as const),
])

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
  readonly #host: Host
  readonly #report: Report
  readonly #counts = counts()
  readonly #operator: Operator
  readonly #presence = new Presence()
  /** Asked anew each time: it changes with the configuration. */
  readonly #guests: Guests = {
    byToken: (shown) => this.#named.byToken(shown),
    terms: (claim) => this.#named.terms(claim),
  }
  readonly #breaker = () => breakerSettings(this.#config)
  #named: Guests
  #config: Config
  /** What is in the files that the config names. */
  #files: Files
  readonly #listening: Listening
  readonly #room = new Room((session) => this.#giveUp(session))
  readonly #count = new LinkCount(mostLinks())
  readonly #allotments: Allotments
  readonly #satori: SatoriPlug
  readonly #accounts: Accounts
  /** By what the configuration calls them. */
  readonly #reverse = new Map<string, ReverseLink>()
  readonly #posts = new Map<string, PostTarget>()
  #admin: AdminToken
  /** The last change asked for. */
  #applied: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor(options: GatewayOptions) {
    const { config, dataDir, log, host = currentHost, report } = options
    const logged = statusLog(log)
    this.#options = options
    this.#admin = adminToken(config.admin.token, dataDir)
    this.#host = host
    this.#config = config
    this.#named = guestsOf(config)
    this.#files = readFiles(config)
    this.#report = (status) => {
      logged(status)
      this.#counts.report(status)
      this.#operator.report(status)
      report?.(status)
      if (PRESENCE.has(status.kind)) this.#presence.changed()
      // Afterwards: who dials or joins because of it must find the bot ready.
      if (status.kind === 'bot-identified') queueMicrotask(() => this.bots.changed())
      if (status.kind === 'upstream-connected') this.#accounts.embeddedOf(status.bot)?.connected()
    }
    const shared = { access: () => this.#access(), report: this.#report, count: this.#count, guests: this.#guests }
    this.#allotments = new Allotments({
      host,
      settings: () => allotmentSettings(this.#config, this.#files),
      ...shared,
    })
    this.#satori = new SatoriPlug({ ...shared, bots: this.bots, config: () => this.#config, breaker: this.#breaker })
    this.#accounts = new Accounts({
      bots: this.bots,
      config: () => this.#config,
      guests: this.#guests,
      room: this.#room,
      host,
      report: this.#report,
      allot: (of, wish) => this.#allotments.lease(of, wish),
      tlsFor: (entry) => this.#tlsFor(entry),
      dataDir,
      home: options.home ?? '.',
      installed: options.installed ?? (() => undefined),
      patience: options.patience,
    })
    this.#operator = this.#newOperator()
    this.#listening = new Listening(host, this.#routes())
  }

  get address(): string {
    return this.#listening.url
  }

  get admin(): AdminToken {
    return this.#admin
  }

  async start(): Promise<void> {
    await this.#listening.move(mainAddress(this.#config, this.#files))
    const { 'reverse-web-socket': reverse, 'http-post': posts } = this.#config
    await this.#accounts.change()
    for (const [key, entry] of keyed('reverse-web-socket', reverse)) this.#addReverse(key, entry)
    for (const [key, entry] of keyed('http-post', posts)) this.#addPost(key, entry)
    await this.#satori.apply()
  }

  apply(config: Config): Promise<void> {
    this.#applied = this.#applied.catch(() => undefined).then(() => this.#apply(config))
    return this.#applied
  }

  async #apply(config: Config): Promise<void> {
    if (this.#stopping !== undefined) return
    const changed = changes(this.#config, config)
    // First what can fail: it leaves everything as it is.
    const files = readFiles(config)
    // Certificates are renewed in place, under the same names.
    const renewed = !isDeepStrictEqual(files.tls, this.#files.tls)
    if (changed.http || renewed || !this.#listening.open) await this.#listening.move(mainAddress(config, files))
    this.#config = config
    this.#named = guestsOf(config)
    this.#files = files
    if (changed.admin) this.#admin = adminToken(config.admin.token, this.#options.dataDir)
    if (changed.admin) this.#operator.renewed()
    if (changed.access || changed.terms || changed.admin) this.#review()
    // A client is dialled anew only once its old link is gone; and all at once, since each may take its time.
    await Promise.all([stopAll(this.#reverse, changed.reverse.removed), stopAll(this.#posts, changed.post.removed)])
    await this.#accounts.change()
    if (changed.calls || changed.actions || changed.terms) this.#accounts.limit()
    for (const [key, entry] of changed.reverse.added) this.#addReverse(key, entry)
    for (const [key, entry] of changed.post.added) this.#addPost(key, entry)
    await this.#satori.apply()
    if (changed.journal) for (const bot of this.bots.all()) bot.limit(journalLimits(config))
    if (changed.terms) for (const bot of this.bots.all()) this.#resettle(bot)
  }

  /** Nobody stays, or waits for an answer, whose token does not count any more. */
  #review(): void {
    for (const bot of this.bots.all())
      for (const session of [...bot.members.all()])
        if (isOnline(session) && session.link.welcome?.() === false) turnOut(bot, session, CLOSING.tokenGone)
    this.#satori.review()
    this.#presence.changed()
  }

  /** Everybody under the terms of now. */
  #resettle(bot: Bot): void {
    bot.configurePools()
    for (const session of [...bot.members.all()]) {
      const terms = this.#guests.terms({ ...session.claim, name: session.name })
      if (terms !== undefined) bot.settle(session, terms)
      else if (!isOnline(session)) bot.forget(session)
      // We went to it: it is about to end, or was asked for and is no entry.
      else if (session.link.circuit !== undefined)
        bot.settle(session, this.#guests.terms({ resume: session.claim.resume }) ?? OPEN_TERMS)
      // Its name has a token now that it did not show. It may not come back under it.
      else bot.replace(session, CLOSING.nameOwned)
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    // A change under way is seen through: what it adds must be stopped, too.
    await this.#applied.catch(() => undefined)
    this.#listening.stop()
    const operator = this.#operator.stop()
    for (const bot of this.bots.all()) bot.windDown()
    this.#accounts.windDown()
    await within(SETTLE, () => this.bots.all().every(({ online, waiting }) => !online || waiting.replies === 0))
    // What arrives now need not come again in the next run.
    await Promise.all([...this.#posts.values(), this.#satori].map((organ) => organ.windDown()))
    for (const bot of this.bots.all()) bot.stop()
    this.#room.stop()
    const organs = [...this.#reverse.values(), ...this.#posts.values(), this.#accounts, this.#satori]
    // Links have been asked to close; what their peers do not answer in time is cut. Meanwhile, since it all takes time.
    await Promise.all([operator, ...organs.map((organ) => organ.stop()), within(GOODBYE, () => this.#count.now === 0)])
    await this.#allotments.stop()
    await this.#listening[Symbol.asyncDispose]()
  }

  #routes(): Hono<HostEnv> {
    return routes({
      bots: this.bots,
      guests: this.#guests,
      presence: this.#presence,
      count: this.#count,
      report: this.#report,
      log: this.#options.log,
      access: () => this.#access(),
      adminToken: () => this.#admin.token,
      lease: (bot, wish) => this.#allotments.lease(bot, wish),
      places: () => this.#accounts.places(),
      hooks: () => this.#accounts.hooks(),
      embedded: () => this.#accounts.embedded(),
      operator: this.#operator,
      satori: this.#satori.handle,
    })
  }

  /** It holds room that others need: given back now, not when its socket has ended. */
  #giveUp(session: Session): void {
    const { code, text } = CLOSING.behind
    session.link.close(CLOSING.behind)
    for (const bot of this.bots.all()) bot.leave(session, code, text)
  }

  #newOperator(): Operator {
    const { version = '', file, recent, dataDir, patience, simulator } = this.#options
    return new Operator({
      bots: this.bots,
      guests: this.#guests,
      report: this.#report,
      config: () => this.#config,
      file,
      recent,
      dataDir,
      patience,
      // Who is patient enough for tests does not want to wait here, either.
      lookEvery: patience && 100,
      version,
      simulator,
      links: () => this.#count.now,
      allotments: () => this.#allotments.size,
      embedded: (bot) => this.#accounts.embedded(bot)?.status(),
      policy: (bot) => this.#accounts.policyOf(bot),
      counted: () => ({ facts: this.#counts.facts, presence: this.#presence }),
      storage: (bot) => this.#accounts.storageOf(bot),
      reverse: () => Array.from(this.#reverse.values(), ({ status }) => status),
    })
  }

  #access() {
    const { token, ...configured } = access(this.#config)
    return {
      ...configured,
      token: token || (this.#accounts.embedded()?.clientToken ?? ''),
      isClients: (shown: string) => this.#guests.byToken(shown) !== undefined,
    }
  }

  #tlsFor({ ca, insecure }: { ca: string; insecure: boolean }) {
    return { ca: this.#files.authorities.get(ca), insecure }
  }

  #addReverse(key: string, entry: ReverseConfig): void {
    const reverse = reverseLink({
      entry,
      key,
      guests: this.#guests,
      tls: this.#tlsFor(entry),
      bots: this.bots,
      host: this.#host,
      report: this.#report,
      maxFrame: () => this.#config['web-socket']['max-frame'],
      breaker: this.#breaker,
      patience: this.#options.patience,
    })
    this.#reverse.set(key, reverse)
  }

  #addPost(key: string, entry: PostConfig): void {
    const shared = { guests: this.#guests, bots: this.bots, report: this.#report, breaker: this.#breaker }
    this.#posts.set(key, postTarget({ entry, key, ...shared }))
  }
}

/** They are no longer there then. */
async function stopAll(running: Map<string, Pick<Organ, 'stop'>>, keys: readonly string[]): Promise<void> {
  const organs = keys.map((key) => running.get(key))
  for (const key of keys) running.delete(key)
  await Promise.all(organs.map((organ) => organ?.stop()))
}

/** Resolves as soon as it is so, or after so many milliseconds. */
async function within(milliseconds: number, isSo: () => boolean): Promise<void> {
  const end = performance.now() + milliseconds
  while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
}

const mostLinks = () => Math.max(1, Math.min(MOST_LINKS, (openFileLimit() ?? Infinity) - OTHER_FILES))
