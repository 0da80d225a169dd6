// What an operator does to bots: sees them, connects to their implementation anew, restarts it, calls actions as them.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { isObject, own } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import { bodyOf, botOf, decimal, flag, list, nullable, object, type Route, text, textIn, whole } from './route.ts'

export interface BotsPort {
  readonly bots: Bots
  /** What `GET /api/status` tells of each bot. */
  readonly seen: () => readonly { readonly name: string; readonly sessions: readonly object[] }[]
  /** Asks the implementation who it is, unless that is known. */
  readonly look: (bot: Bot) => Promise<void>
}

const BOT = object(
  {
    name: text,
    self_id: nullable(text),
    online: flag,
    heartbeat: nullable({ type: 'integer', description: 'interval in milliseconds' }),
    heartbeat_age: nullable({ type: 'number', description: 'seconds since the last one' }),
    implementation: object({
      peer: nullable(text),
      since: nullable({ type: 'integer', description: 'seconds since 1970: connected, or lost, since then' }),
      lost: nullable({ type: 'string', description: 'why it is not connected' }),
      name: nullable(text),
      version: nullable(text),
      nickname: nullable(text),
    }),
    journal: object({ entries: whole, bytes: whole, age: nullable(decimal) }),
    clients: whole,
    sent: object({ events: whole, bytes: whole }),
    upstreams: list({ type: 'object', description: 'its implementations, in order' }),
    waiting: { type: 'object' },
    failed: object({ kept: whole, changes: { ...whole, description: 'grows when GET /api/calls tells others' } }),
    pools: list({ type: 'object' }),
    embedded: { type: 'object', description: 'how the implementation fares that perpetua runs itself' },
    calls: { type: 'object', description: 'breakers and limited: circuit breakers, and how many calls were limited' },
  },
  ['embedded', 'calls'],
)

export function botRoutes({ bots, seen, look }: BotsPort): Route[] {
  return [
    {
      method: 'get',
      path: '/api/bots',
      summary: 'The bots and their implementations, which are asked who they are',
      answer: object({ bots: list(BOT) }),
      async handle(c) {
        await Promise.all(bots.all().map((bot) => look(bot)))
        return c.json({ bots: seen().map(({ sessions, ...bot }) => ({ ...bot, clients: sessions.length })) })
      },
    },
    {
      method: 'post',
      path: '/api/bots/:bot/redial',
      summary: 'Drops the connection to the implementation: a new one is made, or awaited',
      answer: object({}),
      handle(c) {
        // Who is not connected is dialled already, or awaited.
        botOf(bots, c.req.param('bot')).redial('asked for by the operator')
        return c.json({})
      },
    },
    {
      method: 'post',
      path: '/api/bots/:bot/restart',
      summary: 'Restarts the implementation, or asks it to restart itself',
      answer: object({}),
      handle(c) {
        botOf(bots, c.req.param('bot')).restart(0)
        return c.json({})
      },
    },
    {
      method: 'post',
      path: '/api/call',
      summary: 'Calls a OneBot action, and answers with its reply as it is',
      body: object({ action: text, params: { type: 'object' }, self_id: text }, ['params', 'self_id']),
      answer: { type: 'object', description: 'the reply: status, retcode, data' },
      async handle(c) {
        const body = await bodyOf(c)
        const action = textIn(body, 'action')
        const params = own(body, 'params') ?? {}
        if (!isObject(params)) refuse('bad-request', 'params: wanted an object')
        const whose = own(body, 'self_id')
        const bot = botOf(bots, whose === undefined || whose === null ? undefined : String(whose))
        // As long as the action may take.
        c.env.keepOpen()
        const reply = await call(bot, JSON.stringify({ action, params }))
        return new Response(reply, { headers: { 'Content-Type': 'application/json; charset=utf-8' } })
      },
    },
  ]
}

/** All that operators have open together. */
const OPEN = { calls: 0, bytes: 0 }

const call = (bot: Bot, frame: string): Promise<string> =>
  new Promise((resolve) => bot.call({ open: OPEN, key: 'admin', reply: resolve }, frame))
