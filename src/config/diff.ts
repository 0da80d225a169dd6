// What differs between two configs, in the parts that can be applied apart from each other.

import { isDeepStrictEqual } from 'node:util'
import { keyed } from '../lib/keyed.ts'
import { SETTINGS } from './client-schema.ts'
import { implementations } from './implementations.ts'
import type { ClientSettings, Config, PostConfig, ReverseConfig, WebhookConfig } from './schema.ts'
import { policySettings } from './settings.ts'

/**
 * Entries by what they are called, see `keyed`. One that changed is removed and added, unless all that changed can be
 * applied to its link as it is.
 */
export interface ListChanges<T> {
  added: Map<string, T>
  removed: string[]
}

export interface Changes {
  reverse: ListChanges<ReverseConfig>
  post: ListChanges<PostConfig>
  /** The main listener must be bound anew: host, port, tls, or the longest frame. */
  http: boolean
  /** Tokens, hosts, origins and discovery: they count from the next request on; tokens also for links that are open. */
  access: boolean
  admin: boolean
  log: boolean
  /** Allotted ports: those given out from now on. */
  allotment: boolean
  /** How much is kept, and for how long. */
  journal: boolean
  actions: boolean
  /** What clients get and may do: `clients`, `defaults`, `pools`, and the settings of entries. */
  terms: boolean
  /** How often actions may go up, and when they are no longer tried: limits of bots, and of every client; `breaker`. */
  calls: boolean
  /** Keys that changed, but take effect at the next start only. */
  restart: string[]
}

export function changes(old: Config, next: Config): Changes {
  const differs = (part: (config: Config) => unknown) => !isDeepStrictEqual(part(old), part(next))
  return {
    reverse: listChanges('reverse-web-socket', old['reverse-web-socket'], next['reverse-web-socket']),
    post: listChanges('http-post', old['http-post'], next['http-post']),
    http: differs(({ http, 'web-socket': links }) => [http.host, http.port, http.tls, links['max-frame']]),
    access: differs(({ http: { host: _host, port: _port, tls: _tls, ...rest }, 'ntqq-impl': own, satori }) => [
      rest,
      own['external-access-token'],
      satori.token,
    ]),
    admin: differs(({ admin }) => admin),
    log: differs(({ log }) => log),
    allotment: differs(({ 'web-socket': { timeout, 'range-port': range } }) => [timeout, range]),
    journal: differs(({ journal, 'msg-expire-time': age }) => [journal['max-bytes'], age]),
    actions: differs(({ actions }) => actions),
    terms: differs((config) => [config.clients, config.defaults, config.pools, ...dialled(config).map(termsOf)]),
    calls: differs(policySettings),
    restart: restartKeys(old, next),
  }
}

const dialled = (config: Config) => [...config['reverse-web-socket'], ...config['http-post'], ...config.satori.webhooks]

/** By whom: an entry that comes or goes brings or takes its terms, too. */
const termsOf = (entry: ReverseConfig | PostConfig | WebhookConfig) => [entry.name, entry.url, settingsOf(entry)]

const settingsOf = (entry: object): ClientSettings =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => SETTINGS.has(key)))

/** What is read at the start only; of the program that we run ourselves, so is what it is started with. */
function restartKeys(old: Config, next: Config): string[] {
  const keys = [
    ...(old['data-dir'] === next['data-dir'] ? [] : ['data-dir']),
    ...(old.journal.persist === next.journal.persist ? [] : ['journal.persist']),
  ]
  if (!implementations(next).some(({ kind }) => kind === 'embedded')) return keys
  const changed = STARTED_WITH.filter((key) => !isDeepStrictEqual(old['ntqq-impl'][key], next['ntqq-impl'][key]))
  return [...keys, ...changed.map((key) => `ntqq-impl.${key}`)]
}

const STARTED_WITH = [
  'embedded',
  'path',
  'archive',
  'download',
  'account',
  'sign-server-url',
  'sign-server-token',
] as const

function listChanges<T extends { name: string; url: string }>(section: string, old: T[], next: T[]): ListChanges<T> {
  const before = keyed(section, old)
  const after = keyed(section, next)
  const same = (key: string) => sameLink(before.get(key), after.get(key))
  return {
    added: new Map([...after].filter(([key]) => !same(key))),
    removed: [...before.keys()].filter((key) => !same(key)),
  }
}

/** Whether two entries ask for the same link, whatever is to go over it. Configs are parsed anew: they are to say the same. */
const sameLink = (a: object | undefined, b: object | undefined) =>
  a !== undefined && b !== undefined && isDeepStrictEqual(link(a), link(b))

const link = (entry: object) => Object.fromEntries(Object.entries(entry).filter(([key]) => !SETTINGS.has(key)))
