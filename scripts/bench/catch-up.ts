// Rows about coming back: how long a client that was away takes to get all that it missed.

import { child } from './child.ts'
import { online, startGateway } from './gateway.ts'
import type { Load } from './load.ts'
import { median } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import type { Source } from './source.ts'

const MISSED = { full: 100_000, quick: 20_000 }
const ROUNDS = { full: 5, quick: 3 }
const PER_SECOND = 100_000

export async function* catchUp(bench: Bench): AsyncIterable<Row> {
  const mode = bench.quick ? 'quick' : 'full'
  const missed = MISSED[mode]
  await using source = child<Source>('source.ts')
  const upstream = `${await source.ask('address')}gateway`
  await using gateway = await startGateway({ command: bench.command, upstream })
  await using load = child<Load>('load.ts')
  await gateway.until(online)
  const url = `${gateway.ws}/onebot/v11/ws`
  bench.say(`${missed} events that a client missed`)
  const times: number[] = []
  // Somebody sees that the gateway has them all.
  await load.ask('grow', { name: 'witness', url, size: 1 })
  // The first round is for the compiler.
  for (let round = 0; round <= ROUNDS[mode]; round++) {
    // What it does not acknowledge it would be sent again: each round has a client of its own.
    const away = `${url}?client_name=away${round}&resume=`
    const secret = await load.ask('visit', `${away}1`)
    await gateway.until(({ bots }) => bots[0]?.waiting.away === round + 1)
    await load.ask('expect', Number.MAX_SAFE_INTEGER)
    await source.ask('pour', { to: 'gateway', count: missed, chunk: 32 })
    await load.ask('arrived', missed)
    const ms = await load.ask('catchUp', { url: `${away}${secret}`, events: missed })
    if (round > 0) times.push(ms)
  }
  yield {
    id: 'catch-up',
    what: `until a client that comes back has ${missed.toLocaleString('en-US')} events`,
    unit: 'ms',
    value: median(times),
    target: { of: 'value', most: (missed * 1000) / PER_SECOND },
  }
}
