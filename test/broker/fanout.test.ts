import { expect, test } from 'bun:test'
import { CLOSING } from '../../src/broker/closing.ts'
import { Fanout } from '../../src/broker/fanout.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import { LIMITS } from '../../src/broker/limits.ts'
import { Room } from '../../src/broker/room.ts'
import type { Session } from '../../src/broker/session.ts'
import type { Status } from '../../src/broker/status.ts'
import { FakeChannel, FakeLink, KIB, MIB, sessionOf } from '../support/broker.ts'

interface BedWish {
  readonly maxBytes?: number
  readonly room?: number
}

/** A fan-out alone; a session that is behind is closed and its leaving is an event, as with a bot. */
function bed({ maxBytes = 64 * MIB, room: limit = LIMITS.bigFramesInFlight }: BedWish = {}) {
  const facts: Status[] = []
  const room = new Room(() => undefined, { limit })
  const journal = new MemoryJournal({ maxBytes, maxAge: 1_000 })
  const clock = { now: 0 }
  const left: Session[] = []
  const fanout = new Fanout({
    bot: 'first',
    journal,
    room,
    report: (fact) => facts.push(fact),
    behind(session) {
      session.link.close(CLOSING.behind)
      fanout.remove(session)
      left.push(session)
      fanout.append(`left ${session.appId}`)
    },
    now: () => clock.now,
  })
  const channel = new FakeChannel()
  const join = (wish: ConstructorParameters<typeof FakeLink>[0] = {}, name?: string) => {
    const link = new FakeLink({ channel, ...wish })
    const session = sessionOf(link, name)
    fanout.add(session)
    return { link, session }
  }
  const drain = ({ link, session }: { link: FakeLink; session: Session }) => {
    link.buffered = 0
    fanout.drained(session)
  }
  const of = (kind: Status['kind']) => facts.filter((fact) => fact.kind === kind)
  return { fanout, room, journal, channel, join, drain, facts, of, clock, left }
}

const big = (name: string, size = LIMITS.bigFrame) => name + 'x'.repeat(size)
const half = 'x'.repeat(LIMITS.highWater / 2)
/** As much as is still published. */
const chunk = 'x'.repeat(200 * KIB)

test('[FAN2] an event is one publish per listener, however many clients it has, and one send per other link', () => {
  const { fanout, channel, join } = bed()
  const other = new FakeChannel()
  const here = Array.from({ length: 200 }, () => join())
  const there = Array.from({ length: 3 }, () => join({ channel: other }))
  const dialled = [join({ channel: undefined }), join({ channel: undefined })]
  for (const text of ['a', 'b']) fanout.append(text)
  expect([channel.published, other.published]).toEqual([2, 2])
  for (const { link } of [...here, ...there, ...dialled]) expect(link.got).toEqual(['a', 'b'])
})

test('[FAN2] a listener whose last client has left is published to no more, and its topic is gone', () => {
  const { fanout, channel, join } = bed()
  const [a, b] = [join(), join()]
  fanout.remove(a.session)
  fanout.append('a')
  fanout.remove(b.session)
  fanout.append('b')
  expect(channel.published).toBe(1)
  expect(channel.topics).toBe(0)
  expect([a.link.got, b.link.got]).toEqual([[], ['a']])
})

test('[FAN3] a client that does not read is moved out and told of once; the others get everything meanwhile', () => {
  const { fanout, join, drain, of } = bed()
  const [fast, slow] = [join(), join({ stuck: true })]
  const sent = Array.from({ length: 100 }, (_, n) => `${n}${'x'.repeat(100 * KIB)}`)
  for (const text of sent) fanout.append(text)
  expect(fast.link.got).toEqual(sent)
  expect(slow.link.buffered).toBeLessThan(LIMITS.highWater + LIMITS.lookUnderPressure + 100 * KIB * 2)
  expect(fanout.catchingUp).toBe(1)
  expect(of('session-slow')).toMatchObject([{ session: { appId: slow.session.appId } }])
  expect(of('session-in-step')).toEqual([])
  slow.link.stuck = false
  drain(slow)
  expect(slow.link.got).toEqual(sent)
  expect(fanout.catchingUp).toBe(0)
  expect(of('session-in-step')).toHaveLength(1)
})

