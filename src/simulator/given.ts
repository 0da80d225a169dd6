// What a request brings that steers the simulator: values by JSON, form or query, whatever is easiest to type.

import type { Context } from 'hono'
import { isObject, parse } from '../onebot/object.ts'
import type { HostEnv } from '../runtime/host.ts'
import { fail } from './failure.ts'

/** curl calls any body a form. @throws Failure */
export async function given(c: Context<HostEnv>): Promise<unknown> {
  const raw = await c.req.text()
  if (raw === '') return c.req.query()
  if (!/^\s*[{[]/.test(raw) && c.req.header('content-type') !== 'application/json')
    return Object.fromEntries(new URLSearchParams(raw))
  const values = parse(raw)
  return isObject(values) ? values : fail('body: wanted a JSON object')
}
