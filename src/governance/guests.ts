// Who is who, by the configuration: its entries by their tokens, and what governs each of them.

import type { Claim, Guests, Terms } from '../broker/ports.ts'
import type { ClientSettings, Config } from '../config/schema.ts'
import { keyed } from '../lib/keyed.ts'
import { sameSecret } from '../lib/secret.ts'
import { termsOf } from './terms.ts'

interface Entry {
  readonly name: string
  /** '': it is known by its name alone. */
  readonly token: string
  readonly settings: ClientSettings
}

const clientKey = (name: string) => `clients ${name}`

export function guestsOf(config: Config): Guests {
  const { clients, defaults, pools } = config
  const entries = new Map<string, Entry>()
  for (const entry of clients) entries.set(clientKey(entry.name), { ...entry, settings: entry })
  for (const [key, entry] of keyed('reverse-web-socket', config['reverse-web-socket']))
    entries.set(key, { name: entry.name, token: '', settings: entry })
  // A web hook acknowledges by its answers, and so always keeps its place unless told not to.
  for (const [key, entry] of keyed('http-post', config['http-post']))
    entries.set(key, { name: entry.name, token: '', settings: { resume: { ack: 'ping' }, ...entry } })
  // One of Satori's may also make calls by its name: what it has there counts for its events, too.
  for (const [key, entry] of keyed('satori.webhooks', config.satori.webhooks)) {
    const settings = clients.find(({ name }) => name === entry.name) ?? {}
    entries.set(key, { name: entry.name, token: '', settings: { resume: { ack: 'ping' }, ...settings, ...entry } })
  }
  const own = clients.filter(({ token }) => token !== '')
  const known = new Map<string, Terms>()
  const termsFor = (key: string): Terms => {
    const { name = '', settings = {} } = entries.get(key) ?? {}
    const found =
      known.get(key) ?? termsOf({ name, settings, pool: pools[settings.pool ?? defaults.pool ?? ''], defaults })
    // Everybody who is not named has the same.
    known.set(entries.has(key) ? key : '', found)
    return found
  }
  return {
    byToken(shown) {
      const found = own.find(({ token }) => sameSecret(token, shown))
      return found && { entry: clientKey(found.name), name: found.name }
    },
    terms: ({ entry, name, resume }: Claim) => {
      const key = entry ?? (name === undefined ? '' : clientKey(name))
      // A name alone does not make it that client; an entry that has gone is nobody's any more.
      if (entry === undefined ? (entries.get(key)?.token ?? '') !== '' : !entries.has(entry)) return undefined
      const terms = termsFor(entries.has(key) ? key : '')
      return resume === undefined || terms.resume !== undefined ? terms : { ...terms, resume }
    },
  }
}
