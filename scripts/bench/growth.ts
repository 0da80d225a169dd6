// Rows about age: what an event costs after a million others, and whether memory grows once the journal is full.

import { median, rss } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { SIDES, type Side, scene } from './scene.ts'

const EVENTS = { full: 1_000_000, quick: 200_000 }
const SLICE = 20_000
/** Until the compiler has seen everything. */
const WARM_UP = 60_000
/** Slices at either end that are compared. */
const COMPARED = { full: 8, quick: 3 }
/** With this an event is in the journal and out of it again soon; the default would hold 70,000 of them. */
const SMALL_JOURNAL = { journal: { 'max-bytes': '16MiB' } }

export async function* growth(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  await using stage = await scene(bench, bench.quick ? SMALL_JOURNAL : undefined)
  await stage.clients(1)
  for (const side of SIDES) await stage.burst(side, WARM_UP, 1)
  const costs: Record<Side, number[]> = { gateway: [], relay: [] }
  const memory: number[] = []
  let held = 0
  let full: number | undefined
  for (let sent = 0; sent < EVENTS[mode]; sent += SLICE) {
    if (sent % (EVENTS[mode] / 5) === 0) bench.say(`${sent} of ${EVENTS[mode]} events`)
    for (const side of SIDES) costs[side].push(((await stage.burst(side, SLICE, 1)).cpu * 1e6) / SLICE)
    memory.push(rss(stage.pids.gateway))
    const { bots } = await stage.gateway.status()
    const entries = bots[0]?.journal.entries ?? 0
    // Fewer than were sent: the old ones go.
    if (full === undefined && entries < held + SLICE / 2) full = memory.length
    held = entries
  }
  const ends = (side: Side) => ({
    first: median(costs[side].slice(0, COMPARED[mode])),
    last: median(costs[side].slice(-COMPARED[mode])),
  })
  const mine = ends('gateway')
  const theirs = ends('relay')
  yield {
    id: 'growth',
    what: `processor time per event after ${EVENTS[mode].toLocaleString('en-US')} others`,
    unit: 'us',
    value: mine.last,
    base: { what: 'at the start', value: mine.first },
    // The machine is not the same after a minute: what the relay shows of that is no growth.
    ratio: mine.last / mine.first / (theirs.last / theirs.first),
    target: { of: 'ratio', most: 1.1 },
    note: `(alone ${(mine.last / mine.first).toFixed(2)}x, relay ${(theirs.last / theirs.first).toFixed(2)}x)`,
  }
  const since = memory.slice(full ?? 0)
  // The collector's waves are wide: thirds, not single values.
  const third = Math.ceil(since.length / 3)
  const early = median(since.slice(0, third))
  const late = median(since.slice(-third))
  yield {
    id: 'growth',
    what: `memory with a full journal of ${held.toLocaleString('en-US')} events, last third`,
    unit: 'MiB',
    value: late,
    base: { what: 'first third', value: early },
    ratio: late / early,
    target: { of: 'ratio', most: 1.1 },
  }
}
