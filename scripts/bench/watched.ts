// Rows about looking: what five open dashboards cost a gateway that 200 events a second pass through.

import { type Child, child } from './child.ts'
import { compared } from './fanout.ts'
import { ADMIN } from './gateway.ts'
import { cpu } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { inTurn, type Scene, scene } from './scene.ts'
import type { Viewers } from './viewers.ts'

const CLIENTS = 20
const DASHBOARDS = 5
/** No more than a stream shows of them: more would be a sample, and cost no more. */
const RATE = 200
const SECONDS = { full: 10, quick: 5 }
const ROUNDS = { full: 7, quick: 3 }
/** Until the compiler has seen everything. */
const COMPILED = 20_000
/** After dashboards have come or gone. */
const SETTLED_MS = 1_000

const SIDES = ['watched', 'alone'] as const
type Side = (typeof SIDES)[number]

export async function* watched(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  await using stage = await scene(bench)
  await using viewers = child<Viewers>('viewers.ts')
  await stage.load.ask('grow', { name: 'gateway', url: stage.urls.gateway, size: CLIENTS })
  await stage.load.ask('quiet', 300)
  await stage.burst('gateway', COMPILED, CLIENTS)
  bench.say(`${RATE} events a second to ${CLIENTS} clients, ${DASHBOARDS} dashboards`)
  await seen(stage, viewers, 'watched', SECONDS[mode])
  const costs: Record<Side, number[]> = { watched: [], alone: [] }
  for (let round = 0; round < ROUNDS[mode]; round++)
    for (const side of inTurn(SIDES, round)) costs[side].push(await seen(stage, viewers, side, SECONDS[mode]))
  yield {
    id: 'watched',
    what: `processor time per event, ${RATE}/s to ${CLIENTS} clients, ${DASHBOARDS} dashboards open`,
    unit: 'us',
    ...compared(costs.watched, costs.alone, 'with none'),
    target: { of: 'ratio', most: 1.1 },
  }
}

/** Microseconds of processor time per event. */
async function seen(stage: Scene, viewers: Child<Viewers>, side: Side, seconds: number): Promise<number> {
  const { gateway, source, load, pids } = stage
  if (side === 'watched') await viewers.ask('open', { address: gateway.address, token: ADMIN, count: DASHBOARDS })
  await Bun.sleep(SETTLED_MS)
  await load.ask('expect', Number.MAX_SAFE_INTEGER)
  const before = cpu(pids.gateway)
  await source.ask('paced', { to: 'gateway', rate: RATE, seconds })
  await load.ask('arrived', RATE * seconds * CLIENTS)
  const cost = ((cpu(pids.gateway) - before) * 1e6) / (RATE * seconds)
  await viewers.ask('close')
  return cost
}
