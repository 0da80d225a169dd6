// Random schedules of all that can happen to a fan-out, against what each session must have got.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { CLOSING } from '../../src/broker/closing.ts'
import { Fanout } from '../../src/broker/fanout.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import { LIMITS } from '../../src/broker/limits.ts'
import { Room } from '../../src/broker/room.ts'
import type { Session } from '../../src/broker/session.ts'
import { FakeChannel, FakeLink, KIB, MIB, sessionOf } from '../support/broker.ts'

const PLAIN = 'x'.repeat(150 * KIB)
const BIG = 'x'.repeat(LIMITS.bigFrame + 1)
const HUGE = 'x'.repeat(900 * KIB)
/** So little of everything that sessions wait for room, and lose events while they wait. */
const ROOM = 1_300 * KIB
const JOURNAL = 4 * MIB

/** `web hook`: takes one event at a time, and rather goes on than be closed. */
const KINDS = ['first listener', 'second listener', 'dialled', 'web hook'] as const

type Step =
  | {
      readonly do: 'event'
      readonly size: 'small' | 'plain' | 'big' | 'huge'
      readonly to: readonly number[] | undefined
    }
  | { readonly do: 'join'; readonly kind: (typeof KINDS)[number] }
  | { readonly do: 'leave' | 'stall'; readonly who: number }
  | { readonly do: 'drain'; readonly who: number; readonly left: number }
  | { readonly do: 'later'; readonly ms: number }

const who = fc.nat(30)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('event' as const),
        size: fc.constantFrom('small' as const, 'plain', 'plain', 'big', 'huge'),
        to: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, fc.array(who, { minLength: 1, maxLength: 4 })),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), kind: fc.constantFrom(...KINDS) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('stall' as const), who }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('drain' as const), who, left: fc.nat(1_500 * KIB) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('later' as const), ms: fc.nat(400) }) },
  ),
  { minLength: 10, maxLength: 150 },
)

interface Client {
  readonly session: Session
  readonly link: FakeLink
  /** The ids of the events it must get, in order. */
  readonly due: number[]
  present: boolean
}

class Schedule {
  readonly clients: Client[] = []
  readonly #room = new Room(() => undefined, { limit: ROOM })
  readonly #journal = new MemoryJournal({ maxBytes: JOURNAL, maxAge: 1_000 })
  readonly #channels = [new FakeChannel(), new FakeChannel()]
  readonly #behind = new Set<Session>()
  readonly #fanout: Fanout
  #now = 0
  #ids = 0

  constructor() {
    this.#fanout = new Fanout({
      bot: 'first',
      journal: this.#journal,
      room: this.#room,
      behind: (session) => {
        session.link.close(CLOSING.behind)
        this.#leave(this.clients.find((client) => client.session === session))
      },
      report: (fact) => {
        if (fact.kind === 'publish-dropped') throw new Error('a publish reached nobody')
        if (fact.kind === 'session-behind') this.#behind.add(fact.session)
      },
      now: () => this.#now,
    })
  }

  run(step: Step): void {
    switch (step.do) {
      case 'event':
        return this.#append(
          SIZES[step.size],
          step.to?.flatMap((at) => this.#one(at) ?? []),
        )
      case 'join':
        return this.#join(step.kind)
      case 'leave':
        return this.#leave(this.#one(step.who))
      case 'stall': {
        const client = this.#one(step.who)
        if (client !== undefined) client.link.stuck = true
        return
      }
      case 'drain':
        return this.#drain(this.#one(step.who), step.left)
      case 'later':
        this.#now += step.ms
        return this.#fanout.expire()
      default:
        return step satisfies never
    }
  }

  /** Everybody reads until nothing is left to read. */
  end(): void {
    for (const { link } of this.clients) link.stuck = false
    for (let round = 0; this.#fanout.catchingUp > 0; round++) {
      if (round > 1_000) throw new Error('somebody never comes to the end of the journal')
      for (const client of this.clients) this.#drain(client, 0)
    }
    expect([this.#room.used, this.#room.waiting]).toEqual([0, 0])
    for (const client of this.clients) {
      this.check(client)
      const { link, session, due, present } = client
      if (!present || link.got.length === due.length) continue
      expect(link.whenBehind).toBe('skip')
      expect(this.#behind.has(session)).toBe(true)
    }
    for (const client of this.clients) this.#leave(client)
    expect(this.#channels.map(({ topics }) => topics)).toEqual([0, 0])
  }

  /** What must hold at any time: a client got what was meant for it, from the first on, in order, once. */
  check({ session, link, due }: Client): void {
    const got = idsOf(link)
    if (link.whenBehind === 'close') expect(got).toEqual(due.slice(0, got.length))
    else {
      const places = got.map((id) => due.indexOf(id))
      expect(places.every((place, at) => place > (places[at - 1] ?? -1))).toBe(true)
      if (places.some((place, at) => place !== at)) expect(this.#behind.has(session)).toBe(true)
    }
    if (link.closed !== undefined) expect(this.#behind.has(session)).toBe(true)
  }

  checkAll(): void {
    for (const client of this.clients) this.check(client)
    if (this.#room.used > ROOM) throw new Error(`${this.#room.used} of room in use`)
  }

  #one(at: number): Client | undefined {
    const present = this.clients.filter((client) => client.present)
    return present[at % Math.max(1, present.length)]
  }

  #append(text: string, to?: readonly Client[]): void {
    const id = this.#ids++
    for (const client of to ?? this.clients) if (client.present && client.due.at(-1) !== id) client.due.push(id)
    this.#fanout.append(`${id} ${text}`, to && new Set(to.map(({ session }) => session)))
  }

  #join(kind: (typeof KINDS)[number]): void {
    const hook = kind === 'web hook'
    const link = new FakeLink({
      channel: this.#channels[KINDS.indexOf(kind)],
      transport: hook ? 'http-post' : 'forward',
      whenBehind: hook ? 'skip' : 'close',
    })
    if (hook)
      link.take = (text) => {
        link.got.push(text)
        link.buffered = Number.POSITIVE_INFINITY
      }
    const client: Client = { session: sessionOf(link), link, due: [], present: true }
    this.#fanout.add(client.session)
    this.clients.push(client)
  }

  #leave(client: Client | undefined): void {
    if (client?.present !== true) return
    client.present = false
    client.link.open = false
    this.#fanout.remove(client.session)
    this.#append('left')
  }

  #drain(client: Client | undefined, left: number): void {
    if (client?.present !== true) return
    const { link } = client
    link.buffered = link.transport === 'http-post' ? 0 : Math.min(link.buffered, left)
    this.#fanout.drained(client.session)
  }
}

const SIZES = { small: '', plain: PLAIN, big: BIG, huge: HUGE } as const

const idsOf = ({ got }: FakeLink) => got.map(Number.parseFloat)

test('[FAN1] whatever happens, each session gets exactly what was meant for it, in order, or is told', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const schedule = new Schedule()
      for (const kind of KINDS) for (let n = 0; n < 2; n++) schedule.run({ do: 'join', kind })
      for (const step of all) {
        schedule.run(step)
        schedule.checkAll()
      }
      schedule.end()
    }),
    { numRuns: 1_000 },
  )
})
