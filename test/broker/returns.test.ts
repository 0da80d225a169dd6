// Sessions that come back, on a clock of the test's.

import { expect, test } from 'bun:test'
import { MemoryJournal } from '../../src/broker/journal.ts'
import { LIMITS } from '../../src/broker/limits.ts'
import { type KeptSession, OPEN_TERMS, type Terms } from '../../src/broker/ports.ts'
import type { Session } from '../../src/broker/session.ts'
import { secretHash } from '../../src/lib/secret.ts'
import { broadcast } from '../../src/onebot/event.ts'
import { BotBed, eventOf, FakeLink, KIB, lifecycleOf, MIB } from '../support/broker.ts'
import { later, timeStands } from '../support/time.ts'

timeStands()

const MINUTE = 60_000
const PING: Terms = { ...OPEN_TERMS, resume: 'ping' }
const EXPLICIT: Terms = { ...OPEN_TERMS, resume: 'explicit' }

const resumes = (link: FakeLink) => link.frames.filter(({ meta_event_type }) => meta_event_type === 'resume')
const secretOf = (link: FakeLink) => String(resumes(link)[0]?.['secret'])
/** The numbers of the events it got. */
const numbers = (link: FakeLink) => link.events.flatMap(({ n }) => (n === undefined ? [] : [n]))

/** The peer answers everything it was asked. */
const answer = (bed: BotBed, { session, link }: { session: Session; link: FakeLink }) => {
  for (const data of link.pings.splice(0)) bed.bot.pong(session, data)
}
const drop = (bed: BotBed, { session, link }: { session: Session; link: FakeLink }) => {
  link.open = false
  bed.bot.leave(session, 1006, '', link)
}
const back = (bed: BotBed, session: Session, terms = session.terms) => {
  const link = new FakeLink({ channel: bed.channel })
  bed.bot.rejoin(session, link, { terms })
  return link
}

test('[RSM1] after its lifecycle it is told that it may come back, with a secret that is kept as a hash only', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  const plain = bed.join({ name: 'bob' })
  const head = bed.bot.journal.head
  expect(alice.link.frames.map(({ meta_event_type }) => meta_event_type).slice(0, 3)).toEqual([
    'lifecycle',
    'resume',
    'heartbeat',
  ])
  const at = Number(resumes(alice.link)[0]?.['from'])
  expect(at).toBeLessThan(head)
  expect(resumes(alice.link)).toEqual([
    {
      time: Math.floor(bed.now / 1000),
      self_id: 10001,
      post_type: 'meta_event',
      meta_event_type: 'resume',
      recovered: false,
      missed: 0,
      lost: 0,
      from: at,
      to: at,
      secret: expect.stringMatching(/^[\w-]{32}$/),
    },
  ])
  expect(alice.session.returns?.secretHash).toBe(secretHash(secretOf(alice.link)))
  expect([resumes(plain.link), plain.session.returns]).toEqual([[], undefined])
})

test('[RSM1] who waits for the account is told once it is known; who has neither name nor entry is not waited for', () => {
  using bed = new BotBed()
  const early = bed.join({ name: 'early', terms: PING })
  const nobody = bed.join({ terms: PING })
  expect(early.link.got).toEqual([])
  bed.online()
  expect(resumes(early.link).length).toBe(1)
  drop(bed, nobody)
  expect([resumes(nobody.link), nobody.session.flow.state]).toEqual([[], 'gone'])
})

test('[RSM2] a link that ends leaves its session away: others are told, its name is taken, no list has it', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  const other = bed.join()
  drop(bed, alice)
  expect(other.link.notices.at(-1)).toMatchObject({ client: { app_id: alice.session.appId }, online: false })
  expect([alice.session.flow.state, bed.bot.sessions.nameTaken('alice'), bed.bot.waiting.away]).toEqual([
    'away',
    true,
    1,
  ])
  expect(bed.of('session-away').map(({ code }) => code)).toEqual([1006])
  // Said twice, it is no news.
  bed.bot.leave(alice.session, 1006, '', alice.link)
  expect(other.link.notices.filter(({ online }) => online === false).length).toBe(1)
})