test('[FAN3] a link without listener that does not read is moved out as well', () => {
  const { fanout, join, drain } = bed()
  const slow = join({ stuck: true, channel: undefined })
  const sent = Array.from({ length: 5 }, (_, n) => n + half.slice(9))
  for (const text of sent) fanout.append(text)
  expect(slow.link.got).toEqual(sent.slice(0, 3))
  drain(slow)
  drain(slow)
  expect(slow.link.got).toEqual(sent)
})

test('[FAN4] who catches up reads at the pace of its socket, and is in step in the turn in which it reaches the head', () => {
  const { fanout, join, drain } = bed()
  const slow = join({ stuck: true })
  let n = 0
  while (n < 60) fanout.append(`${n++} ${chunk}`)
  expect(slow.session.flow.state).toBe('catching-up')
  while (slow.session.flow.state === 'catching-up') {
    expect(slow.link.buffered).toBeLessThan(LIMITS.highWater + chunk.length * 2)
    // Events go on, more slowly than it reads.
    if (n < 80) fanout.append(`${n++} ${chunk}`)
    const before = slow.link.got.length
    drain(slow)
    expect(slow.link.got.length - before).toBeLessThanOrEqual(Math.ceil(LIMITS.highWater / chunk.length))
  }
  expect(fanout.catchingUp).toBe(0)
  fanout.append(`${n++} last`)
  expect(slow.link.got.map(Number.parseFloat)).toEqual(Array.from({ length: n }, (_, at) => at))
})

test('[FAN5] a big frame is never published, and every session gets it in its place', () => {
  const { fanout, channel, join } = bed()
  const all = [join(), join(), join({ channel: undefined })]
  const sent = ['a', big('b'), 'c', big('d'), big('e'), 'f']
  for (const text of sent) fanout.append(text)
  expect(channel.published).toBe(3)
  for (const { link } of all) expect(link.got).toEqual(sent)
  expect(fanout.catchingUp).toBe(0)
})

test('[FAN5] big frames wait for room, and what follows them waits behind them', () => {
  const { fanout, room, join, drain } = bed({ room: 4 * MIB })
  const clients = Array.from({ length: 6 }, () => join({ stuck: true }))
  const frame = big('big', 2 * MIB - 3)
  fanout.append(frame)
  fanout.append('after')
  expect([room.used, room.waiting]).toEqual([4 * MIB, 4])
  expect(clients.map(({ link }) => link.got.length)).toEqual([1, 1, 0, 0, 0, 0])
  for (let round = 0; round < 3; round++)
    for (const client of clients) {
      expect(room.used).toBeLessThanOrEqual(4 * MIB)
      drain(client)
    }
  for (const { link } of clients) expect(link.got).toEqual([frame, 'after'])
  expect([room.used, room.waiting, fanout.catchingUp]).toEqual([0, 0, 0])
})

test('[FAN14] a web hook takes no room, and is not moved out aloud for being in the middle of an event', () => {
  const { fanout, room, join, drain, of } = bed({ room: 4 * MIB })
  const hook = join({ channel: undefined, transport: 'http-post', whenBehind: 'skip' })
  // One event at a time: busy until it is delivered.
  const take = hook.link.take.bind(hook.link)
  hook.link.take = (text) => {
    take(text)
    hook.link.buffered = Number.POSITIVE_INFINITY
  }
  const sent = ['a', big('b', 3 * MIB), big('c', 3 * MIB), 'd']
  for (const text of sent) fanout.append(text)
  expect(hook.link.got).toEqual(['a'])
  for (let n = 2; n <= 4; n++) {
    drain(hook)
    expect(hook.link.got).toEqual(sent.slice(0, n))
    expect(room.used).toBe(0)
  }
  drain(hook)
  expect(hook.session.flow.state).toBe('live')
  expect([of('session-slow'), of('session-in-step')]).toEqual([[], []])
})

