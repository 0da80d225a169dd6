// Stands in for what surrounds the broker: links, their listener, an implementation; nothing here does any IO.

import { Bot } from '../../src/broker/bot.ts'
import type { BotOptions } from '../../src/broker/bot-options.ts'
import type { Bots } from '../../src/broker/bots.ts'
import type { Caller } from '../../src/broker/caller.ts'
import type { Closing } from '../../src/broker/closing.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import {
  type CallSettings,
  type Channel,
  type Claim,
  type Link,
  OPEN_TERMS,
  type Terms,
  type Transport,
  type Upstream,
} from '../../src/broker/ports.ts'
import { Room } from '../../src/broker/room.ts'
import type { Session } from '../../src/broker/session.ts'
import type { Status } from '../../src/broker/status.ts'
import { noTraffic } from '../../src/broker/traffic.ts'

export const SELF = '10001'
export const KIB = 1024
export const MIB = 1024 * KIB

/** A listener's topics. What is published is with the subscribers at once. */
export class FakeChannel implements Channel {
  readonly #topics = new Map<string, Set<FakeLink>>()
  published = 0
  /** Makes every publish fail, as beyond the runtime's last limit. */
  broken = false

  publish(topic: string, text: string): number {
    this.published += 1
    const links = this.#topics.get(topic)
    if (links === undefined || this.broken) return 0
    let verdict = 0
    for (const link of links) {
      if (!link.open) continue
      link.take(text)
      verdict = verdict === -1 || link.buffered > 0 ? -1 : text.length
    }
    return verdict
  }

  subscribe(topic: string, link: FakeLink): void {
    const links = this.#topics.get(topic) ?? new Set()
    this.#topics.set(topic, links.add(link))
  }
  unsubscribe(topic: string, link: FakeLink): void {
    const links = this.#topics.get(topic)
    links?.delete(link)
    if (links?.size === 0) this.#topics.delete(topic)
  }
  get topics(): number {
    return this.#topics.size
  }
}

interface LinkWish {
  readonly channel?: FakeChannel | undefined
  readonly transport?: Transport | undefined
  readonly whenBehind?: 'close' | 'skip' | undefined
  /** The peer reads nothing until `drain`: everything stays buffered. */
  readonly stuck?: boolean | undefined
}

/** A client's link, which remembers every frame it was given. */
export class FakeLink implements Link {
  readonly transport: Transport
  readonly peer = '127.0.0.1'
  readonly whenBehind: 'close' | 'skip'
  readonly channel: FakeChannel | undefined
  readonly got: string[] = []
  readonly pings: string[] = []
  closed: Closing | undefined
  open = true
  buffered = 0
  stuck: boolean

  constructor({ channel, transport = 'forward', whenBehind = 'close', stuck = false }: LinkWish = {}) {
    this.channel = channel
    this.transport = transport
    this.whenBehind = whenBehind
    this.stuck = stuck
  }

  take(text: string): void {
    this.got.push(text)
    if (this.stuck) this.buffered += text.length
  }
  send(text: string): boolean {
    if (!this.open) return false
    this.take(text)
    return true
  }
  close(closing: Closing): void {
    this.closed ??= closing
    this.open = false
  }
  ping(data: string): void {
    this.pings.push(data)
  }
  subscribe(topic: string): void {
    this.channel?.subscribe(topic, this)
  }
  unsubscribe(topic: string): void {
    this.channel?.unsubscribe(topic, this)
  }

  /** What it was given, read as JSON. */
  get frames(): Record<string, unknown>[] {
    return this.got.map((text) => JSON.parse(text))
  }
  /** The replies among it. */
  get replies(): Record<string, unknown>[] {
    return this.frames.filter((frame) => !('post_type' in frame))
  }
  /** The events among it, without meta events. */
  get events(): Record<string, unknown>[] {
    return this.frames.filter(({ post_type }) => post_type !== undefined && post_type !== 'meta_event')
  }
  /** Those events that did not come from the implementation. */
  get notices(): Record<string, unknown>[] {
    return this.events.filter(({ notice_type }) => notice_type === 'client_status')
  }
  get heartbeats(): Record<string, unknown>[] {
    return this.frames.filter(({ meta_event_type }) => meta_event_type === 'heartbeat')
  }
}

/** The implementation's side: keeps what it was sent, answers when told to. */
export class FakeUpstream implements Upstream {
  readonly sent: string[] = []
  readonly redials: string[] = []
  readonly forgotten: string[] = []
  /** Actions that it takes and does not begin with. */
  readonly leaves = new Set<string>()
  open = true

  send(text: string): boolean {
    if (!this.open) return false
    this.sent.push(text)
    return true
  }
  redial(reason: string): void {
    this.redials.push(reason)
  }
  forget(token: string): void {
    this.forgotten.push(token)
  }
  release(token: string): string | undefined {
    const at = this.actions.findIndex(({ action, echo }) => echo === token && this.leaves.has(action))
    return this.sent[at]
  }

  get actions(): { action: string; echo: string; params?: unknown }[] {
    return this.sent.map((text) => JSON.parse(text))
  }
}

