// Every event of OneBot, and what Satori's clients get of it.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Bots } from '../../src/broker/bots.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import type { Cursor, Link } from '../../src/broker/ports.ts'
import { OPEN_TERMS } from '../../src/broker/ports.ts'
import { Calls } from '../../src/satori/call.ts'
import { EVENTS } from '../../src/satori/events.ts'
import { satoriForm } from '../../src/satori/form.ts'
import { Logins } from '../../src/satori/logins.ts'
import { lastBefore, positionAfter, positionOf, snOf } from '../../src/satori/sn.ts'
import { bench, eagerLink } from '../support/bot.ts'
import { BotBed, eventOf, FakeLink } from '../support/broker.ts'
import { GOLDEN } from './golden-events.ts'
import { OTHERS } from './other-events.ts'
import { problems } from './strict.ts'

type Body = Record<string, unknown>
type Dress = NonNullable<Link['dress']>

/** A Satori client of a bot that takes everything at once. */
function listener(selfId = '10001', inner?: (typeof OPEN_TERMS)['rules']) {
  const it = bench({ selfId })
  const heard: string[] = []
  const dress = satoriForm(it.bot, new Logins(it.bots, new Calls()), 'frame')
  const session = it.bot.join(
    { ...eagerLink(heard), transport: 'satori', dress },
    { events: true, calls: true, terms: { ...OPEN_TERMS, ...(inner && { rules: inner }) } },
  )
  heard.length = 0
  const hears = (event: object | string): Body => {
    it.says(typeof event === 'string' ? event : JSON.stringify(event))
    const frame: { op: number; body: Body } = JSON.parse(heard.shift() ?? 'null')
    expect(frame.op).toBe(0)
    return frame.body
  }
  return { ...it, heard, hears, session, [Symbol.dispose]: () => it[Symbol.dispose]() }
}

test('[SAT14] every event of the table becomes the event of Satori, field by field', () => {
  using client = listener()
  const named = new Set<string>()
  for (const { name, event, wanted } of GOLDEN) {
    const { id, sn, login, platform, self_id, timestamp, _data, _type, ...rest } = client.hears(event)
    expect([name, rest]).toEqual([name, wanted])
    expect(_data).toEqual(event)
    expect({ platform, self_id, timestamp, id }).toEqual({
      platform: 'onebot',
      self_id: '10001',
      timestamp: 1_763_870_400_000,
      id: sn,
    })
    expect(login).toEqual({ sn: 1, platform: 'onebot', user: { id: '10001', avatar: expect.any(String) } })
    expect(String(_type)).toStartWith('onebot')
    named.add(name)
  }
  // Nothing in the table is left untried.
  expect(Object.keys(EVENTS).filter((name) => !named.has(name))).toEqual([])
})

test('[SAT15] what the table does not know is internal, named, and with the event byte for byte', () => {
  using client = listener()
  const events: [string, string][] = [
    [
      'onebot/notice.vendor_new_thing',
      '{ "post_type" : "notice",	"notice_type":"vendor_new_thing", "self_id": 10001, "x": 1.0, "big": 7672696335120716277, "\\u0061": "\\/" }',
    ],
    [
      'onebot/notice.notify.poke',
      '{"time":1,"self_id":10001,"post_type":"notice","notice_type":"notify","sub_type":"poke","user_id":5,"target_id":10001}',
    ],
    ['onebot/request.other', '{"self_id":10001,"post_type":"request","request_type":"other"}'],
    ['onebot/mystery', '{"self_id":10001,"post_type":"mystery"}'],
    ['onebot/constructor.__proto__', '{"self_id":10001,"post_type":"constructor","constructor_type":"__proto__"}'],
  ]
  for (const [type, raw] of events) {
    client.says(raw)
    const frame = client.heard.shift() ?? ''
    expect(frame).toEndWith(`,"_type":"${type}","_data":${raw}}}`)
    expect(JSON.parse(frame).body).toMatchObject({ type: 'internal', self_id: '10001' })
  }
})

const idsIn = (body: Body) =>
  Object.fromEntries(
    ['channel', 'guild', 'user', 'operator'].flatMap((key) => {
      const one = body[key] as { id: string } | undefined
      return one === undefined ? [] : [[key, one.id]]
    }),
  )

test('[SAT52] what the table does not know says where, to whom and by whom, as far as it does', () => {
  using client = listener()
  for (const { event, wanted } of OTHERS) {
    const body = client.hears(event)
    expect([event, body['type'], idsIn(body)]).toEqual([event, 'internal', wanted])
  }
})

