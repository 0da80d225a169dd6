// What a bot tells of itself on every link: lifecycle and heartbeat, from the implementation's own, and the beat's pace.

import { heartbeat, lifecycle } from '../onebot/event.ts'
import { type Fields, isObject, own } from '../onebot/object.ts'
import { LIMITS } from './limits.ts'

const DEFAULT_INTERVAL = 5_000

export class Pulse {
  /** The implementation's own, as it came. */
  lifecycle: string | undefined
  #heartbeat: string | undefined
  #heardAt: number | undefined
  #interval: number | undefined
  /** What the last heartbeat said of the account. */
  #well: boolean | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  readonly #beat: () => void

  /** @param beat is called whenever a heartbeat is due. */
  constructor(beat: () => void) {
    this.#beat = beat
  }

  /** The implementation's own interval in milliseconds, once one was seen on this link. */
  get interval(): number | undefined {
    return this.#interval
  }

  /** When the implementation last beat (ms since 1970), on this link. */
  get heardAt(): number | undefined {
    return this.#heardAt
  }

  start(): void {
    this.#every(DEFAULT_INTERVAL)
  }

  /** A heartbeat of the implementation's. True: what it says of the account is new. */
  heard(raw: string, event: Fields): boolean {
    this.#heartbeat = raw
    this.#heardAt = Date.now()
    const wanted = intervalOf(event)
    if (this.#interval !== wanted) this.#every(wanted)
    this.#interval = wanted
    const before = this.#well
    this.#well = isOnline(event)
    return this.#well !== before
  }

  /** The link is over; the beat goes on. */
  lost(): void {
    this.#interval = undefined
    this.#heardAt = undefined
    this.#well = undefined
  }

  /** The account is another: what the one before it said of itself is nobody's business now. */
  forget(): void {
    this.#heartbeat = undefined
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  lifecycleText(selfId: string, time: number): string {
    return lifecycle(selfId, time, this.lifecycle)
  }

  heartbeatText(said: { selfId: string; time: number; online: boolean }): string {
    return heartbeat(this.#heartbeat, { ...said, interval: this.#interval ?? DEFAULT_INTERVAL })
  }

  #every(interval: number): void {
    clearInterval(this.#timer)
    const every = Math.min(Math.max(interval, LIMITS.fastestHeartbeat), LIMITS.slowestHeartbeat)
    this.#timer = setInterval(this.#beat, every)
  }
}

/** The interval that a heartbeat names, in milliseconds. */
export function intervalOf(event: Fields): number {
  const interval = own(event, 'interval')
  return typeof interval === 'number' && interval > 0 ? interval : DEFAULT_INTERVAL
}

/** What a heartbeat says of the account; undefined: nothing. */
export function isOnline(event: Fields): boolean | undefined {
  const status = own(event, 'status')
  const online = isObject(status) ? own(status, 'online') : undefined
  return typeof online === 'boolean' ? online : undefined
}
