// perpetua lagrange restart: asks the gateway that runs with this config to restart its implementation.

import { defineCommand } from 'citty'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { clientToken } from '../config/rules.ts'
import type { Config } from '../config/schema.ts'
import { problemList } from './check.ts'
import { EXIT } from './exit.ts'
import { nearAddress } from './near.ts'
import { configOption } from './options.ts'
import { complain, say } from './say.ts'

/** How long the gateway may take to answer (ms). */
const PATIENCE = 10_000

export const restartCommand = defineCommand({
  meta: {
    name: 'lagrange restart',
    description: 'Restart the one that a running gateway minds; clients stay connected',
  },
  args: { config: configOption },
  async run({ args: { config: file } }) {
    try {
      const { config } = await loadConfig({ file, missing: 'defaults' })
      return await restart(config)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      complain(problemList(error))
      return EXIT.failed.code
    }
  },
})

async function restart(config: Config): Promise<number> {
  const address = nearAddress(config)
  const token = clientToken(config)
  const headers: Record<string, string> = token === '' ? {} : { Authorization: `Bearer ${token}` }
  const asked = await fetch(`${address}/onebot/v11/set_restart`, {
    method: 'POST',
    headers,
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => undefined)
  if (asked === undefined) {
    complain(`No gateway answers at ${address}: is it running with this config?`)
    return EXIT.failed.code
  }
  const reply = (await asked.json().catch(() => ({}))) as { status?: string; message?: string } // a reply of ours
  if (reply.status !== 'async') {
    complain(`Not restarted: ${reply.message ?? `the gateway answered ${asked.status}`}`)
    return EXIT.failed.code
  }
  say('Restarting. Clients stay connected meanwhile.')
  return EXIT.ok.code
}