const MESSAGES: unknown[] = [
  '',
  [],
  '[CQ:reply,id=5][CQ:at,qq=10001] x[CQ:image][CQ:face]',
  ['image', 'record', 'video', 'file', 'at', 'face', 'reply', 'forward', 'node', 'text'].map((type) => ({ type })),
  [{ type: 'file', data: { file_id: '/x' } }],
  [{ type: 'image', data: { file: null, url: 5, summary: 'x' } }],
  ['json', 'xml', 'markdown', 'keyboard', 'mface', 'dice', 'rps', 'contact', 'music', 'location', 'share', 'poke'].map(
    (type) => ({ type, data: { id: 1, data: '{"a":"<b>"}', deep: { a: [] } } }),
  ),
  [{ type: 'forward', data: { content: [{ type: 'node', data: { content: [{ type: 'image', data: {} }] } }] } }],
]

test('[SAT50] clients that check every field take whatever an implementation tells', () => {
  using client = listener()
  const message = { time: 1, self_id: 10001, post_type: 'message', message_type: 'group', group_id: 7, user_id: 5 }
  const events = [
    ...GOLDEN.map(({ event }) => event),
    ...OTHERS.map(({ event }) => event),
    ...MESSAGES.map((said) => ({ ...message, message: said })),
    // Times in milliseconds, and none.
    { ...message, time: 1_763_870_400_000, sender: { user_id: 5, join_time: 1_763_870_400_000 } },
    { self_id: 10001, post_type: 'message', message_type: 'group' },
    { self_id: 10001, post_type: 'message', message_type: 'private', sub_type: 'group', group_id: 0 },
    ...Object.keys(EVENTS).map((name) => {
      const [post_type = '', kind = '', sub_type] = name.split('.')
      return { self_id: 10001, post_type, [`${post_type}_type`]: kind, sub_type }
    }),
  ]
  for (const event of events) expect([event, problems(client.hears(event))]).toEqual([event, []])
})

test('[SAT51] an event says whose it is, and not how that account fares by now', () => {
  using client = listener()
  const said = { self_id: 10001, post_type: 'message', message_type: 'private', user_id: 1, message: 'x' }
  client.says(
    '{"time":1,"self_id":10001,"post_type":"meta_event","meta_event_type":"heartbeat","status":{"online":false,"good":true},"interval":5000}',
  )
  client.heard.length = 0
  const body = client.hears(said)
  expect(problems(body)).toEqual([])
  expect(Object.keys(body['login'] as Body)).toEqual(['sn', 'platform', 'user'])
})

test('[SAT16] ids beyond 2^53 keep every digit', () => {
  const selfId = '12345678901234567890'
  using client = listener(selfId)
  const raw = `{"time":1,"self_id":${selfId},"post_type":"message","message_type":"group","message_id":-7672696335120716277,"group_id":9007199254740993,"user_id":9007199254740995,"message":[{"type":"forward","data":{"id":7386372819283746513}},{"type":"at","data":{"qq":9007199254740997}}],"sender":{"user_id":9007199254740995,"nickname":"n"}}`
  expect(client.hears(raw)).toMatchObject({
    self_id: selfId,
    login: { user: { id: selfId } },
    channel: { id: '9007199254740993' },
    guild: { id: '9007199254740993' },
    user: { id: '9007199254740995' },
    message: {
      id: '-7672696335120716277',
      content: '<message id="7386372819283746513" forward/><at id="9007199254740997"/>',
    },
  })
})

test('[SAT17] whatever an implementation sends becomes an event of Satori', () => {
  using client = listener()
  const anything = fc.record(
    {
      post_type: fc.constantFrom('message', 'notice', 'request', 'message_sent', 'x'),
      message_type: fc.oneof(fc.constantFrom('group', 'private'), fc.anything()),
      notice_type: fc.oneof(fc.constantFrom('group_increase', 'group_msg_emoji_like', 'group_recall'), fc.anything()),
      request_type: fc.oneof(fc.constantFrom('friend', 'group'), fc.anything()),
      sub_type: fc.anything(),
      user_id: fc.anything(),
      group_id: fc.anything(),
      sender: fc.anything(),
      message: fc.anything(),
      likes: fc.anything(),
      time: fc.anything(),
    },
    { requiredKeys: ['post_type'] },
  )
  fc.assert(
    fc.property(anything, (event) => {
      const raw = JSON.stringify({ self_id: 10001, ...event }, (_key, value) =>
        typeof value === 'bigint' ? `${value}` : value,
      )
      expect(client.hears(raw)).toMatchObject({ platform: 'onebot', _data: JSON.parse(raw) })
    }),
  )
  const deep = `{"self_id":10001,"post_type":"message","message_type":"group","message":[{"type":"x","data":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}]}`
  expect(client.hears(deep)).toMatchObject({ platform: 'onebot' })
})

