// What an operator does to a client: hold its events back, let it go on, drop what it has yet to get, disconnect it.

import { expect, test } from 'bun:test'
import { LIMITS } from '../../src/broker/limits.ts'
import { OPEN_TERMS } from '../../src/broker/ports.ts'
import type { Session } from '../../src/broker/session.ts'
import type { Status } from '../../src/broker/status.ts'
import { kick, pause as pauseIn, skip as skipIn } from '../../src/broker/steering.ts'
import { BotBed, eventOf, FakeLink, heartbeatOf, KIB } from '../support/broker.ts'

const report = (bed: BotBed) => (fact: Status) => void bed.facts.push(fact)
const pause = (bed: BotBed, session: Session, paused: boolean) => pauseIn(bed.bot, session, paused, report(bed))
const skip = (bed: BotBed, session: Session) => skipIn(bed.bot, session, report(bed))
const numbers = (link: FakeLink) => link.events.flatMap(({ n }) => (typeof n === 'number' ? [n] : []))

test('[STR1] a paused client gets no events and all of them afterwards, in order; others notice nothing', () => {
  using bed = new BotBed()
  bed.online()
  const [held, other] = [bed.join(), bed.join()]
  bed.bot.received(eventOf(1))
  pause(bed, held.session, true)
  for (const n of [2, 3]) bed.bot.received(eventOf(n))
  expect(numbers(held.link)).toEqual([1])
  expect(numbers(other.link)).toEqual([1, 2, 3])
  expect(held.session.flow.state).toBe('paused')
  expect(bed.bot.members.fanout.lag(held.session)).toEqual({ events: 2, since: bed.now })
  pause(bed, held.session, false)
  bed.bot.received(eventOf(4))
  expect(numbers(held.link)).toEqual([1, 2, 3, 4])
  expect(held.session.flow.state).toBe('live')
  expect(bed.facts.map(({ kind }) => kind).filter((kind) => /pause|step/.test(kind))).toEqual([
    'session-paused',
    'session-unpaused',
    'session-in-step',
  ])
})

test('[STR1] a targeted event waits as well, a big one too, and whoever is slow is held where it stands', () => {
  using bed = new BotBed()
  bed.online()
  const { session, link } = bed.join({ stuck: true })
  const rest = bed.join()
  for (const n of [1, 2]) bed.bot.received(eventOf(n, LIMITS.highWater))
  expect(session.flow.state).toBe('catching-up')
  pause(bed, session, true)
  bed.bot.tell(new Set([session]), eventOf(3))
  link.stuck = false
  link.buffered = 0
  bed.bot.drained(session)
  expect(numbers(link)).toEqual([1])
  pause(bed, session, false)
  expect(numbers(link)).toEqual([1, 2, 3])
  expect(numbers(rest.link)).toEqual([1, 2])
})

test('[STR2] heartbeats and replies go on while a client is paused', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const { session, link, caller } = bed.join()
  pause(bed, session, true)
  const before = link.heartbeats.length
  bed.bot.received(heartbeatOf(5_000, false))
  expect(link.heartbeats).toHaveLength(before + 1)
  bed.bot.call(caller, '{"action":"get_status","echo":7}')
  bed.bot.received(`{"status":"ok","retcode":0,"echo":"${upstream.actions[0]?.echo}"}`)
  expect(link.replies.map(({ echo }) => echo)).toEqual([7])
})

test('[STR3] paused for longer than the journal keeps events, a client is told so as it goes on: close 4008', () => {
  using bed = new BotBed({ maxBytes: 10 * KIB })
  bed.online()
  const { session, link } = bed.join()
  pause(bed, session, true)
  for (let n = 0; n < 20; n++) bed.bot.received(eventOf(n, KIB))
  expect(link.open).toBe(true)
  pause(bed, session, false)
  expect(link.closed?.code).toBe(4008)
  expect(bed.of('session-behind')[0]?.missed).toBeGreaterThan(5)
})

test('[STR4] who comes back is still paused, and goes on from where it was', () => {
  using bed = new BotBed()
  bed.online()
  const { session, link } = bed.join({ name: 'worker', resume: 'ping' })
  bed.bot.received(eventOf(1))
  const [ping] = link.pings
  if (ping !== undefined) bed.bot.pong(session, ping)
  pause(bed, session, true)
  bed.bot.leave(session, 1006, '')
  bed.bot.received(eventOf(2))
  const again = new FakeLink({ channel: bed.channel })
  bed.bot.rejoin(session, again)
  expect(session.flow.state).toBe('paused')
  const before = again.got.length
  bed.bot.received(eventOf(3))
  expect(again.got).toHaveLength(before)
  pause(bed, session, false)
  expect(numbers(again).slice(-2)).toEqual([2, 3])
  expect(bed.of('session-resumed').at(-1)).toMatchObject({ lost: 0 })
})

