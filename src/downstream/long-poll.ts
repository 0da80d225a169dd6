// Long polls: a request that is answered once something has changed, or after as long as it wants to wait.

import type { Context } from 'hono'
import type { Presence } from '../broker/presence.ts'
import { parseDuration } from '../lib/duration.ts'
import type { HostEnv } from '../runtime/host.ts'

/**
 * With `?wait=30s`: resolves once anything differs from `?version=`, the one of now where none is given. What is wrong
 * with the request, or undefined.
 */
export async function untilChanged(c: Context<HostEnv>, presence: Presence): Promise<string | undefined> {
  const wait = c.req.query('wait')
  if (wait === undefined) return undefined
  // Seconds are what long polls are measured in elsewhere.
  const ms = /^\d+$/.test(wait) ? Number(wait) * 1_000 : parseDuration(wait)
  if (ms === undefined) return `wait: found ${JSON.stringify(wait)}, wanted a duration such as 30s`
  const known = c.req.query('version')
  if (known !== undefined && !/^\d{1,16}$/.test(known)) return 'version: wanted the number that the last answer had'
  if (presence.full) return 'wait: too many requests wait already; ask again without it'
  c.env.keepOpen()
  await presence.wait(known === undefined ? presence.version : Number(known), ms, c.req.raw.signal)
  return undefined
}
