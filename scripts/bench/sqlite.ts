// Rows about the journal on disk: what it costs beside the one in memory, at a rate that no account has.

import { compared } from './fanout.ts'
import { cpu } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { inTurn, type Scene, scene } from './scene.ts'

const RATE = 20_000
const SECONDS = { full: 2, quick: 1 }
const ROUNDS = { full: 7, quick: 3 }
/** Until the compiler has seen everything. */
const COMPILED = 100_000
/** What the disk is to get is on its way for 50 ms at most. */
const WRITTEN_MS = 150

const SIDES = ['disk', 'memory'] as const
type Side = (typeof SIDES)[number]

export async function* sqlite(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  await using disk = await scene(bench, { journal: { persist: true } })
  await using memory = await scene(bench)
  const stages: Record<Side, Scene> = { disk, memory }
  for (const side of SIDES) {
    await stages[side].load.ask('grow', { name: 'gateway', url: stages[side].urls.gateway, size: 1 })
    await stages[side].burst('gateway', COMPILED, 1)
  }
  bench.say(`${RATE} events a second to the disk`)
  const costs: Record<Side, number[]> = { disk: [], memory: [] }
  for (let round = 0; round < ROUNDS[mode]; round++)
    for (const side of inTurn(SIDES, round)) costs[side].push(await cost(stages[side], SECONDS[mode]))
  yield {
    id: 'sqlite',
    what: `processor time per event, ${RATE.toLocaleString('en-US')}/s, journal in SQLite`,
    unit: 'us',
    ...compared(costs.disk, costs.memory, 'in memory'),
    target: { of: 'ratio', most: 1.25 },
  }
}

/** Microseconds of processor time per event. */
async function cost({ source, load, pids }: Scene, seconds: number): Promise<number> {
  await load.ask('expect', Number.MAX_SAFE_INTEGER)
  const before = cpu(pids.gateway)
  await source.ask('paced', { to: 'gateway', rate: RATE, seconds })
  await load.ask('arrived', RATE * seconds)
  await Bun.sleep(WRITTEN_MS)
  return ((cpu(pids.gateway) - before) * 1e6) / (RATE * seconds)
}
