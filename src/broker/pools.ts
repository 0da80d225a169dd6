// The pools of one bot: which there are, who is in them, and what they are told of.

import { type Fields, fieldsOf } from '../onebot/object.ts'
import { Pool, type PoolSettings, type PoolStatus } from './pool.ts'
import type { Cursor, Journal } from './ports.ts'
import { Room } from './room.ts'
import type { Session } from './session.ts'
import type { Report } from './status.ts'
import { isShared } from './view.ts'

/** The pools that the configuration names, each with a way to its settings: strategies keep notes, and so are made anew. */
export type PoolPlans = ReadonlyMap<string, () => PoolSettings>

export interface PoolsOptions {
  readonly bot: string
  readonly journal: Journal
  readonly report: Report
  readonly plans: PoolPlans
  /** Where pools of an earlier run stood, by their names. */
  readonly from?: ReadonlyMap<string, Cursor> | undefined
  /** Ends a session that takes nothing while others wait for room. */
  readonly stuck: (session: Session) => void
  /** Whether a member may be given something, as far as others can tell. Default: it may. */
  readonly available?: ((session: Session) => boolean) | undefined
}

export class Pools {
  readonly #options: Omit<PoolsOptions, 'plans' | 'from'>
  readonly #pools = new Map<string, Pool>()
  readonly #room: Room

  constructor({ plans, from, ...options }: PoolsOptions) {
    this.#options = options
    this.#room = new Room(options.stuck)
    this.configure(plans, from)
  }

  get status(): PoolStatus[] {
    return Array.from(this.#pools.values(), ({ status }) => status)
  }
  /** Where each pool would go on. */
  get positions(): Map<string, Cursor> {
    return new Map(Array.from(this.#pools, ([name, { position }]) => [name, position]))
  }

  /**
   * A pool that is named no more lets go of its events; its members have left it, or will.
   * @param from where pools of an earlier run stood, by their names.
   */
  configure(plans: PoolPlans, from?: ReadonlyMap<string, Cursor>): void {
    for (const [name, pool] of this.#pools) {
      if (plans.has(name)) continue
      pool.stop()
      this.#pools.delete(name)
    }
    const { stuck: _stuck, ...options } = this.#options
    for (const [name, settings] of plans) {
      const pool = this.#pools.get(name)
      if (pool !== undefined) pool.configure(settings())
      else this.#pools.set(name, new Pool({ ...options, name, room: this.#room, from: from?.get(name) }, settings()))
    }
  }

  /** The session takes part in its pool; or its terms have changed. */
  join(session: Session): void {
    this.#of(session)?.join(session)
  }
  leave(session: Session): void {
    this.#of(session)?.leave(session)
  }
  drained(session: Session): void {
    this.#of(session)?.drained(session)
  }

  /** An event for everybody, right after it was appended. */
  publish(raw: string, at: Cursor, event?: Fields): void {
    if (this.#pools.size === 0) return
    const fields = event ?? fieldsOf(raw)
    if (isShared(fields)) for (const pool of this.#pools.values()) pool.publish(at, raw, fields)
  }

  /** How many events of its pool the session was ever given. */
  sent(session: Session): number {
    return this.#of(session)?.sent(session) ?? 0
  }
  /** The session has got everything before `upTo`, the first `sent` of its pool's events among it. */
  acknowledged(session: Session, upTo: Cursor, sent?: number): void {
    this.#of(session)?.acknowledged(session, upTo, sent)
  }

  stop(): void {
    for (const pool of this.#pools.values()) pool.stop()
    this.#room.stop()
  }

  #of({ terms }: Session): Pool | undefined {
    return terms.pool === undefined ? undefined : this.#pools.get(terms.pool)
  }
}