/** What a program that makes calls gets back. */
export class FakeCaller implements Caller {
  readonly session: Session | undefined
  /** Who it is among those that wait; undefined: as all those that are not named. */
  readonly key: string | undefined
  terms: Terms | undefined
  readonly open = { calls: 0, bytes: 0 }
  readonly got: string[] = []
  left = false
  readonly gone = () => this.left

  constructor(who?: Session | string) {
    this.session = typeof who === 'string' ? undefined : who
    this.key = typeof who === 'string' ? who : undefined
  }
  reply(text: string): void {
    this.got.push(text)
  }
  get replies(): Record<string, unknown>[] {
    return this.got.map((text) => JSON.parse(text))
  }
}

export const SETTINGS: CallSettings = { timeout: 60_000, timeouts: {}, rateLimitedInterval: 500 }

interface BotWish
  extends Partial<Pick<BotOptions, 'room' | 'own' | 'policy' | 'durable' | 'slots' | 'kept' | 'pools' | 'terms'>> {
  readonly settings?: Partial<CallSettings>
  readonly maxBytes?: number
  readonly maxAge?: number
  /** Among which it claims its account. Default: it has no others beside it. */
  readonly bots?: Bots
}

/** A bot whose clock is the test's, and all that it reported. Disposing stops it. */
export class BotBed implements Disposable {
  /** Milliseconds since 1970. */
  now = 1_763_870_400_000
  readonly facts: Status[] = []
  readonly channel = new FakeChannel()
  readonly room: Room
  readonly bot: Bot

  constructor(wish: BotWish = {}) {
    const { settings = {}, maxBytes = 64 * MIB, maxAge = 1_800_000 } = wish
    this.room = wish.room ?? new Room(({ link }) => link.close({ code: 4008, text: 'stuck', retry: true }))
    this.bot = new Bot({
      name: 'first',
      journal: () => new MemoryJournal({ maxBytes, maxAge }),
      room: this.room,
      own: wish.own ?? (() => undefined),
      settings: () => ({ ...SETTINGS, ...settings }),
      report: (fact) => this.facts.push(fact),
      claim: (selfId) => wish.bots?.claim(selfId, this.bot) ?? true,
      policy: wish.policy,
      durable: wish.durable,
      slots: wish.slots,
      kept: wish.kept,
      pools: wish.pools,
      terms: wish.terms,
      now: () => this.now,
    })
  }

  /** An implementation that has said whose it is. */
  online(selfId = SELF): FakeUpstream {
    const upstream = this.connect()
    this.bot.received(lifecycleOf(selfId))
    return upstream
  }
  /** An implementation that has said nothing yet. */
  connect(): FakeUpstream {
    const upstream = new FakeUpstream()
    this.bot.connected(upstream, 'ws://127.0.0.1:5700')
    return upstream
  }
  /** A client on the listener, or by itself with `channel: undefined`. */
  join(wish: LinkWish & { events?: boolean; calls?: boolean; terms?: Partial<Terms> } & Claim = {}): {
    session: Session
    link: FakeLink
    caller: Caller
  } {
    const { name, entry, resume, events = true, calls = true, terms, ...link } = wish
    const fake = new FakeLink({ channel: this.channel, ...link })
    const claim = { name, entry, resume }
    const governing = { ...OPEN_TERMS, ...(resume && { resume }), ...terms }
    const session = this.bot.join(fake, { events, calls, claim, terms: governing })
    return { session, link: fake, caller: this.bot.callerOf(session) }
  }
  of<K extends Status['kind']>(kind: K): Extract<Status, { kind: K }>[] {
    return this.facts.filter((fact): fact is Extract<Status, { kind: K }> => fact.kind === kind)
  }

  [Symbol.dispose](): void {
    this.bot.stop()
    this.room.stop()
  }
}

export const lifecycleOf = (selfId: string): string =>
  `{"time":1,"self_id":${selfId},"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"enable","vendor":"x"}`

export const heartbeatOf = (interval: number, online = true, selfId = SELF): string =>
  `{"time":1,"self_id":${selfId},"post_type":"meta_event","meta_event_type":"heartbeat","status":{"online":${online},"good":true,"load":3},"interval":${interval}}`

/** The nth event, of at least `size` characters. */
export const eventOf = (n: number, size = 0, selfId = SELF): string =>
  `{"time":1,"self_id":${selfId},"post_type":"message","n":${n},"pad":"${'x'.repeat(size)}"}`

/** A session that belongs to no bot. */
export const sessionOf = (link: Link = new FakeLink(), appId: string = crypto.randomUUID()): Session => ({
  appId,
  claim: {},
  name: undefined,
  link,
  terms: OPEN_TERMS,
  view: undefined,
  returns: undefined,
  events: true,
  calls: true,
  since: 0,
  flow: { state: 'waiting' },
  open: { calls: 0, bytes: 0 },
  repliesUnread: 0,
  paused: false,
  traffic: noTraffic(),
})

/** What an implementation answers to an action it was sent. */
export const answerTo = (sent: string, more = ''): string => {
  const { echo }: { echo: unknown } = JSON.parse(sent)
  return `{"status":"ok","retcode":0,"data":{"a":1}${more},"echo":${JSON.stringify(echo)}}`
}

/** Waits for a fact. A fact that never comes fails the test by its time-out. */
export async function until(fact: () => boolean): Promise<void> {
  while (!fact()) await new Promise((resolve) => setTimeout(resolve, 1))
}
