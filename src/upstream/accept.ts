// Lets an implementation that dials us in: which bot it is for, whether it may, and what takes its place later.

import type { Context } from 'hono'
import { CLOSING } from '../broker/closing.ts'
import type { Seat } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { ownReply } from '../onebot/frame.ts'
import type { HostEnv } from '../runtime/host.ts'
import { ImplementationLink, linkEvents } from './link.ts'

export interface AcceptUpstreamOptions {
  readonly bot: Seat
  /** The account it must have, as text; '': any. */
  readonly selfId: string
  /** '': what clients show counts. */
  readonly accessToken: string
  readonly report: Report
}

/** Refuses whoever may not come in with this token; undefined: come in. */
export type Admit = (c: Context<HostEnv>, token: string) => Response | undefined

/** A place where one implementation at a time may connect; the newest link wins, since the older is then a dead one. */
export class AcceptedUpstream {
  readonly accessToken: string
  readonly #options: AcceptUpstreamOptions
  #link: ImplementationLink | undefined

  constructor(options: AcceptUpstreamOptions) {
    this.#options = options
    this.accessToken = options.accessToken
  }

  /**
   * How well an account fits here, '' where the implementation does not tell it: its own place, one that has no account
   * yet, one whose account is away and may be changed. Undefined: not at all.
   */
  fits(selfId: string): (typeof FITS)[number] | undefined {
    const { selfId: wanted, bot } = this.#options
    const known = wanted || bot.selfId
    if (selfId !== '' && known === selfId) return 'own'
    // A link that works is not put aside for a stranger.
    if (bot.online) return undefined
    if (known === undefined) return 'open'
    // Who does not say whose it is may be the one of before.
    return wanted === '' || selfId === '' ? 'vacant' : undefined
  }

  /** Undefined: the request is no WebSocket handshake. */
  accept(c: Context<HostEnv>, selfId: string): Promise<Response | undefined> {
    const { bot, report } = this.#options
    const { peer } = c.env
    return c.env.upgrade(
      c,
      linkEvents((socket) => {
        const link: ImplementationLink = new ImplementationLink(socket, {
          bot,
          peer,
          report,
          ended: () => {
            if (this.#link === link) this.#link = undefined
          },
        })
        const before = this.#link
        this.#link = link
        bot.connected(link, peer)
        before?.close(CLOSING.replaced.code, CLOSING.replaced.text)
        // The handshake has told the account: clients need not wait for a frame that does.
        if (selfId !== '' && !bot.identify(selfId))
          link.close(CLOSING.refused.code, `account ${selfId} has another upstream already`)
        return link
      }),
    )
  }

  async stop(): Promise<void> {
    this.#link?.close(CLOSING.shutdown.code, CLOSING.shutdown.text)
  }
}

const FITS = ['own', 'open', 'vacant'] as const

function placeFor(selfId: string, places: readonly AcceptedUpstream[]): AcceptedUpstream | undefined {
  for (const fit of FITS) {
    const place = places.find((one) => one.fits(selfId) === fit)
    if (place !== undefined) return place
  }
  return undefined
}

/** Answers the handshakes of implementations. */
export function acceptUpstreams(places: () => readonly AcceptedUpstream[], admit: Admit, report: Report) {
  return async (c: Context<HostEnv>): Promise<Response> => {
    const refuse = (status: 400 | 403 | 404 | 409 | 426, message: string): Response => {
      report({ kind: 'link-refused', peer: c.env.peer, path: c.req.path, status, why: message })
      const headers = { 'Content-Type': 'application/json; charset=utf-8' }
      return c.body(
        ownReply({ status: 'failed', retcode: status === 426 ? 1400 : 1000 + status, message }),
        status,
        headers,
      )
    }
    const selfId = c.req.header('x-self-id')?.trim() ?? ''
    const place = placeFor(selfId, places())
    const refused = admit(c, (place ?? places()[0])?.accessToken ?? '')
    if (refused !== undefined) return refused
    if (places().length === 0)
      return refuse(
        404,
        'no implementation is expected here; set ntqq-impl.mode: reverse, or an upstreams entry of kind: reverse',
      )
    if (place === undefined && selfId === '')
      return refuse(
        409,
        'another implementation is connected; send X-Self-ID, so that it can be told whose place this is',
      )
    if (place === undefined) return refuse(403, `X-Self-ID: found ${selfId}, which is no account of an upstream here`)
    if (selfId !== '' && !/^[1-9]\d{0,19}$/.test(selfId)) return refuse(400, 'X-Self-ID: wanted a QQ number')
    const role = c.req.header('x-client-role')
    if (role !== undefined && role.toLowerCase() !== 'universal')
      return refuse(
        400,
        `X-Client-Role: found ${role}, wanted Universal: use one reverse WebSocket for events and actions`,
      )
    return (
      (await place.accept(c, selfId)) ?? refuse(426, 'this path is for implementations that dial; connect by WebSocket')
    )
  }
}
