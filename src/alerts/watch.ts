// Looks for what is wrong: with bots, clients, circuits, backlogs and the disk. Time is passed in, it owns no timer.

import type { Bot } from '../broker/bot.ts'
import { CLOSING } from '../broker/closing.ts'
import type { Session } from '../broker/session.ts'
import type { Status } from '../broker/status.ts'
import type { AlertsConfig } from '../config/schema.ts'
import type { Trouble } from './incident.ts'

export interface Watched {
  readonly bots: readonly Bot[]
  /** How the implementation fares that we run for this bot; undefined: we run none. */
  readonly embedded: (bot: Bot) => { readonly state: string } | undefined
  readonly policy: (bot: Bot) => { readonly breakers: Readonly<Record<string, { readonly state: string }>> } | undefined
  /** Bytes free for `data-dir`; undefined: nobody knows. */
  readonly free: number | undefined
}

export type WatchSettings = Omit<AlertsConfig, 'to' | 'on'>

/** A client that has a name is missed when it is gone; more than these are not remembered. */
const MOST_NAMES = 1_000
/** Who lost events and has been in step for so long (ms) is well again. */
const CALM = 60_000

interface Known {
  readonly bot: string
  readonly client: string
  goneAt: number | undefined
}

export class Watch {
  /** Since when each bot is offline (ms). */
  readonly #offline = new Map<Bot, number>()
  readonly #login = new Set<Bot>()
  readonly #names = new Map<string, Known>()
  readonly #open = new Set<string>()
  /** Who lost events: how many, and when last. */
  readonly #lost = new Map<string, { trouble: Trouble; at: number }>()
  #storage: string | undefined

  /** Facts that are over by the time somebody looks. @param now asked only by what needs it: facts are many. */
  heard(status: Status, now: () => number): void {
    switch (status.kind) {
      case 'session-behind':
        return this.#losing(status.bot, nameOf(status.session), status.missed, now())
      case 'pool-behind':
        return this.#losing(status.bot, `pool ${status.pool}`, status.missed, now())
      case 'session-closed':
        // Whoever did that knows it.
        if (status.code === CLOSING.kicked.code) this.#names.delete(`${status.bot} ${nameOf(status.session)}`)
        return
      case 'storage-failed':
        this.#storage = `${status.file}: ${status.why}`
        return
      case 'storage-back':
        this.#storage = undefined
        return
      default:
        return
    }
  }

