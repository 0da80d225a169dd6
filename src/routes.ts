// What is to be had at which path of the main listener, and who may have it.

import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { onlineClients } from './actions/clients.ts'
import { page } from './admin/pages.ts'
import type { Bot } from './broker/bot.ts'
import type { Bots } from './broker/bots.ts'
import type { Guests } from './broker/ports.ts'
import type { Presence } from './broker/presence.ts'
import type { Report } from './broker/status.ts'
import { type Access, admit, guard } from './downstream/auth.ts'
import type { LinkCount } from './downstream/client.ts'
import { discovery } from './downstream/discovery.ts'
import { forward } from './downstream/forward.ts'
import { httpApi } from './downstream/http-api.ts'
import { untilChanged } from './downstream/long-poll.ts'
import { refusal, refusedLink } from './downstream/refusal.ts'
import { qrcode } from './embed.ts'
import type { Embedded } from './embedded/embedded.ts'
import { type Hook, milkyHooks } from './milky/hooks.ts'
import type { Log } from './observe/log.ts'
import type { Operator } from './operator.ts'
import type { HostEnv } from './runtime/host.ts'
import { type AcceptedUpstream, acceptUpstreams } from './upstream/accept.ts'

export interface RoutesOptions {
  readonly bots: Bots
  readonly guests: Guests
  readonly presence: Presence
  readonly count: LinkCount
  readonly report: Report
  readonly log: Log
  /** What a client has to show. */
  readonly access: () => Access
  /** What shows and steers needs this one. */
  readonly adminToken: () => string
  readonly lease: (bot: Bot, wish: { name?: string | undefined; peer: string }) => Promise<number>
  /** Where implementations may dial in. */
  readonly places: () => AcceptedUpstream[]
  /** Where implementations that speak Milky may post their events. */
  readonly hooks: () => Hook[]
  readonly embedded: () => Embedded | undefined
  readonly operator: Operator
  /** Answers what lies below the path of Satori. */
  readonly satori: MiddlewareHandler<HostEnv>
}

const NO_SANDBOX = 'the sandbox chat needs a simulated bot: start perpetua sandbox'
const ADMIN_TOKEN = 'admin token (admin.token, or the file admin-token in data-dir)'

export function routes(options: RoutesOptions): Hono<HostEnv> {
  const { bots, guests, presence, count, report, log, access, lease, places, operator } = options
  /** Tokens of single clients open the doors of clients, and no others. */
  const only = (token: string, more: Partial<Access> = {}) => ({ ...access(), isClients: undefined, token, ...more })
  // With a slash at the end or without: both are in use.
  const app = new Hono<HostEnv>({ strict: false })
  // Before the discovery calls, which let in more people.
  const admin = () => only(options.adminToken(), { called: ADMIN_TOKEN, openDiscovery: false })
  const status = async (c: Context<HostEnv>) => {
    const wrong = await untilChanged(c, presence)
    if (wrong !== undefined) return refusal(c, ...wrong)
    // Meanwhile its token may have lost its meaning.
    return admit(c, admin(), report) ?? c.json(operator.overview())
  }
  app.route('/', operator.api({ guard: guard(admin, report), status, qrcode: (c) => qrcode(c, options.embedded()) }))
  app.route('/', discovery({ bots, access, report, lease, clients: onlineClients, presence }))
  const admitted = (c: Context<HostEnv>, token: string) => admit(c, only(token || access().token), report)
  app.get('/onebot/v11/implementation', acceptUpstreams(places, admitted, report))
  app.post('/milky/event', milkyHooks(options.hooks, report))
  app.route('/', forward({ bots, access, report, count, guests, page }))
  app.get('/sandbox', (c) => {
    if (operator.simulator === undefined) return refusal(c, 404, NO_SANDBOX)
    return page(c)
  })
  app.use('/onebot/v11/*', guard(access, report))
  app.route('/onebot/v11', httpApi({ bots, guests, report }))
  app.use('*', options.satori)
  app.notFound((c) => refusal(c, 404, `there is nothing at ${c.req.path}`))
  app.onError((error, c) => {
    log.error('unexpected error', { path: c.req.path, error, stack: error.stack })
    return refusedLink(c, 500, 'internal error; the log of perpetua says more', report)
  })
  return app
}
