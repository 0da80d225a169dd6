// What a client may lack of one bot when it has got later events of another: stretches, bounded, and whose they are.

import { expect, test } from 'bun:test'
import type { Bot } from '../../src/broker/bot.ts'
import { MemoryJournal } from '../../src/broker/journal.ts'
import { Lag, Lags } from '../../src/satori/lag.ts'
import { places } from '../../src/satori/resume.ts'
import { snOf } from '../../src/satori/sn.ts'

const LIMITS = { maxBytes: 1e6, maxAge: 1e9 }

/** All of a bot that is looked at here. */
const botOf = (journal: MemoryJournal) => ({ journal }) as unknown as Bot

/** Events at these times. */
function journalOf(times: readonly number[], like?: (journal: MemoryJournal) => boolean): MemoryJournal {
  for (;;) {
    const journal = new MemoryJournal(LIMITS)
    for (const time of times) journal.append('{}', time)
    if (like === undefined || like(journal)) return journal
  }
}

test('[SAT30] a bot goes on where it began to wait for all who were told something newer meanwhile', () => {
  const [one, other] = [botOf(journalOf([])), botOf(journalOf([]))]
  const lag = new Lag()
  lag.begin(one, 100)
  lag.begin(one, 150)
  expect([99, 100, 200].map((time) => lag.since(one, time))).toEqual([99, 100, 100])
  expect(lag.since(other, 200)).toBe(200)
  lag.finish(one, 180)
  expect([170, 180, 181].map((time) => lag.since(one, time))).toEqual([100, 100, 181])
  lag.end()
  lag.begin(one, 1)
  expect(lag.since(one, 300)).toBe(300)
  const long = new Lag()
  for (let n = 0; n < 100; n++) {
    long.begin(one, n * 10)
    long.finish(one, n * 10 + 5)
  }
  // Earlier than it must be, and never later.
  for (let n = 0; n < 100; n++) expect(long.since(one, n * 10 + 5)).toBeLessThanOrEqual(n * 10)
  expect(long.since(one, 996)).toBe(996)
})

test('[SAT30] connections are remembered by whose they are, so many and no more, and only where something waited', () => {
  const bot = botOf(journalOf([]))
  const lags = new Lags()
  const waiting = (whose: string) => {
    const lag = lags.open(whose)
    lag.begin(bot, 10)
    lags.end(whose, lag)
  }
  waiting('first')
  lags.end('second', lags.open('second'))
  expect([lags.since('first', bot, 50), lags.since('second', bot, 50)]).toEqual([10, 50])
  for (let n = 0; n < 1_024; n++) waiting('many')
  expect([lags.since('first', bot, 50), lags.since('many', bot, 50)]).toEqual([50, 10])
})

test('[SAT30] where two journals have one mark, neither bot leaves anything out', () => {
  const first = journalOf([10, 20, 30, 40])
  const mark = snOf(first, first.first) % 4_096
  const second = journalOf([11, 21, 31, 41], (journal) => snOf(journal, journal.first) % 4_096 === mark)
  const [one, two] = [botOf(first), botOf(second)]
  // The last one of the second bot, or of the first.
  const found = places([one, two], snOf(second, second.after(3)!))
  expect(found.get(one)!.cursor).toBe(first.head)
  expect(second.at(found.get(two)!.cursor)?.time).toBe(41)
  const early = places([one, two], snOf(second, second.first))
  expect(first.at(early.get(one)!.cursor)?.time).toBe(20)
  expect(second.at(early.get(two)!.cursor)?.time).toBe(11)
})

test('[SAT29] what may have gone from the journal of another bot is said, too', () => {
  const heard = journalOf([10, 20])
  const other = new MemoryJournal({ maxBytes: 1e6, maxAge: 5 })
  for (const time of [10, 15, 100]) other.append('{}', time)
  const bots = [heard, other].map(botOf)
  const lost = (sn: number) => [...places(bots, sn).values()].map((place) => place.lost)
  expect(lost(snOf(heard, heard.first))).toEqual([undefined, 0])
  const whole = [heard, journalOf([50])].map(botOf)
  expect([...places(whole, snOf(heard, heard.first)).values()].map((place) => place.lost)).toEqual([
    undefined,
    undefined,
  ])
})