test('[RSM3] it comes back as who it was, with all that it missed in order, and goes on with what is new', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  bed.bot.received(eventOf(1))
  later(bed, 1_000)
  answer(bed, alice)
  drop(bed, alice)
  for (let n = 2; n <= 5; n++) bed.bot.received(eventOf(n))
  const { appId } = alice.session
  const known = bed.bot.known({ name: 'alice' }, secretOf(alice.link))
  expect(known).toBe(alice.session)
  const link = back(bed, alice.session)
  bed.bot.received(eventOf(6))
  expect(link.frames.slice(0, 3).map(({ meta_event_type }) => meta_event_type)).toEqual([
    'lifecycle',
    'resume',
    'heartbeat',
  ])
  // Its own going and coming, and four events.
  expect(resumes(link)[0]).toMatchObject({ recovered: true, missed: 6, lost: 0 })
  expect(resumes(link)[0]).not.toHaveProperty('secret')
  expect(numbers(link)).toEqual([2, 3, 4, 5, 6])
  expect([alice.session.appId, alice.session.flow.state, bed.bot.waiting.away]).toEqual([appId, 'live', 0])
  expect(link.notices.at(-1)).toMatchObject({ online: true, self_client: true })
})

test('[RSM3] an entry of the configuration needs no secret, and no name', () => {
  using bed = new BotBed()
  bed.online()
  const own = bed.join({ entry: 'clients alice', name: 'alice', terms: PING })
  const hook = bed.join({ entry: 'http-post http://x', terms: PING })
  drop(bed, own)
  drop(bed, hook)
  expect(bed.bot.known({ entry: 'clients alice' })).toBe(own.session)
  expect(bed.bot.known({ entry: 'http-post http://x' })).toBe(hook.session)
  expect(bed.bot.known({ entry: 'clients bob' })).toBe(undefined)
})

test('[RSM4] neither its name nor a wrong secret nor the secret of another brings it back', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  const bob = bed.join({ name: 'bob', terms: PING })
  drop(bed, alice)
  expect(bed.bot.known({ name: 'alice' })).toBe(undefined)
  expect(bed.bot.known({ name: 'alice' }, 'x')).toBe(undefined)
  expect(bed.bot.known({ name: 'alice' }, secretOf(bob.link))).toBe(undefined)
  expect(bed.bot.known({ name: 'nobody' }, secretOf(alice.link))).toBe(undefined)
  expect(bed.bot.known({ name: 'alice' }, secretOf(alice.link))).toBe(alice.session)
})

test('[RSM5] what no PONG has acknowledged is sent again, and nothing that was', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  for (let n = 1; n <= 3; n++) bed.bot.received(eventOf(n))
  later(bed, 1_000)
  const asked = [...alice.link.pings]
  // Another answer than the one asked for says nothing.
  bed.bot.pong(alice.session, '999999')
  bed.bot.pong(alice.session, '')
  bed.bot.received(eventOf(4))
  answer(bed, alice)
  bed.bot.received(eventOf(5))
  later(bed, 1_000)
  // Asked, and never answered: it went down with the link.
  expect([asked.length, alice.link.pings.length]).toEqual([1, 1])
  drop(bed, alice)
  expect(numbers(back(bed, alice.session))).toEqual([4, 5])
})

test('[RSM5] one PING is under way at a time, and none where nothing is new for a while', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  later(bed, 1_000)
  answer(bed, alice)
  for (let n = 0; n < 8; n++) later(bed, 1_000)
  expect(alice.link.pings).toEqual([])
  later(bed, 3_000)
  expect(alice.link.pings.length).toBe(1)
  bed.bot.received(eventOf(1))
  later(bed, 5_000)
  expect(alice.link.pings.length).toBe(1)
})

test('[RSM5] who reads from the journal is asked for what it has been handed, not for what waits there', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING, stuck: true })
  for (let n = 1; n <= 20; n++) bed.bot.received(eventOf(n, 100 * KIB))
  expect(alice.session.flow.state).toBe('catching-up')
  const sent = numbers(alice.link).length
  later(bed, 1_000)
  answer(bed, alice)
  drop(bed, alice)
  expect(numbers(back(bed, alice.session))).toEqual(Array.from({ length: 20 - sent }, (_, n) => sent + n + 1))
})

