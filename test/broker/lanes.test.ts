// Lanes by rules: who shares one, what it costs, and what they carry.

import { expect, test } from 'bun:test'
import { OPEN_TERMS, type Rules } from '../../src/broker/ports.ts'
import { broadcast } from '../../src/onebot/event.ts'
import { BotBed, eventOf, type FakeLink, heartbeatOf, KIB } from '../support/broker.ts'

/** Rules that want every second number, mark it, and count how often they are asked. */
class Even implements Rules {
  readonly key: string
  asked = 0
  constructor(key: string) {
    this.key = key
  }
  apply(raw: string, event: Readonly<Record<string, unknown>>): string | undefined {
    this.asked += 1
    const { n } = event
    if (typeof n === 'number' && n % 2 === 1) return undefined
    return typeof n === 'number' ? raw.replace('"n":', `"${this.key}":`) : raw
  }
}

const termsOf = (rules: Rules) => ({ ...OPEN_TERMS, rules })
const values = (link: FakeLink, key = 'n') => link.events.flatMap((event) => (key in event ? [event[key]] : []))

test('[LAN1] sessions with equal rules share a lane, which judges an event once and publishes it once', () => {
  using bed = new BotBed()
  bed.online()
  const rules = new Even('even')
  // Equal rules need not be the same object.
  const members = Array.from({ length: 50 }, (_, i) =>
    bed.join({ terms: termsOf(i % 2 === 0 ? rules : new Even('even')) }),
  )
  const plain = bed.join()
  rules.asked = 0
  bed.channel.published = 0
  for (let n = 1; n <= 10; n++) bed.bot.received(eventOf(n))
  expect([rules.asked, bed.channel.published]).toEqual([10, 15])
  for (const { link } of members) expect(values(link, 'even')).toEqual([2, 4, 6, 8, 10])
  expect(values(plain.link)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

test('[LAN1] other rules have a lane of their own', () => {
  using bed = new BotBed()
  bed.online()
  const [a, b] = [bed.join({ terms: termsOf(new Even('a')) }), bed.join({ terms: termsOf(new Even('b')) })]
  for (let n = 1; n <= 4; n++) bed.bot.received(eventOf(n))
  expect([values(a.link, 'a'), values(a.link, 'b'), values(b.link, 'b')]).toEqual([[2, 4], [], [2, 4]])
})

test('[LAN2] who reads from the journal gets what its lane gets', () => {
  using bed = new BotBed()
  bed.online()
  const slow = bed.join({ terms: termsOf(new Even('even')), stuck: true })
  const quick = bed.join({ terms: termsOf(new Even('even')) })
  for (let n = 1; n <= 40; n++) bed.bot.received(eventOf(n, 100 * KIB))
  expect(slow.session.flow.state).toBe('catching-up')
  slow.link.stuck = false
  slow.link.buffered = 0
  bed.bot.drained(slow.session)
  expect(slow.session.flow.state).toBe('live')
  expect(values(slow.link, 'even')).toEqual(values(quick.link, 'even'))
  expect(values(slow.link, 'even').length).toBe(20)
})

test('[LAN3] a big event goes only to those who want it, and is judged once', () => {
  using bed = new BotBed()
  bed.online()
  const rules = new Even('even')
  const members = Array.from({ length: 20 }, () => bed.join({ terms: termsOf(rules) }))
  const plain = bed.join()
  rules.asked = 0
  bed.bot.received(eventOf(1, 300 * KIB))
  bed.bot.received(eventOf(2, 300 * KIB))
  expect(rules.asked).toBe(2)
  for (const { link } of members) expect(values(link, 'even')).toEqual([2])
  expect(values(plain.link)).toEqual([1, 2])
})

test('[LAN4] what is for one client alone, and what passes, takes the form that its rules have for it, or stays', () => {
  using bed = new BotBed()
  bed.online()
  const formed: Rules = {
    key: 'formed',
    apply: (raw) => `A${raw}`,
    form: (raw, event, at) =>
      event['meta_event_type'] === 'heartbeat' ? undefined : `${at === undefined ? 'P' : 'T'}${raw}`,
  }
  const one = bed.join({ terms: termsOf(formed) })
  const plain = bed.join({ terms: termsOf({ key: 'plain', apply: () => undefined }) })
  const word = broadcast({ selfId: '10001', time: 1, client: { app_id: 'x' }, uuid: 'u', data: 'hi' })
  bed.bot.tell(new Set([one.session, plain.session]), word)
  bed.bot.received(heartbeatOf(3_000))
  bed.bot.received(eventOf(1))
  expect(one.link.got.map((text) => text[0])).toEqual(['P', 'T', 'A', 'T', 'A'])
  expect(one.link.got.at(-2)).toBe(`T${word}`)
  expect(plain.link.got.at(-2)).toBe(word)
  expect(plain.link.heartbeats.length).toBe(2)
})

test('[LAN5] a lane without members is gone, and opens again', () => {
  using bed = new BotBed()
  bed.online()
  const before = bed.channel.topics
  const first = bed.join({ terms: termsOf(new Even('even')) })
  expect(bed.channel.topics).toBe(before + 1)
  bed.bot.leave(first.session, 1000, '')
  expect(bed.channel.topics).toBe(before)
  const second = bed.join({ terms: termsOf(new Even('even')) })
  bed.bot.received(eventOf(2))
  expect(values(second.link, 'even')).toEqual([2])
})
