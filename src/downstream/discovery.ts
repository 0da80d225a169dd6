// The two calls by which programs find their way in: a port of their own, and who is online.

import { type Context, Hono } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import type { Presence } from '../broker/presence.ts'
import type { Report } from '../broker/status.ts'
import type { Client } from '../onebot/event.ts'
import { ownReply } from '../onebot/frame.ts'
import { ActionError, RETCODE, refuse } from '../onebot/retcode.ts'
import type { HostEnv } from '../runtime/host.ts'
import { type Access, admit, guard } from './auth.ts'
import { botFor, unknownBot } from './client.ts'
import { untilChanged } from './long-poll.ts'

export interface DiscoveryOptions {
  readonly bots: Bots
  readonly access: () => Access
  readonly report: Report
  readonly lease: (bot: Bot, wish: { name?: string | undefined; peer: string }) => Promise<number>
  readonly clients: (bot: Bot) => Client[]
  readonly presence: Presence
}

export function discovery({ bots, access, report, lease, clients, presence }: DiscoveryOptions): Hono<HostEnv> {
  const app = new Hono<HostEnv>()
  app.use('/api/*', guard(access, report, { discovery: true }))
  app.get('/api/get_ws_port', (c) =>
    answer(c, bots, async (bot) => {
      const name = c.req.query('client_name') || undefined
      return { port: await lease(bot, { name, peer: c.env.peer }) }
    }),
  )
  app.get('/api/get_online_clients', async (c) => {
    const wrong = await untilChanged(c, presence)
    // Meanwhile its token may have lost its meaning.
    const refused = admit(c, access(), report, { discovery: true })
    if (refused !== undefined) return refused
    if (wrong !== undefined) {
      const [status, why] = wrong
      return answer(c, bots, () => refuse(status === 400 ? 'bad-request' : 'unavailable', why))
    }
    return answer(c, bots, clients, `,"version":${presence.version}`)
  })
  return app
}

/** HTTP 200 whatever happens: the Java SDK looks no further otherwise. */
async function answer(
  c: Context<HostEnv>,
  bots: Bots,
  work: (bot: Bot) => unknown,
  /** Further members of the answer, each with its comma. */
  more = '',
): Promise<Response> {
  const bot = botFor(c, bots)
  const json = (text: string) => c.body(text, 200, { 'Content-Type': 'application/json; charset=utf-8' })
  if (bot === undefined)
    return json(ownReply({ status: 'failed', retcode: RETCODE['not-found'].code, message: unknownBot(c, bots) }))
  try {
    return json(`${ownReply({ status: 'ok', retcode: 0, data: await work(bot) }).slice(0, -1)}${more}}`)
  } catch (error) {
    if (!(error instanceof ActionError)) throw error
    return json(ownReply({ status: 'failed', retcode: error.retcode, message: error.message }))
  }
}
