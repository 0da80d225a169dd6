// Checks the params of an own action against its schema, and says what is wrong with them in the client's terms.

import * as v from 'valibot'
import { refuse } from '../onebot/retcode.ts'

/** What was found is quoted so far: it may be megabytes, and the answer holds it three times. */
const QUOTED = 60

/** @throws ActionError `bad-request`, naming the path, what was found and what is wanted. */
export function checked<T>(action: string, schema: v.GenericSchema<unknown, T>, params: unknown): T {
  const result = v.safeParse(schema, params, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const path = ['params', v.getDotPath(issue)].filter(Boolean).join('.')
  const { received } = issue
  if (received === 'undefined') return refuse('bad-request', `${action}: ${path}: missing`)
  const found = received.length > QUOTED ? `${received.slice(0, QUOTED)}...` : received
  return refuse('bad-request', `${action}: ${path}: found ${found}, ${issue.message}`)
}

/** A text of the given length in characters. */
export const text = (min: number, max: number) =>
  v.pipe(
    v.string('wanted a string'),
    v.minLength(min, `wanted a string of at least ${min} characters`),
    v.maxLength(max, `wanted a string of at most ${max} characters`),
  )

/** How clients name each other: by `app_id`, else by `client_name`; what else an event's `client` holds is ignored. */
export const client = v.pipe(
  v.looseObject(
    {
      app_id: v.optional(v.nullable(v.string('wanted a string'))),
      client_name: v.optional(v.nullable(v.string('wanted a string'))),
    },
    'wanted a client: {app_id} or {client_name}',
  ),
  v.check(({ app_id, client_name }) => Boolean(app_id) || Boolean(client_name), 'wanted app_id or client_name'),
)
export type ClientParam = v.InferOutput<typeof client>
