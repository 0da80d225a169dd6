// Rounds in which thousands of clients come and go: afterwards nothing of them is left, in counts, objects or memory.

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { child } from '../bench/child.ts'
import { type Overview, online, startGateway } from '../bench/gateway.ts'
import { rss } from '../bench/measure.ts'
import { atMost, type Check, equal, figure } from './checks.ts'
import type { Heap } from './heap.ts'
import { within } from './kills.ts'
import type { Restless } from './restless.ts'
import type { Visitors } from './visitors.ts'

export interface ComingOptions {
  command: string[]
  rounds: number
  visits: number
  say: (text: string) => void
}

/** An allotment that nobody takes ends after 15 s. */
const GONE_MS = 30_000
/** The gateway looks after a link for up to 12 s once it has closed it: peers that do not answer are dropped then. */
const TIMERS_MS = 13_000
/** Objects per visit that may be left: caches of the runtime still fill after the first round. */
const OBJECTS_LEFT = 0.1
/** MiB by which memory may be above that after the first round: the allocator gives little back. */
const MEMORY_LEFT = 48
/** Full after the first round, so that what it holds is no growth. */
const JOURNAL = { 'max-bytes': '1MiB' }

export async function comings({ command, rounds, visits, say }: ComingOptions): Promise<Check[]> {
  const unix = join(tmpdir(), `perpetua-soak-${process.pid}.sock`)
  const [program = '', ...rest] = command
  await using gateway = await startGateway({
    command: [program, '--preload', join(import.meta.dir, 'heap.ts'), ...rest],
    env: { SOAK_HEAP: unix },
    config: { 'ntqq-impl': { mode: 'reverse' }, journal: JOURNAL },
  })
  await using restless = child<Restless>('../soak/restless.ts')
  await restless.ask('begin', { life: 0, rate: 0, at: { url: `${gateway.ws}/onebot/v11/implementation` } })
  await using visitors = child<Visitors>('../soak/visitors.ts')
  await gateway.until(online)

  const left: Overview[] = []
  const heaps: Heap[] = []
  const memory: number[] = []
  // The first round is for caches, compiled code and the journal to fill.
  for (let round = 0; round <= rounds; round++) {
    await visitors.ask('visit', { ws: gateway.ws, http: gateway.address, count: visits })
    await within(GONE_MS, gateway.until(nobody), 'not everybody was gone').catch(() => {})
    left.push(await gateway.status())
    await Bun.sleep(TIMERS_MS)
    const response = await fetch('http://heap/', { unix })
    const heap = (await response.json()) as Heap // what heap.ts says
    heaps.push(heap)
    memory.push(rss(gateway.pid))
    const about = `${heap.objects} objects, ${Math.round(heap.bytes / 2 ** 20)} MiB heap, ${Math.round(rss(gateway.pid))} MiB`
    say(`${visits} came and went, round ${round} of ${rounds}: ${about}`)
  }
  const [first, last] = [heaps[0], heaps.at(-1)]
  const grown = (last?.objects ?? 0) - (first?.objects ?? 0)
  return [
    figure('clients that came and went', visits * (rounds + 1)),
    ...leftOver(left),
    figure('objects on the heap after the first round and the last', `${first?.objects} ${last?.objects}`),
    figure('types that grew most', grownMost(first, last)),
    atMost('objects left per visit', grown / (visits * rounds), OBJECTS_LEFT),
    figure('memory after each round', memory.map((mib) => `${Math.round(mib)}`).join(' ')),
    atMost('memory above that after the first round', (memory.at(-1) ?? 0) - (memory[0] ?? 0), MEMORY_LEFT, ' MiB'),
  ]
}

const sessions = ({ bots }: Overview) => bots.reduce((sum, bot) => sum + bot.sessions.length, 0)
const waiting = ({ bots }: Overview) =>
  bots.reduce((sum, { waiting: { replies, paced, catchingUp } }) => sum + replies + paced + catchingUp, 0)
const nobody = (now: Overview) => now.links === 0 && now.allotments === 0 && sessions(now) === 0 && waiting(now) === 0

function leftOver(left: readonly Overview[]): Check[] {
  const sum = (of: (now: Overview) => number) => left.reduce((total, now) => total + of(now), 0)
  return [
    equal(
      'links left',
      sum(({ links }) => links),
      0,
    ),
    equal('sessions left', sum(sessions), 0),
    equal('calls and slow sessions left', sum(waiting), 0),
    equal(
      'allotted ports left',
      sum(({ allotments }) => allotments),
      0,
    ),
  ]
}

function grownMost(first: Heap | undefined, last: Heap | undefined): string {
  return Object.entries(last?.types ?? {})
    .map(([type, count]) => [type, count - (first?.types[type] ?? 0)] as const)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([type, count]) => `${type} +${count}`)
    .join(', ')
}
