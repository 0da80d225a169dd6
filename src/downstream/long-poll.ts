// Long polls: a request that is answered once something has changed, or after as long as it wants to wait.

import type { Context } from 'hono'
import type { Presence } from '../broker/presence.ts'
import { parseDuration } from '../lib/duration.ts'
import type { HostEnv } from '../runtime/host.ts'

/** Why the request is not answered as asked. */
export type Wrong = readonly [status: 400 | 503, why: string]

/**
 * With `?wait=30s`: resolves once anything differs from `?version=`, the one of now where none is given. What is wrong
 * with the request, or undefined.
 */
export async function untilChanged(c: Context<HostEnv>, presence: Presence): Promise<Wrong | undefined> {
  const wait = c.req.query('wait')
  if (wait === undefined) return undefined
  // Seconds are what long polls are measured in elsewhere.
  const ms = /^\d+$/.test(wait) ? Number(wait) * 1_000 : parseDuration(wait)
  if (ms === undefined) return [400, `wait: found ${JSON.stringify(wait)}, wanted a duration such as 30s`]
  const known = c.req.query('version')
  if (known !== undefined && !/^\d{1,16}$/.test(known))
    return [400, `version: found ${JSON.stringify(known)}, wanted the number that the last answer had`]
  if (presence.full) return [503, 'wait: too many requests wait already; ask again without it']
  c.env.keepOpen()
  await presence.wait(known === undefined ? presence.version : Number(known), ms, c.req.raw.signal)
  return undefined
}
