// Shows an operator the calls that wait and those that failed, without what somebody wrote unless it is asked for.

import type { Bots } from '../broker/bots.ts'
import { type FailedCall, whoIs } from '../broker/failures.ts'
import type { Held } from '../broker/flow.ts'
import { isSecret, MASK, maskText } from '../lib/mask.ts'
import { fieldsOf, isObject, own } from '../onebot/object.ts'
import { hidden } from './hidden.ts'
import { pattern } from './taps.ts'

export interface CallsWish {
  /** Of these only, where given. `bot`: its account or its name; `action`: a name, * stands for anything. */
  readonly bot?: string | undefined
  readonly client?: string | undefined
  readonly action?: string | undefined
  /** Whether params are shown as they are. */
  readonly texts: boolean
  /** So many of each at most. */
  readonly most: number
}

/** Longer frames are not read for this. */
const LONGEST = 64 * 1024
const DEEPEST = 32

/** All times are whole seconds since 1970; what failed last comes first. */
export function callsShown(bots: Bots, wish: CallsWish) {
  const { bot: whose, client, action, most } = wish
  const named = action === undefined ? undefined : pattern(action)
  const wanted = (who: { appId: string | undefined; client: string | undefined }, what: string) =>
    (client === undefined || who.client === client || who.appId === client) && (named?.test(what) ?? true)
  const meant = bots.all().filter(({ name, selfId }) => whose === undefined || name === whose || selfId === whose)
  const held: HeldShown[] = []
  const failed: FailedShown[] = []
  for (const bot of meant) {
    for (const one of bot.held()) {
      if (held.length >= most) break
      if (wanted(whoIs(one.call.caller), one.call.action)) held.push(heldShown(bot.name, one, wish.texts))
    }
    for (const one of bot.failures.all())
      if (wanted(one, one.action)) failed.push(failedShown(bot.name, one, wish.texts))
  }
  failed.sort((a, b) => b.time - a.time)
  // All that wait, whoever they are of: more than are shown, maybe.
  const waiting = meant.reduce((sum, bot) => sum + bot.waiting.waiting, 0)
  return { waiting, held, failed: failed.slice(0, most) }
}

export type HeldShown = ReturnType<typeof heldShown>
export type FailedShown = ReturnType<typeof failedShown>

function heldShown(bot: string, { call, why, next, until }: Held, texts: boolean) {
  const { token: id, action, mode, durable, since, size, text, caller } = call
  return {
    id,
    bot,
    ...clientOf(whoIs(caller)),
    action,
    mode,
    durable: durable ?? null,
    since: seconds(since),
    why,
    next: next === undefined ? null : Math.ceil(next / 1000),
    until: until === undefined ? null : Math.ceil(until / 1000),
    size,
    params: paramsOf(text, texts),
  }
}

function failedShown(bot: string, failed: FailedCall, texts: boolean) {
  const { id, action, mode, time, ms, retcode, message, outcome, size, text, again } = failed
  return {
    id,
    bot,
    ...clientOf(failed),
    action,
    mode,
    time: seconds(time),
    ms,
    retcode,
    message: maskText(message),
    outcome,
    size,
    /** Whether it can be sent again. */
    kept: text !== undefined,
    again: again === undefined ? null : againShown(again),
    params: text === undefined ? null : paramsOf(text, texts),
  }
}

const againShown = ({ time, retcode, message }: NonNullable<FailedCall['again']>) => ({
  time: seconds(time),
  retcode: retcode ?? null,
  message: maskText(message),
})

const clientOf = ({ appId, client }: { appId: string | undefined; client: string | undefined }) => ({
  client: client ?? null,
  ...(appId === undefined ? {} : { app_id: appId }),
})

function paramsOf(text: string, texts: boolean): unknown {
  if (text.length > LONGEST) return null
  const params = own(fieldsOf(text), 'params') ?? {}
  return texts ? masked(params) : hidden(params)
}

/** As it is, but for secrets. */
function masked(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskText(value)
  if (depth > DEEPEST) return '(more)'
  if (Array.isArray(value)) return value.map((inner) => masked(inner, depth + 1))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isSecret(key) ? MASK : masked(inner, depth + 1)]),
  )
}

const seconds = (ms: number) => Math.floor(ms / 1000)