  /** Everything that is wrong now. */
  look(watched: Watched, settings: WatchSettings, now: number): Trouble[] {
    const found: Trouble[] = []
    for (const bot of this.#offline.keys()) if (!watched.bots.includes(bot)) this.#offline.delete(bot)
    for (const bot of watched.bots) {
      found.push(...this.#ofBot(bot, watched, settings, now))
      found.push(...behind(bot, settings, now), ...broken(bot))
      this.#meet(bot)
    }
    found.push(...this.#missing(watched, settings, now))
    for (const [id, { trouble, at }] of this.#lost)
      if (now - at < CALM) found.push(trouble)
      else this.#lost.delete(id)
    found.push(...this.#disk(watched, settings))
    return found
  }

  *#ofBot(bot: Bot, { embedded, policy }: Watched, settings: WatchSettings, now: number): Generator<Trouble> {
    const id = idOf(bot)
    if (bot.online) this.#offline.delete(bot)
    const since = bot.online ? undefined : (this.#offline.get(bot) ?? now)
    if (since !== undefined) {
      this.#offline.set(bot, since)
      if (now - since >= settings['offline-after']) yield { id: `offline ${bot.name}`, kind: 'offline', bot: id }
    }
    const state = embedded(bot)?.state
    // Between two codes the program is started anew: that is no login.
    if (state === 'waiting-for-login') this.#login.add(bot)
    else if (state === 'running' || state === undefined) this.#login.delete(bot)
    if (this.#login.has(bot)) yield { id: `login ${bot.name}`, kind: 'login', bot: id }
    for (const { peer, active, failing } of bot.sources.upstreams)
      if (failing === 'calls' && !active)
        yield {
          id: `breaker ${bot.name} ${peer}`,
          kind: 'breaker',
          words: 'left',
          bot: id,
          detail: `${peer}: another one works · 已由另一个接替`,
        }
    for (const [kind, breaker] of Object.entries(policy(bot)?.breakers ?? {})) {
      const key = `breaker ${bot.name} ${kind}`
      // Half open it may fail again: it is over once calls work.
      if (breaker.state === 'open') this.#open.add(key)
      else if (breaker.state === 'closed') this.#open.delete(key)
      if (this.#open.has(key)) yield { id: key, kind: 'breaker', bot: id, detail: `"${kind}" actions · ${kind} 类动作` }
    }
  }

  /** Remembers who is here and has a name. */
  #meet(bot: Bot): void {
    for (const session of bot.sessions.all()) {
      const { name, flow } = session
      if (name === undefined || flow.state === 'away') continue
      const key = `${bot.name} ${name}`
      const known = this.#names.get(key)
      if (known !== undefined) known.goneAt = undefined
      else if (this.#names.size < MOST_NAMES) this.#names.set(key, { bot: bot.name, client: name, goneAt: undefined })
    }
  }

  *#missing({ bots }: Watched, settings: WatchSettings, now: number): Generator<Trouble> {
    for (const [key, known] of this.#names) {
      const bot = bots.find(({ name }) => name === known.bot)
      if (bot === undefined) this.#names.delete(key)
      const session = bot?.sessions.byName(known.client)
      if (bot === undefined || (session !== undefined && session.flow.state !== 'away')) continue
      known.goneAt ??= now
      if (now - known.goneAt >= settings['client-gone-after'])
        yield { id: `client-gone ${key}`, kind: 'client-gone', bot: idOf(bot), client: known.client }
    }
  }

  *#disk({ free }: Watched, settings: WatchSettings): Generator<Trouble> {
    const low = free !== undefined && free < settings['disk-below']
    const detail = this.#storage ?? (low ? `${Math.floor(free / 2 ** 20)} MiB free · 剩余` : undefined)
    if (detail !== undefined) yield { id: 'disk', kind: 'disk', detail }
  }

  #losing(bot: string, client: string, missed: number, now: number): void {
    const id = `lost ${bot} ${client}`
    if (!this.#lost.has(id) && this.#lost.size >= MOST_NAMES) return
    const detail = `${missed} events lost · 丢失 ${missed} 个事件`
    this.#lost.set(id, { trouble: { id, kind: 'behind', bot, client, detail }, at: now })
  }
}

/** Who is held back by the operator, or away, is meant to be behind. */
function* behind(bot: Bot, settings: WatchSettings, now: number): Generator<Trouble> {
  for (const session of bot.sessions.all()) {
    if (session.flow.state !== 'catching-up') continue
    const lag = bot.members.fanout.lag(session)
    if (lag === undefined || now - lag.since < settings['behind-after']) continue
    const detail = `${lag.events} events waiting · 积压 ${lag.events} 个事件`
    yield { id: `behind ${bot.name} ${session.appId}`, kind: 'behind', bot: idOf(bot), client: nameOf(session), detail }
  }
}

/** Whose deliveries keep failing, so that they are left alone for a while. */
function* broken(bot: Bot): Generator<Trouble> {
  for (const session of bot.sessions.all())
    if (session.link.circuit !== undefined && session.link.circuit.state !== 'closed')
      yield {
        id: `breaker ${bot.name} ${session.appId}`,
        kind: 'breaker',
        words: 'deliveries',
        bot: idOf(bot),
        client: nameOf(session),
      }
}

const idOf = ({ selfId, name }: Bot) => selfId ?? name
const nameOf = ({ name, appId }: Session) => name ?? appId
