// What the parts of a gateway are told of its config, each in its own words.

import type { Files } from './files.ts'
import { clientToken } from './rules.ts'
import type { ClientSettings, Config, LimitsConfig } from './schema.ts'

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

export const breakerSettings = ({ breaker }: Config) => ({
  failures: breaker.failures,
  coolDown: breaker['cool-down'],
})

/** `clients`: by the names of entries, each with what its pool and `defaults` add; '' for everybody else. */
export function policySettings(config: Config) {
  const { defaults, pools, 'rate-limit': limits } = config
  const limitsOf = (settings: ClientSettings): LimitsConfig => {
    const pool = pools[settings.pool ?? defaults.pool ?? '']
    return settings['rate-limit'] ?? pool?.['rate-limit'] ?? defaults['rate-limit'] ?? {}
  }
  const entries = [...config['reverse-web-socket'], ...config['http-post'], ...config.clients]
  return {
    bot: limits.bot,
    preset: limits.preset,
    // Last, so that what an entry without a name says is not everybody's.
    clients: new Map([...entries.map((entry) => [entry.name, limitsOf(entry)] as const), ['', limitsOf({})]]),
    breaker: breakerSettings(config),
  }
}

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
