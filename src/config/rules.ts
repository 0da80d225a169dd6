// What must hold between keys of the config: checks that the schema hangs on its objects and lists.

import * as v from 'valibot'
import { type Declaring, implementations } from './implementations.ts'
import { issueAt, type Report } from './leaf.ts'

/** A check on a whole object or list; `report` names the key to blame, from here downwards. */
export function rule<T extends object>(check: (value: T, report: Report) => void) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    if (dataset.typed) check(dataset.value, (...told) => addIssue(issueAt(dataset.value, ...told)))
  })
}

/** Names may be left out, but not given twice: links are told apart by them. */
export const uniqueNames = <T extends { name: string }>() =>
  rule<T[]>((entries, report) => {
    const seen = new Set<string>()
    for (const [index, { name }] of entries.entries()) {
      if (name !== '' && seen.has(name)) report([index, 'name'], 'a name that no other entry has')
      seen.add(name)
    }
  })

export const orderedRange = <T extends { start: number; end: number }>() =>
  rule<T>(({ start, end }, report) => {
    if (end < start) report(['end'], `a port not below start (${start})`)
  })

/** Who is dialled needs an address, and who is run here must be the first. */
export const reachable = <T extends Declaring>() =>
  rule<T>((config, report) => {
    const first = implementations(config).length - config.upstreams.length
    for (const [index, { kind, url, events, 'access-token': token }] of implementations(config).entries()) {
      const own = index < first
      const at = (key: string) => (own ? ['ntqq-impl', key] : ['upstreams', index - first, key])
      if (kind === 'forward' && !/^wss?:/i.test(url))
        report(at(own ? 'external-web-socket' : 'url'), 'an address that starts with ws:// or wss://')
      if (kind === 'milky' && !/^https?:/i.test(url))
        report(own ? ['ntqq-impl', 'milky', 'url'] : at('url'), 'an address that starts with http:// or https://')
      // Names of APIs are put after it.
      else if (kind === 'milky' && url.includes('?'))
        report(
          own ? ['ntqq-impl', 'milky', 'url'] : at('url'),
          `an address without "?" (a token belongs in ${own ? 'external-access-token' : 'access-token'})`,
        )
      // Anybody could post events otherwise.
      if (kind === 'milky' && events === 'webhook' && token === '')
        report(at(own ? 'external-access-token' : 'access-token'), 'a token, since events: webhook is set')
      // One place for its program, its login and its settings: one of them.
      if (kind === 'embedded' && !own)
        report(
          at('kind'),
          'forward, reverse or milky: perpetua runs one implementation itself, that of ntqq-impl',
          'kind: forward with its url, or kind: reverse; or ntqq-impl.mode: embedded',
        )
    }
  })

interface Dialling extends Declaring {
  http: { host: string; port: number }
  'reverse-web-socket': { url: string }[]
}

/** 8080 is popular: whoever dials the gateway's own address meets itself, and nothing tells. */
export const notItself = <T extends Dialling>() =>
  rule<T>((config, report) => {
    const first = implementations(config).length - config.upstreams.length
    const told = (keys: (string | number)[], whose: string) =>
      report(
        keys,
        `the address of ${whose}: this is perpetua's own`,
        'set http.port to another, or correct the address',
      )
    for (const [index, { kind, url }] of implementations(config).entries())
      if (isOwn(url, config.http))
        told(
          index < first
            ? ['ntqq-impl', ...(kind === 'milky' ? ['milky', 'url'] : ['external-web-socket'])]
            : ['upstreams', index - first, 'url'],
          'the implementation',
        )
    for (const [index, { url }] of config['reverse-web-socket'].entries())
      if (isOwn(url, config.http)) told(['reverse-web-socket', index, 'url'], 'the client')
  })

/** As far as can be told without asking the system: names of other machines may be ours, too. */
function isOwn(url: string, http: { host: string; port: number }): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, port } = new URL(url)
  if (!isLoopback(hostname) || Number(port || (/^(?:wss|https):$/.test(protocol) ? 443 : 80)) !== http.port)
    return false
  const bare = (name: string) => name.replace(/^\[|\]$/g, '')
  return (
    ['0.0.0.0', '::', 'localhost', bare(hostname)].includes(bare(http.host)) ||
    (hostname === 'localhost' && isLoopback(http.host))
  )
}

export const certificateWithKey = <T extends { cert: string; key: string }>() =>
  rule<T>(({ cert, key }, report) => {
    if (cert !== '' && key === '') report(['key'], 'the file of the private key, since cert is set')
    if (key !== '' && cert === '') report(['cert'], 'the file of the certificate, since key is set')
  })

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

export interface Exposed {
  http: { host: string; 'access-token': string; 'allow-anonymous': boolean }
  'ntqq-impl': { 'external-access-token': string }
}

/** Whoever can reach us can send messages as the bot: beyond this machine, only with a token or by an open decision. */
export const closedToStrangers = <T extends Exposed>() =>
  rule<T>((config, report) => {
    const { host } = config.http
    if (isLoopback(host) || config.http['allow-anonymous'] || clientToken(config) !== '') return
    report(
      ['http', 'host'],
      '127.0.0.1, since no token is set',
      'set http.access-token, or http.allow-anonymous: true if everybody who reaches this address may use the bot',
    )
  })

/** What clients have to show; '' when anybody may come. */
export function clientToken(config: Exposed): string {
  return config.http['access-token'] || config['ntqq-impl']['external-access-token']
}