test('[RSM6] a PING goes to nobody else, and a link that answers none is given up after 30 s', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  const others = [bed.join({ name: 'bob' }), bed.join(), bed.join({ name: 'carol', terms: EXPLICIT })]
  for (let second = 0; second < 30; second++) later(bed, 1_000)
  expect(others.map(({ link }) => link.pings)).toEqual([[], [], []])
  expect([alice.link.pings.length, alice.link.open]).toEqual([1, true])
  later(bed, 1_000)
  expect([alice.link.closed?.code, alice.session.flow.state]).toEqual([4010, 'away'])
  expect(others.map(({ link }) => link.open)).toEqual([true, true, true])
})

test('[RSM7] with ack_event there is no PING, each event tells its seq, and what came after the last one is sent again', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: EXPLICIT })
  const plain = bed.join()
  for (let n = 1; n <= 4; n++) bed.bot.received(eventOf(n))
  const seqs = alice.link.events.filter(({ n }) => n !== undefined).map(({ seq }) => Number(seq))
  expect(seqs.length).toBe(4)
  expect(seqs.every((seq, i) => i === 0 || seq === (seqs[i - 1] ?? 0) + 1)).toBe(true)
  expect(plain.link.events.some((event) => 'seq' in event)).toBe(false)
  expect(alice.link.heartbeats.some((event) => 'seq' in event)).toBe(false)
  later(bed, 15_000)
  expect(alice.link.pings).toEqual([])
  bed.bot.acknowledge(alice.session, seqs[1] ?? 0)
  // An older one takes nothing back.
  bed.bot.acknowledge(alice.session, seqs[0] ?? 0)
  drop(bed, alice)
  const link = back(bed, alice.session)
  expect(numbers(link)).toEqual([3, 4])
  expect(link.events.find(({ n }) => n === 3)?.['seq']).toBe(seqs[2])
})

test('[RSM7] a seq that was never sent is refused, and so is anybody who is not set to acknowledge', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: EXPLICIT })
  const bob = bed.join({ name: 'bob', terms: PING })
  bed.bot.received(eventOf(1))
  for (const seq of [0, -1, 1.5, Number(bed.bot.journal.head), 2 ** 60])
    expect(() => bed.bot.acknowledge(alice.session, seq)).toThrow(/ack_event: params.seq: found/)
  expect(() => bed.bot.acknowledge(bob.session, 1)).toThrow(/needs resume: \{ack: explicit\}/)
})

test('[RSM17] who has acknowledged all that it was sent loses nothing by what is not for it, however much that is', () => {
  const choosy: Terms = {
    ...EXPLICIT,
    rules: { key: 'choosy', apply: (raw, { user_id }) => (user_id === 1 ? raw : undefined) },
  }
  const wanted = (n: number) => eventOf(n).replace('"n"', '"user_id":1,"n"')
  using bed = new BotBed({ maxBytes: 4 * KIB })
  bed.online()
  const alice = bed.join({ name: 'alice', terms: choosy })
  const others = (count: number) => {
    for (let n = 0; n < count; n++) bed.bot.received(eventOf(-1, KIB / 4))
  }
  // Told of itself, and told something: neither is acknowledged, and both stay where they are.
  const [first, told] = [Number(bed.bot.journal.head) - 1, Number(bed.bot.journal.head)]
  bed.bot.received(wanted(1))
  later(bed, 1_000)
  bed.bot.acknowledge(alice.session, first)
  later(bed, 1_000)
  expect(Number(alice.session.returns?.acknowledged)).toBe(told)
  bed.bot.acknowledge(alice.session, told)
  for (let n = 0; n < 3; n++) {
    others(10)
    later(bed, 1_000)
  }
  drop(bed, alice)
  const link = back(bed, alice.session, choosy)
  expect([resumes(link)[0], numbers(link)]).toMatchObject([{ recovered: true, lost: 0 }, []])
  // What it has not acknowledged is lost as before.
  bed.bot.acknowledge(alice.session, Number(bed.bot.journal.head) - 1)
  bed.bot.received(wanted(2))
  later(bed, 1_000)
  others(30)
  later(bed, 1_000)
  drop(bed, { ...alice, link })
  expect(resumes(back(bed, alice.session, choosy))).toMatchObject([{ recovered: false }])
})

