// Actions over plain HTTP: one request, one call, one reply.

import { type Context, Hono } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import type { Caller, Guests, Terms } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { isObject, own, parse } from '../onebot/object.ts'
import { httpStatus } from '../onebot/retcode.ts'
import type { HostEnv } from '../runtime/host.ts'
import { tokenShown } from './auth.ts'
import { botFor, unknownBot } from './client.ts'
import { httpParams } from './http-params.ts'
import { type RefusalStatus, refusal } from './refusal.ts'

/** Paths beside ours that only speak WebSocket: their names are no actions. */
const WEBSOCKET = new Set(['ws', 'implementation'])
/** Replies that refuse are short: longer ones are not parsed for their retcode. */
const LONGEST_REFUSAL = 64 * 1024

export interface HttpApiOptions {
  readonly bots: Bots
  readonly guests: Guests
  readonly report: Report
}

/** To be mounted where the standard has its actions; whoever gets here may come in. */
export function httpApi({ bots, guests, report }: HttpApiOptions): Hono<HostEnv> {
  const app = new Hono<HostEnv>()
  const calls = new OpenCalls()
  app.all('/:action', async (c) => {
    const refuse = (status: RefusalStatus, why: string) => {
      report({ kind: 'link-refused', peer: c.env.peer, path: c.req.path, status, why })
      return refusal(c, status, why)
    }
    const action = c.req.param('action')
    const refused = refusedRequest(c, action)
    if (refused !== undefined) return refuse(...refused)
    const bot = botFor(c, bots)
    if (bot === undefined) return refuse(404, unknownBot(c, bots))
    const read = await httpParams(c)
    if (!read.ok) return refuse(read.status, read.why)
    // The reply may take as long as it likes; a body that stalls may not.
    c.env.keepOpen()
    const frame = `{"action":${JSON.stringify(action)},"params":${read.params}}`
    return answer(await calls.call(bot, c.env.peer, termsOf(c, guests), frame))
  })
  return app
}

/** Those of the client whose token is shown, else what applies to everybody. */
function termsOf(c: Context<HostEnv>, guests: Guests): Terms | undefined {
  const shown = tokenShown(c)
  return guests.terms(shown === undefined ? {} : { entry: guests.byToken(shown)?.entry })
}

function refusedRequest(c: Context<HostEnv>, action: string): [RefusalStatus, string] | undefined {
  // Hono answers HEAD like GET; a look must not send messages.
  if (c.req.method !== 'GET' && c.req.method !== 'POST') return [405, `method: found ${c.req.method}, want GET or POST`]
  if (WEBSOCKET.has(action) || c.req.header('upgrade')?.toLowerCase() === 'websocket')
    return [404, 'WebSocket clients connect to /onebot/v11/ws']
  return undefined
}

/** The calls of each address that are not answered yet: they share one bound. */
class OpenCalls {
  readonly #open = new Map<string, Caller['open']>()

  call(bot: Bot, peer: string, terms: Terms | undefined, frame: string): Promise<string> {
    const open = this.#open.get(peer) ?? { calls: 0, bytes: 0 }
    this.#open.set(peer, open)
    return new Promise((resolve) => {
      const reply = (text: string) => {
        if (open.calls === 0 && this.#open.get(peer) === open) this.#open.delete(peer)
        resolve(text)
      }
      bot.call({ open, reply, key: peer, terms }, frame)
    })
  }
}

function answer(reply: string): Response {
  const parsed = reply.length > LONGEST_REFUSAL ? undefined : parse(reply)
  const retcode = isObject(parsed) ? own(parsed, 'retcode') : undefined
  const status = typeof retcode === 'number' ? httpStatus(retcode) : 200
  return new Response(reply, { status, headers: { 'Content-Type': 'application/json; charset=utf-8' } })
}
