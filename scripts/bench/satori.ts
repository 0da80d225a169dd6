// Rows about the Satori lane: an event is put into Satori's words once, however many clients there are.

import { median } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { ALONE, rounded, type Scene, scene, TOGETHER } from './scene.ts'

const COMPILED = 100_000
const SIZES = [1, 10, 50, 200]
/** Deliveries of a round, whatever the size of the crowd. */
const DELIVERIES = { full: 400_000, quick: 100_000 }
const ROUNDS = { full: 5, quick: 3 }
const IDENTIFY = JSON.stringify({ op: 3, body: {} })

export async function* satori(bench: Bench): AsyncIterable<Row> {
  const perEvent: Record<'satori' | 'onebot', number[]> = { satori: [], onebot: [] }
  for (const kind of ['onebot', 'satori'] as const) {
    await using stage = await scene(bench, { satori: { enabled: true } })
    const url = kind === 'satori' ? `${stage.gateway.ws}/satori/v1/events` : stage.urls.gateway
    const hello = kind === 'satori' ? { hello: IDENTIFY } : {}
    await crowd(stage, { name: kind, url, size: 1, ...hello })
    await stage.burst('gateway', COMPILED, 1)
    for (const size of SIZES) {
      bench.say(`${kind}: ${size} client${size === 1 ? '' : 's'}`)
      await crowd(stage, { name: kind, url, size, ...hello })
      perEvent[kind].push(await cost(stage, size, bench.quick))
    }
  }
  for (const [index, size] of SIZES.entries()) {
    const value = (perEvent.satori[index] ?? 0) / size
    const base = (perEvent.onebot[index] ?? 0) / size
    yield {
      id: `satori-${size}`,
      what: 'processor time per delivery to Satori clients, events 32 at a time',
      unit: 'us',
      value,
      base: { what: 'to OneBot clients', value: base },
      ratio: value / base,
      // Frames are three times as long. Put into words for each client, an event would cost twenty times as much.
      ...(size === 200 && { target: { of: 'ratio' as const, most: 3 } }),
    }
  }
}

async function crowd(stage: Scene, wish: { name: string; url: string; size: number; hello?: string }): Promise<void> {
  await stage.load.ask('grow', wish)
  await stage.gateway.until(({ bots }) => bots[0]?.sessions.length === wish.size)
  await stage.load.ask('quiet', 300)
}

/** Microseconds of processor time per event. */
async function cost(stage: Scene, size: number, quick: boolean): Promise<number> {
  const mode = quick ? 'quick' : 'full'
  const count = rounded(DELIVERIES[mode] / size, TOGETHER)
  await stage.burst('gateway', rounded(count / 4, ALONE), size)
  const costs: number[] = []
  for (let round = 0; round < ROUNDS[mode]; round++)
    costs.push(((await stage.burst('gateway', count, size)).cpu * 1e6) / count)
  return median(costs)
}
