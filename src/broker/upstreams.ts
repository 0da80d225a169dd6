// The implementations of one account: which of them does the work, which stand by, and when one takes over.

import type { Upstream } from './ports.ts'
import type { Report } from './status.ts'

/** A place for one implementation, as configured. */
export interface SlotWish {
  /** No two of a bot have the same: by it a slot is known again when the configuration changes. */
  readonly key: string
  /** Reads may go to it while it stands by. */
  readonly spread: boolean
}

/** The same, with what is known of it; changed by `Upstreams` alone. */
export interface Slot extends SlotWish {
  /** Small, and no other slot's of now. */
  readonly side: number
  /** Its link of now. */
  readonly upstream: Upstream | undefined
  /** Where that leads, without secrets. */
  readonly peer: string
  /** Whether it has told its account, and the account is ours. */
  readonly told: boolean
  /** Why it does the work only where no other can: its heartbeats say that the account is offline, or its calls fail. */
  readonly failing: 'offline' | 'calls' | undefined
  /** Its calls fail, whatever its heartbeats say. */
  readonly broken: boolean
  /** Since when (ms, our clock) it has been well: told, and not failing. Undefined: it is not. */
  readonly since: number | undefined
}

export interface UpstreamsOptions {
  readonly bot: string
  readonly report: Report
  /** Milliseconds, of a clock that does not jump. */
  readonly now: () => number
  /** Another slot is active, or none; called in that turn, when `active` is the new one already. */
  readonly moved?: ((active: Slot | undefined, before: Slot | undefined) => void) | undefined
  /** How long (ms) a slot must have been well before it takes over from a later one that is well, too. */
  readonly stable?: number | undefined
}

/** Whoever comes back may go again soon: many fail while they log in. */
const STABLE = 30_000
/** Sides are bits where twins of events are looked for. */
const MOST = 31

/** The better one does the work. A link without an account is still better than none: calls may go up before events come. */
const RANK = { away: 0, connected: 1, failing: 2, well: 3 } as const
type Rank = (typeof RANK)[keyof typeof RANK]

class Place implements Slot {
  readonly key: string
  readonly side: number
  spread = false
  upstream: Upstream | undefined
  peer = ''
  told = false
  /** Its account is another one. */
  foreign = false
  offline = false
  broken = false
  since: number | undefined

  constructor(key: string, side: number) {
    this.key = key
    this.side = side
  }

  get failing(): Slot['failing'] {
    return this.offline ? 'offline' : this.broken ? 'calls' : undefined
  }

  get rank(): Rank {
    if (this.upstream === undefined || this.foreign) return RANK.away
    if (!this.told) return RANK.connected
    return this.failing === undefined ? RANK.well : RANK.failing
  }
}

/**
 * One slot is active: the first in order that is well, and where none is, the best there is, since the last one is never
 * put aside. Another takes over at once when the active one is lost or fails; an earlier one only once it has been well
 * for a while. With a single slot all of this is that slot.
 */
export class Upstreams {
  readonly #options: UpstreamsOptions
  #places: Place[] = []
  #active: Place | undefined
  /** Who takes reads: the active one and, of the others, those that may and are well. */
  #readers: Place[] = []
  #turn = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @throws RangeError for more slots than there may be; so does `arrange`. */
  constructor(options: UpstreamsOptions, wishes: readonly SlotWish[]) {
    this.#options = options
    this.arrange(wishes)
  }

  /** In the order of the configuration. */
  get slots(): readonly Slot[] {
    return this.#places
  }
  /** Where everything goes but for reads that are spread, and whose events count at once. */
  get active(): Slot | undefined {
    return this.#active
  }

