// What must hold between keys about clients, their pools and their limits: checks that the schema hangs on its objects.

import { suggest } from '../lib/suggest.ts'
import { clientToken, type Exposed, rule } from './rules.ts'

/** Where settings of a client may stand, spelled out since the rules come before Config is known. */
interface Holder {
  name: string
  pool?: string | undefined
  resume?: object | false | undefined
}
interface Governed extends Exposed {
  admin: { token: string }
  clients: (Holder & { token: string })[]
  defaults: Omit<Holder, 'name'>
  pools: Record<string, unknown>
  'reverse-web-socket': Holder[]
  'http-post': Holder[]
  satori: { webhooks: Holder[] }
}

const DIALLED = ['reverse-web-socket', 'http-post'] as const

/** A token that several have tells nobody apart. */
export const tokensApart = <T extends Governed>() =>
  rule<T>((config, report) => {
    const taken = new Map([
      [clientToken(config), 'http.access-token'],
      [config.admin.token, 'admin.token'],
    ])
    for (const [index, { name, token }] of config.clients.entries()) {
      if (token === '') continue
      const whose = taken.get(token)
      if (whose !== undefined) report(['clients', index, 'token'], 'a token of its own', `it is the one of ${whose}`)
      taken.set(token, name)
    }
  })

/** Two places for the settings of one client: nobody could say which counts. */
export const settingsOnce = <T extends Governed>() =>
  rule<T>((config, report) => {
    for (const [index, { name, token }] of config.clients.entries())
      for (const list of DIALLED) {
        const entry = config[list].findIndex((one) => one.name === name)
        if (token === '' && entry !== -1)
          report(
            ['clients', index, 'name'],
            `a name that no entry of ${list} has`,
            `put its settings on ${list}[${entry}] itself`,
          )
      }
  })

/** Every pool that somebody belongs to is described. */
export const poolsKnown = <T extends Governed>() =>
  rule<T>((config, report) => {
    const names = Object.keys(config.pools)
    const look = (keys: (string | number)[], pool: string | undefined) => {
      if (pool === undefined || pool === '' || names.includes(pool)) return
      const near = suggest(pool, names)
      const wanted = names.length === 0 ? 'a pool that pools describes' : `one of the pools ${names.join(', ')}`
      report([...keys, 'pool'], wanted, near === undefined ? `add it: pools: {${pool}: {}}` : `did you mean ${near}?`)
    }
    look(['defaults'], config.defaults.pool)
    for (const list of ['clients', ...DIALLED] as const)
      for (const [index, { pool }] of config[list].entries()) look([list, index], pool)
    for (const [index, { pool }] of config.satori.webhooks.entries()) look(['satori', 'webhooks', index], pool)
  })

/** Who comes back, and whose calls are counted, is known by its name. */
export const knownByName = <T extends Holder & { 'rate-limit'?: object | undefined }>() =>
  rule<T[]>((entries, report) => {
    for (const [index, { name, resume, 'rate-limit': limit }] of entries.entries()) {
      const why = resume ? 'resume' : limit === undefined ? undefined : 'rate-limit'
      if (name === '' && why !== undefined) report([index, 'name'], `a name, since ${why} is set`)
    }
  })

export const hashedBy = <T extends { strategy: string; by?: string | undefined }>() =>
  rule<Record<string, T>>((pools, report) => {
    for (const [name, { strategy, by }] of Object.entries(pools)) {
      if (strategy === 'hash' && by === undefined) report([name, 'by'], 'group_id or user_id, since strategy is hash')
      if (strategy !== 'hash' && by !== undefined) report([name, 'strategy'], 'hash, since by is set')
    }
  })

export const limitsSomething = <T extends { rate?: number | undefined; 'min-interval': number }>() =>
  rule<T>(({ rate, 'min-interval': pause }, report) => {
    if (rate === undefined && pause === 0) report(['rate'], 'a rate such as 1/s, 30/min or 500/h')
  })
