// Rows about many clients that do nothing: memory and processor time, once the news of their coming is over.

import { child } from './child.ts'
import { online, startGateway } from './gateway.ts'
import type { Load } from './load.ts'
import { cpu, peak, rss, settled } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import type { Source } from './source.ts'

const CLIENTS = { full: 10_000, quick: 2_000 }
/** Everybody is told of everybody: the news of one step are over before the next. */
const STEP = 500
const WATCHED_MS = { full: 30_000, quick: 10_000 }

export async function* idle(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  await using source = child<Source>('source.ts')
  const upstream = `${await source.ask('address')}gateway`
  await using gateway = await startGateway({ command: bench.command, upstream })
  await using load = child<Load>('load.ts')
  await gateway.until(online)
  const { pid } = gateway
  const empty = await settled(() => rss(pid), { by: 1, seconds: 2, most: 10 })
  const emptyCpu = await idleCpu(pid, WATCHED_MS[mode])
  yield {
    id: 'idle',
    what: 'processor time of one core, no clients',
    unit: '%',
    value: emptyCpu,
    target: { of: 'value', most: 0.5 },
  }

  const url = `${gateway.ws}/onebot/v11/ws`
  for (let size = STEP; size <= CLIENTS[mode]; size += STEP) {
    await load.ask('grow', { name: 'idle', url, size })
    await load.ask('quiet', 200)
    if (size % (CLIENTS[mode] / 4) === 0) bench.say(`${size} clients: ${Math.round(rss(pid))} MiB`)
  }
  const most = peak(pid)
  const held = await settled(() => rss(pid), { by: 4, seconds: 5, most: 40 })
  const open = await load.ask('open', 'idle')
  if (open !== CLIENTS[mode]) throw new Error(`idle: ${CLIENTS[mode]} clients wanted, ${open} open`)
  yield {
    id: 'idle',
    what: `memory with ${CLIENTS[mode].toLocaleString('en-US')} idle clients (${Math.round(most)} at most while they came)`,
    unit: 'MiB',
    value: held,
    base: { what: 'with none', value: empty },
    // A smaller crowd has a smaller allowance above the empty gateway's.
    target: { of: 'value', most: bench.quick ? 60 + (340 * CLIENTS.quick) / CLIENTS.full : 400 },
  }
  yield {
    id: 'idle',
    what: `processor time of one core, ${CLIENTS[mode].toLocaleString('en-US')} idle clients, a heartbeat each 5 s`,
    unit: '%',
    value: await idleCpu(pid, WATCHED_MS[mode]),
  }
}

async function idleCpu(pid: number, ms: number): Promise<number> {
  const before = cpu(pid)
  const began = performance.now()
  await Bun.sleep(ms)
  return ((cpu(pid) - before) * 100_000) / (performance.now() - began)
}
