// The bots of the configuration, and the implementations that feed each of them.

import { ownActions } from './actions/table.ts'
import { Bot } from './broker/bot.ts'
import type { Bots } from './broker/bots.ts'
import { CLOSING } from './broker/closing.ts'
import { MemoryJournal } from './broker/journal.ts'
import type { Guests, Seat } from './broker/ports.ts'
import type { Room } from './broker/room.ts'
import type { Report } from './broker/status.ts'
import { type Account, accounts, type Implementation } from './config/implementations.ts'
import type { Config } from './config/schema.ts'
import { callSettings, journalLimits, policySettings } from './config/settings.ts'
import { embed } from './embed.ts'
import { Embedded } from './embedded/embedded.ts'
import type { Version } from './embedded/versions.ts'
import { Policy, type PolicySnapshot } from './governance/policy.ts'
import { poolPlans } from './governance/pools.ts'
import { type Patience, scatter } from './lib/backoff.ts'
import { steady } from './lib/clock.ts'
import type { Hook } from './milky/hooks.ts'
import { MilkyUpstream, milkyUpstream } from './milky/milky.ts'
import type { Host } from './runtime/host.ts'
import { messageNumbers } from './storage/message-numbers.ts'
import type { Storage } from './storage/storage.ts'
import type { Trouble } from './storage/trouble.ts'
import { AcceptedUpstream } from './upstream/accept.ts'
import { dialUpstream } from './upstream/dial.ts'

export interface AccountsOptions {
  readonly bots: Bots
  readonly config: () => Config
  readonly guests: Guests
  readonly room: Room
  readonly host: Host
  readonly report: Report
  /** Leases a listener for one client. @throws ActionError */
  readonly allot: (bot: Bot, wish: { name?: string | undefined; peer: string }) => Promise<number>
  readonly tlsFor: (entry: Implementation) => { ca?: string | undefined; insecure: boolean }
  /** Where files are kept; absent: nothing is written. */
  readonly dataDir: string | undefined
  /** The folder of the config file, where an implementation of our own lives. */
  readonly home: string
  readonly installed: (version: Version) => void
  readonly patience: Patience | undefined
}

interface Organ {
  stop(): unknown
}

interface Running {
  readonly bot: Bot
  readonly policy: Policy
  readonly storage: Storage | undefined
  readonly organs: Map<string, Organ>
}

export class Accounts {
  readonly #options: AccountsOptions
  #running = new Map<string, Running>()

  constructor(options: AccountsOptions) {
    this.#options = options
  }

