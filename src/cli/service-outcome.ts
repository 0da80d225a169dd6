// What became of a service that was started: a manager calls it running as soon as there is a process.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/schema.ts'
import { runningGateway } from './doctor-ports.ts'
import { nearAddress, unwell } from './near.ts'
import type { Manager } from './service-manager.ts'

/** How long (ms) a start may take, and how often we look. */
const PATIENCE = 10_000
const LOOK = 200
/** So many looks in a row without a process: it ended, and waits to be tried again. */
const ENDED = 3

/** `fine`: it runs and answers. */
export interface Outcome {
  readonly fine: boolean
  readonly said: string
}

/** The folder of the service is the one we are in. */
export async function outcome(manager: Manager, config: Config): Promise<Outcome> {
  const end = performance.now() + PATIENCE
  let why = 'it has not taken its data folder'
  for (let absent = 0; performance.now() < end && absent < ENDED; await sleep(LOOK)) {
    const pid = await manager.pid()
    if (pid === undefined) {
      absent++
      why = 'it ended'
      continue
    }
    absent = 0
    // Another that answers there is not the one that was started.
    if (runningGateway(config['data-dir']) !== pid) continue
    if (config.http.port === 0) return { fine: true, said: 'It runs.' }
    const ill = await unwell(config)
    if (ill === undefined) return { fine: true, said: `It runs, and answers at ${nearAddress(config)}.` }
    why = ill
  }
  return { fine: false, said: why }
}
