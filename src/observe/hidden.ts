// What may be shown of frames to who did not ask for the texts of messages: their form, kinds and numbers.

import { isObject } from '../onebot/object.ts'

/** Fields whose texts name a kind or somebody, and nothing that anybody wrote. */
const PLAIN = /(?:^|_)(?:type|id|action|status|role|sex|retcode|time|post_type|interval|seq|client_status)$/
const LONGEST = 64
const DEEPEST = 6
const MOST = 50

/** The same value with each text replaced by its length. */
export function hidden(value: unknown, key = '', depth = 0): unknown {
  if (typeof value === 'string')
    return PLAIN.test(key) && value.length <= LONGEST ? value : `(${value.length} characters)`
  if (depth > DEEPEST) return '(more)'
  if (Array.isArray(value)) {
    const shown = value.slice(0, MOST).map((inner) => hidden(inner, key, depth + 1))
    return value.length > MOST ? [...shown, `(${value.length - MOST} more)`] : shown
  }
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST)
      .map(([name, inner]) => [shortened(name), hidden(inner, name, depth + 1)]),
  )
}

const shortened = (name: string) => (name.length > LONGEST ? `${name.slice(0, LONGEST)}...` : name)
