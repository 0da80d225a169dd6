import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Room } from '../../src/broker/room.ts'
import type { Session } from '../../src/broker/session.ts'
import { FakeLink, sessionOf, until } from '../support/broker.ts'

const quiet = (limit: number) => new Room(() => undefined, { limit })
const sessions = (count: number) => Array.from({ length: count }, () => sessionOf())

test('[FAN20] room is taken up to the limit and comes back; a single frame beyond the limit passes alone', () => {
  const room = quiet(100)
  const [a, b, c] = sessions(3) as [Session, Session, Session]
  expect(room.take(a, 60, () => undefined)).toBe(true)
  expect(room.take(b, 41, () => undefined)).toBe(false)
  expect(room.used).toBe(60)
  room.release(a)
  expect(room.take(c, 500, () => undefined)).toBe(true)
  expect(room.used).toBe(500)
  room.release(c)
  room.release(b)
  expect([room.used, room.waiting]).toEqual([0, 0])
  room.stop()
})

test('[FAN21] who waits for room is served in order, and nobody overtakes', () => {
  const room = quiet(100)
  const [holder, small, big, late] = sessions(4) as [Session, Session, Session, Session]
  const served: string[] = []
  const ask = (session: Session, size: number, name: string) =>
    room.take(session, size, () => {
      expect(ask(session, size, name)).toBe(true)
      served.push(name)
    })
  expect(ask(holder, 80, 'holder')).toBe(true)
  expect(ask(big, 90, 'big')).toBe(false)
  // It would fit, but somebody waits already.
  expect(ask(small, 10, 'small')).toBe(false)
  // Asking again, as a drained socket does, keeps the place.
  expect(ask(big, 90, 'big')).toBe(false)
  expect(ask(late, 30, 'late')).toBe(false)
  room.release(holder)
  expect(served).toEqual(['big', 'small'])
  expect(room.used).toBe(100)
  room.release(big)
  expect(served).toEqual(['big', 'small', 'late'])
  for (const session of [small, late]) room.release(session)
  expect([room.used, room.waiting]).toEqual([0, 0])
})

test('[FAN22] a waiter that still does not fit leaves the turn to end', () => {
  const room = quiet(64)
  const [holder, waiter, small] = sessions(3) as [Session, Session, Session]
  let asked = 0
  const ask = (): boolean =>
    room.take(waiter, 40, () => {
      asked += 1
      ask()
    })
  room.take(holder, 40, () => undefined)
  room.take(small, 1, () => undefined)
  expect(ask()).toBe(false)
  room.release(small)
  expect([asked, room.waiting, room.used]).toEqual([0, 1, 40])
  room.release(holder)
  expect([asked, room.waiting, room.used]).toEqual([1, 0, 40])
  room.release(waiter)
})

test('[FAN22] 10,000 waiting sessions that release at once are served without running out of stack', () => {
  const room = quiet(100)
  const [holder, ...waiting] = sessions(10_001) as [Session, ...Session[]]
  const served: Session[] = []
  room.take(holder, 100, () => undefined)
  for (const session of waiting)
    room.take(session, 100, () => {
      if (!room.take(session, 100, () => undefined)) throw new Error('not served')
      served.push(session)
      room.release(session)
    })
  room.release(holder)
  expect(served).toEqual(waiting)
  expect([room.used, room.waiting]).toEqual([0, 0])
})

test('[FAN20] whatever is asked and given back, the limit holds and nobody waits without cause', () => {
  const step = fc.record({ who: fc.nat(5), size: fc.integer({ min: 1, max: 70 }), take: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = quiet(64)
      const everyone = sessions(6)
      const held = new Map<Session, number>()
      const waits = new Set<Session>()
      const ask = (session: Session, size: number) => {
        const taken = room.take(session, size, () => ask(session, size))
        waits.delete(session)
        if (taken) held.set(session, size)
        else waits.add(session)
      }
      const drop = (session: Session) => {
        held.delete(session)
        waits.delete(session)
        room.release(session)
      }
      for (const { who, size, take } of steps) {
        const session = everyone[who] as Session
        if (!take) drop(session)
        else if (!held.has(session) && !waits.has(session)) ask(session, size)
        const sum = [...held.values()].reduce((a, b) => a + b, 0)
        expect(room.used).toBe(sum)
        expect(room.waiting).toBe(waits.size)
        if (held.size > 1) expect(sum).toBeLessThanOrEqual(64)
        if (sum === 0) expect(waits.size).toBe(0)
      }
      for (const session of everyone) drop(session)
      expect([room.used, room.waiting]).toEqual([0, 0])
    }),
    { numRuns: 300 },
  )
})

test('[FAN23] a holder whose socket takes nothing while others wait is told of; one that takes a little is not', async () => {
  const stuck: Session[] = []
  const room = new Room(
    (session) => {
      stuck.push(session)
      room.release(session)
    },
    { limit: 100, patience: 40 },
  )
  const [still, moving] = [new FakeLink(), new FakeLink()]
  still.buffered = moving.buffered = 1_000_000
  const [a, b, waiter] = [sessionOf(still), sessionOf(moving), sessionOf()] as const
  room.take(a, 50, () => undefined)
  room.take(b, 50, () => undefined)
  const reading = setInterval(() => {
    moving.buffered -= 1
  }, 5)
  let served = false
  room.take(waiter, 50, () => {
    served = room.take(waiter, 50, () => undefined)
  })
  await until(() => served)
  clearInterval(reading)
  expect(stuck).toEqual([a])
  room.release(b)
  room.release(waiter)
  expect(room.used).toBe(0)
})

test('[FAN23] nobody is called stuck while nobody waits', async () => {
  const stuck: Session[] = []
  const room = new Room((session) => stuck.push(session), { limit: 100, patience: 5 })
  const link = new FakeLink()
  link.buffered = 1_000_000
  const [holder, waiter, other] = [sessionOf(link), sessionOf(), sessionOf()] as const
  room.take(holder, 100, () => undefined)
  room.take(waiter, 100, () => undefined)
  room.release(waiter)
  // Long past the patience, as told by another room that looks as often.
  const witness = new Room(() => seen(), { limit: 100, patience: 5 })
  let seen: () => void = () => undefined
  const looked = new Promise<void>((resolve) => {
    seen = resolve
  })
  witness.take(holder, 100, () => undefined)
  witness.take(other, 100, () => undefined)
  await looked
  witness.stop()
  expect(stuck).toEqual([])
  room.stop()
})
