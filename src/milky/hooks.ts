// Events that implementations post to us: whose they are, whether they may, and how they are answered.

import type { Context } from 'hono'
import type { Report } from '../broker/status.ts'
import { sameSecret } from '../lib/secret.ts'
import { ownReply } from '../onebot/frame.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import type { HostEnv } from '../runtime/host.ts'

/** Where the events of one implementation arrive. */
export interface Hook {
  /** What it must show; '' lets nobody in. */
  readonly accessToken: string
  /** Undefined: not known yet. */
  readonly account: () => string | undefined
  /** False: the implementation has not been reached yet, and nothing was taken. */
  readonly heard: (text: string) => boolean
}

type RefusalStatus = 400 | 401 | 403 | 404 | 503

/** Takes what is posted. Who shows a token that several have is told apart by the account. */
export function milkyHooks(hooks: () => readonly Hook[], report: Report) {
  return async (c: Context<HostEnv>): Promise<Response> => {
    const refuse = (status: RefusalStatus, why: string): Response => {
      report({ kind: 'link-refused', peer: c.env.peer, path: c.req.path, status, why })
      const body = ownReply({ status: 'failed', retcode: 1000 + status, message: why })
      return c.body(body, status, { 'Content-Type': 'application/json; charset=utf-8' })
    }
    if (hooks().length === 0) return refuse(404, 'no events are expected here; set events: webhook of a Milky upstream')
    const shown = /^Bearer\s+(.+)$/i.exec(c.req.header('authorization') ?? '')?.[1]?.trim()
    if (shown === undefined) return refuse(401, 'no token; send "Authorization: Bearer TOKEN"')
    const known = hooks().filter(({ accessToken }) => accessToken !== '' && sameSecret(shown, accessToken))
    if (known.length === 0) return refuse(403, 'wrong token: wanted the access token of a Milky upstream')
    // Only now: nobody else's bytes are read.
    const text = await c.req.text()
    const event = parse(text)
    if (!isObject(event)) return refuse(400, 'body: wanted one event as JSON')
    const account = String(own(event, 'self_id'))
    const hook =
      known.find((one) => one.account() === account) ??
      known.find((one) => one.account() === undefined) ??
      // The only one it can be of hears that its account has changed; one of several would be taken for another.
      (known.length === 1 ? known[0] : undefined)
    if (hook === undefined) return refuse(503, `no upstream with this token has account ${account.slice(0, 20)}`)
    // It may post again; Milky does not say so, but who does gets nothing lost.
    if (!hook.heard(text)) return refuse(503, 'this implementation has not answered our calls yet')
    return c.body(null, 204)
  }
}
