import { expect, jest, test } from 'bun:test'
import { Bots } from '../../src/broker/bots.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import { LIMITS } from '../../src/broker/limits.ts'
import {
  answerTo,
  BotBed,
  eventOf,
  FakeCaller,
  type FakeLink,
  heartbeatOf,
  KIB,
  lifecycleOf,
  SELF,
} from '../support/broker.ts'
import { later, timeStands } from '../support/time.ts'

timeStands()

const NOW = 1_763_870_400
const clientOf = (appId: string) => ({ app_id: appId, transport: 'forward', self_id: 10001, since: NOW })

test('[BOT1] the first frames on a link are lifecycle and heartbeat in seconds of now, then the notice of itself', () => {
  using bed = new BotBed()
  bed.online()
  bed.bot.received(heartbeatOf(3_000))
  const { link, session } = bed.join()
  expect(link.got).toEqual([
    `{"time":${NOW},"self_id":10001,"post_type":"meta_event","meta_event_type":"lifecycle","sub_type":"connect","vendor":"x"}`,
    `{"time":${NOW},"self_id":10001,"post_type":"meta_event","meta_event_type":"heartbeat","status":{"online":true,"good":true,"load":3},"interval":3000}`,
    JSON.stringify({
      time: NOW,
      self_id: 10001,
      post_type: 'notice',
      notice_type: 'client_status',
      client: clientOf(session.appId),
      online: true,
      self_client: true,
    }),
  ])
})

test('[BOT1] a link for calls only gets no events; a web hook gets no first frames but the notice', () => {
  using bed = new BotBed()
  bed.online()
  const calls = bed.join({ events: false })
  const hook = bed.join({ transport: 'http-post', channel: undefined })
  bed.bot.received(eventOf(1))
  expect(calls.link.got).toEqual([])
  expect(hook.link.frames.map(({ notice_type, n }) => notice_type ?? n)).toEqual(['client_status', 1])
  expect([...bed.bot.sessions.all()]).toEqual([hook.session])
})

test('[BOT2] heartbeats follow at the interval of the implementation, which is forwarded neither itself nor in its lifecycles', () => {
  using bed = new BotBed()
  bed.online()
  const { link } = bed.join()
  const beats = (ms: number) => {
    const before = link.heartbeats.length
    later(bed, ms)
    return link.heartbeats.length - before
  }
  // Until one comes it is five seconds.
  expect(beats(20_000)).toBe(4)
  bed.bot.received(heartbeatOf(2_000))
  expect(link.heartbeats.at(-1)).toMatchObject({ status: { load: 3 }, time: NOW + 20 })
  const count = link.got.length
  bed.bot.received(heartbeatOf(2_000))
  bed.bot.received(lifecycleOf(SELF))
  expect(link.got.length).toBe(count)
  expect(beats(20_000)).toBe(10)
  expect(link.heartbeats.at(-1)).toMatchObject({ time: NOW + 40, interval: 2_000 })
  // Some clients leave after half a minute of silence; a broken interval is no flood.
  bed.bot.received(heartbeatOf(90_000))
  expect(beats(60_000)).toBe(60_000 / LIMITS.slowestHeartbeat)
  bed.bot.received(heartbeatOf(1))
  expect(beats(1_000)).toBe(1_000 / LIMITS.fastestHeartbeat)
})

test('[BOT3] while the implementation is away heartbeats go on and say so, at once when it goes and when it comes', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  bed.bot.received(heartbeatOf(5_000))
  const { link } = bed.join()
  const status = () => link.heartbeats.at(-1)?.['status']
  bed.bot.lost(upstream, 1006, '')
  expect(status()).toEqual({ online: false, good: false, load: 3 })
  later(bed, 5_000)
  expect(link.heartbeats.length).toBe(3)
  expect(status()).toEqual({ online: false, good: false, load: 3 })
  bed.connect()
  later(bed, 5_000)
  expect(status()).toMatchObject({ online: false })
  bed.bot.received(lifecycleOf(SELF))
  expect(link.heartbeats.length).toBe(5)
  expect(status()).toEqual({ online: true, good: true, load: 3 })
  expect(link.open).toBe(true)
  // An end that belongs to an earlier link changes nothing.
  bed.bot.lost(upstream, 1006, '')
  expect(bed.bot.online).toBe(true)
})

