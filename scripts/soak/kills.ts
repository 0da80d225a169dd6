// Rounds in which the implementation is killed under load: clients stay, no event is lost or doubled, each call has one reply.

import { type Child, child } from '../bench/child.ts'
import { online, type Program, startGateway } from '../bench/gateway.ts'
import { type Check, equal, figure } from './checks.ts'
import type { Restless } from './restless.ts'
import type { Witnesses } from './witnesses.ts'

export interface KillOptions {
  command: string[]
  kind: 'forward' | 'reverse'
  rounds: number
  say: (text: string) => void
}

const CLIENTS = 20
const RATE = 1_000
const CALL_EVERY_MS = 20
/** It lives for at least this long, and up to twice as long. */
const LIFE_MS = 1_500
/** The gateway's deadline for calls, and what settling may take beyond it. */
const DEADLINE = 15
const GRACE_MS = 5_000
/** Redialling waits up to a minute after many losses, and starts a second later at best. */
const BACK_MS = 120_000

export async function kills({ command, kind, rounds, say }: KillOptions): Promise<Check[]> {
  const port = await freePort()
  const implementation =
    kind === 'reverse' ? { mode: 'reverse' } : { 'external-web-socket': `ws://127.0.0.1:${port}/onebot/v11/ws` }
  await using gateway = await startGateway({
    command,
    config: { 'ntqq-impl': implementation, actions: { timeout: `${DEADLINE}s` } },
  })
  const at = kind === 'reverse' ? { url: `${gateway.ws}/onebot/v11/implementation` } : { port }
  let restless = await born({ life: 0, at, gateway })
  await using witnesses = child<Witnesses>('../soak/witnesses.ts')
  await witnesses.ask('join', { url: `${gateway.ws}/onebot/v11/ws`, clients: CLIENTS })
  await gateway.until(({ bots }) => bots[0]?.sessions.length === CLIENTS)
  // The first life was for the account to be known; what counts begins with the next one, when everybody is there.
  await witnesses.ask('callEvery', CALL_EVERY_MS)
  for (let life = 1; life <= rounds; life++) {
    await restless.kill('SIGKILL')
    await gateway.until((now) => !online(now))
    restless = await born({ life, at, gateway })
    await Bun.sleep(LIFE_MS * (1 + Math.random()))
    say(`${kind}: killed ${life} of ${rounds} times`)
  }
  await restless.ask('hush')
  const found = await witnesses.ask('settle', DEADLINE * 1000 + GRACE_MS)
  const left = await gateway.status()
  await restless.kill('SIGKILL')
  const name = (what: string) => `${kind}: ${what}`
  return [
    figure(name('lives of the implementation, each ended by SIGKILL'), rounds + 1),
    equal(name(`of ${CLIENTS} clients, links that ended`), found.closed, 0),
    figure(name('events received'), found.events),
    equal(name('events lost'), found.lost, 0),
    equal(name('events doubled'), found.doubled, 0),
    equal(name('events that some clients have and others do not'), found.unequal, 0),
    figure(name('calls'), found.calls),
    equal(name('calls without a reply'), found.unanswered, 0),
    equal(name('replies too many'), found.answeredTwice, 0),
    figure(name('replies by retcode'), JSON.stringify(found.retcodes)),
    equal(name('calls still waiting in the gateway'), left.bots[0]?.waiting.replies ?? -1, 0),
  ]
}

interface Birth {
  life: number
  at: { port: number } | { url: string }
  gateway: Program
}

async function born({ life, at, gateway }: Birth): Promise<Child<Restless>> {
  const restless = child<Restless>('../soak/restless.ts')
  await restless.ask('begin', { life, rate: life === 0 ? 0 : RATE, at })
  await within(BACK_MS, gateway.until(online), 'the gateway did not find its implementation again')
  return restless
}

export async function within<T>(ms: number, work: Promise<T>, why: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${why} in ${ms} ms`)), ms)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

/** Free a moment ago: nobody else here asks for ports by number. */
async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('') })
  const { port } = server
  await server.stop(true)
  return port ?? 0
}
