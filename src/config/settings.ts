// What the parts of a gateway are told of its config, each in its own words.

import type { Files } from './files.ts'
import { clientToken } from './rules.ts'
import type { Config } from './schema.ts'

export const access = (config: Config) => ({
  token: clientToken(config),
  openDiscovery: config.http['open-discovery'],
  hosts: config.http['allowed-hosts'],
  origins: config.http['allowed-origins'],
})

export const callSettings = ({ actions }: Config) => ({
  timeout: actions.timeout,
  timeouts: actions.timeouts,
  rateLimitedInterval: actions['rate-limited-interval'],
  hold: actions.hold,
  resend: actions.resend,
  coalesce: actions.coalesce,
  cache: actions.cache,
})

export const journalLimits = (config: Config) => ({
  maxBytes: config.journal['max-bytes'],
  maxAge: config['msg-expire-time'],
})

/** Where the main listener is. */
export const mainAddress = ({ http, 'web-socket': links }: Config, { tls }: Files) => ({
  host: http.host,
  port: http.port,
  maxFrame: links['max-frame'],
  tls,
})

export function allotmentSettings({ http, 'web-socket': links }: Config, { tls }: Files) {
  const { enabled, start, end } = links['range-port']
  const range = enabled ? { start, end } : undefined
  return { host: http.host, maxFrame: links['max-frame'], tls, timeout: links.timeout, range }
}