test('[BOT3] what a heartbeat says anew of the account is told at once, and only then', () => {
  using bed = new BotBed()
  bed.online()
  bed.bot.received(heartbeatOf(5_000))
  const { link } = bed.join()
  const count = () => link.heartbeats.length
  expect(count()).toBe(1)
  for (const [online, wanted] of [
    [true, 1],
    [false, 2],
    [false, 2],
    [true, 3],
  ] as const) {
    bed.bot.received(heartbeatOf(5_000, online))
    expect(count()).toBe(wanted)
  }
  expect(link.heartbeats.map(({ status }) => (status as { online: boolean }).online)).toEqual([true, false, true])
})

test('[BOT4] everybody is told who comes and who goes, those who come of themselves', () => {
  using bed = new BotBed()
  bed.online()
  const notices = (link: FakeLink) =>
    link.notices.map(({ client, online, self_client }) => [(client as { app_id: string }).app_id, online, self_client])
  const a = bed.join()
  const b = bed.join({ name: 'bob' })
  bed.bot.leave(b.session, 1000, '')
  bed.bot.leave(b.session, 1000, '')
  expect(notices(a.link)).toEqual([
    [a.session.appId, true, true],
    [b.session.appId, true, false],
    [b.session.appId, false, false],
  ])
  expect(notices(b.link)).toEqual([[b.session.appId, true, true]])
  expect(a.link.notices.at(-1)).toMatchObject({ client: { client_name: 'bob' }, time: NOW, self_id: 10001 })
  expect(bed.of('session-closed')).toHaveLength(1)
  expect(bed.bot.sessions.nameTaken('bob')).toBe(false)
})

test('[BOT5] who comes before the account is known waits, and then gets its first frames; nothing before', () => {
  using bed = new BotBed()
  const [a, b] = [bed.join(), bed.join()]
  const gone = bed.join()
  bed.connect()
  bed.bot.received('{"post_type":"meta_event","meta_event_type":"heartbeat","self_id":0,"interval":5000}')
  later(bed, 60_000)
  bed.bot.leave(gone.session, 1006, '')
  for (const { link } of [a, b, gone]) expect(link.got).toEqual([])
  bed.bot.received(lifecycleOf(SELF))
  bed.bot.received(eventOf(1))
  const kinds = (link: FakeLink) =>
    link.frames.map(({ meta_event_type, notice_type, self_client, n }) => [
      meta_event_type ?? notice_type ?? n,
      self_client,
    ])
  expect(kinds(b.link)).toEqual([
    ['lifecycle', undefined],
    ['heartbeat', undefined],
    ['client_status', true],
    [1, undefined],
  ])
  expect(kinds(a.link).slice(2)).toEqual([
    ['client_status', true],
    ['client_status', false],
    [1, undefined],
  ])
  expect(gone.link.got).toEqual([])
  expect(bed.of('bot-identified')).toEqual([{ kind: 'bot-identified', bot: 'first', selfId: SELF }])
})

test('[BOT6] the account is learnt from whatever tells it first, exact beyond 2^53', () => {
  const told = [
    lifecycleOf('10001'),
    heartbeatOf(5_000, true, '10001'),
    eventOf(1),
    '{"post_type":"notice","self_id":"10001"}',
    '{"post_type":"notice","self_id":1.0001e4}',
    lifecycleOf('7672696335120716277'),
  ].map((frame) => {
    using bed = new BotBed()
    bed.connect()
    bed.bot.received(frame)
    return bed.bot.selfId
  })
  expect(told).toEqual([...Array(5).fill('10001'), '7672696335120716277'])
})

test('[BOT6] an event of an unknown account is dropped and reported; nonsense is no account', () => {
  using bed = new BotBed()
  bed.connect()
  for (const id of ['0', '-1', '1.5', '1e30', 'null', '"x"', '{}', '[1]', 'true'])
    bed.bot.received(`{"post_type":"notice","self_id":${id}}`)
  bed.bot.received('{"post_type":"notice"}')
  expect(bed.bot.selfId).toBeUndefined()
  expect(bed.of('upstream-garbage')).toHaveLength(10)
  expect(bed.of('event')).toEqual([])
  // Once it is known, events need not say it.
  bed.bot.received(lifecycleOf(SELF))
  bed.bot.received('{"post_type":"notice"}')
  expect(bed.of('event')).toHaveLength(1)
})

test('[BOT7] frames that are no OneBot are dropped and reported, whatever they are', () => {
  using bed = new BotBed()
  bed.online()
  const { link } = bed.join()
  const before = link.got.length
  const texts = [
    '',
    'null',
    '[]',
    '1',
    '{',
    '{}',
    'not json',
    '{"__proto__":{"post_type":"notice"}}',
    '{"post_type":5}',
  ]
  for (const text of texts) bed.bot.received(text)
  expect(link.got.length).toBe(before)
  expect(bed.of('upstream-garbage')).toHaveLength(texts.length)
  bed.bot.received(eventOf(1))
  expect(link.got.at(-1)).toBe(eventOf(1))
})

