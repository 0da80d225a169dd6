// Actions over plain HTTP: one request, one call, one reply.

import { type Context, Hono } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import type { Caller } from '../broker/caller.ts'
import type { Guests, Terms } from '../broker/ports.ts'
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
/** Seconds; a number beyond is none that anybody would wait for. */
const MOST_AFTER = 86_400 * 365

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
    const who = { peer: c.env.peer, terms: termsOf(c, guests), gone: () => c.req.raw.signal.aborted }
    return answer(await calls.call(bot, who, frame))
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

interface Who extends Pick<Caller, 'terms' | 'gone'> {
  readonly peer: string
}

/** The calls of each address that are not answered yet: they share one bound. */
class OpenCalls {
  readonly #open = new Map<string, Caller['open']>()

  call(bot: Bot, { peer, terms, gone }: Who, frame: string): Promise<string> {
    const open = this.#open.get(peer) ?? { calls: 0, bytes: 0 }
    this.#open.set(peer, open)
    return new Promise((resolve) => {
      const reply = (text: string) => {
        if (open.calls === 0 && this.#open.get(peer) === open) this.#open.delete(peer)
        resolve(text)
      }
      bot.call({ open, reply, key: peer, terms, gone }, frame)
    })
  }
}

function answer(reply: string): Response {
  const parsed = reply.length > LONGEST_REFUSAL ? undefined : parse(reply)
  const retcode = isObject(parsed) ? own(parsed, 'retcode') : undefined
  const after = isObject(parsed) ? own(parsed, 'retry_after') : undefined
  const status = typeof retcode === 'number' ? httpStatus(retcode) : 200
  const headers = { 'Content-Type': 'application/json; charset=utf-8' }
  // In whole seconds, for programs that wait by it: OneBot has no status for calls that come too often.
  if (typeof after !== 'number' || !(after > 0 && after < MOST_AFTER)) return new Response(reply, { status, headers })
  return new Response(reply, { status, headers: { ...headers, 'Retry-After': String(Math.ceil(after)) } })
}
