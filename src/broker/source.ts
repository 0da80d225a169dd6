// One implementation of a bot: whose its frames are, what they are, and which of them count.

import { accountOf } from '../onebot/account.ts'
import { readUpstream, type UpstreamFrame } from '../onebot/frame.ts'
import { type Fields, own } from '../onebot/object.ts'
import type { Seat, Upstream } from './ports.ts'
import { intervalOf, isOnline, type Pulse } from './pulse.ts'
import type { Report } from './status.ts'
import type { Slot, Upstreams } from './upstreams.ts'

/** What becomes of what an implementation says. */
export interface SourceOptions {
  readonly bot: string
  readonly slot: Slot
  readonly upstreams: Upstreams
  readonly pulse: Pulse
  readonly report: Report
  readonly selfId: () => string | undefined
  /** The account that it must have, where the configuration says so. */
  readonly wanted: () => string | undefined
  /** The bot has ended: nothing counts any more. */
  readonly ended: () => boolean
  /** Makes the account the bot's; false: another bot has it. */
  readonly claim: (selfId: string) => boolean
  /** Its link is another one, or none. `active`: it was the one that did the work. */
  readonly lost: (upstream: Upstream, active: boolean) => void
  /** This place is about to have this link. */
  readonly renewed: (side: number, upstream: Upstream) => void
  /** It is logged in to another account than the bot has been so far. */
  readonly changed: (from: string, to: string) => void
  /** It has told the account, which is the bot's from now on. */
  readonly told: (selfId: string) => void
  /** What it says of the account may be news. */
  readonly heartbeat: () => void
  readonly event: (source: Source, raw: string, event: Fields) => void
  /** A meta event of another kind, from the one that does the work. */
  readonly meta: (raw: string, event: Fields) => void
  readonly reply: (frame: Extract<UpstreamFrame, { kind: 'reply' }>, from: Upstream | undefined) => void
}

export class Source implements Seat {
  readonly #options: SourceOptions
  /** An account that this link has, and that cannot be the bot's. */
  #conflict: string | undefined
  #interval: number | undefined

  constructor(options: SourceOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.bot
  }
  get slot(): Slot {
    return this.#options.slot
  }
  get selfId(): string | undefined {
    return this.#options.selfId()
  }
  get online(): boolean {
    return this.slot.upstream !== undefined && this.slot.told
  }
  get heartbeat(): number | undefined {
    return this.#interval
  }
  /** Its frames are the bot's; others stand by. */
  get active(): boolean {
    return this.#options.upstreams.active === this.slot
  }

  connected(upstream: Upstream, peer: string): void {
    const { bot, upstreams, report, ended, lost, renewed } = this.#options
    if (ended()) return
    const before = this.slot.upstream
    const { active } = this
    this.#disconnected()
    if (before !== undefined) {
      upstreams.lost(this.slot, before)
      lost(before, active)
    }
    renewed(this.slot.side, upstream)
    upstreams.connected(this.slot, upstream, peer)
    report({ kind: 'upstream-connected', bot, peer })
  }

  lost(upstream: Upstream, code: number, reason: string): void {
    const { bot, upstreams, report, lost, heartbeat } = this.#options
    if (this.slot.upstream !== upstream) return
    const { active } = this
    this.#disconnected()
    report({ kind: 'upstream-lost', bot, code, reason })
    upstreams.lost(this.slot, upstream)
    lost(upstream, active)
    heartbeat()
  }

  received(raw: string): void {
    const { bot, report, ended, reply } = this.#options
    if (ended()) return
    const frame = readUpstream(raw)
    switch (frame.kind) {
      case 'event':
        return this.made(raw, frame.event)
      case 'meta':
        return this.#meta(raw, frame.event)
      case 'reply':
        return reply(frame, this.slot.upstream)
      case 'garbage':
        return report({ kind: 'upstream-garbage', bot, why: frame.why, text: raw })
      default:
        return frame satisfies never
    }
  }

  made(raw: string, event: Fields): void {
    if (this.#options.ended()) return
    if (this.online || this.#learn(raw, event)) this.#options.event(this, raw, event)
  }

  identify(selfId: string): boolean {
    const { ended, claim, wanted, changed, told, upstreams } = this.#options
    if (this.online && selfId === this.selfId) return true
    if (ended()) return false
    const named = wanted()
    if (named !== undefined && named !== selfId) return this.#conflicts(selfId, named)
    if (!claim(selfId)) return this.#conflicts(selfId)
    this.#conflict = undefined
    // First what belongs to another account ends: nothing of it may go to this one.
    if (this.selfId !== undefined && this.selfId !== selfId) changed(this.selfId, selfId)
    upstreams.told(this.slot, true)
    told(selfId)
    return true
  }

  #disconnected(): void {
    this.#conflict = undefined
    this.#interval = undefined
    if (this.active) this.#options.pulse.lost()
  }

  #conflicts(selfId: string, wanted?: string): false {
    const { bot, report, upstreams, heartbeat } = this.#options
    const wasOurs = this.online
    upstreams.told(this.slot, false)
    if (this.#conflict !== selfId)
      report({ kind: 'bot-conflict', bot, selfId, ...(wanted !== undefined && { wanted }) })
    this.#conflict = selfId
    if (wasOurs) heartbeat()
    return false
  }

  #meta(raw: string, event: Fields): void {
    const { pulse } = this.#options
    const type = own(event, 'meta_event_type')
    const before = pulse.lifecycle
    if (type === 'lifecycle' && this.active) pulse.lifecycle = raw
    // A link's account does not change without a new lifecycle; one that does not say is what it was.
    if ((type === 'lifecycle' || !this.online) && !this.#learn(raw, event)) {
      pulse.lifecycle = before
      return
    }
    if (type === 'heartbeat') this.#beat(raw, event)
    else if (type !== 'lifecycle' && this.active) this.#options.meta(raw, event)
  }

  #beat(raw: string, event: Fields): void {
    this.#interval = intervalOf(event)
    this.#options.upstreams.health(this.slot, isOnline(event) !== false)
    // What is new need not wait for the next beat.
    if (this.active && this.#options.pulse.heard(raw, event)) this.#options.heartbeat()
  }

  /** False: we do not know whose event this is, or another bot's upstream delivers it. */
  #learn(raw: string, event: Fields): boolean {
    const selfId = accountOf(raw, event)
    if (selfId !== undefined) return this.identify(selfId)
    const { bot, report } = this.#options
    if (!this.online && own(event, 'post_type') !== 'meta_event')
      report({ kind: 'upstream-garbage', bot, why: 'an event of an unknown account', text: raw })
    return this.online
  }
}