test('[FAN6] a targeted event reaches those it names, in its place, also when they catch up', () => {
  const { fanout, join, drain } = bed()
  const [a, b, slow] = [join(), join(), join({ stuck: true })]
  for (const text of [half, half, half]) fanout.append(text)
  expect(slow.session.flow.state).toBe('catching-up')
  fanout.append('one')
  fanout.append('for a and slow', new Set([a.session, slow.session]))
  fanout.append(big('for b '), new Set([b.session]))
  fanout.append('two')
  slow.link.stuck = false
  drain(slow)
  expect(a.link.got.slice(3)).toEqual(['one', 'for a and slow', 'two'])
  expect(b.link.got.slice(3)).toEqual(['one', big('for b '), 'two'])
  expect(slow.link.got.slice(3)).toEqual(['one', 'for a and slow', 'two'])
})

test('[FAN6] a targeted event for a session that has left does nothing', () => {
  const { fanout, join } = bed()
  const [a, b] = [join(), join()]
  fanout.remove(b.session)
  fanout.append('x', new Set([a.session, b.session]))
  expect([a.link.got, b.link.got]).toEqual([['x'], []])
})

test('[FAN6] many targeted events to one that does not read move it out', () => {
  const { fanout, join } = bed()
  const slow = join({ stuck: true })
  for (let n = 0; n < 10; n++) fanout.append(`${n}${half}`, new Set([slow.session]))
  expect(slow.link.got.length).toBe(2)
  expect(fanout.catchingUp).toBe(1)
})

test('[FAN7] who falls off the end of the journal is told so and closed with 4008', () => {
  const { fanout, join, of, left } = bed({ maxBytes: 8 * MIB })
  const [fast, slow] = [join(), join({ stuck: true })]
  let n = 0
  while (slow.link.open) fanout.append(`${n++}${half}`)
  expect(slow.link.closed?.code).toBe(4008)
  expect(left).toEqual([slow.session])
  expect(of('session-behind')).toEqual([{ kind: 'session-behind', bot: 'first', session: slow.session, missed: 1 }])
  expect(fast.link.got.at(-1)).toBe(`left ${slow.session.appId}`)
  expect(fast.link.got).toHaveLength(n + 1)
  expect(fanout.catchingUp).toBe(0)
})

test('[FAN7] age makes it fall off as well', () => {
  const { fanout, join, of, clock } = bed()
  const slow = join({ stuck: true })
  for (let n = 0; n < 5; n++) fanout.append(`${n}${half}`)
  clock.now = 900
  fanout.append('young')
  fanout.expire()
  expect(slow.link.open).toBe(true)
  clock.now = 1_500
  fanout.expire()
  expect(slow.link.closed?.code).toBe(4008)
  expect(of('session-behind')).toMatchObject([{ missed: 3 }])
})

test('[FAN8] who rather moves on does, with the oldest event there is, and what it lost is told once', () => {
  const { fanout, join, drain, of } = bed({ maxBytes: 4 * MIB })
  const hook = join({ stuck: true, whenBehind: 'skip', channel: undefined })
  for (let n = 0; n < 30; n++) fanout.append(`${n}${half}`)
  expect(hook.link.open).toBe(true)
  expect(of('session-behind')).toEqual([])
  const before = hook.link.got.length
  hook.link.stuck = false
  drain(hook)
  const after = hook.link.got.slice(before).map(Number.parseFloat)
  expect(of('session-behind')).toMatchObject([{ session: hook.session, missed: 30 - before - after.length }])
  expect(after).toEqual(Array.from({ length: after.length }, (_, at) => 30 - after.length + at))
  fanout.append('next')
  expect(hook.link.got.at(-1)).toBe('next')
})

