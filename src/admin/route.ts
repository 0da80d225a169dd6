// One route of the admin API: where it is, what it takes and answers, and what it does; the description is made from it.

import type { Context } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { isObject, own } from '../onebot/object.ts'
import { refuse } from '../onebot/retcode.ts'
import type { HostEnv } from '../runtime/host.ts'

/** A JSON Schema. */
export type Shape = Readonly<Record<string, unknown>>
export type Asked = Context<HostEnv>

export interface Route {
  readonly method: 'get' | 'post'
  /** With `:name` for what varies. */
  readonly path: string
  readonly summary: string
  /** Query parameters, by name: what each means. */
  readonly query?: Readonly<Record<string, string>>
  /** The body that it takes, as JSON. Absent: none. */
  readonly body?: Shape
  /** What it answers when all goes well: JSON, or something else. */
  readonly answer: Shape | { readonly media: string; readonly means: string }
  /** Whether nobody needs a token, asked for each request. */
  readonly open?: () => boolean
  /** @throws ActionError, which becomes the answer. */
  readonly handle: (c: Asked) => Response | Promise<Response>
}

export const text = { type: 'string' } as const
export const whole = { type: 'integer' } as const
export const decimal = { type: 'number' } as const
export const flag = { type: 'boolean' } as const
export const nullable = (shape: Shape): Shape => ({ anyOf: [shape, { type: 'null' }] })
export const list = (items: Shape): Shape => ({ type: 'array', items })
/** All of these, and maybe more later. */
export const object = (properties: Readonly<Record<string, Shape>>, optional: readonly string[] = []): Shape => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})

/** The body of a request. @throws ActionError where it is no JSON object. */
export async function bodyOf(c: Asked): Promise<Record<string, unknown>> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  // A form could be sent by a page of another site without anybody being asked.
  if (type !== 'application/json')
    refuse('bad-request', `content-type: found ${type ?? 'nothing'}, wanted application/json`)
  const body: unknown = await c.req.json().catch(() => undefined)
  return isObject(body) ? body : refuse('bad-request', 'body: wanted a JSON object')
}

/** @throws ActionError where it is missing or no text. */
export function textIn(body: Record<string, unknown>, key: string): string {
  const value = own(body, key)
  return typeof value === 'string' ? value : refuse('bad-request', `${key}: wanted a text`)
}

/** The bot with this account or this name; without a wish, the first. @throws ActionError */
export function botOf(bots: Bots, wish: string | undefined): Bot {
  if (wish === undefined || wish === '') return bots.all()[0] ?? refuse('not-found', 'no bot is configured')
  const found = bots.all().find(({ selfId, name }) => selfId === wish || name === wish)
  const known = bots.all().map(({ selfId, name }) => selfId ?? name)
  return found ?? refuse('not-found', `no bot ${JSON.stringify(wish)}; there is ${known.join(', ') || 'none'}`)
}
