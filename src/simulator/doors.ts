// Where clients come in: forward WebSocket on any path, and actions by HTTP; both behind the token.

import { type Context, Hono } from 'hono'
import { sameSecret } from '../lib/secret.ts'
import { ownReply } from '../onebot/frame.ts'
import { isObject, parse } from '../onebot/object.ts'
import type { HostEnv } from '../runtime/host.ts'
import { type Answer, NO_SUCH_ACTION } from './actions.ts'
import type { Implementation } from './implementation.ts'
import type { Links, Role } from './links.ts'

export interface DoorsOptions {
  readonly implementation: Implementation
  readonly links: Links
  /** Empty: nobody needs one. */
  readonly token: string
}

export function doors({ implementation, links, token }: DoorsOptions): Hono<HostEnv> {
  const app = new Hono<HostEnv>()
  app.use(async (c, next) => {
    const status = judge(c, token)
    return status === undefined ? next() : c.body(REFUSED[status], status, JSON_TYPE)
  })
  app.use(async (c, next) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') return next()
    return (await c.env.upgrade(c, links.accepted(roleOf(c.req.path), c.env.peer))) ?? c.text('bad handshake', 400)
  })
  app.get('/', (c) => c.text('A simulated OneBot 11 implementation. WebSocket: any path. HTTP: /{action}\n'))
  app.on(['GET', 'POST'], '/:action', async (c) => {
    const given = c.req.method === 'GET' ? { params: c.req.query(), raw: undefined } : await posted(c)
    if (given instanceof Response) return given
    // Where the token may be is no place for a param.
    const { access_token: _, ...params } = given.params
    const answer = await new Promise<Answer>((resolve) =>
      implementation.call({ action: c.req.param('action'), params, raw: given.raw }, resolve),
    )
    return c.body(ownReply(answer), answer.retcode === NO_SUCH_ACTION ? 404 : 200, JSON_TYPE)
  })
  return app
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' }
const REFUSED = {
  401: ownReply({ status: 'failed', retcode: 1401, message: 'no access token' }),
  403: ownReply({ status: 'failed', retcode: 1403, message: 'wrong access token' }),
}

function judge(c: Context, token: string): keyof typeof REFUSED | undefined {
  if (token === '') return undefined
  const header = c.req.header('authorization')?.replace(/^(?:bearer|token)\s+/i, '')
  const shown = header || c.req.query('access_token')
  if (!shown) return 401
  return sameSecret(shown, token) ? undefined : 403
}

function roleOf(path: string): Role {
  if (/\/api\/?$/.test(path)) return { events: false, calls: true }
  if (/\/event\/?$/.test(path)) return { events: true, calls: false }
  return { events: true, calls: true }
}

/** Params by JSON or form, as OneBot 11 has it, or how they are refused. */
async function posted(c: Context<HostEnv>): Promise<Response | { params: Record<string, unknown>; raw?: string }> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  const raw = await c.req.text()
  if (raw === '') return { params: c.req.query() }
  if (type === 'application/x-www-form-urlencoded') return { params: Object.fromEntries(new URLSearchParams(raw)) }
  if (type !== 'application/json')
    return refused(c, 406, `content type: found ${type ?? 'nothing'}, want JSON or a form`)
  const params = parse(raw)
  return isObject(params) ? { params, raw } : refused(c, 400, 'body: wanted a JSON object')
}

const refused = (c: Context, status: 400 | 406, message: string) =>
  c.body(ownReply({ status: 'failed', retcode: 1000 + status, message }), status, JSON_TYPE)
