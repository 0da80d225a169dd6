// What a bot's events look like to Satori's clients: the one conversion that a lane makes for all of them.

import type { Bot } from '../broker/bot.ts'
import type { Cursor, Rules } from '../broker/ports.ts'
import { accountOf } from '../onebot/account.ts'
import { type Fields, fieldsOf, isObject } from '../onebot/object.ts'
import { nameOf, told } from './events.ts'
import { parseExact } from './exact.ts'
import type { Logins } from './logins.ts'
import { PLATFORM, timeOf } from './qq.ts'
import { snOf } from './sn.ts'
import type { Told } from './wire.ts'

export const OPCODE = { event: 0, ping: 1, pong: 2, identify: 3, ready: 4, meta: 5 } as const

export const frame = (op: number, body: string): string => `{"op":${op},"body":${body}}`

/** `frame` for WebSockets; web hooks get the body alone. */
export type Wrap = 'frame' | 'body'

/**
 * Dresses what a client is to get of a bot: its own rules judge first, then the event is put into Satori's words.
 * Heartbeats are not passed on: what is new in them is told by who watches the logins.
 */
export const satoriForm =
  (bot: Bot, logins: Logins, wrap: Wrap) =>
  (inner: Rules | undefined): Rules => {
    const convert = (text: string | undefined, raw: string, event: Fields, at: Cursor) => {
      if (text === undefined) return undefined
      const body = eventBody(bot, logins, text, text === raw ? event : fieldsOf(text), at)
      return wrap === 'frame' ? frame(OPCODE.event, body) : body
    }
    return {
      key: `satori ${wrap} ${inner?.key ?? ''}`,
      apply: (raw, event, at) => convert(inner === undefined ? raw : inner.apply(raw, event, at), raw, event, at),
      form(raw, event, at) {
        if (at !== undefined)
          return convert(inner?.form === undefined ? raw : inner.form(raw, event, at), raw, event, at)
        logins.heard(bot, event)
        return undefined
      },
    }
  }

const LONG = /\d{16}/

/** An event of the journal as JSON text, the event of the implementation in it as it came. */
function eventBody(bot: Bot, logins: Logins, raw: string, event: Fields, at: Cursor): string {
  // Ids that were read as numbers may have lost digits.
  const exact = LONG.test(raw) ? parseExact(raw) : event
  const fields = isObject(exact) ? exact : event
  const { type, ...rest } = converted(fields)
  const selfId = accountOf(raw, event) ?? bot.selfId ?? '0'
  const sn = snOf(bot.journal, at)
  const head = {
    ...common(sn, type, selfId, timeOf(fields, 'time') ?? Date.now()),
    login: logins.owner(bot, selfId),
    ...rest,
  }
  // Koishi offers what came from the platform under this name, and tells internal events by theirs.
  const native = type === 'internal' ? `${PLATFORM}/${nameOf(fields)}` : PLATFORM
  return `${JSON.stringify(head).slice(0, -1)},"_type":${JSON.stringify(native)},"_data":${raw}}`
}

/** Older clients look for `id`, `platform` and `self_id`. */
const common = (sn: number, type: string, selfId: string, timestamp: number) => ({
  id: sn,
  sn,
  type,
  platform: PLATFORM,
  self_id: selfId,
  timestamp,
})

/** Whatever an implementation sends must come out as something: what cannot be read is passed on as it is. */
function converted(event: Fields): Told {
  try {
    return told(event)
  } catch {
    return { type: 'internal' }
  }
}

/** Of a login that is no more: online. NoneBot reads no event of any other, and would go on with it. */
const REMOVED = 1

export type LoginEvent = 'login-added' | 'login-removed' | 'login-updated'

/** What is said of a login, as JSON text. `sn`: that of the last event that the client has been given. */
export function loginBody(bot: Bot, logins: Logins, type: LoginEvent, selfId: string, sn: number): string {
  const login = { ...logins.whole(bot, selfId), ...(type === 'login-removed' ? { status: REMOVED } : {}) }
  const { user } = login
  return JSON.stringify({ ...common(sn, type, selfId, Date.now()), login, user })
}