test('[BOT8] another account: every link is closed with 1012, what is open is answered, and nobody hears of the old one', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  bed.bot.received(heartbeatOf(3_000))
  const [a, calls] = [bed.join({ name: 'bob' }), bed.join({ events: false })]
  const bare = new FakeCaller()
  bed.bot.received(eventOf(1))
  bed.bot.call(bare, '{"action":"get_msg","echo":1}')
  bed.bot.call(a.caller, '{"action":"send_msg","echo":2}')
  for (const n of [3, 4]) bed.bot.call(bare, `{"action":"send_msg_rate_limited","params":{"n":${n}},"echo":${n}}`)
  later(bed, 0)
  const sent = upstream.sent.length
  bed.bot.lost(upstream, 1006, '')
  const second = bed.online('20002')
  later(bed, 60_000)

  expect([a, calls].map(({ link }) => link.closed?.code)).toEqual([1012, 1012])
  expect(a.link.replies).toMatchObject([{ echo: 2, retcode: 1504 }])
  expect(bare.replies.map(({ echo, retcode }) => [echo, retcode])).toEqual([
    [3, 1],
    [4, 1],
    [1, 1503],
  ])
  // Neither the read nor the paced action reaches the new account.
  expect([sent, second.sent]).toEqual([3, []])
  expect(bed.of('bot-changed')).toEqual([{ kind: 'bot-changed', bot: 'first', from: SELF, to: '20002' }])
  expect([...bed.bot.sessions.all()]).toEqual([])

  const again = bed.join({ name: 'bob' })
  expect(again.link.frames.map(({ self_id }) => self_id)).toEqual([20002, 20002, 20002])
  expect(again.link.heartbeats[0]).toMatchObject({ status: { online: true, good: true } })
  expect(bed.bot.journal.entries).toBe(2)
})

test('[BOT8] the leaving of thousands at once is told to nobody who leaves himself', () => {
  using bed = new BotBed()
  bed.online()
  const links = Array.from({ length: 500 }, () => bed.join().link)
  const before = bed.channel.published
  bed.online('20002')
  expect(bed.channel.published).toBe(before)
  expect(links.every(({ closed }) => closed?.code === 1012)).toBe(true)
})

test('[BOT9] an account that another bot has is refused and said once; its events and its calls are nobody’s', () => {
  const bots = new Bots()
  using one = new BotBed({ bots })
  using two = new BotBed({ bots, settings: { hold: 0 } })
  bots.set([one.bot, two.bot])
  one.online('10001')
  const upstream = two.online('10001')
  const { link, caller } = two.join()
  two.bot.received(eventOf(1))
  two.bot.received(eventOf(2))
  two.bot.call(caller, '{"action":"send_msg","echo":1}')
  expect([two.bot.selfId, two.bot.online]).toEqual([undefined, false])
  expect(two.of('bot-conflict')).toEqual([{ kind: 'bot-conflict', bot: 'first', selfId: '10001' }])
  expect(link.got.map((text) => JSON.parse(text).retcode)).toEqual([1503])
  expect(upstream.sent).toEqual([])
  two.bot.received(lifecycleOf('20002'))
  expect([two.bot.selfId, two.bot.online]).toEqual(['20002', true])
  // The same link turns to an account that is taken: its clients see it go.
  two.bot.received(lifecycleOf('10001'))
  two.bot.received(eventOf(3))
  expect([two.bot.selfId, two.bot.online]).toEqual(['20002', false])
  expect(link.heartbeats.at(-1)).toMatchObject({ status: { online: false } })
  expect(link.events.map(({ n }) => n).filter(Boolean)).toEqual([])
  expect(two.of('bot-conflict')).toHaveLength(2)
})

/** Of an earlier run, with this account. */
function remembering(bots: Bots, selfId: string): BotBed {
  const journal = new MemoryJournal({ maxBytes: 64 * KIB, maxAge: 60_000 })
  const nothing = { identified() {}, remember() {}, forget() {}, mark() {} }
  return new BotBed({
    kept: { restored: { selfId, journal, sessions: [], cursors: new Map() }, ...nothing },
    bots,
  })
}

