// Settles what governs a client: its own entry of the config, over its pool's, over what applies to everybody.

import type { Terms } from '../broker/ports.ts'
import type { ClientSettings } from '../config/schema.ts'
import { forbidding, type Listed } from './permissions.ts'
import { composed, rulesOf, said } from './rules.ts'

/** What a pool may say about its members. */
export type PoolSettings = Omit<ClientSettings, 'pool' | 'weight'>

export interface TermsOptions {
  /** The name of the entry; '' where only what applies to everybody does. */
  readonly name: string
  /** What the entry says. */
  readonly settings: ClientSettings
  /** What its pool says, if it has one. */
  readonly pool?: PoolSettings | undefined
  readonly defaults: ClientSettings
}

/**
 * Of each setting, the nearest says what counts. The one exception: filters of a pool and of its member must both let
 * an event pass, since the pool's says what the pool is for.
 */
export function termsOf({ name, settings, pool = {}, defaults }: TermsOptions): Terms {
  const { pool: member, weight = 1, resume } = { ...said(defaults), ...said(pool), ...said(settings) }
  const layers = [
    { settings, where: name === '' ? "the client's entry" : `client "${name}"` },
    { settings: pool, where: `pool "${member}"` },
    { settings: defaults, where: 'defaults' },
  ]
  const list = (key: ListKey): Listed | undefined => {
    for (const { settings, where } of layers) {
      const values = settings[key]
      if (values !== undefined) return { values, where }
    }
    return undefined
  }
  return {
    client: name,
    rules: rulesOf({ ...said(defaults), ...composed(pool, settings) }),
    pool: member || undefined,
    weight,
    resume: resume ? resume.ack : undefined,
    forbids: forbidding({
      allow: list('allow'),
      deny: list('deny'),
      groups: list('allow-groups'),
      users: list('allow-users'),
    }),
  }
}

type ListKey = 'allow' | 'deny' | 'allow-groups' | 'allow-users'
