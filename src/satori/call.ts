// Calls of Satori's methods as OneBot's actions: asked on behalf of somebody, answered with data or with an HTTP status.

import type { Bot } from '../broker/bot.ts'
import type { Caller } from '../broker/caller.ts'
import type { Terms } from '../broker/ports.ts'
import type { Session } from '../broker/session.ts'
import { failed } from '../onebot/action.ts'
import { type Fields, isObject, own } from '../onebot/object.ts'
import { RETCODE } from '../onebot/retcode.ts'
import { exactJson, parseExact } from './exact.ts'

/** Ends a request with this status; the message is what the client reads. */
export class SatoriError extends Error {
  override readonly name = 'SatoriError'
  readonly status: number
  /** Seconds after which it may work, where that is known. */
  readonly retryAfter: number | undefined

  constructor(status: number, message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** In whose name a call is made. */
export interface Asker {
  /** The address it comes from. */
  readonly peer: string
  /** Its connection for events, where we know which one that is. */
  readonly session?: Session | undefined
  /** What governs it without one; absent: it is the gateway itself that asks. */
  readonly terms?: Terms | undefined
  /** Whether nobody waits for the answer any more. */
  readonly gone?: (() => boolean) | undefined
}

/** Statuses for retcodes of the gateway's own; everything else is a failure of the platform's. */
const STATUS = new Map<number, number>([
  [RETCODE['bad-request'].code, 400],
  [RETCODE.unauthorized.code, 401],
  [RETCODE.forbidden.code, 403],
  [RETCODE['not-found'].code, 404],
  [RETCODE.conflict.code, 409],
  [RETCODE['too-large'].code, 413],
  [RETCODE['rate-limited'].code, 429],
  [RETCODE.unavailable.code, 503],
  [RETCODE['outcome-unknown'].code, 504],
  // What go-cqhttp and Lagrange answer to an action they do not know.
  [404, 404],
])
const FAILED = 500
/** Seconds; a number beyond is none that anybody would wait for. */
const MOST_AFTER = 86_400 * 365

export class Calls {
  /** The calls of each address that are not answered yet: they share one bound. */
  readonly #open = new Map<string, Caller['open']>()

  /** The reply as it came, whatever it says. `params` is JSON text. */
  raw(bot: Bot, { peer, session, terms, gone }: Asker, action: string, params: string): Promise<string> {
    const frame = `{"action":${JSON.stringify(action)},"params":${params}}`
    if (session !== undefined)
      return new Promise((resolve) => bot.call({ session, open: session.open, reply: resolve, gone }, frame))
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

  /** The data of the reply, ids exact. @throws SatoriError when the action did not work. */
  async data(bot: Bot, asker: Asker, action: string, params: unknown = {}): Promise<unknown> {
    // Of several calls of one request the next one is not made either.
    if (asker.gone?.()) throw new SatoriError(FAILED, 'nobody waits for the answer any more')
    const reply = parseExact(await this.raw(bot, asker, action, exactJson(params)))
    if (!isObject(reply)) throw new SatoriError(FAILED, `${action}: the implementation answered with no JSON object`)
    if (!failed(reply)) return own(reply, 'data')
    const retcode = own(reply, 'retcode')
    const why = [own(reply, 'wording'), own(reply, 'message'), own(reply, 'msg')].find(
      (text) => typeof text === 'string' && text !== '',
    )
    const code = typeof retcode === 'number' ? retcode : undefined
    const status = (code === undefined ? undefined : STATUS.get(code)) ?? FAILED
    throw new SatoriError(status, `${action}: ${why ?? `retcode ${code}`}`, retryAfter(reply))
  }

  /** The data of the reply; undefined: there is none. For the gateway's own curiosity: it may fail. */
  async quiet(bot: Bot, action: string): Promise<unknown> {
    const asker = { peer: 'satori' }
    return this.data(bot, asker, action).catch(() => undefined)
  }
}

/** Seconds after which a refused call may be made again, as its reply says. */
export function retryAfter(reply: Fields): number | undefined {
  const after = own(reply, 'retry_after')
  return typeof after === 'number' && after > 0 && after < MOST_AFTER ? after : undefined
}

/** Whether the implementation does not know the action: another name of it may do. */
export const isUnknown = (error: unknown): boolean => error instanceof SatoriError && error.status === 404
