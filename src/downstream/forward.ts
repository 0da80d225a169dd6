// The fixed paths where clients connect to us.

import { type Context, Hono } from 'hono'
import type { Bots } from '../broker/bots.ts'
import type { Guests } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import type { HostEnv } from '../runtime/host.ts'
import { type Access, admit } from './auth.ts'
import { acceptClient, botFor, type LinkCount, unknownBot } from './client.ts'
import { refusedLink } from './refusal.ts'

/** The standard's paths, and the short ones that older clients use. */
const PATHS = {
  '/': { events: true, calls: true },
  '/onebot/v11/ws': { events: true, calls: true },
  '/onebot/v11/ws/api': { events: false, calls: true },
  '/onebot/v11/ws/event': { events: true, calls: false },
  '/api': { events: false, calls: true },
  '/event': { events: true, calls: false },
} as const

export interface ForwardOptions {
  readonly bots: Bots
  readonly access: () => Access
  readonly report: Report
  readonly count: LinkCount
  readonly guests: Guests
  /** What `GET /` shows to a browser. */
  readonly page: (c: Context<HostEnv>) => Response | Promise<Response>
}

export function forward({ bots, access, report, count, guests, page }: ForwardOptions): Hono<HostEnv> {
  const app = new Hono<HostEnv>({ strict: false })
  for (const [path, wants] of Object.entries(PATHS))
    app.get(path, async (c) => {
      // A look at the page in a browser is no attempt to come in.
      if (path === '/' && c.req.header('upgrade') === undefined) return page(c)
      const refused = admit(c, access(), report)
      if (refused !== undefined) return refused
      const bot = botFor(c, bots)
      if (bot === undefined) return refusedLink(c, 404, unknownBot(c, bots), report)
      return acceptClient(c, bot, { transport: 'forward', ...wants, report, count, guests, access })
    })
  return app
}
