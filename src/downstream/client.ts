// Makes a session of a WebSocket handshake: which bot, who comes, and the wiring between socket and bot.

import type { Context } from 'hono'
import type { Bot } from '../broker/bot.ts'
import type { Bots } from '../broker/bots.ts'
import { CLOSING } from '../broker/closing.ts'
import type { Claim, Guests, Link, Terms, Transport } from '../broker/ports.ts'
import { nameProblem } from '../broker/registry.ts'
import type { Session } from '../broker/session.ts'
import type { Report } from '../broker/status.ts'
import type { HostEnv } from '../runtime/host.ts'
import { Arrivals } from './arrivals.ts'
import { type Access, stillIn, tokenShown } from './auth.ts'
import { acceptedLink } from './link.ts'
import { type RefusalStatus, refusedLink } from './refusal.ts'

export interface Door {
  readonly transport: Transport
  readonly events: boolean
  readonly calls: boolean
  readonly report: Report
  /** All links of the gateway; shared by every door. */
  readonly count: LinkCount
  readonly guests: Guests
  /** What lets in; asked anew each time. */
  readonly access: () => Access
  /** What the session is named unless the handshake says otherwise. */
  readonly name?: string | undefined
  readonly opened?: (() => void) | undefined
  readonly ended?: (() => void) | undefined
}

