// Reads that ask for the same: those in flight share one call, and replies are kept for the next ones where that is wanted.

import { failed } from '../onebot/action.ts'
import { type ActionFrame, paramsText, type UpstreamFrame } from '../onebot/frame.ts'
import type { Fields } from '../onebot/object.ts'
import type { Call, Taker } from './call.ts'
import { LIMITS } from './limits.ts'
import { type Change, outdated, toldBy, writtenBy } from './outdated.ts'
import type { CallSettings } from './ports.ts'

/** A reply as it came, with our token for its echo. */
export interface Kept {
  readonly raw: string
  readonly token: string
}

interface Entry extends Kept {
  readonly action: string
  /** Not from then on (ms). */
  readonly until: number
}

type Answer = Extract<UpstreamFrame, { kind: 'reply' }>

/** By what is asked: `Call.shared`. */
export class Reads {
  readonly #settings: () => CallSettings
  readonly #now: () => number
  /** Those in flight. Their reply is as good for whoever asks now, unless something was told since they were sent. */
  readonly #flying = new Map<string, Call>()
  /** The least recently used first. */
  readonly #kept = new Map<string, Entry>()
  #bytes = 0
  /** Of each kind of change the last one, counted: events are many, and equal reads are few, so it is they that look. */
  readonly #changes = new Map<Change, number>()
  #count = 0

  constructor(settings: () => CallSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  /** A reply that answers this, too. */
  find(action: string, shared: string): Kept | undefined {
    if (this.#kept.size === 0) return undefined
    const entry = this.#kept.get(shared)
    if (entry === undefined) return undefined
    this.#kept.delete(shared)
    if (entry.until > this.#now() && this.#lasts(action) > 0) {
      this.#kept.set(shared, entry)
      return entry
    }
    this.#bytes -= entry.raw.length
    return undefined
  }

  /** True: an equal read is in flight, and its reply will be this one's. */
  join(call: Call): boolean {
    const { shared, caller, echo, since, size } = call
    const flying = shared === undefined ? undefined : this.#flying.get(shared)
    if (flying === undefined || flying === call) return false
    if (this.#settings().coalesce === false || this.#isOutdated(flying)) return false
    const joined: Taker[] = [{ caller, echo, since, size }, ...(call.others ?? [])]
    if (flying.others === undefined) flying.others = joined
    else flying.others.push(...joined)
    return true
  }

  /** It is in flight: others may join it. */
  sent(call: Call): void {
    if (call.shared === undefined) return
    call.changes = this.#count
    this.#flying.set(call.shared, call)
  }

  /** It is not in flight any more; this is the reply, if there was one. */
  ended(call: Call, reply?: Answer): void {
    const { action, shared } = call
    // Another one may have taken its place: its reply is of no more use.
    if (shared === undefined || this.#flying.get(shared) !== call) return
    this.#flying.delete(shared)
    if (reply === undefined) return
    const lasts = this.#lasts(action)
    if (lasts > 0 && !failed(reply.reply) && !this.#isOutdated(call)) this.#keep(call, shared, reply.raw, lasts)
  }

  /** The implementation told something that may have changed what reads tell. */
  heard(event: Fields): void {
    if (this.#flying.size > 0 || this.#kept.size > 0) this.#forget(toldBy(event))
  }

  /** A write of somebody's may have changed what reads tell. */
  wrote(action: string): void {
    if (this.#flying.size > 0 || this.#kept.size > 0) this.#forget(writtenBy(action))
  }

  clear(): void {
    this.#flying.clear()
    this.#kept.clear()
    this.#bytes = 0
  }

  #lasts(action: string): number {
    const { cache } = this.#settings()
    return cache !== undefined && Object.hasOwn(cache, action) ? (cache[action] ?? 0) : 0
  }

  /** Something may have changed since it was sent. */
  #isOutdated({ action, changes }: Call): boolean {
    for (const [change, count] of this.#changes) if (count > changes && outdated(action, change)) return true
    return false
  }

  #keep({ action, token }: Call, key: string, raw: string, lasts: number): void {
    if (raw.length > LIMITS.replyBytesKept / 4) return
    this.#drop(key)
    this.#kept.set(key, { action, raw, token, until: this.#now() + lasts })
    this.#bytes += raw.length
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= LIMITS.repliesKept && this.#bytes <= LIMITS.replyBytesKept) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const entry = this.#kept.get(key)
    if (entry === undefined) return
    this.#kept.delete(key)
    this.#bytes -= entry.raw.length
  }

  /** Replies to what was asked before are neither kept nor shared from now on. */
  #forget(change: Change): void {
    if (change === 'nothing') return
    this.#count += 1
    this.#changes.set(change, this.#count)
    for (const [key, { action }] of this.#kept) if (outdated(action, change)) this.#drop(key)
  }
}

/** Reads by name that give each caller something of its own, or in pieces. */
const SINGULAR = /stream|_event$|_ai_record$|qrcode/

/** What an equal read would have, too; undefined: it shares nothing. */
export function sharing(frame: ActionFrame): string | undefined {
  if (SINGULAR.test(frame.action)) return undefined
  const { paramsAt } = frame
  if (paramsAt !== undefined && paramsAt.end - paramsAt.start > LIMITS.sharedParams) return undefined
  const text = paramsText(frame)
  return text.length > LIMITS.sharedParams ? undefined : `${frame.action} ${text}`
}