test('[BOT17] an event that was made goes the way of one that was read, and is not read again', () => {
  using bed = new BotBed()
  bed.connect()
  const seat = bed.bot.seat('')
  seat.made('{"post_type":"notice"}', { post_type: 'notice' })
  expect(bed.of('upstream-garbage')).toHaveLength(1)
  expect(bed.of('event')).toEqual([])
  const event = { post_type: 'notice', self_id: Number(SELF) }
  seat.made(JSON.stringify(event), event)
  expect(bed.bot.selfId).toBe(SELF)
  const { link } = bed.join()
  const before = link.got.length
  seat.made(JSON.stringify(event), event)
  expect(link.got.slice(before)).toEqual([JSON.stringify(event)])
  expect(bed.of('event').at(-1)?.event).toBe(event)
  bed.bot.stop()
  seat.made(JSON.stringify(event), event)
  expect(bed.of('event')).toHaveLength(2)
})

test('[BOT16] an account that is only remembered is nobody’s: whoever tells it has it, also crosswise', () => {
  const bots = new Bots()
  using one = remembering(bots, '10001')
  using two = remembering(bots, '20002')
  bots.set([one.bot, two.bot])
  const clients = [one.join(), two.join()]
  expect(bots.choose('20002')).toBe(two.bot)
  one.online('20002')
  expect([one.bot.selfId, two.bot.selfId]).toEqual(['20002', undefined])
  expect(clients.map(({ link }) => link.closed?.code)).toEqual([1012, 1012])
  two.online('10001')
  expect([two.bot.selfId, two.bot.online, two.of('bot-conflict')]).toEqual(['10001', true, []])
  // What an implementation has told in this run is its bot's.
  using three = remembering(bots, '10001')
  bots.set([one.bot, two.bot, three.bot])
  three.online('10001')
  expect([three.bot.online, three.of('bot-conflict').length, two.bot.selfId]).toEqual([false, 1, '10001'])
})

test('[BOT10] bots are chosen by account; without a wish the first, and a lone unknown one is anybody’s', () => {
  const bots = new Bots()
  expect(bots.choose(undefined)).toBeUndefined()
  using one = new BotBed()
  using two = new BotBed()
  bots.set([one.bot])
  expect([bots.choose(''), bots.choose('10001')]).toEqual([one.bot, one.bot])
  one.online('10001')
  expect(bots.choose('20002')).toBeUndefined()
  bots.set([one.bot, two.bot])
  expect(bots.choose('20002')).toBeUndefined()
  two.online('20002')
  expect([bots.choose(undefined), bots.choose('20002'), bots.choose('3')]).toEqual([one.bot, two.bot, undefined])
  bots.set([two.bot])
  expect(bots.choose(undefined)).toBe(two.bot)
})

test('[BOT11] a restart waits its delay, asks the implementation, and dials anew once that has answered', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  bed.bot.restart(1_000)
  later(bed, 999)
  expect(upstream.sent).toEqual([])
  later(bed, 1)
  expect(upstream.actions.map(({ action }) => action)).toEqual(['set_restart'])
  expect(upstream.redials).toEqual([])
  bed.bot.received(answerTo(upstream.sent[0] as string))
  expect(upstream.redials).toHaveLength(1)
  expect(() => bed.bot.restart(0)).toThrow('bot instance is restarting')
  bed.bot.lost(upstream, 1006, '')
  bed.online()
  bed.bot.restart(0)
})

test('[BOT11] an implementation that does not answer is dialled anew after three seconds; one that never returns blocks no later restart', () => {
  using bed = new BotBed()
  const upstream = bed.online()
  bed.bot.restart(0)
  later(bed, 1)
  later(bed, 2_990)
  expect(upstream.redials).toEqual([])
  later(bed, 200)
  expect(upstream.redials).toHaveLength(1)
  expect(() => bed.bot.restart(0)).toThrow('bot instance is restarting')
  later(bed, 60_000)
  bed.bot.restart(0)
})

test('[BOT11] a link that comes back before the delay is over does not undo the restart', () => {
  using bed = new BotBed()
  bed.bot.lost(bed.online(), 1006, '')
  bed.bot.restart(5_000)
  later(bed, 1_000)
  const upstream = bed.online()
  expect(() => bed.bot.restart(0)).toThrow('bot instance is restarting')
  later(bed, 4_000)
  expect(upstream.actions.map(({ action }) => action)).toEqual(['set_restart'])
  // A link that is lost after it was asked is not dialled twice.
  bed.bot.lost(upstream, 1006, '')
  expect(upstream.redials).toEqual([])
})

