// Rows about the start: how long until the gateway listens, and what it holds in memory when nobody is there.

import { join } from 'node:path'
import { child } from './child.ts'
import { commandOf, online, startGateway } from './gateway.ts'
import { median, rss, settled } from './measure.ts'
import type { Bench, Row } from './rows.ts'
import { inTurn } from './scene.ts'
import type { Source } from './source.ts'

const ROUNDS = { full: 11, quick: 5 }
const MEMORY_ROUNDS = { full: 3, quick: 1 }
const ONE_CORE = Bun.which('taskset')

export async function* start({ quick, binary, say }: Bench): AsyncIterable<Row> {
  const mode = quick ? 'quick' : 'full'
  await using source = child<Source>('source.ts')
  const upstream = `${await source.ask('address')}gateway`
  const kinds = [
    { name: 'source', command: commandOf() },
    ...(binary === undefined ? [] : [{ name: 'binary', command: commandOf(binary) }]),
    // A small server: one core for everything that the program does, its collector too.
    ...(binary === undefined || ONE_CORE === null
      ? []
      : [{ name: 'binary, one core', command: [ONE_CORE, '-c', '0', ...commandOf(binary)] }]),
  ]
  const times = new Map<string, number[]>([['bare', []], ...kinds.map(({ name }) => [name, []] as [string, number[]])])
  say('start')
  for (let round = 0; round < ROUNDS[mode]; round++) {
    times.get('bare')?.push(await bareStart())
    for (const { name, command } of inTurn(kinds, round)) {
      await using gateway = await startGateway({ command, upstream })
      times.get(name)?.push(gateway.startMs)
    }
  }
  const bare = median(times.get('bare') ?? [])
  for (const { name, command } of kinds) {
    const value = median(times.get(name) ?? [])
    yield {
      id: 'start',
      what: `start until listening, ${name}`,
      unit: 'ms',
      value,
      base: { what: 'bare server', value: bare },
      ratio: value / bare,
      ...(name.startsWith('binary') && { target: { of: 'value', most: 200 } as const }),
    }
    const held: number[] = []
    for (let round = 0; round < MEMORY_ROUNDS[mode]; round++) {
      await using gateway = await startGateway({ command, upstream })
      await gateway.until(online)
      held.push(await settled(() => rss(gateway.pid), { by: 1, seconds: 3, most: 15 }))
    }
    yield {
      id: 'start',
      what: `memory of the empty gateway, ${name}`,
      unit: 'MiB',
      value: median(held),
      target: { of: 'value', most: 60 },
    }
  }
}

/** The least that anything on this runtime takes: a server that says it is there. */
async function bareStart(): Promise<number> {
  const began = performance.now()
  const running = Bun.spawn([process.execPath, join(import.meta.dir, 'bare.ts')], { stdout: 'pipe' })
  await running.stdout.getReader().read()
  const ms = performance.now() - began
  running.kill('SIGKILL')
  await running.exited
  return ms
}
