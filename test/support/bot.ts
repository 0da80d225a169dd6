// A bot of the broker without sockets: its implementation is an object that records frames and answers as a test says.

import { ownActions } from '../../src/actions/table.ts'
import { Bot } from '../../src/broker/bot.ts'
import { Bots } from '../../src/broker/bots.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import { type CallSettings, type Link, STRANGERS, type Upstream } from '../../src/broker/ports.ts'
import { Room } from '../../src/broker/room.ts'
import type { Status } from '../../src/broker/status.ts'
import { Inbox } from '../contract/witness.ts'
import type { Action } from './implementation.ts'

/** Collects facts, and waits for them. */
export class Facts {
  readonly all: Status[] = []
  #news = Promise.withResolvers<void>()
  readonly report = (fact: Status): void => {
    this.all.push(fact)
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }
  of<K extends Status['kind']>(kind: K): Extract<Status, { kind: K }>[] {
    return this.all.filter((fact): fact is Extract<Status, { kind: K }> => fact.kind === kind)
  }
  /** Resolves once there are so many facts of this kind. */
  async until<K extends Status['kind']>(kind: K, count = 1): Promise<Extract<Status, { kind: K }>[]> {
    while (this.of(kind).length < count) await this.#news.promise
    return this.of(kind)
  }
}

export interface BotParts {
  bots?: Bots
  facts?: Facts
  selfId?: string
  journal?: { maxBytes: number; maxAge: number }
  room?: Room
  settings?: Partial<CallSettings>
  /** Answers an action; undefined: silence. Default: silence. */
  answer?: (frame: Action, raw: string) => string | undefined
}

export interface Bench extends Disposable {
  readonly bot: Bot
  readonly bots: Bots
  readonly facts: Facts
  readonly room: Room
  /** Frames the implementation got, in order. */
  readonly sent: Inbox<string>
  /** Answers an action the implementation got. */
  answer: BotParts['answer']
  /** The implementation says this. */
  says(raw: string): void
  readonly upstream: Upstream
}

/** A bot that is online, among `bots`. */
export function bench(parts: BotParts = {}): Bench {
  const { selfId = '10001', journal = { maxBytes: 64 * 1024 * 1024, maxAge: 1_800_000 }, settings } = parts
  const bots = parts.bots ?? new Bots()
  const facts = parts.facts ?? new Facts()
  const room = parts.room ?? new Room(() => undefined)
  const sent = new Inbox<string>()
  const bot: Bot = new Bot({
    name: `bot ${selfId}`,
    journal: () => new MemoryJournal(journal),
    room,
    own: (action) => own(action),
    settings: () => ({ timeout: 60_000, timeouts: {}, rateLimitedInterval: 1, ...settings }),
    report: facts.report,
    claim: (id) => bots.claim(id, bot),
  })
  const own = ownActions(bot, { report: facts.report, guests: STRANGERS, allot: async () => 0 })
  const upstream: Upstream = {
    send(raw) {
      sent.push(raw)
      const reply = it.answer?.(JSON.parse(raw), raw)
      // Never inside `send`: no implementation answers before it was asked.
      if (reply !== undefined) queueMicrotask(() => bot.received(reply))
      return true
    },
    redial: () => undefined,
  }
  const it: Bench = {
    bot,
    bots,
    facts,
    room,
    sent,
    upstream,
    answer: parts.answer,
    says: (raw) => bot.received(raw),
    [Symbol.dispose]() {
      bot.stop()
      room.stop()
    },
  }
  bots.set([...bots.all(), bot])
  bot.connected(upstream, 'test')
  bot.identify(selfId)
  return it
}

/** A link that takes everything at once. */
export function eagerLink(heard: string[]): Link {
  return {
    transport: 'forward',
    peer: 'test',
    buffered: 0,
    open: true,
    whenBehind: 'close',
    send: (text) => heard.push(text) > 0,
    close: () => undefined,
    subscribe: () => undefined,
    unsubscribe: () => undefined,
  }
}