test('[BOT11] while the implementation is away there is nobody to ask, and a restart is over at once', () => {
  using bed = new BotBed()
  bed.bot.restart(0)
  later(bed, 1)
  bed.bot.restart(0)
})

test('[BOT12] stopping closes every link with 1001, tells nobody of the others, and leaves no timer', () => {
  const bed = new BotBed()
  const upstream = bed.online()
  const clients = [bed.join(), bed.join({ channel: undefined }), bed.join({ events: false })]
  bed.bot.restart(10_000)
  const counts = clients.map(({ link }) => link.got.length)
  bed.bot.stop()
  expect(clients.map(({ link }) => [link.closed?.code, link.got.length])).toEqual(counts.map((n) => [1001, n]))
  for (const { session } of clients) bed.bot.leave(session, 1001, '')
  expect(bed.of('session-closed')).toHaveLength(3)
  // A handshake that was under way, a link to the implementation, an account from its headers.
  const late = bed.join()
  bed.bot.connected(upstream, 'ws://127.0.0.1')
  bed.bot.identify('20002')
  expect(late.link.closed?.code).toBe(1001)
  expect(() => bed.bot.restart(0)).toThrow('shutting down')
  expect([[...bed.bot.sessions.all()], bed.bot.online, jest.getTimerCount()]).toEqual([[], false, 0])
  expect([bed.channel.topics, upstream.redials.length]).toEqual([0, 0])
})

test('[BOT13] 10,000 clients that come, call and go leave nothing behind', () => {
  using bed = new BotBed({ maxBytes: 64 * KIB })
  const upstream = bed.online()
  const timers = jest.getTimerCount()
  for (let n = 0; n < 10_000; n++) {
    const { session, caller, link } = bed.join({ name: `client ${n % 10}`, events: n % 5 !== 0, stuck: n % 7 === 0 })
    bed.bot.call(caller, `{"action":"${n % 3 ? 'get_msg' : 'send_msg_async'}","echo":${n}}`)
    const sent = upstream.sent.pop() as string
    // Some replies come when their client has gone.
    if (n % 2) bed.bot.received(answerTo(sent))
    link.open = false
    bed.bot.leave(session, 1006, '')
    if (n % 2 === 0) bed.bot.received(answerTo(sent))
    expect(session.open).toEqual({ calls: 0, bytes: 0 })
  }
  expect([bed.bot.sessions.size, bed.bot.waiting, bed.channel.topics, bed.room.used, bed.room.waiting]).toEqual([
    0,
    { replies: 0, waiting: 0, held: false, paced: 0, catchingUp: 0, away: 0 },
    0,
    0,
    0,
  ])
  for (let n = 0; n < 10; n++) expect(bed.bot.sessions.nameTaken(`client ${n}`)).toBe(false)
  // The one for deadlines, if any.
  expect(jest.getTimerCount()).toBeLessThanOrEqual(timers + 1)
  later(bed, 120_000)
  expect(jest.getTimerCount()).toBe(timers)
})

test('[BOT14] an event reaches everybody with the bytes in which it came', () => {
  using bed = new BotBed()
  bed.online()
  const clients = [bed.join(), bed.join({ channel: undefined }), bed.join({ transport: 'http-post' })]
  const raw = '{ "post_type" : "notice" , "self_id":10001, "id":7672696335120716277, "text":"<&>\\u4f60", "x":1.0 }'
  bed.bot.received(raw)
  for (const { link } of clients) expect(link.got.at(-1)).toBe(raw)
  expect(bed.of('event')).toEqual([{ kind: 'event', bot: 'first', raw, event: JSON.parse(raw) }])
})

test('[BOT15] lower limits count at once: who had yet to read what goes is told', () => {
  using bed = new BotBed()
  bed.online()
  const [fast, slow] = [bed.join(), bed.join({ stuck: true })]
  for (let n = 0; n < 12; n++) bed.bot.received(eventOf(n, 200 * KIB))
  expect(bed.bot.waiting.catchingUp).toBe(1)
  bed.bot.limit({ maxBytes: 500 * KIB, maxAge: 1_000 })
  expect([slow.link.closed?.code, fast.link.closed]).toEqual([4008, undefined])
  expect(fast.link.notices.at(-1)).toMatchObject({ client: { app_id: slow.session.appId }, online: false })
  // Age counts at every beat, without any event.
  const aged = bed.join({ stuck: true })
  for (let n = 0; n < 12; n++) bed.bot.received(eventOf(n, 150 * KIB))
  later(bed, 20_000)
  expect(aged.link.closed?.code).toBe(4008)
})
