// What may be shown of frames to who did not ask for the texts of messages: their form, kinds and numbers.

import { pastSpace, stringEnd } from '../onebot/json-text.ts'
import { isObject } from '../onebot/object.ts'

/** Fields whose texts name a kind or somebody, and nothing that anybody wrote. */
const PLAIN = /(?:^|_)(?:type|id|action|status|role|sex|retcode|time|post_type|interval|seq|client_status)$/
const LONGEST = 64
const DEEPEST = 6
const MOST = 50
/** Characters of a frame that is shown whole. */
const SHORT = 4 * 1024
const COLON = 58
const QUOTE = 34

/** The text of an event, with each text in it that somebody wrote replaced by its length; on one line. */
export function hiddenText(raw: string, event: object): string {
  if (raw.length > SHORT) return JSON.stringify(hidden(event))
  let shown = ''
  let kept = 0
  for (let at = raw.indexOf('"'); at !== -1; ) {
    let key = ''
    let start = at
    let end = stringEnd(raw, at)
    const colon = pastSpace(raw, end)
    if (raw.charCodeAt(colon) === COLON) {
      key = raw.slice(at + 1, end - 1)
      start = pastSpace(raw, colon + 1)
      if (raw.charCodeAt(start) === QUOTE) end = stringEnd(raw, start)
      else start = end
    }
    if (start < end && !(isPlain(key) && end - start - 2 <= LONGEST)) {
      shown += `${raw.slice(kept, start)}"(${lengthOf(raw.slice(start + 1, end - 1))} characters)"`
      kept = end
    }
    at = raw.indexOf('"', end)
  }
  return (shown + raw.slice(kept)).replaceAll(/[\r\n]/g, ' ')
}

/** Keys that were asked of before. */
const plain = new Map<string, boolean>()
const MOST_KEYS = 200

function isPlain(key: string): boolean {
  const known = plain.get(key)
  if (known !== undefined) return known
  const found = PLAIN.test(key)
  if (plain.size < MOST_KEYS) plain.set(key, found)
  return found
}

/** @param escaped what stands between the quotes. */
const lengthOf = (escaped: string): number =>
  escaped.includes('\\') ? String(JSON.parse(`"${escaped}"`)).length : escaped.length

/** The same value with each text replaced by its length. */
export function hidden(value: unknown, key = '', depth = 0): unknown {
  if (typeof value === 'string') return isPlain(key) && value.length <= LONGEST ? value : `(${value.length} characters)`
  if (depth > DEEPEST) return '(more)'
  if (Array.isArray(value)) {
    const shown = value.slice(0, MOST).map((inner) => hidden(inner, '', depth + 1))
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
