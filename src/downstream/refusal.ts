// How a request is refused before it became a link: an HTTP status with the envelope that clients know.

import type { Context } from 'hono'
import type { Report } from '../broker/status.ts'
import { ownReply } from '../onebot/frame.ts'
import type { HostEnv } from '../runtime/host.ts'

/** The retcode that goes with each status. */
const RETCODES = {
  400: 1400,
  401: 1401,
  403: 1403,
  404: 1404,
  405: 1400,
  406: 1400,
  409: 1409,
  426: 1400,
  500: 1503,
  503: 1503,
} as const
export type RefusalStatus = keyof typeof RETCODES

/** What the status obliges us to say. */
const EXTRA: Partial<Record<RefusalStatus, Record<string, string>>> = {
  405: { Allow: 'GET, POST' },
  426: { Upgrade: 'websocket', Connection: 'Upgrade' },
}

/** @param retryAfter seconds after which the same may work. */
export function refusal(
  c: Context<HostEnv>,
  status: RefusalStatus,
  message: string,
  retryAfter?: number | undefined,
): Response {
  const body = ownReply({ status: 'failed', retcode: RETCODES[status], message })
  const later: Record<string, string> = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }
  return c.body(body, status, { 'Content-Type': 'application/json; charset=utf-8', ...EXTRA[status], ...later })
}

/** A refusal that is told to whoever keeps the log, too. */
export function refusedLink(
  c: Context<HostEnv>,
  status: RefusalStatus,
  why: string,
  report: Report,
  retryAfter?: number | undefined,
): Response {
  report({ kind: 'link-refused', peer: c.env.peer, path: c.req.path, status, why })
  return refusal(c, status, why, retryAfter)
}