  /** These slots from now on, in this order; those that are known already keep their links. */
  arrange(wishes: readonly SlotWish[]): void {
    if (wishes.length > MOST)
      throw new RangeError(`upstreams of one account: found ${wishes.length}, wanted at most ${MOST}`)
    const known = new Map(this.#places.map((place) => [place.key, place]))
    const kept = wishes.map(({ key }) => known.get(key))
    const taken = new Set(kept.map((place) => place?.side))
    let side = 0
    this.#places = wishes.map(({ key, spread }, index) => {
      while (taken.has(side)) side += 1
      const place = kept[index] ?? new Place(key, side++)
      place.spread = spread
      // Alone, it is judged by its circuits only.
      if (wishes.length === 1) place.broken = false
      return place
    })
    this.#choose()
  }

  /** Where calls go; undefined: nowhere. Who calls notes the slot: if its link is lost, so are these calls, and no others. */
  pick(isRead: boolean): Slot | undefined {
    if (!isRead || this.#readers.length <= 1) return this.#active
    this.#turn = (this.#turn + 1) % this.#readers.length
    return this.#readers[this.#turn]
  }

  /** A link opened; it takes the place of the one before. */
  connected(slot: Slot, upstream: Upstream, peer: string): void {
    this.#change(slot, (place) => {
      place.upstream = upstream
      place.peer = peer
      place.told = false
      place.foreign = false
      place.offline = false
      place.broken = false
    })
  }

  /** That link ended. False: it is not the one of now. */
  lost(slot: Slot, upstream: Upstream): boolean {
    if (slot.upstream !== upstream) return false
    this.#change(slot, (place) => {
      place.upstream = undefined
      place.told = false
      place.offline = false
      place.broken = false
    })
    return true
  }

  /** Its link has told an account: ours, or another one, for which it is not used. */
  told(slot: Slot, ours: boolean): void {
    this.#change(slot, (place) => {
      place.told = ours
      place.foreign = !ours
    })
  }

  /** Whether the account is online there, as its heartbeats say: offline, it is of no use, however well its link is. */
  health(slot: Slot, ok: boolean): void {
    this.#change(slot, (place) => {
      place.offline = !ok
    })
  }

  /** Whether calls that go there come to something: what heartbeats say of that counts for nothing. */
  works(slot: Slot, ok: boolean): void {
    this.#change(slot, (place) => {
      place.broken = !ok
    })
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #change(slot: Slot, change: (place: Place) => void): void {
    const place = this.#places.find((one) => one === slot)
    if (place === undefined) return
    change(place)
    if (place.rank < RANK.well) place.since = undefined
    else place.since ??= this.#options.now()
    this.#choose()
  }

  #choose(): void {
    const before = this.#active
    const now = this.#options.now()
    this.#active = this.#best(before, now)
    this.#readers = this.#places.filter(
      (place) => place === this.#active || (place.spread && place.rank === RANK.well && this.#active !== undefined),
    )
    this.#wake(now)
    if (this.#active === before) return
    if (this.#active !== undefined) this.#tell(this.#active, before)
    this.#options.moved?.(this.#active, before)
  }

  #best(before: Place | undefined, now: number): Place | undefined {
    const rank = Math.max(RANK.away, ...this.#places.map((place) => place.rank))
    if (rank === RANK.away) return undefined
    const best = this.#places.filter((place) => place.rank === rank)
    // Who does the work goes on with it, unless somebody before it has been well for long enough.
    const stays = best.find((place) => place === before)
    if (stays === undefined) return best[0]
    return best.find((place) => place === stays || this.#stableAt(place) <= now)
  }

  #stableAt({ since = Number.POSITIVE_INFINITY }: Place): number {
    return since + (this.#options.stable ?? STABLE)
  }

  /** Looks again when the next one of those before the active one may take over. */
  #wake(now: number): void {
    clearTimeout(this.#timer)
    let due = Number.POSITIVE_INFINITY
    for (const place of this.#places) {
      if (place === this.#active) break
      due = Math.min(due, this.#stableAt(place))
    }
    if (due === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.#choose(), Math.max(1, due - now))
    this.#timer.unref?.()
  }

  #tell(active: Place, before: Place | undefined): void {
    if (this.#places.length <= 1) return
    const { bot, report } = this.#options
    const gone = before !== undefined && !this.#places.includes(before)
    report({ kind: 'upstream-active', bot, peer: active.peer, why: gone ? 'lost' : whyNot(before) })
  }
}

/** Why the one before is not active any more. */
function whyNot(before: Place | undefined): 'first' | 'lost' | 'failing' | 'stable' {
  switch (before?.rank) {
    case undefined:
      return 'first'
    case RANK.well:
      return 'stable'
    case RANK.failing:
      return 'failing'
    default:
      return 'lost'
  }
}
