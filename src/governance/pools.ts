// The pools that the config names, each as the core runs it.

import type { PoolSettings } from '../broker/pool.ts'
import type { PoolPlans } from '../broker/pools.ts'
import type { Config, PoolConfig } from '../config/schema.ts'
import { composed, rulesOf, said } from './rules.ts'
import { STRATEGIES } from './strategies.ts'

export const poolPlans = ({ pools, defaults }: Pick<Config, 'pools' | 'defaults'>): PoolPlans =>
  new Map(Object.entries(pools).map(([name, pool]) => [name, () => settingsOf(pool, defaults)]))

/** What the pool wants at all, also while nobody is in it. The form is its members' business. */
function settingsOf(pool: PoolConfig, defaults: Config['defaults']): PoolSettings {
  const everybodys = pool.filter === undefined ? defaults : { ...defaults, filter: undefined }
  const { filter, 'report-self-message': own } = { ...said(everybodys), ...composed(pool, {}) }
  return {
    strategy: STRATEGIES[pool.strategy]({ by: pool.by }),
    rules: rulesOf({ filter, 'report-self-message': own }),
    dispatch: pool.dispatch,
  }
}