test('[SAT18] sn grows with each event and leads back to its place, in its own journal only', () => {
  using client = listener()
  const sns = [1, 2, 3].map((n) => Number(client.hears({ self_id: 10001, post_type: 'notice', n })['sn']))
  expect([...sns].sort((a, b) => a - b)).toEqual(sns)
  const { journal } = client.bot
  for (const sn of sns) {
    const at = positionOf(journal, sn)
    expect(at !== undefined && snOf(journal, at)).toBe(sn)
  }
  const other = new MemoryJournal({ maxBytes: 1e6, maxAge: 1e9 })
  for (let n = 0; n < 10; n++) other.append('{}', n)
  // Of journals some share a mark; here it is known that these do not.
  if ((snOf(other, other.first) - sns[0]!) % 4096 !== 0) expect(positionOf(other, sns[0]!)).toBeUndefined()
  for (const wrong of [-1, 0, 1, 1.5, Number.NaN, 2 ** 60, snOf(journal, journal.head)])
    expect(positionOf(journal, wrong)).toBeUndefined()
})

test('[SAT18] a moment leads to the first event that is not older', () => {
  const journal = new MemoryJournal({ maxBytes: 1e6, maxAge: 1e9 })
  const positions = [10, 20, 20, 30].map((time) => journal.append('{}', time))
  expect([5, 10, 15, 20, 25, 30, 31].map((time) => positionAfter(journal, time))).toEqual(
    [positions[0], positions[0], positions[1], positions[1], positions[3], positions[3], journal.head].map((at) => at!),
  )
})

test('[SAT18] the last entry before a position is found, whatever numbers are left out', () => {
  const gap = fc.record({ entries: fc.integer({ min: 1, max: 5 }), numbers: fc.integer({ min: 1, max: 50 }) })
  fc.assert(
    fc.property(fc.array(gap, { maxLength: 4 }), fc.integer({ min: 1, max: 30 }), (wanted, kept) => {
      const gaps: { start: number; end: number }[] = []
      for (const { entries, numbers } of wanted) {
        const start = (gaps.at(-1)?.end ?? 1) + entries
        gaps.push({ start, end: start + numbers })
      }
      const journal = new MemoryJournal({ maxBytes: 1e6, maxAge: kept }, { epoch: 'e', first: 1, gaps })
      const positions: number[] = Array.from({ length: 20 }, (_, n) => journal.append('{}', n + 1))
      for (let next: number = journal.first; next <= journal.head; next++) {
        const at = positions.findLast((position) => position < next && position >= journal.first)
        const wantedEntry = at === undefined ? undefined : { at, time: positions.indexOf(at) + 1 }
        expect(lastBefore(journal, next as Cursor) as unknown).toEqual(wantedEntry)
      }
    }),
  )
  const empty = new MemoryJournal({ maxBytes: 1e6, maxAge: 1e9 })
  expect(lastBefore(empty, empty.head)).toBeUndefined()
})

test("[SAT32] a client's own rules judge before anything is put into Satori's words", () => {
  const inner = {
    key: 'only groups',
    apply: (raw: string, event: Record<string, unknown>) => (event['message_type'] === 'group' ? raw : undefined),
  }
  using client = listener('10001', inner)
  client.says('{"self_id":10001,"post_type":"message","message_type":"private","user_id":1,"message":"x"}')
  expect(client.heard).toEqual([])
  expect(
    client.hears(
      '{"self_id":10001,"post_type":"message","message_type":"group","user_id":1,"group_id":2,"message":"y"}',
    ),
  ).toMatchObject({ message: { content: 'y' } })
})

test('[SAT32] an event is put into words once, and published once, however many clients there are', () => {
  using bed = new BotBed()
  bed.online()
  const bots = new Bots()
  bots.set([bed.bot])
  const logins = new Logins(bots, new Calls())
  let converted = 0
  for (let n = 0; n < 200; n++) {
    const dress: Dress = (inner) => {
      const rules = satoriForm(bed.bot, logins, 'frame')(inner)
      const apply: typeof rules.apply = (...event) => {
        converted += 1
        return rules.apply(...event)
      }
      return { ...rules, apply }
    }
    const link = Object.assign(new FakeLink({ channel: bed.channel, transport: 'satori' }), { dress })
    bed.bot.join(link, { events: true, calls: true })
  }
  converted = 0
  bed.channel.published = 0
  bed.bot.received(eventOf(1))
  expect([converted, bed.channel.published]).toEqual([1, 1])
})
