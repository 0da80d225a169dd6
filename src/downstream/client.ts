// Makes a session of a WebSocket handshake: which bot, which name, and the wiring between socket and bot.

import type { Context } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING } from '../broker/closing.ts'
import type { Transport } from '../broker/ports.ts'
import { nameProblem } from '../broker/registry.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { HostEnv } from '../runtime/host.ts'
import { acceptedLink } from './link.ts'
import { type RefusalStatus, refusedLink } from './refusal.ts'

export interface Door {
  readonly transport: Transport
  readonly events: boolean
  readonly calls: boolean
  readonly report: Report
  /** All links of the gateway; shared by every door. */
  readonly count: LinkCount
  /** What the session is named unless the handshake says otherwise. */
  readonly name?: string | undefined
  readonly opened?: (() => void) | undefined
  readonly ended?: (() => void) | undefined
}

/** How many links there are and may be. */
export class LinkCount {
  readonly most: number
  now = 0
  constructor(most: number) {
    this.most = most
  }
}

/** The bot a request names by `?self_id=` or `X-Self-ID`, else the first one. */
export const botFor = (c: Context<HostEnv>, bots: Bots): Bot | undefined => bots.choose(wantedId(c))

export const unknownBot = (c: Context<HostEnv>, bots: Bots): string =>
  `no bot ${wantedId(c)} here; known: ${
    bots
      .all()
      .map(({ selfId, name }) => selfId ?? name)
      .join(', ') || 'none'
  }`

const wantedId = (c: Context<HostEnv>) => c.req.query('self_id') ?? c.req.header('x-self-id')

/** Answers the handshake: with a session, or with why not. */
export async function acceptClient(c: Context<HostEnv>, bot: Bot, door: Door): Promise<Response> {
  const name = c.req.query('client_name') || c.req.header('x-client-name') || door.name || undefined
  const refused = refuseClient(bot, name, door)
  const response = refused === undefined ? await c.env.upgrade(c, wiring(c, bot, name, door)) : undefined
  if (response !== undefined) return response
  const [status, why] = refused ?? [426 as const, 'this path speaks WebSocket; connect to it with a WebSocket client']
  return refusedLink(c, status, why, door.report)
}

function refuseClient(bot: Bot, name: string | undefined, { count }: Door): [RefusalStatus, string] | undefined {
  const problem = name === undefined ? undefined : nameProblem(name)
  if (problem !== undefined) return [400, `client_name: ${problem}`]
  if (name !== undefined && bot.sessions.nameTaken(name)) return [409, nameTaken(name)]
  if (count.now >= count.most) return [503, `${count.now} links are open, which is the most this gateway holds`]
  return undefined
}

const nameTaken = (name: string) => `client_name: another client is named "${name}"`

function wiring(
  c: Context<HostEnv>,
  bot: Bot,
  name: string | undefined,
  door: Door,
): Parameters<typeof c.env.upgrade>[1] {
  const { listener, peer } = c.env
  const { path } = c.req
  const decoder = new TextDecoder()
  let session: Session | undefined
  const heard = (text: string) => {
    if (session !== undefined) bot.call(bot.callerOf(session), text)
  }
  return {
    open(socket) {
      door.count.now += 1
      door.opened?.()
      const link = acceptedLink(socket, { transport: door.transport, peer, channel: listener })
      // Two handshakes may have asked for one name at the same time.
      if (name !== undefined && bot.sessions.nameTaken(name)) {
        door.report({ kind: 'link-refused', peer, path, status: 409, why: nameTaken(name) })
        link.close(CLOSING.refused)
      } else session = bot.join(link, { events: door.events, calls: door.calls, name })
    },
    text: (_socket, text) => heard(text),
    // Some clients send their text in binary frames.
    binary: (_socket, bytes) => heard(decoder.decode(bytes)),
    drain() {
      if (session !== undefined) bot.drained(session)
    },
    close(_socket, code, reason) {
      door.count.now -= 1
      if (session !== undefined) bot.leave(session, code, reason)
      door.ended?.()
    },
  }
}