test('[STR5] a paused member of a pool is passed over, and takes its turn again afterwards', () => {
  using bed = new BotBed({
    pools: () =>
      new Map([
        ['work', () => ({ strategy: { name: 'first', choose: (members) => members[0] }, dispatch: 'plain' as const })],
      ]),
  })
  bed.online()
  const terms = { ...OPEN_TERMS, pool: 'work' }
  const [first, second] = [bed.join({ terms }), bed.join({ terms })]
  bed.bot.received(eventOf(1))
  pause(bed, first.session, true)
  bed.bot.received(eventOf(2))
  pause(bed, first.session, false)
  bed.bot.received(eventOf(3))
  expect(numbers(first.link)).toContain(1)
  expect(numbers(second.link).concat(numbers(first.link)).sort()).toEqual([1, 2, 3])
  expect(numbers(second.link)).toContain(2)
})

test('[STR6] a dropped backlog is not sent, counted, and reported', () => {
  using bed = new BotBed()
  bed.online()
  const { session, link } = bed.join()
  pause(bed, session, true)
  for (const n of [1, 2, 3]) bed.bot.received(eventOf(n))
  expect(skip(bed, session)).toBe(3)
  pause(bed, session, false)
  bed.bot.received(eventOf(4))
  expect(numbers(link)).toEqual([4])
  expect(bed.of('session-skipped')).toMatchObject([{ dropped: 3 }])
  expect(skip(bed, session)).toBe(0)
})

test('[STR6] the backlog of somebody away is gone when it comes back', () => {
  using bed = new BotBed()
  bed.online()
  const { session } = bed.join({ name: 'worker', resume: 'ping' })
  bed.bot.leave(session, 1006, '')
  bed.bot.received(eventOf(1))
  expect(skip(bed, session)).toBeGreaterThan(0)
  const link = new FakeLink({ channel: bed.channel })
  bed.bot.rejoin(session, link)
  bed.bot.received(eventOf(2))
  expect(numbers(link)).toEqual([2])
})

test('[STR7] a kicked client is closed with 4012 and not waited for; one that is away is forgotten', () => {
  using bed = new BotBed()
  bed.online()
  const [here, away] = [bed.join({ name: 'a', resume: 'ping' }), bed.join({ name: 'b', resume: 'ping' })]
  bed.bot.leave(away.session, 1006, '')
  kick(bed.bot, here.session)
  kick(bed.bot, away.session)
  expect(here.link.closed).toMatchObject({ code: 4012, retry: true })
  expect(bed.bot.sessions.size).toBe(0)
  expect(bed.of('session-closed')).toMatchObject([{ code: 4012 }])
  expect(bed.of('session-expired')).toHaveLength(1)
})

test('[STR8] what each client got and sent is counted, in its lane, from the journal and from a pool', () => {
  using bed = new BotBed()
  bed.online()
  const [one, other] = [bed.join(), bed.join({ channel: undefined })]
  const before = bed.bot.members.fanout.traffic(one.session)
  const text = eventOf(1)
  bed.bot.received(text)
  pause(bed, one.session, true)
  const wide = '{"self_id":10001,"post_type":"message","n":2,"text":"你好"}'
  bed.bot.received(wide)
  pause(bed, one.session, false)
  const { events, bytes } = bed.bot.members.fanout.traffic(one.session)
  expect(events - before.events).toBe(2)
  expect(bytes - before.bytes).toBe(text.length + wide.length + 4)
  expect(bed.bot.members.fanout.traffic(other.session).events).toBe(
    bed.bot.members.fanout.traffic(one.session).events - 1,
  )
  bed.bot.call(other.caller, '{"action":"get_status"}')
  expect(other.session.traffic).toMatchObject({ calls: 1, callSize: 23 })
  const sum = [one, other].reduce((total, { session }) => total + bed.bot.members.fanout.traffic(session).events, 0)
  expect(bed.bot.members.traffic).toMatchObject({ events: sum, calls: 1 })
})
