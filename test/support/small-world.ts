// The simulated QQ behind a gateway, by OneBot or by Milky: the same stories must be true of each.

import type { ConfigInput } from '../../src/config/schema.ts'
import type { MilkyFact } from '../../src/simulator/milky-face.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { Client, type ClientOptions } from './client.ts'
import { type GatewayOptions, gateway, type TestGateway } from './gateway.ts'
import { BRISK } from './testbed.ts'
import { milky } from './upstream.ts'

/** How the gateway reaches the simulated QQ. */
export type Way = 'OneBot' | keyof typeof EVENTS
const EVENTS = { 'Milky by WebSocket': 'websocket', 'Milky by SSE': 'sse', 'Milky by posts': 'webhook' } as const
const MILKY = ['Milky by WebSocket', 'Milky by SSE', 'Milky by posts'] as const
export const WAYS: readonly Way[] = milky ? MILKY : ['OneBot', ...MILKY]

export interface SmallWorld extends AsyncDisposable {
  readonly qq: Simulator
  readonly gateway: TestGateway
  /** What went over the second face. */
  readonly seen: MilkyFact[]
  /** Connects a client that has been told of itself already: what comes next is news. */
  client(path?: string, options?: ClientOptions): Promise<Client>
}

const TOKEN = 'of-the-simulator'
/** What the config says of an implementation that is reached so. */
export const implementationOf = (way: Way, qq: Simulator): NonNullable<ConfigInput['ntqq-impl']> =>
  way === 'OneBot'
    ? { 'external-web-socket': qq.url, 'external-access-token': TOKEN }
    : {
        mode: 'milky',
        milky: { url: `${qq.address}/milky`, events: EVENTS[way] },
        'external-access-token': TOKEN,
      }

export async function smallWorld(
  way: Way,
  config: ConfigInput = {},
  { port, ...options }: GatewayOptions & Pick<SimulatorOptions, 'port'> = BRISK,
): Promise<SmallWorld> {
  const stack = new AsyncDisposableStack()
  const seen: MilkyFact[] = []
  const qq = stack.use(await startSimulator({ token: TOKEN, port, milky: { seen: (fact) => void seen.push(fact) } }))
  const running = stack.use(
    await gateway({ ...config, 'ntqq-impl': { ...implementationOf(way, qq), ...config['ntqq-impl'] } }, options),
  )
  if (way === 'Milky by posts') qq.milky.hook = `${running.address}/milky/event`
  await running.until(({ bots }) => bots[0]?.online === true)
  return {
    qq,
    gateway: running,
    seen,
    async client(path = '/onebot/v11/ws', { headers, ...more } = {}) {
      const token = { Authorization: `Bearer ${TOKEN}` }
      const client = stack.use(
        await Client.connect(`${running.ws}${path}`, { headers: { ...token, ...headers }, ...more }),
      )
      await client.next((frame) => frame['notice_type'] === 'client_status' && frame['self_client'] === true)
      return client
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
