// A gateway with a bot behind it and clients in front: what most stories start from.

import type { ConfigInput } from '../../src/config/schema.ts'
import { Client, type ClientOptions } from './client.ts'
import { EAGER, type GatewayOptions, gateway, outside, type TestGateway } from './gateway.ts'
import type { ImplementationOptions } from './implementation.ts'
import { type Upstream, upstream } from './upstream.ts'

/** For stories in which something is dialled again: at once where we can say so, patiently where it is a program. */
export const BRISK: GatewayOptions = outside ? {} : { patience: EAGER }

export interface BedOptions extends GatewayOptions {
  config?: ConfigInput
  bot?: ImplementationOptions
}

export interface Bed extends AsyncDisposable {
  readonly bot: Upstream
  readonly gateway: TestGateway
  /** Connects a client that has been told of itself already: what comes next is news. */
  client(path?: string, options?: ClientOptions): Promise<Client>
}

export async function testbed({ config = {}, bot: botOptions, ...options }: BedOptions = {}): Promise<Bed> {
  const stack = new AsyncDisposableStack()
  const bot = stack.use(upstream(botOptions))
  const own = { ...bot.own, ...config['ntqq-impl'] }
  const running = stack.use(await gateway({ ...config, 'ntqq-impl': own }, options))
  await running.until(({ bots }) => bots[0]?.online === true)
  return {
    bot,
    gateway: running,
    async client(path = '/onebot/v11/ws', clientOptions) {
      const client = stack.use(await Client.connect(`${running.ws}${path}`, clientOptions))
      if (!/\/api\/?(?:\?|$)/.test(path))
        await client.next((frame) => frame['notice_type'] === 'client_status' && frame['self_client'] === true)
      return client
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
