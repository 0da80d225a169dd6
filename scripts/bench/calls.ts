// Rows about calls: delay that the gateway adds, processor time per call against a relay that only pipes.

import { child } from './child.ts'
import { compared } from './fanout.ts'
import { online, startGateway } from './gateway.ts'
import type { Load } from './load.ts'
import { cpu, median } from './measure.ts'
import type { CallRelay } from './relay-calls.ts'
import type { Bench, Row } from './rows.ts'
import { inTurn } from './scene.ts'
import type { Source } from './source.ts'

const WAYS = ['direct', 'relay', 'gateway'] as const
type Way = (typeof WAYS)[number]

const ROUNDS = { full: 7, quick: 3 }
const SECONDS = { full: 1.5, quick: 0.6 }
/** One call at a time on one link, where delay is measured; many, where cost is. */
const ALONE = { links: 1, depth: 1 }
const TOGETHER = { links: 8, depth: 4 }

interface Seen {
  alone: number
  perSecond: number
  /** Microseconds of processor time per call. */
  cost: number
}

export async function* calls(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  await using source = child<Source>('source.ts')
  const address = await source.ask('address')
  await using relay = child<CallRelay>('relay-calls.ts')
  await using gateway = await startGateway({ command: bench.command, upstream: `${address}gateway` })
  await using load = child<Load>('load.ts')
  await gateway.until(online)
  const urls = {
    direct: `${address}direct`,
    relay: await relay.ask('start', `${address}piped`),
    gateway: `${gateway.ws}/onebot/v11/ws/api`,
  }
  const pids = { direct: undefined, relay: relay.pid, gateway: gateway.pid }
  const round = async (way: Way, seconds: number): Promise<Seen> => {
    const alone = await load.ask('calls', { url: urls[way], ...ALONE, seconds })
    const pid = pids[way]
    const before = pid === undefined ? 0 : cpu(pid)
    const together = await load.ask('calls', { url: urls[way], ...TOGETHER, seconds })
    const spent = pid === undefined ? 0 : cpu(pid) - before
    return {
      alone: alone.p50 * 1000,
      perSecond: (together.count * 1000) / together.ms,
      cost: (spent * 1e6) / together.count,
    }
  }

  bench.say('calls')
  for (const way of WAYS) await round(way, 1)
  const seen: Record<Way, Seen[]> = { direct: [], relay: [], gateway: [] }
  for (let turn = 0; turn < ROUNDS[mode]; turn++)
    for (const way of inTurn(WAYS, turn)) seen[way].push(await round(way, SECONDS[mode]))
  const all = (way: Way, field: keyof Seen) => seen[way].map((one) => one[field])
  const added = (way: Way) => all(way, 'alone').map((us, turn) => us - (seen.direct[turn]?.alone ?? Number.NaN))
  yield {
    id: 'calls',
    what: `delay added to a call, p50 (direct ${Math.round(median(all('direct', 'alone')))} us)`,
    unit: 'us',
    ...compared(added('gateway'), added('relay'), 'relay'),
    target: { of: 'value', most: 100 },
  }
  yield {
    id: 'calls',
    what: `processor time per call, ${TOGETHER.links} links, ${TOGETHER.depth} at a time`,
    unit: 'us',
    ...compared(all('gateway', 'cost'), all('relay', 'cost'), 'relay'),
    target: { of: 'ratio', most: 2 },
  }
  yield {
    id: 'calls',
    what: `calls per second, everybody on this machine (direct ${Math.round(median(all('direct', 'perSecond')))})`,
    unit: '/s',
    ...compared(all('gateway', 'perSecond'), all('relay', 'perSecond'), 'relay'),
  }
}
