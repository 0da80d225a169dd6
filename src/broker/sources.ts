// The implementations of one bot: a place for each, which of them is asked, and whose events are news.

import { isReadAnywhere } from '../onebot/action.ts'
import type { Fields } from '../onebot/object.ts'
import type { Sides } from './gate.ts'
import type { Seat, Upstream } from './ports.ts'
import { Source, type SourceOptions } from './source.ts'
import { Twins } from './twins.ts'
import { type Slot, type SlotWish, Upstreams } from './upstreams.ts'

export interface SourcesOptions extends Omit<SourceOptions, 'slot' | 'upstreams' | 'event'> {
  readonly slots: readonly SlotWish[]
  /** Milliseconds, of a clock that does not jump. */
  readonly now: () => number
  /** An event that none of them has told before. */
  readonly event: (raw: string, event: Fields) => void
  /** How long (ms) one must have been well to take over again; see Upstreams. */
  readonly stable?: number | undefined
  /** Another one does the work now, or none. `failing`: the link of the one before, which is there and fails. */
  readonly moved: (failing: Upstream | undefined) => void
  /** This place has a link that is new, is another one's, or nobody's: what is known of how calls fare there is of no use. */
  readonly renewed: (side: number) => void
}

export interface SourcesStatus {
  /** `peer`: where its last link leads, '' before the first. `since`: when it became well (ms, our clock); null: it is not. */
  readonly upstreams: readonly {
    readonly peer: string
    readonly connected: boolean
    readonly told: boolean
    readonly active: boolean
    readonly spread: boolean
    /** Why another one is preferred: its heartbeats say that the account is offline, or its calls fail. */
    readonly failing: 'offline' | 'calls' | null
    readonly since: number | null
  }[]
  /** Events that came once more, events that only a standby has sent, and those that wait for their twins. */
  readonly twins: { readonly dropped: number; readonly rescued: number; readonly held: number }
}

export class Sources implements Sides {
  readonly #options: SourcesOptions
  readonly #upstreams: Upstreams
  readonly #twins: Twins
  #sources: Source[] = []
  /** Whose each link is, or was: calls end after it, too. */
  readonly #sides = new WeakMap<Upstream, number>()

  constructor(options: SourcesOptions) {
    const { bot, report, now, event: deliver, slots, stable } = options
    this.#options = options
    this.#twins = new Twins({ bot, report, now, deliver })
    this.#upstreams = new Upstreams({ bot, report, now, stable, moved: (_, before) => this.#moved(before) }, slots)
    this.#seat()
  }

  /** One of them is connected and has told the account. */
  get online(): boolean {
    return this.#upstreams.active?.told === true
  }

  /** Each in the order of the configuration, and what came of events that came through several. */
  get status(): SourcesStatus {
    const { active } = this.#upstreams
    return {
      upstreams: this.#upstreams.slots.map((slot) => ({
        peer: slot.peer,
        connected: slot.upstream !== undefined,
        told: slot.told,
        active: slot === active,
        spread: slot.spread,
        failing: slot.failing ?? null,
        since: slot.since ?? null,
      })),
      twins: { ...this.#twins.counts, held: this.#twins.held },
    }
  }

  get several(): boolean {
    return this.#sources.length > 1
  }
  get active(): number {
    return this.#upstreams.active?.side ?? this.#sources[0]?.slot.side ?? 0
  }

  all(): readonly number[] {
    return this.#sources.map(({ slot }) => slot.side)
  }

  of(upstream: Upstream): number {
    return this.#sides.get(upstream) ?? this.active
  }

  link(side: number): Upstream | undefined {
    return this.#slot(side)?.upstream
  }

  judge(side: number, why: string | undefined): void {
    const slot = this.#slot(side)
    if (slot?.upstream === undefined || slot.broken === (why !== undefined)) return
    const { bot, report } = this.#options
    const about = { bot, peer: slot.peer }
    report(why === undefined ? { kind: 'upstream-works', ...about } : { kind: 'upstream-failing', ...about, why })
    this.#upstreams.works(slot, why === undefined)
  }

  /** The first in order. */
  get first(): Source {
    return this.#sources[0] ?? nowhere(this.#options.bot, 'the first')
  }

  /** @throws RangeError where there is none. */
  seat(key: string): Seat {
    return this.#sources.find(({ slot }) => slot.key === key) ?? nowhere(this.#options.bot, key)
  }

  /** These from now on, in this order; those that stay keep their links. */
  arrange(slots: readonly SlotWish[]): void {
    this.#upstreams.arrange(slots)
    this.#seat()
  }

  /** Where an action goes; without one, where most do. Undefined: nowhere. */
  upstream(action?: string): Upstream | undefined {
    const spread = this.#sources.length > 1 && action !== undefined && isReadAnywhere(action)
    return (spread ? this.#upstreams.pick(true) : this.#upstreams.active)?.upstream
  }

  /** What was told of the account so far is of no interest any more. */
  forget(): void {
    this.#twins.clear()
  }

  stop(): void {
    this.#twins.clear()
    this.#upstreams.stop()
    for (const { slot } of this.#sources) if (slot.upstream !== undefined) this.#upstreams.lost(slot, slot.upstream)
  }

  #seat(): void {
    const { slots: _slots, event: _event, moved: _moved, now: _now, stable: _stable, ...options } = this.#options
    const renewed: SourceOptions['renewed'] = (side, upstream) => {
      this.#sides.set(upstream, side)
      // One that is alone is no other for having a new link: there is nothing else to go to.
      if (this.several) this.#options.renewed(side)
    }
    const before = new Map(this.#sources.map((source) => [source.slot, source]))
    const event: SourceOptions['event'] = (source, raw, fields) => this.#heard(source, raw, fields)
    // Of who has gone nothing is of use.
    for (const slot of before.keys()) if (!this.#upstreams.slots.includes(slot)) this.#options.renewed(slot.side)
    this.#sources = this.#upstreams.slots.map((slot) => {
      const known = before.get(slot)
      if (known !== undefined) return known
      this.#options.renewed(slot.side)
      return new Source({ ...options, renewed, slot, upstreams: this.#upstreams, event })
    })
  }

  #slot(side: number): Slot | undefined {
    return this.#upstreams.slots.find((slot) => slot.side === side)
  }

  #heard(source: Source, raw: string, event: Fields): void {
    if (this.#sources.length > 1 && !this.#twins.heard(source.slot, source.active, raw, event)) return
    this.#options.event(raw, event)
  }

  #moved(before: Slot | undefined): void {
    this.#twins.release()
    this.#options.moved(before?.failing === undefined ? undefined : before.upstream)
  }
}

function nowhere(bot: string, key: string): never {
  throw new RangeError(`bot ${bot}: it has no place for this implementation: ${key}`)
}
