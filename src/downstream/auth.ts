// Who may come in: token, Origin and Host, judged before any upgrade.

import type { Context, MiddlewareHandler } from 'hono'
import type { Guests } from '../broker/ports.ts'
import type { Report } from '../broker/status.ts'
import { sameSecret } from '../lib/secret.ts'
import type { HostEnv } from '../runtime/host.ts'
import { type RefusalStatus, refusedLink } from './refusal.ts'

export interface Access {
  /** Empty: nobody needs one. */
  readonly token: string
  /** Whether it is one of those that single clients have of their own. Default: none is. */
  readonly isClients?: ((shown: string) => boolean) | undefined
  /** What it is called to those who come without it. Default: a token. */
  readonly called?: string
  /** The discovery calls need none, wherever they come from. */
  readonly openDiscovery: boolean
  /** Names, beside addresses and localhost, under which we may be called. */
  readonly hosts: readonly string[]
  /** Origins of web pages that may come, such as `https://example.com`. */
  readonly origins: readonly string[]
}

export interface Refused {
  readonly status: RefusalStatus
  readonly why: string
}

/** What the judgement looks at; headers and query as the peer sent them. */
export interface Visitor {
  readonly peer: string
  readonly secure: boolean
  readonly header: (name: string) => string | undefined
  readonly accessToken: string | undefined
}

/** Undefined: come in. `discovery`: one of the two calls that are open to this machine. */
export function judge(visitor: Visitor, access: Access, { discovery = false } = {}): Refused | undefined {
  const origin = visitor.header('origin')
  if (origin !== undefined && !originAllowed(origin, visitor, access))
    return { status: 403, why: `origin ${origin} is not allowed; add it to http.allowed-origins if it is yours` }
  // A picture in a page is fetched without an Origin, but browsers do say whence.
  if (origin === undefined && /^(?:cross|same)-site$/.test(visitor.header('sec-fetch-site') ?? ''))
    return { status: 403, why: 'this request comes from a page of another site' }
  const shown = shownBy(visitor)
  if (access.token !== '' && shown !== undefined && sameSecret(shown, access.token)) return undefined
  if (shown !== undefined && access.isClients?.(shown)) return undefined
  const open = access.token === '' || (discovery && (access.openDiscovery || isLocal(visitor)))
  const { called: name = 'token' } = access
  if (!open)
    return shown === undefined
      ? { status: 401, why: `no ${name}; send "Authorization: Bearer TOKEN" or ?access_token=TOKEN` }
      : { status: 403, why: `wrong ${name}` }
  // A page of another site may have made a name of its own point at us: it could then read what we answer.
  if (!hostAllowed(visitor.header('host'), access))
    return { status: 403, why: `host ${visitor.header('host')} is not known; add it to http.allowed-hosts` }
  return undefined
}

/** The answer for a request that may not come in, which is reported; undefined: come in. */
export function admit(
  c: Context<HostEnv>,
  access: Access,
  report: Report,
  options?: { discovery: boolean },
): Response | undefined {
  const refused = judge(visitorOf(c), access, options)
  if (refused === undefined) return undefined
  return refusedLink(c, refused.status, refused.why, report)
}

/** Lets nobody past who may not come in. */
export const guard =
  (access: () => Access, report: Report, options?: { discovery: boolean }): MiddlewareHandler<HostEnv> =>
  async (c, next) =>
    admit(c, access(), report, options) ?? (await next())

/** Whether a token, or none, still lets in, and as the client that it was: `entry`, or nobody in particular. */
export function stillIn(
  { shown, entry }: { readonly shown: string | undefined; readonly entry: string | undefined },
  { token }: Access,
  guests: Guests,
): boolean {
  const own = shown === undefined ? undefined : guests.byToken(shown)?.entry
  if (own !== entry) return false
  return own !== undefined || token === '' || (shown !== undefined && sameSecret(shown, token))
}

const visitorOf = (c: Context<HostEnv>): Visitor => ({
  peer: c.env.peer,
  secure: c.req.url.startsWith('https:'),
  header: (name) => c.req.header(name),
  accessToken: c.req.query('access_token'),
})

/** The token that the request shows, if any. */
export const tokenShown = (c: Context<HostEnv>): string | undefined => shownBy(visitorOf(c))

/** The header wins over the query; an empty one counts as none. */
function shownBy({ header, accessToken }: Visitor): string | undefined {
  const authorization = header('authorization')?.trim()
  if (authorization) return authorization.replace(/^(?:bearer|token)\s+/i, '')
  return accessToken || undefined
}

function originAllowed(origin: string, { header, secure }: Visitor, access: Access): boolean {
  if (access.origins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase())) return true
  const host = header('host')
  return host !== undefined && origin.toLowerCase() === `${secure ? 'https' : 'http'}://${host.toLowerCase()}`
}

function hostAllowed(host: string | undefined, { hosts }: Access): boolean {
  if (host === undefined) return true
  const name = host.toLowerCase().replace(/:\d*$/, '')
  if (name.startsWith('[') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)) return true
  return name === 'localhost' || name.endsWith('.localhost') || hosts.some((known) => known.toLowerCase() === name)
}

/** On this machine, as far as one can tell: whoever forwards says so in a header. */
function isLocal({ peer, header }: Visitor): boolean {
  const loopback = peer === '::1' || /^127\./.test(peer)
  return loopback && !FORWARDED.some((name) => header(name) !== undefined)
}

const FORWARDED = ['x-forwarded-for', 'forwarded', 'x-real-ip']
