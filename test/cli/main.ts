// The program with a gateway that does nothing but listen, for tests of what surrounds a gateway.
// FAKE_STOP: milliseconds it takes to stop. FAKE_CRASH: throws a bug once started.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { main } from '../../src/cli/run.ts'
import type { StartGateway } from '../../src/cli/serve.ts'

const startGateway: StartGateway = async ({ config, log }) => {
  const server = createServer().listen(config.http.port, config.http.host)
  await once(server, 'listening')
  if (process.env['FAKE_CRASH']) setTimeout(() => Promise.reject(new Error('a bug')))
  const stop = async () => {
    await new Promise((resolve) => setTimeout(resolve, Number(process.env['FAKE_STOP'] ?? 0)))
    server.close()
  }
  return {
    address: `http://${config.http.host}:${(server.address() as { port: number }).port}`,
    apply: async (next) => log.info('applied', { port: next.http.port, token: next.http['access-token'] }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

await main(process.argv.slice(2), { startGateway })
