// Rows about deliveries: processor time and throughput for 1 to 200 clients, gateway and event relay in turn.

import { median } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { type Cost, inTurn, rounded, SIDES, type Side, scene } from './scene.ts'

const SIZES = [1, 10, 50, 200]
const WARM_UP = 3_000
/** A round lasts about this long on either side. */
const ROUND_MS = { full: 1_500, quick: 500 }
const ROUNDS = { full: 7, quick: 3 }

export async function* fanout(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  await using stage = await scene(bench)
  for (const clients of SIZES) {
    bench.say(`fan-out to ${clients} clients`)
    await stage.clients(clients)
    await stage.burst('relay', WARM_UP, clients)
    await stage.burst('gateway', WARM_UP, clients)
    const { ms } = await stage.burst('relay', WARM_UP, clients)
    const count = rounded((WARM_UP * ROUND_MS[mode]) / ms)
    const costs: Record<Side, Cost[]> = { gateway: [], relay: [] }
    for (let round = 0; round < ROUNDS[mode]; round++)
      for (const side of inTurn(SIDES, round)) costs[side].push(await stage.burst(side, count, clients))
    const deliveries = count * clients
    const perDelivery = (side: Side) => costs[side].map(({ cpu }) => (cpu * 1e6) / deliveries)
    yield {
      id: `fanout-${clients}`,
      what: `processor time per delivery, ${clients} client${clients === 1 ? '' : 's'}`,
      unit: 'us',
      ...compared(perDelivery('gateway'), perDelivery('relay'), 'relay'),
      target: { of: 'ratio', most: 1.25 },
    }
    const perSecond = (side: Side) => costs[side].map((cost) => (deliveries * 1000) / cost.ms)
    yield {
      id: `fanout-${clients}`,
      what: 'deliveries per second, everybody on this machine',
      unit: '/s',
      ...compared(perSecond('gateway'), perSecond('relay'), 'relay'),
    }
  }
}

/** Medians of both, and the median of the ratios round by round. */
export function compared(values: number[], base: number[], what: string): Pick<Row, 'value' | 'base' | 'ratio'> {
  const ratio = median(values.map((value, round) => value / (base[round] ?? Number.NaN)))
  return { value: median(values), base: { what, value: median(base) }, ratio }
}