test('[RSM8] what the journal no longer holds is told in numbers, and the rest follows', () => {
  using bed = new BotBed({ maxBytes: 4 * KIB })
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  later(bed, 1_000)
  answer(bed, alice)
  drop(bed, alice)
  for (let n = 1; n <= 40; n++) bed.bot.received(eventOf(n, KIB / 4))
  const link = back(bed, alice.session)
  const got = numbers(link)
  const { recovered, missed, lost } = resumes(link)[0] ?? {}
  expect([recovered, missed]).toEqual([false, 42])
  expect(got.length).toBeGreaterThan(3)
  expect(got).toEqual(Array.from({ length: got.length }, (_, n) => 41 - got.length + n))
  expect(Number(lost)).toBeGreaterThanOrEqual(40 - got.length)
  expect(bed.of('session-behind').map(({ missed }) => missed)).toEqual([Number(lost)])
})

test('[RSM9] a newer link takes the place of the older, which is closed with 4009 and counts no more', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  bed.bot.received(eventOf(1))
  const link = back(bed, alice.session)
  expect([alice.link.closed?.code, alice.session.flow.state]).toEqual([4009, 'live'])
  expect(numbers(link)).toEqual([1])
  bed.bot.leave(alice.session, 1006, '', alice.link)
  bed.bot.received(eventOf(2))
  expect([alice.session.flow.state, numbers(link), numbers(alice.link)]).toEqual(['live', [1, 2], [1]])
})

test('[RSM9] where the newer link cannot come back, the session ends for good: its name is free, and nothing it asked for is sent', () => {
  using bed = new BotBed()
  bed.bot.lost(bed.online(), 1006, '')
  const online = bed.join({ name: 'alice', terms: PING })
  const away = bed.join({ name: 'bob', terms: PING })
  for (const { caller } of [online, away]) bed.bot.call(caller, '{"action":"send_msg","echo":1}')
  drop(bed, away)
  for (const { session } of [online, away]) bed.bot.replace(session)
  expect([online.session.flow.state, online.link.closed?.code, away.session.flow.state]).toEqual(['gone', 4009, 'gone'])
  expect([bed.bot.sessions.size, bed.bot.waiting.away, bed.bot.waiting.waiting]).toEqual([0, 0, 0])
  bed.bot.leave(online.session, 4009, '', online.link)
  expect(bed.of('session-closed')).toHaveLength(1)
})

test('[RSM9] what the newer link carries counts: calls, where the older was for events only', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  const { session, caller } = bed.join({ name: 'alice', terms: PING, calls: false })
  bed.bot.rejoin(session, new FakeLink({ channel: bed.channel }), { calls: true })
  bed.bot.call(caller, '{"action":"send_msg","echo":1}')
  expect(upstream.sent).toHaveLength(1)
})

test('[RSM2] a session is away where it is at home, whoever else is told that its link has ended', () => {
  using bed = new BotBed()
  using other = new BotBed()
  for (const one of [bed, other]) one.online()
  const alice = other.join({ name: 'alice', terms: PING })
  const before = bed.bot.journal.entries
  bed.bot.leave(alice.session, 4008, '')
  expect([bed.bot.journal.entries - before, alice.session.flow.state]).toEqual([0, 'live'])
  other.bot.leave(alice.session, 4008, '')
  expect([alice.session.flow.state, other.bot.waiting]).toMatchObject(['away', { away: 1, catchingUp: 0 }])
})

test('[RSM10] who stays away for too long is gone: its name is free, and its secret opens nothing', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  drop(bed, alice)
  later(bed, 30 * MINUTE - 2_000)
  expect(alice.session.flow.state).toBe('away')
  later(bed, 3_000)
  expect([alice.session.flow.state, bed.bot.sessions.nameTaken('alice'), bed.bot.sessions.size]).toEqual([
    'gone',
    false,
    0,
  ])
  expect(bed.bot.known({ name: 'alice' }, secretOf(alice.link))).toBe(undefined)
  expect(bed.of('session-expired').length).toBe(1)
})

test('[RSM11] what another client sends it meanwhile has its place among the events it gets when it is back', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  const bob = bed.join({ name: 'bob' })
  drop(bed, alice)
  bed.bot.received(eventOf(1))
  const word = { selfId: '10001', time: 1, client: { app_id: bob.session.appId }, uuid: 'u', data: 'hi' }
  bed.bot.tell(new Set([alice.session]), broadcast(word))
  bed.bot.received(eventOf(2))
  const link = back(bed, alice.session)
  const told = link.events.flatMap(({ n, data }) => (n === undefined && data === undefined ? [] : [n ?? data]))
  expect(told).toEqual([1, 'hi', 2])
  expect(bob.link.events.some(({ data }) => data === 'hi')).toBe(false)
})

