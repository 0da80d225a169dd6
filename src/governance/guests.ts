// Who is who, by the configuration: its entries by their tokens, and what governs each of them.

import type { Claim, Guests, Terms } from '../broker/ports.ts'
import type { ClientSettings, Config } from '../config/schema.ts'
import { sameSecret } from '../lib/secret.ts'
import { termsOf } from './terms.ts'

interface Entry {
  readonly name: string
  /** '': it is known by its name alone. */
  readonly token: string
  readonly settings: ClientSettings
}

/** Sections whose entries are clients. */
type Section = 'clients' | 'reverse-web-socket' | 'http-post' | 'satori.webhooks'

/** What an entry is called in a Claim. */
export const entryKey = (section: Section, { name, url = '' }: { name: string; url?: string }): string =>
  `${section} ${name || url}`

export function guestsOf(config: Config): Guests {
  const { clients, defaults, pools } = config
  const entries = new Map<string, Entry>(
    clients.map((entry) => [entryKey('clients', entry), { ...entry, settings: entry }]),
  )
  for (const section of ['reverse-web-socket', 'http-post'] as const)
    for (const entry of config[section])
      entries.set(entryKey(section, entry), { name: entry.name, token: '', settings: withPlace(section, entry) })
  // They have no settings but those that their name has elsewhere.
  for (const entry of config.satori.webhooks)
    entries.set(entryKey('satori.webhooks', entry), {
      name: entry.name,
      token: '',
      settings: withPlace('http-post', clients.find(({ name }) => name === entry.name) ?? {}),
    })
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
      return found && { entry: entryKey('clients', found), name: found.name }
    },
    terms: ({ entry, name, resume }: Claim) => {
      const key = entry ?? (name === undefined ? '' : entryKey('clients', { name }))
      if (entry === undefined && (entries.get(key)?.token ?? '') !== '') return undefined
      const terms = termsFor(entries.has(key) ? key : '')
      return resume === undefined || terms.resume !== undefined ? terms : { ...terms, resume }
    },
  }
}

/** A web hook acknowledges by its answers, and so always keeps its place unless told not to. */
const withPlace = (section: Section, settings: ClientSettings): ClientSettings =>
  section === 'http-post' ? { resume: { ack: 'ping' }, ...settings } : settings