test('[FAN8] what it lost is told also when it never comes to read on', () => {
  const { fanout, join, of } = bed({ maxBytes: 4 * MIB })
  const hook = join({ stuck: true, whenBehind: 'skip', channel: undefined })
  for (let n = 0; n < 30; n++) fanout.append(`${n}${half}`)
  fanout.remove(hook.session)
  expect(of('session-behind')).toHaveLength(1)
})

test('[FAN9] a publish that reached nobody though somebody listens is reported; one to closing sockets is not', () => {
  const { fanout, channel, join, of } = bed()
  const { link } = join()
  channel.broken = true
  fanout.append('lost')
  expect(of('publish-dropped')).toHaveLength(1)
  link.open = false
  fanout.append('nobody there')
  expect(of('publish-dropped')).toHaveLength(1)
})

test('[FAN10] a heartbeat goes to who is in step and to who waits with nothing unread, and to nobody else', () => {
  const { fanout, join } = bed({ room: 1 })
  const [live, holder, waiting, slow] = [join(), join({ stuck: true }), join({ stuck: true }), join({ stuck: true })]
  for (let n = 0; n < 6; n++) fanout.append(chunk, new Set([slow.session]))
  fanout.append(big('b', 2 * MIB), new Set([holder.session, waiting.session]))
  const counts = () =>
    [live, holder, waiting, slow].map(({ link }) => link.got.filter((text) => text === 'beat').length)
  expect([holder, waiting, slow].map(({ session }) => session.flow.state)).toEqual(Array(3).fill('catching-up'))
  fanout.passing('beat')
  expect(counts()).toEqual([1, 0, 1, 0])
})

test('[FAN11] thousands that fall off at once are closed without running out of stack, and the rest hears of all', () => {
  const { fanout, journal, join, left, clock } = bed()
  const fast = join()
  const slow = Array.from({ length: 20_000 }, () => join({ stuck: true, channel: undefined }))
  for (let n = 0; n < 8; n++) fanout.append(chunk)
  expect(fanout.catchingUp).toBe(20_000)
  fast.link.got.length = 0
  // Past the age of what they have yet to read, by an event and not by a look at the clock.
  clock.now = 2_000
  fanout.append('last straw')
  expect(left.length).toBe(20_000)
  expect(fast.link.got).toEqual(['last straw', ...slow.map(({ session }) => `left ${session.appId}`)])
  expect(journal.entries).toBe(20_001)
})

test('[FAN11] the same when the clock brings it about', () => {
  const { fanout, join, left, clock } = bed()
  const fast = join()
  for (let n = 0; n < 20_000; n++) join({ stuck: true, channel: undefined })
  for (let n = 0; n < 8; n++) fanout.append(chunk)
  clock.now = 2_000
  fanout.expire()
  expect(left.length).toBe(20_000)
  expect(fast.link.got).toHaveLength(8 + 20_000)
})

test('[FAN13] 10,000 sessions come and go, some of them slow, and nothing of them is left', async () => {
  const { fanout, journal, channel, room, join } = bed({ maxBytes: 64 * KIB })
  let alive = 0
  const registry = new FinalizationRegistry(() => {
    alive -= 1
  })
  const round = () => {
    for (let n = 0; n < 10_000; n++) {
      const { session, link } = join({ stuck: n % 7 === 0 })
      alive += 1
      registry.register(session, undefined)
      fanout.append('hello', new Set([session]))
      if (n % 7 === 0) link.buffered = LIMITS.highWater
      fanout.remove(session)
    }
  }
  round()
  expect([channel.topics, fanout.catchingUp, room.used, room.waiting]).toEqual([0, 0, 0, 0])
  expect(journal.entries).toBeGreaterThan(100)
  for (let turn = 0; turn < 50 && alive > 100; turn++) {
    Bun.gc(true)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(alive).toBeLessThan(100)
})
