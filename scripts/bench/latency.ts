// Rows about delay: events at a fixed rate to 50 clients, with and without one more that reads nothing.

import { compared } from './fanout.ts'
import type { Delays } from './load.ts'
import { cpu } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { inTurn, type Scene, scene } from './scene.ts'

const CLIENTS = 50
const RATE = 1_000
const SECONDS = { full: 3, quick: 1 }
const ROUNDS = { full: 7, quick: 3 }
/** More than the kernel's buffers and the gateway's for one socket hold. */
const TO_BE_STUCK = 30_000

const CASES = ['relay', 'gateway', 'stuck'] as const
type Case = (typeof CASES)[number]

interface Seen extends Delays {
  /** Microseconds of processor time per delivery. */
  cost: number
}

export async function* latency(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  await using stage = await scene(bench)
  await stage.clients(CLIENTS)
  for (const side of ['relay', 'gateway'] as const) await stage.burst(side, TO_BE_STUCK / 10, CLIENTS)
  bench.say(`${RATE} events a second to ${CLIENTS} clients`)
  const seen: Record<Case, Seen[]> = { relay: [], gateway: [], stuck: [] }
  for (let round = 0; round < ROUNDS[mode]; round++)
    for (const name of inTurn(CASES, round)) seen[name].push(await paced(stage, name, SECONDS[mode]))
  const all = (name: Case, field: 'p50' | 'p99' | 'cost') => seen[name].map((delays) => delays[field])
  const where = `${RATE}/s to ${CLIENTS} clients`
  yield {
    id: 'latency',
    what: `processor time per delivery, ${where}, one by one`,
    unit: 'us',
    ...compared(all('gateway', 'cost'), all('relay', 'cost'), 'relay'),
    target: { of: 'ratio', most: 1.25 },
  }
  for (const part of ['p50', 'p99'] as const)
    yield {
      id: 'latency',
      what: `${part}, ${where}`,
      unit: 'ms',
      ...compared(all('gateway', part), all('relay', part), 'relay'),
    }
  yield {
    id: 'latency-stuck',
    what: 'p99 of the others while one client reads nothing',
    unit: 'ms',
    ...compared(all('stuck', 'p99'), all('gateway', 'p99'), 'without it'),
    target: { of: 'ratio', most: 1.25 },
  }
}

async function paced(stage: Scene, name: Case, seconds: number): Promise<Seen> {
  const to = name === 'relay' ? 'relay' : 'gateway'
  if (name === 'stuck') await addStuck(stage)
  await stage.load.ask('expect', Number.MAX_SAFE_INTEGER)
  await stage.load.ask('watchAges')
  const before = cpu(stage.pids[to])
  await stage.source.ask('paced', { to, rate: RATE, seconds })
  await stage.load.ask('quiet', 100)
  const cost = ((cpu(stage.pids[to]) - before) * 1e6) / (RATE * seconds * CLIENTS)
  const delays = await stage.load.ask('ages')
  if (name === 'stuck') {
    await stage.load.ask('end', 'stuck')
    await stage.gateway.until(({ links }) => links === CLIENTS)
  }
  return { ...delays, cost }
}

/** One more client, and so many events that neither the kernel nor the gateway's socket takes more for it. */
async function addStuck({ load, source, gateway, urls }: Scene): Promise<void> {
  await load.ask('stuck', { name: 'stuck', url: urls.gateway })
  await source.ask('pour', { to: 'gateway', count: TO_BE_STUCK, chunk: 32 })
  await load.ask('quiet', 300)
  await gateway.until(({ bots }) => bots[0]?.waiting.catchingUp === 1)
}
