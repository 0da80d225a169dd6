// Source, event relay, gateway and clients, wired up: the scene of every row about events.

import { child } from './child.ts'
import { online, startGateway } from './gateway.ts'
import type { Load } from './load.ts'
import { cpu } from './measure.ts'
import type { EventRelay } from './relay-events.ts'
import type { Bench } from './rows.ts'
import type { Source } from './source.ts'

export const SIDES = ['gateway', 'relay'] as const
export type Side = (typeof SIDES)[number]

/** How events come: so many in one turn of the loop, and so many such turns on their way. */
export interface Pattern {
  readonly chunk: number
  readonly window: number
}

/** As after a pause of the network: everybody's writes are shared by many events. */
export const TOGETHER: Pattern = { chunk: 32, window: 2 }
/** As most of the time: each event has its own writes. */
export const ALONE: Pattern = { chunk: 1, window: 1 }

export interface Cost {
  /** Seconds of processor time. */
  cpu: number
  ms: number
}

export type Scene = Awaited<ReturnType<typeof scene>>

export async function scene({ command }: Bench, config?: object) {
  await using started = new AsyncDisposableStack()
  const source = started.use(child<Source>('source.ts'))
  const address = await source.ask('address')
  const relay = started.use(child<EventRelay>('relay-events.ts'))
  const gateway = started.use(await startGateway({ command, upstream: `${address}gateway`, ...(config && { config }) }))
  const load = started.use(child<Load>('load.ts'))
  const urls = {
    gateway: `${gateway.ws}/onebot/v11/ws`,
    relay: await relay.ask('start', `${address}relay`),
  }
  const pids = { gateway: gateway.pid, relay: relay.pid }
  await gateway.until(online)
  await load.ask('acknowledgeTo', `${address}acknowledge`)
  const processes = started.move()

  return {
    source,
    load,
    gateway,
    pids,
    urls,

    /** So many clients on each side. */
    async clients(size: number): Promise<void> {
      for (const name of SIDES) await load.ask('grow', { name, url: urls[name], size })
      await load.ask('quiet', 300)
    },

    /** Sends `count` events, rounded up, to one side and waits until every client has every one. */
    async burst(to: Side, count: number, clients: number, pattern = TOGETHER): Promise<Cost> {
      const events = rounded(count, pattern)
      await load.ask('expect', clients * pattern.chunk)
      const before = cpu(pids[to])
      const ms = await source.ask('burst', { to, count: events, ...pattern })
      const cost = { cpu: cpu(pids[to]) - before, ms }
      const arrived = await load.ask('events')
      if (arrived !== events * clients)
        throw new Error(`${to}: ${events * clients} deliveries wanted, ${arrived} found`)
      return cost
    },

    [Symbol.asyncDispose]: () => processes.disposeAsync(),
  }
}

export const rounded = (count: number, { chunk }: Pattern) => Math.ceil(count / chunk) * chunk

/** Whoever goes first finds other caches than whoever goes second: they take turns. */
export const inTurn = <T>(sides: readonly T[], round: number): readonly T[] =>
  round % 2 === 0 ? sides : sides.toReversed()