/** How many links there are and may be, and who comes too often. */
export class LinkCount {
  readonly most: number
  readonly arrivals: Arrivals
  now = 0
  constructor(most: number, arrivals = new Arrivals()) {
    this.most = most
    this.arrivals = arrivals
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

/** Who comes, and what that means. */
interface Arrival {
  readonly claim: Claim
  readonly terms: Terms
  /** The token it came with. */
  readonly shown: string | undefined
  /** Of an earlier link. */
  readonly secret: string | undefined
  /**
   * What tells it from others when it comes again: its entry, or a name and where it is said. Undefined: nothing does.
   * Behind one address there may be hundreds that start together, and a name alone anybody could use up.
   */
  readonly key: string | undefined
}

/** Answers the handshake: with a session, or with why not. */
export async function acceptClient(c: Context<HostEnv>, bot: Bot, door: Door): Promise<Response> {
  const refused = (...[status, why, retryAfter]: Why) => refusedLink(c, status, why, door.report, retryAfter)
  const arrival = arrivalOf(c, door)
  if (!('claim' in arrival)) return refused(...arrival.refused)
  const why = refuseClient(bot, arrival, door) ?? (await flapping(c, arrival, door))
  if (why !== undefined) return refused(...why)
  // It may have waited, and others have come.
  const since = refuseClient(bot, arrival, door)
  if (since !== undefined) return refused(...since)
  return (
    (await c.env.upgrade(c, wiring(c, bot, arrival, door))) ??
    refused(426, 'this path speaks WebSocket; connect to it with a WebSocket client')
  )
}

type Why = [status: RefusalStatus, why: string, retryAfter?: number | undefined]

/** Lets a client that comes too often wait. */
async function flapping(
  c: Context<HostEnv>,
  { key, claim }: Arrival,
  { count, report }: Door,
): Promise<Why | undefined> {
  if (key === undefined) return undefined
  const { peer } = c.env
  const client = claim.name ?? claim.entry ?? key
  const told = (inMs: number) => report({ kind: 'client-flapping', client, peer, inMs })
  const admission = await count.arrivals.admit(key, c.req.raw.signal, told)
  switch (admission.kind) {
    case 'go':
      return undefined
    case 'busy':
      return [
        503,
        `"${client}" connects too often: one of its handshakes waits already`,
        Math.ceil(admission.inMs / 1000),
      ]
    case 'gone':
      return [503, `"${client}" connects too often, and did not wait`]
    default:
      return admission satisfies never
  }
}

/** `?resume=1` asks to be waited for; anything longer is the secret that opened the way back. */
const WISHES = new Set(['1', 'true', 'yes', 'on'])

function arrivalOf(c: Context<HostEnv>, { guests, events, name: usual }: Door): Arrival | { refused: Why } {
  const shown = tokenShown(c)
  const own = shown === undefined ? undefined : guests.byToken(shown)
  const said = c.req.query('client_name') || c.req.header('x-client-name') || undefined
  if (own !== undefined && said !== undefined && said !== own.name)
    return {
      refused: [409, `client_name: this token is that of "${own.name}"; leave the name out, or use its own token`],
    }
  // Who only calls has no place among the clients: its other link has.
  const name = own === undefined || events ? (own?.name ?? said ?? usual) : undefined
  const asked = events ? c.req.query('resume') : undefined
  const ack = c.req.query('ack') === 'explicit' ? 'explicit' : 'ping'
  if (asked && name === undefined)
    return { refused: [400, 'resume: only a client with a name can come back; add client_name'] }
  const claim = { entry: own?.entry, name, resume: asked ? ack : undefined } as const
  const terms = guests.terms(claim)
  if (terms === undefined)
    return { refused: [403, `client_name: "${name}" is a client with a token of its own; connect with that token`] }
  const who = own?.entry ?? (name === undefined ? undefined : `${name} of ${c.env.peer}`)
  return {
    claim,
    terms,
    shown,
    secret: asked === undefined || WISHES.has(asked) ? undefined : asked,
    // A client may have one link for events and one for calls.
    key: who && `${events ? 'events' : 'calls'} ${who}`,
  }
}

function refuseClient(bot: Bot, { claim, secret }: Arrival, { count }: Door): Why | undefined {
  const { name } = claim
  const problem = name === undefined ? undefined : nameProblem(name)
  if (problem !== undefined) return [400, `client_name: ${problem}`]
  if (name !== undefined && bot.sessions.nameTaken(name) && bot.known(claim, secret) === undefined)
    return [409, nameTaken(bot, name)]
  if (count.now >= count.most) return [503, `${count.now} links are open, which is the most this gateway holds`]
  return undefined
}

const nameTaken = (bot: Bot, name: string) =>
  bot.sessions.byName(name)?.returns === undefined
    ? `client_name: another client is named "${name}"`
    : `client_name: "${name}" is a client that may come back, with the secret of its resume event: ?resume=SECRET`

function wiring(
  c: Context<HostEnv>,
  bot: Bot,
  { claim, terms, shown, secret }: Omit<Arrival, 'key'>,
  door: Door,
): Parameters<typeof c.env.upgrade>[1] {
  const { listener, peer } = c.env
  const { path } = c.req
  const decoder = new TextDecoder()
  let link: Link | undefined
  let session: Session | undefined
  // A session may have gone on with a newer link.
  const mine = () => (session?.link === link ? session : undefined)
  const heard = (text: string) => {
    const caller = mine()
    if (caller !== undefined) bot.call(bot.callerOf(caller), text)
  }
  return {
    open(socket) {
      door.count.now += 1
      door.opened?.()
      const welcome = () => stillIn({ shown, entry: claim.entry }, door.access(), door.guests)
      link = acceptedLink(socket, { transport: door.transport, peer, channel: listener, welcome })
      // The configuration may have changed during the handshake.
      if (!welcome()) return link.close(CLOSING.tokenGone)
      session = enter(bot, link, { claim, terms, secret }, door)
      if (session !== undefined) return
      // Two handshakes may have asked for one name at the same time.
      door.report({ kind: 'link-refused', peer, path, status: 409, why: nameTaken(bot, claim.name ?? '') })
      link.close(CLOSING.refused)
    },
    text: (_socket, text) => heard(text),
    // Some clients send their text in binary frames.
    binary: (_socket, bytes) => heard(decoder.decode(bytes)),
    drain() {
      const reader = mine()
      if (reader !== undefined) bot.drained(reader)
    },
    pong(_socket, data) {
      const reader = mine()
      if (reader !== undefined) bot.pong(reader, data)
    },
    close(_socket, code, reason) {
      door.count.now -= 1
      if (session !== undefined) bot.leave(session, code, reason, link)
      door.ended?.()
    },
  }
}

type Entering = Pick<Arrival, 'claim' | 'terms' | 'secret'>

/** The session that goes on with this link, or a new one; undefined: its name is another's. */
function enter(bot: Bot, link: Link, { claim, terms, secret }: Entering, door: Door): Session | undefined {
  // Beside its link for events a client may have one for calls, which takes nobody's place.
  const known = door.events ? bot.known(claim, secret) : undefined
  if (known?.returns !== undefined && terms.resume !== undefined) {
    bot.rejoin(known, link, { terms, calls: door.calls })
    return known
  }
  if (known !== undefined) bot.replace(known)
  if (claim.name !== undefined && bot.sessions.nameTaken(claim.name)) return undefined
  return bot.join(link, { events: door.events, calls: door.calls, claim, terms })
}
