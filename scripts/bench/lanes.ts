// Rows about filters: many clients in a few lanes, each of which wants the event, next to as many that filter nothing.

import { compared } from './fanout.ts'
import type { Bench, Row } from './rows.ts'
import { ALONE, inTurn, type Pattern, rounded, type Scene, scene, TOGETHER } from './scene.ts'

const CLIENTS = { full: 1_000, quick: 200 }
const LANES = 10
const ROUNDS = { full: 7, quick: 3 }
const PATTERNS = [
  { name: 'one by one', pattern: ALONE, warmUp: 40 },
  { name: '32 at a time', pattern: TOGETHER, warmUp: 640 },
]
const ROUND_MS = { full: 800, quick: 400 }
/** Until the compiler has seen everything. */
const COMPILED = 20_000

const SIDES = ['filtered', 'plain'] as const
type Side = (typeof SIDES)[number]

/** Whom each event is from, and somebody else by whom the lanes differ. */
const filter = (lane: number) => ({ groups: [123456789, lane + 1], types: ['message', 'notice'] })

export async function* lanes(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  const size = CLIENTS[mode]
  const clients = Array.from({ length: size }, (_, at) => ({ name: `c${at}`, filter: filter(at % LANES) }))
  await using filtered = await scene(bench, { clients })
  await using plain = await scene(bench)
  const stages = { filtered, plain }
  bench.say(`${size} clients in ${LANES} lanes`)
  for (const side of SIDES) await crowd(stages[side], 1)
  for (const side of SIDES) await stages[side].burst('gateway', COMPILED, 1)
  for (const side of SIDES) await crowd(stages[side], size)
  for (const { name, pattern, warmUp } of PATTERNS) {
    const costs = await rounds(stages, { size, pattern, warmUp, mode })
    yield {
      id: 'lanes',
      what: `processor time per delivery, ${size.toLocaleString('en-US')} clients with ${LANES} filters, events ${name}`,
      unit: 'us',
      ...compared(costs.filtered, costs.plain, 'without filters'),
      target: { of: 'ratio', most: 1.3 },
    }
  }
}

async function crowd({ load, urls }: Scene, size: number): Promise<void> {
  await load.ask('grow', { name: 'c', url: urls.gateway, size, named: true })
  await load.ask('quiet', 300)
}

interface Wanted {
  size: number
  pattern: Pattern
  warmUp: number
  mode: keyof typeof ROUNDS
}

/** Microseconds of processor time per delivery, round by round. */
async function rounds(stages: Record<Side, Scene>, { size, pattern, warmUp, mode }: Wanted) {
  await stages.filtered.burst('gateway', warmUp, size, pattern)
  const { ms } = await stages.plain.burst('gateway', warmUp, size, pattern)
  const count = rounded((warmUp * ROUND_MS[mode]) / ms, pattern)
  const costs: Record<Side, number[]> = { filtered: [], plain: [] }
  for (let round = 0; round < ROUNDS[mode]; round++)
    for (const side of inTurn(SIDES, round)) {
      const { cpu } = await stages[side].burst('gateway', count, size, pattern)
      costs[side].push((cpu * 1e6) / (count * size))
    }
  return costs
}