test('[RSM15] when more are away than may be, the one that has been for the longest is gone', () => {
  using bed = new BotBed()
  bed.online()
  const all = Array.from({ length: LIMITS.away + 1 }, (_, n) => {
    const one = bed.join({ name: `n${n}`, terms: PING })
    drop(bed, one)
    return one
  })
  expect([bed.bot.waiting.away, bed.bot.sessions.size, bed.of('session-expired').length]).toEqual([
    LIMITS.away,
    LIMITS.away,
    1,
  ])
  expect(all.slice(0, 2).map(({ session }) => session.flow.state)).toEqual(['gone', 'away'])
})

test('[RSM16] of an earlier run those come back who still may, and for no longer than anybody is waited for', () => {
  const forgotten: string[] = []
  const journal = new MemoryJournal({ maxBytes: MIB, maxAge: 30 * MINUTE })
  const kept = (appId: string, more: Partial<KeptSession> = {}): KeptSession => ({
    ...{ appId, name: appId, entry: undefined, resume: undefined, events: true, calls: true, transport: 'forward' },
    ...{ secretHash: secretHash(appId), cursor: journal.head, since: 1, until: undefined, ...more },
  })
  const sessions = [
    kept('listed', { entry: 'clients listed' }),
    kept('unlisted', { entry: 'clients unlisted' }),
    kept('asked', { resume: 'explicit', until: Number.MAX_SAFE_INTEGER }),
    kept('plain'),
  ]
  using bed = new BotBed({
    kept: {
      restored: { selfId: '10001', journal, sessions, cursors: new Map() },
      identified() {},
      remember() {},
      forget: (appId) => forgotten.push(appId),
      mark() {},
    },
    terms: ({ entry, resume }) =>
      entry === 'clients unlisted' ? undefined : entry ? { ...PING, pool: 'workers' } : { ...OPEN_TERMS, resume },
  })
  expect([[...bed.bot.sessions.all()].map(({ appId }) => appId), forgotten]).toEqual([
    ['listed', 'asked'],
    ['unlisted', 'plain'],
  ])
  expect(bed.bot.sessions.byId('listed')?.terms.pool).toBe('workers')
  const asked = bed.bot.known({ name: 'asked' }, 'asked') as Session
  const link = back(bed, asked)
  bed.bot.received(eventOf(1))
  expect([resumes(link).length, link.events.at(-1)?.['seq']]).toEqual([1, Number(journal.head) - 1])
  later(bed, 30 * MINUTE + 1_000)
  expect([...bed.bot.sessions.all()].map(({ appId }) => appId)).toEqual(['asked'])
})

test('[RSM12] with another account, and at the end, nobody is waited for any more', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice', terms: PING })
  const bob = bed.join({ name: 'bob', terms: PING })
  drop(bed, alice)
  bed.bot.received(lifecycleOf('20002'))
  expect([alice.session.flow.state, bob.session.flow.state, bed.bot.sessions.size]).toEqual(['gone', 'gone', 0])
  const carol = bed.join({ name: 'carol', terms: PING })
  drop(bed, carol)
  bed.bot.stop()
  expect([carol.session.flow.state, bed.bot.sessions.size]).toEqual(['gone', 0])
  // Where they are kept on disk, they may be back in the next run.
  expect(bed.of('session-expired')).toEqual([])
})

test('[RSM14] terms that change open and close the way back, and the link stays', () => {
  using bed = new BotBed()
  bed.online()
  const alice = bed.join({ name: 'alice' })
  bed.bot.received(eventOf(1))
  bed.bot.settle(alice.session, PING)
  expect(resumes(alice.link).length).toBe(1)
  bed.bot.settle(alice.session, PING)
  expect(resumes(alice.link).length).toBe(1)
  bed.bot.received(eventOf(2))
  drop(bed, alice)
  const link = back(bed, alice.session)
  // From where it was told on.
  expect(numbers(link)).toEqual([2])
  bed.bot.settle(alice.session, OPEN_TERMS)
  link.open = false
  bed.bot.leave(alice.session, 1006, '', link)
  expect([alice.session.flow.state, bed.bot.sessions.size]).toEqual(['gone', 0])
})
