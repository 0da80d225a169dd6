// Asks a gateway that runs what it knows already: nobody else is then bothered for it.

import * as v from 'valibot'
import type { Config } from '../config/schema.ts'
import { apiOf } from './reach.ts'

const status = v.object({
  version: v.string(),
  bots: v.array(
    v.object({
      self_id: v.nullable(v.string()),
      upstreams: v.array(v.object({ peer: v.string(), told: v.boolean(), failing: v.nullable(v.string()) })),
    }),
  ),
})

/** What it tells of itself, as far as doctor wants to know. */
export type RunningStatus = v.InferOutput<typeof status>

/** How long (ms) it may take to answer. */
const PATIENCE = 3_000

/** Undefined where it does not tell us: we may not know its token, or it is of another version. */
export async function runningStatus(config: Config): Promise<RunningStatus | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), PATIENCE)
  try {
    return await Promise.race([
      apiOf(config)
        .get('/api/status')
        .then((told) => v.parse(status, told)),
      late.promise,
    ])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
