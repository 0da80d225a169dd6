// The part of the schema for who looks at the gateway: metrics and alerts.

import * as v from 'valibot'
import { key, rare } from './fields.ts'
import { flag } from './leaf.ts'

export const metrics = v.pipe(
  v.strictObject({
    open: key(flag(), false, about('GET /metrics needs no admin token', 'GET /metrics 无需管理 token')),
  }),
  v.metadata(rare('numbers for Prometheus', 'Prometheus 指标')),
)
