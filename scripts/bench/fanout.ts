// Rows about deliveries: processor time and throughput for 1 to 200 clients, gateway and event relay in turn.

import { median } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import {
  ALONE,
  type Cost,
  inTurn,
  type Pattern,
  rounded,
  type Scene,
  SIDES,
  type Side,
  scene,
  TOGETHER,
} from './scene.ts'

/** Compilers work for some seconds after the first events; who runs for days is not measured by that. */
const COMPILED = 150_000
const SIZES = [1, 10, 50, 200]
const PATTERNS = [
  { name: 'one by one', pattern: ALONE, warmUp: 1_000 },
  { name: '32 at a time', pattern: TOGETHER, warmUp: 6_400 },
]
/** A round lasts about this long on either side. */
const ROUND_MS = { full: 1_200, quick: 500 }
const ROUNDS = { full: 7, quick: 3 }

export async function* fanout(bench: Bench): AsyncIterable<Row> {
  await using stage = await scene(bench)
  await stage.clients(1)
  for (const side of SIDES) await stage.burst(side, COMPILED, 1)
  for (const clients of SIZES) {
    bench.say(`fan-out to ${clients} client${clients === 1 ? '' : 's'}`)
    await stage.clients(clients)
    for (const { name, pattern, warmUp } of PATTERNS) {
      const { count, costs } = await rounds(stage, { clients, pattern, warmUp, quick: bench.quick })
      const deliveries = count * clients
      const id = `fanout-${clients}`
      const perDelivery = (side: Side) => costs[side].map(({ cpu }) => (cpu * 1e6) / deliveries)
      yield {
        id,
        what: `processor time per delivery, events ${name}`,
        unit: 'us',
        ...compared(perDelivery('gateway'), perDelivery('relay'), 'relay'),
        target: { of: 'ratio', most: 1.25 },
      }
      const perSecond = (side: Side) => costs[side].map((cost) => (deliveries * 1000) / cost.ms)
      yield {
        id,
        what: `deliveries per second, events ${name}`,
        unit: '/s',
        ...compared(perSecond('gateway'), perSecond('relay'), 'relay'),
      }
    }
  }
}

interface Wanted {
  clients: number
  pattern: Pattern
  warmUp: number
  quick: boolean
}

async function rounds(stage: Scene, { clients, pattern, warmUp, quick }: Wanted) {
  const mode = quick ? 'quick' : 'full'
  await stage.burst('gateway', warmUp, clients, pattern)
  const { ms } = await stage.burst('relay', warmUp, clients, pattern)
  const count = rounded((warmUp * ROUND_MS[mode]) / ms, pattern)
  const costs: Record<Side, Cost[]> = { gateway: [], relay: [] }
  for (let round = 0; round < ROUNDS[mode]; round++)
    for (const side of inTurn(SIDES, round)) costs[side].push(await stage.burst(side, count, clients, pattern))
  return { count, costs }
}

/** Medians of both, and the median of the ratios round by round. */
export function compared(values: number[], base: number[], what: string): Pick<Row, 'value' | 'base' | 'ratio'> {
  const ratio = median(values.map((value, round) => value / (base[round] ?? Number.NaN)))
  return { value: median(values), base: { what, value: median(base) }, ratio }
}
