// The sessions that must receive identical bytes, sent to by one native publish per listener.

import { LIMITS } from './limits.ts'
import type { Channel } from './ports.ts'
import type { Session } from './session.ts'
import { noTraffic, sent, type Traffic } from './traffic.ts'

interface Share {
  readonly members: Set<Session>
  /** Characters published since we last looked at the members' sockets. */
  sinceLook: number
}

export class Lane {
  readonly topic: string
  readonly #shares = new Map<Channel, Share>()
  /** Members whose link has no channel. */
  readonly #direct = new Set<Session>()
  /** All that was published so far, and how much that was when each member came: so none is counted by itself. */
  readonly #published = noTraffic()
  readonly #before = new Map<Session, Traffic>()
  readonly #slow: (session: Session) => void
  readonly #dropped: (topic: string) => void

  /** @param on `slow`: this member's socket holds more than the high water mark; `dropped`: a publish reached nobody though members are there, which must not happen. */
  constructor(topic: string, on: { slow: (session: Session) => void; dropped: (topic: string) => void }) {
    this.topic = topic
    this.#slow = on.slow
    this.#dropped = on.dropped
  }

  get empty(): boolean {
    return this.#direct.size === 0 && this.#shares.size === 0
  }

  *members(): Iterable<Session> {
    yield* this.#direct
    for (const { members } of this.#shares.values()) yield* members
  }

  get size(): number {
    return this.#before.size
  }

  /** What a member has got here. */
  traffic(session: Session): Pick<Traffic, 'events' | 'bytes'> {
    const { events, bytes } = this.#published
    const before = this.#before.get(session) ?? this.#published
    return { events: events - before.events, bytes: bytes - before.bytes }
  }

  /** What is published next is an event of so many bytes. */
  count(bytes: number): void {
    sent(this.#published, bytes)
  }

  add(session: Session): void {
    this.#before.set(session, { ...this.#published })
    const { channel } = session.link
    if (channel === undefined) {
      this.#direct.add(session)
      return
    }
    const share = this.#shares.get(channel) ?? { members: new Set(), sinceLook: 0 }
    this.#shares.set(channel, share)
    share.members.add(session)
    session.link.subscribe(this.topic)
  }

  remove(session: Session): void {
    const { events, bytes } = this.traffic(session)
    if (this.#before.delete(session)) {
      session.traffic.events += events
      session.traffic.bytes += bytes
    }
    const { channel } = session.link
    if (channel === undefined) {
      this.#direct.delete(session)
      return
    }
    const share = this.#shares.get(channel)
    if (!share?.members.delete(session)) return
    session.link.unsubscribe(this.topic)
    if (share.members.size === 0) this.#shares.delete(channel)
  }

  publish(text: string): void {
    for (const [channel, share] of this.#shares) {
      const verdict = channel.publish(this.topic, text)
      share.sinceLook += text.length
      // Zero is also what a topic says whose last sockets are just closing.
      if (verdict === 0 && anyOpen(share.members)) this.#dropped(this.topic)
      if (share.sinceLook >= (verdict > 0 ? LIMITS.lookAfter : LIMITS.lookUnderPressure)) this.#look(share)
    }
    for (const session of this.#direct) {
      session.link.send(text)
      if (session.link.buffered >= LIMITS.highWater) this.#slow(session)
    }
  }

  #look(share: Share): void {
    share.sinceLook = 0
    for (const session of share.members) if (session.link.buffered >= LIMITS.highWater) this.#slow(session)
  }
}

function anyOpen(members: ReadonlySet<Session>): boolean {
  for (const { link } of members) if (link.open) return true
  return false
}
