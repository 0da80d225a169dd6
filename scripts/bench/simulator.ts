// Rows with `perpetua simulate` as the implementation: the whole program as people try it out.

import { child } from './child.ts'
import { online, startGateway, startSimulator } from './gateway.ts'
import type { Load } from './load.ts'
import { cpu, median } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { inTurn } from './scene.ts'

const CLIENTS = 50
const MESSAGES = { full: 20_000, quick: 4_000 }
/** Bytes of a message's text; its event is longer, and everything else that clients receive is shorter. */
const TEXT = 400
const ROUNDS = { full: 5, quick: 3 }
const SECONDS = { full: 1.5, quick: 0.6 }

export async function* simulator(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  bench.say('the simulator')
  await using implementation = await startSimulator(bench.command)
  await using gateway = await startGateway({ command: bench.command, upstream: `${implementation.ws}/onebot/v11/ws` })
  await using load = child<Load>('load.ts')
  await gateway.until(online)

  const urls = { direct: `${implementation.ws}/api`, gateway: `${gateway.ws}/api` }
  const waits: Record<keyof typeof urls, number[]> = { direct: [], gateway: [] }
  for (let round = -1; round < ROUNDS[mode]; round++)
    for (const way of inTurn(['direct', 'gateway'] as const, round)) {
      const { p50 } = await load.ask('calls', { url: urls[way], links: 1, depth: 1, seconds: SECONDS[mode] })
      // The first round is for the compiler.
      if (round >= 0) waits[way].push(p50 * 1000)
    }
  yield {
    id: 'simulator',
    what: 'delay that is added to a call to the simulator, p50',
    unit: 'us',
    value: median(waits.gateway.map((us, round) => us - (waits.direct[round] ?? Number.NaN))),
    base: { what: 'direct', value: median(waits.direct) },
    target: { of: 'value', most: 100 },
  }

  await load.ask('grow', { name: 'all', url: `${gateway.ws}/onebot/v11/ws`, size: CLIENTS })
  await load.ask('quiet', 300)
  const perSecond: number[] = []
  const costs: number[] = []
  const deliveries = MESSAGES[mode] * CLIENTS
  for (let round = 0; round < ROUNDS[mode]; round++) {
    await load.ask('expect', deliveries, TEXT)
    const began = performance.now()
    const before = cpu(gateway.pid)
    await implementation.burst({ count: MESSAGES[mode], size: TEXT })
    await load.ask('arrived', deliveries)
    perSecond.push((deliveries * 1000) / (performance.now() - began))
    costs.push(((cpu(gateway.pid) - before) * 1e6) / deliveries)
  }
  const about = `${MESSAGES[mode].toLocaleString('en-US')} messages at once to ${CLIENTS} clients`
  yield { id: 'simulator', what: `deliveries per second, ${about}`, unit: '/s', value: median(perSecond) }
  yield { id: 'simulator', what: `processor time per delivery, ${about}`, unit: 'us', value: median(costs) }
}
