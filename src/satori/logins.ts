// The bots as Satori's logins: who they are, how they fare, and who is to hear of it when that changes.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { type Fields, isObject, own } from '../onebot/object.ts'
import type { Calls } from './call.ts'
import { FEATURES } from './features.ts'
import { PLATFORM, said, userOf } from './qq.ts'
import type { Login, Owner, Status } from './wire.ts'

const OFFLINE = 0
const ONLINE = 1
const RECONNECT = 4

const ADAPTER = 'perpetua'
/** How long (ms) a client waits for the names of the accounts at most: they are good to have, no more. */
const PATIENCE = 1_000

interface Known {
  /** The account that has this name. */
  selfId?: string | undefined
  name?: string | undefined
  /** The implementation said that its account is not online, though it is there itself. */
  unwell: boolean
  /** Its name is being asked for. */
  asking?: Promise<void> | undefined
  /** What was last told. */
  status?: Status | undefined
}

export class Logins {
  readonly #bots: Bots
  readonly #calls: Calls
  readonly #known = new WeakMap<Bot, Known>()
  readonly #watchers = new Set<(bot: Bot) => void>()

  constructor(bots: Bots, calls: Calls) {
    this.#bots = bots
    this.#calls = calls
  }

  /** Those whose account is known, in the order of the configuration. */
  all(): Login[] {
    return this.#bots.all().flatMap((bot) => this.whole(bot) ?? [])
  }

  /** How it fares and all it can do; undefined: its account is not known yet. */
  whole(bot: Bot, selfId: string | undefined = bot.selfId): Login | undefined {
    const owner = this.owner(bot, selfId)
    return (
      owner && {
        ...owner,
        adapter: ADAPTER,
        self_id: owner.user.id,
        status: this.#statusOf(bot),
        features: FEATURES,
      }
    )
  }

  /** As each event has it. Clients refuse events of a login that is not online, also of one that was when it came. */
  owner(bot: Bot, selfId: string | undefined = bot.selfId): Owner | undefined {
    if (selfId === undefined) return undefined
    const { name, selfId: named } = this.#of(bot)
    return {
      sn: this.#bots.all().indexOf(bot) + 1,
      platform: PLATFORM,
      user: userOf(selfId, named === selfId ? name : undefined),
    }
  }

  /** Resolves once the accounts have names, or the time for that is over. */
  async named(): Promise<void> {
    const asked = this.#bots.all().map((bot) => this.#ask(bot))
    let timer: ReturnType<typeof setTimeout> | undefined
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE)
    })
    await Promise.race([Promise.all(asked), enough])
    clearTimeout(timer)
  }

  /** The account is called so. */
  name(bot: Bot, selfId: string, name: string): void {
    Object.assign(this.#of(bot), { selfId, name })
  }

  /** A heartbeat of the bot: it may say what nobody has been told yet. */
  heard(bot: Bot, heartbeat: Fields): void {
    if (own(heartbeat, 'meta_event_type') !== 'heartbeat') return
    const known = this.#of(bot)
    const status = own(heartbeat, 'status')
    known.unwell = bot.online && isObject(status) && own(status, 'online') === false
    const now = this.#statusOf(bot)
    if (known.status === now) return
    const began = known.status !== undefined
    known.status = now
    if (began) for (const watcher of [...this.#watchers]) watcher(bot)
  }

  /** From now on changes count: somebody has been told how it fares, or takes it to be well. */
  begin(bot: Bot): void {
    this.#of(bot).status ??= this.#statusOf(bot)
  }

  /** Calls `changed` whenever a bot fares otherwise than before; returns what ends that. */
  watch(changed: (bot: Bot) => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  #of(bot: Bot): Known {
    const known = this.#known.get(bot) ?? { unwell: false }
    this.#known.set(bot, known)
    return known
  }

  #statusOf(bot: Bot): Status {
    if (!bot.online) return RECONNECT
    return this.#of(bot).unwell ? OFFLINE : ONLINE
  }

  async #ask(bot: Bot): Promise<void> {
    const { selfId } = bot
    const known = this.#of(bot)
    this.begin(bot)
    if (selfId === undefined || known.selfId === selfId || !bot.online) return
    known.asking ??= this.#calls.quiet(bot, 'get_login_info').then((answer) => {
      known.asking = undefined
      const name = said(answer, 'nickname')
      if (name !== undefined) this.name(bot, selfId, name)
    })
    await known.asking
  }
}