  /** The implementation that we run ourselves, for this bot or for any: there is one at most. */
  embedded(bot?: Bot): Embedded | undefined {
    for (const running of this.#running.values())
      if (bot === undefined || running.bot === bot)
        for (const organ of running.organs.values()) if (organ instanceof Embedded) return organ
    return undefined
  }

  /** The one that a bot of this name has. */
  embeddedOf(name: string): Embedded | undefined {
    const found = [...this.#running.values()].find(({ bot }) => bot.name === name)
    return found && this.embedded(found.bot)
  }

  /** Where implementations may dial in. */
  places(): AcceptedUpstream[] {
    return this.#organs().filter((organ) => organ instanceof AcceptedUpstream)
  }

  /** Where implementations that speak Milky may post their events. */
  hooks(): Hook[] {
    return this.#organs().flatMap((organ) => (organ instanceof MilkyUpstream ? (organ.hook ?? []) : []))
  }

  /** What limits the calls of a bot, and which circuits are open. */
  policyOf(bot: Bot): PolicySnapshot | undefined {
    return this.#of(bot)?.policy.snapshot(steady(), bot.side)
  }

  /** What of a bot is kept on disk, and what is wrong with that; undefined: nothing is kept. */
  storageOf(bot: Bot): { readonly file: string; readonly trouble: Trouble | null } | undefined {
    const storage = this.#of(bot)?.storage
    return storage && { file: storage.file, trouble: storage.trouble ?? null }
  }

  /**
   * Makes the bots what the configuration says. Bots first, then their links: an account is free once its bot of before
   * has gone. A bot whose implementations change goes on with its clients.
   */
  async change(): Promise<void> {
    const wanted = new Map(accounts(this.#options.config()).map((account) => [keyOf(account), account]))
    const before = this.#running
    const gone = [...before].filter(([key]) => !wanted.has(key)).map(([, running]) => running)
    const { journal } = this.#options.config()
    const opened = journal.persist && this.#options.dataDir ? await import('./storage/storage.ts') : undefined
    // What a bot has on disk may be that of another one now: of an entry with the same name or address.
    for (const { bot, storage } of gone) {
      bot.stop(CLOSING.removed)
      storage?.[Symbol.dispose]()
    }
    this.#running = new Map(
      [...wanted].map(([key, account]) => [key, before.get(key) ?? this.#begin(account, opened?.openStorage)]),
    )
    this.#options.bots.set(Array.from(this.#running.values(), ({ bot }) => bot))
    await Promise.all(gone.map((running) => end(running)))
    // Many are not dialled in one moment; those of one account are, since the first that is there does the work.
    const after = () => (wanted.size > 1 ? scatter(this.#options.patience) : 0)
    for (const [key, account] of wanted) await this.#feed(account, this.#running.get(key), after())
  }

  /** What limits calls is as configured now. */
  limit(): void {
    for (const { bot, policy } of this.#running.values()) {
      policy.configure(policySettings(this.#options.config()))
      bot.reconsider()
    }
  }

  windDown(): void {
    this.embedded()?.windDown()
  }

  /** Ends what feeds the bots, which have been stopped. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => end(running)))
  }

  #of(bot: Bot): Running | undefined {
    return [...this.#running.values()].find((running) => running.bot === bot)
  }

  #organs(): Organ[] {
    return [...this.#running.values()].flatMap(({ organs }) => [...organs.values()])
  }

  #begin(account: Account, openStorage: ((options: StorageWish) => Storage) | undefined): Running {
    const { config, report, bots, room, guests, allot, dataDir } = this.#options
    const [entry] = account.entries
    const name = entry.name || entry.url || account.selfId || entry.kind
    const policy = new Policy(policySettings(config()), Math.random, (turn) => {
      // Of several another one takes over: that is told of the one that is left.
      if (bot.sources.upstreams.length > 1) return
      const about = { bot: name, class: turn.kind }
      if (!turn.open) return report({ kind: 'calls-work', ...about })
      const { why, failures, inMs } = turn
      report({ kind: 'calls-failing', ...about, why, failures, inMs })
    })
    const storage = openStorage?.({
      folder: dataDir ?? '.',
      name: fileOf(account),
      limits: () => journalLimits(config()),
      report,
      now: steady,
      found: () => bot.foundDurable(),
    })
    const limits = () => journalLimits(config())
    const bot: Bot = new Bot({
      name,
      journal: () => storage?.journal() ?? new MemoryJournal(limits()),
      slots: slotsOf(account),
      account: sharedBy(account),
      room,
      own: (action) => own(action),
      settings: perConfig(config, callSettings),
      report,
      awayFor: () => config()['msg-expire-time'],
      patience: this.#options.patience,
      terms: (claim) => guests.terms(claim),
      pools: () => poolPlans(config()),
      policy,
      durable: storage?.durable,
      kept: storage,
      claim: (selfId) => bots.claim(selfId, bot),
      ...(entry.kind === 'embedded' && { restart: async () => this.embedded(bot)?.restart() }),
    })
    const own = ownActions(bot, { report, guests, allot })
    return { bot, policy, storage, organs: new Map() }
  }

  async #feed(account: Account, running: Running | undefined, after: number): Promise<void> {
    if (running === undefined) return
    const { bot, organs } = running
    const wanted = new Map(account.entries.map((entry) => [slotKey(entry), entry]))
    const gone = [...organs].filter(([key]) => !wanted.has(key))
    for (const [key] of gone) organs.delete(key)
    await Promise.all(gone.map(([, organ]) => organ.stop()))
    bot.arrange(slotsOf(account), sharedBy(account))
    for (const [key, entry] of wanted) if (!organs.has(key)) organs.set(key, this.#organ(entry, bot.seat(key), after))
  }

  #organ(entry: Implementation, bot: Seat, after: number): Organ {
    const { config, report, host, tlsFor, patience, home, dataDir, installed } = this.#options
    const accessToken = entry['access-token']
    if (entry.kind === 'reverse') return new AcceptedUpstream({ bot, selfId: entry['self-id'], accessToken, report })
    const dial = {
      bot,
      url: entry.url,
      accessToken,
      tls: tlsFor(entry),
      maxFrame: () => config()['web-socket']['max-frame'],
      host,
      report,
      patience,
    }
    if (entry.kind === 'forward') return dialUpstream({ ...dial, after })
    const name = entry.name || entry.url || entry.kind
    const store = () =>
      dataDir === undefined ? undefined : messageNumbers({ folder: dataDir, name, bot: bot.name, report })
    if (entry.kind === 'milky')
      return milkyUpstream({ ...dial, after, seat: bot, events: entry.events, store: store() })
    return embed({ dial, store, config, home, dataDir, installed })
  }
}

type StorageWish = Parameters<typeof import('./storage/storage.ts').openStorage>[0]

async function end({ organs, storage }: Running): Promise<void> {
  await Promise.all([...organs.values()].map((organ) => organ.stop()))
  storage?.[Symbol.dispose]()
}

/** A bot that has an account by configuration is known by it, whatever feeds it; others are what their entry says. */
function keyOf({ selfId, entries: [entry] }: Account): string {
  // Which account it logs in to is read when it is started anew.
  if (entry.kind === 'embedded') return 'embedded'
  return selfId === '' ? slotKey(entry) : `account ${selfId}`
}

/** Under which name its file is found again. Of bots with neither account nor name nor address there is one of each kind. */
const fileOf = ({ selfId, entries: [entry] }: Account) => selfId || entry.name || entry.url || entry.kind

/** Entries are parsed anew: they are the same when they say the same of the link. */
const slotKey = ({ spread: _spread, ...link }: Implementation): string => JSON.stringify(link)

/** The account that all of several implementations must have; a single one may have any. */
const sharedBy = ({ selfId, entries }: Account) => (entries.length > 1 ? selfId : undefined)

const slotsOf = ({ entries }: Account) => entries.map((entry) => ({ key: slotKey(entry), spread: entry.spread }))

/** Made once for each config: each call asks for it. */
function perConfig<T>(config: () => Config, make: (config: Config) => T): () => T {
  let of: Config | undefined
  let made: T | undefined
  return () => {
    const now = config()
    if (made === undefined || of !== now) made = make(now)
    of = now
    return made
  }
}
