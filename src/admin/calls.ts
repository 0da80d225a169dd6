// What an operator does about calls: sees those that wait and those that failed, sends one again, gives one up.

import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import type { Caller } from '../broker/caller.ts'
import type { Report } from '../broker/status.ts'
import { giveUp, heldAction, retry } from '../broker/steering.ts'
import { refuse } from '../onebot/retcode.ts'
import { type Asked, decimal, flag, list, nullable, object, type Route, text, whole } from './route.ts'

export interface CallsFilter {
  readonly bot?: string | undefined
  readonly client?: string | undefined
  readonly action?: string | undefined
  readonly texts: boolean
  readonly most: number
}

export interface CallsPort {
  readonly bots: Bots
  readonly report: Report
  readonly shown: (filter: CallsFilter) => object
}

const MOST = 1_000

const COMMON = {
  id: text,
  bot: text,
  client: nullable({ type: 'string', description: 'name, app_id or address; null: it was asked for before a restart' }),
  app_id: text,
  action: text,
  mode: { enum: ['plain', 'async', 'rate-limited'] },
  size: { type: 'integer', description: 'characters of the frame' },
  params: { description: 'texts in it as their length unless texts=1; null: there is no frame, or a very long one' },
}
const HELD = object(
  {
    ...COMMON,
    durable: nullable({ type: 'string', description: 'the id that its client was given: it is on disk' }),
    since: { type: 'integer', description: 'seconds since 1970' },
    why: { enum: ['away', 'stalled', 'limit', 'circuit', 'paced', 'disk', 'turn'] },
    next: nullable({ type: 'integer', description: 'when it may go, as far as anybody knows' }),
    until: nullable({ type: 'integer', description: 'when it is given up; null: it waits as long as it takes' }),
  },
  ['app_id'],
)
const FAILED = object(
  {
    ...COMMON,
    time: { type: 'integer', description: 'when it failed, in seconds since 1970' },
    ms: { ...decimal, description: 'how long that took since it was asked for' },
    retcode: whole,
    message: text,
    outcome: {
      enum: ['not-sent', 'failed', 'unknown'],
      description: 'unknown: it may have been carried out, and would be twice',
    },
    kept: { ...flag, description: 'whether its frame is kept, so that it can be sent again' },
    again: nullable(
      object({ time: whole, retcode: nullable({ ...whole, description: 'null: under way' }), message: text }),
    ),
  },
  ['app_id'],
)

export function callRoutes({ bots, report, shown }: CallsPort): Route[] {
  return [
    {
      method: 'get',
      path: '/api/calls',
      summary: 'The calls that wait to be sent, and the last ones that failed, newest first',
      query: {
        bot: 'of this account or name only',
        client: 'of this client only, by name or app_id',
        action: 'of this name only; * stands for anything',
        texts: '1: with what somebody wrote, which is hidden otherwise',
        limit: `how many of each at most: 200 by default, up to ${MOST}`,
      },
      answer: object({
        waiting: { ...whole, description: 'all that wait at these bots, listed or not' },
        held: list(HELD),
        failed: list(FAILED),
      }),
      handle: (c) => c.json(shown(filterOf(c))),
    },
    {
      method: 'post',
      path: '/api/calls/:id/retry',
      summary: 'Sends a call that failed again, as the operator, and answers with the reply as it is',
      query: { twice: '1: even though it may have been carried out already; wanted where its outcome is unknown' },
      answer: { type: 'object', description: 'the reply: status, retcode, data' },
      async handle(c) {
        const { id, bot } = find(bots, c)
        const failed = bot.failures.get(id)
        if (failed === undefined) return refuse('conflict', `call ${id} waits to be sent: it has not failed`)
        // As long as the action may take.
        c.env.keepOpen()
        const caller = { open: OPEN, key: 'admin' }
        const reply = await retry(bot, failed, { caller, twice: c.req.query('twice') === '1', report })
        return new Response(reply, { headers: { 'Content-Type': 'application/json; charset=utf-8' } })
      },
    },
    {
      method: 'post',
      path: '/api/calls/:id/drop',
      summary: 'Gives up a call that waits: its client is answered 1503. One that failed is listed no more',
      answer: object({}),
      handle(c) {
        const { id, bot } = find(bots, c)
        giveUp(bot, id, report)
        return c.json({})
      },
    },
  ]
}

/** All that operators send again together. */
const OPEN: Caller['open'] = { calls: 0, bytes: 0 }

/** @throws ActionError */
function find(bots: Bots, c: Asked): { id: string; bot: Bot } {
  const id = c.req.param('id') ?? ''
  const bot = bots.all().find((one) => one.failures.get(id) !== undefined || heldAction(one, id) !== undefined)
  return bot === undefined
    ? refuse(
        'not-found',
        `no call ${JSON.stringify(id)} waits or is kept: it has gone its way, or newer ones took its place`,
      )
    : { id, bot }
}

function filterOf(c: Asked): CallsFilter {
  const said = (name: string) => c.req.query(name) || undefined
  const limit = c.req.query('limit') ?? '200'
  const most = /^\d{1,6}$/.test(limit) ? Number(limit) : Number.NaN
  if (!(most >= 1 && most <= MOST))
    refuse('bad-request', `limit: found ${JSON.stringify(limit)}, wanted a whole number 1-${MOST}`)
  return { bot: said('bot'), client: said('client'), action: said('action'), texts: said('texts') === '1', most }
}
