// Rows about events of an implementation that speaks Milky, compared with the same ones by OneBot.

import { child } from './child.ts'
import { compared } from './fanout.ts'
import { online, startGateway } from './gateway.ts'
import type { Load } from './load.ts'
import { cpu } from './measure.ts'
import type { Face, MilkySource } from './milky-source.ts'
import type { Bench, Row } from './rows.ts'
import { inTurn } from './scene.ts'

const FACES = ['milky', 'onebot'] as const
/** A bot serves some clients, and each gets every event. */
const CLIENTS = 10
/** All events are longer, and everything else that clients hear is shorter. */
const SHORTEST = 400
/** As for fan-out: compilers are done then. */
const COMPILED = 150_000
/** Of the processor time of the same events by OneBot, however they come. */
const MOST = 1.5
const ROUNDS = { full: 7, quick: 5 }
const PATTERNS = [
  { name: 'one by one', chunk: 1, pause: 1, count: { full: 4_000, quick: 2_000 } },
  // A flood: what is compared with is hardly any work at all.
  { name: '32 at a time', chunk: 32, pause: 0, count: { full: 100_000, quick: 60_000 } },
]

export async function* milky(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  bench.say('events by Milky')
  await using source = child<MilkySource>('milky-source.ts')
  await using load = child<Load>('load.ts')
  const address = await source.ask('address')
  const upstreams = {
    onebot: { 'external-web-socket': `${address.replace('http', 'ws')}/onebot` },
    milky: { mode: 'milky', milky: { url: `${address}/milky` } },
  }
  await using onebot = await startGateway({ command: bench.command, config: { 'ntqq-impl': upstreams.onebot } })
  await using own = await startGateway({ command: bench.command, config: { 'ntqq-impl': upstreams.milky } })
  const gateways = { onebot, milky: own }
  const cost = async (face: Face, count: number, chunk: number, pause: number): Promise<number> => {
    const { pid } = gateways[face]
    await load.ask('expect', count * CLIENTS, SHORTEST)
    const before = cpu(pid)
    await source.ask('tell', { face, count, chunk, pause })
    await load.ask('arrived', count * CLIENTS)
    return ((cpu(pid) - before) * 1e6) / count
  }
  for (const face of FACES) {
    await gateways[face].until(online)
    await load.ask('grow', { name: face, url: `${gateways[face].ws}/onebot/v11/ws`, size: CLIENTS })
  }
  await load.ask('quiet', 300)
  for (const face of FACES) await cost(face, COMPILED, 32, 0)
  for (const { name, chunk, pause, count } of PATTERNS) {
    const costs: Record<Face, number[]> = { milky: [], onebot: [] }
    for (let round = 0; round < ROUNDS[mode]; round++)
      for (const face of inTurn(FACES, round)) costs[face].push(await cost(face, count[mode], chunk, pause))
    yield {
      id: 'milky',
      what: `processor time per event to ${CLIENTS} clients, events ${name}`,
      unit: 'us',
      ...compared(costs.milky, costs.onebot, 'OneBot'),
      target: { of: 'ratio', most: MOST },
    }
  }
}
