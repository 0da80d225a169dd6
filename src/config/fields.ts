// The words that the sections of the schema are written in: keys, their meanings, and values that occur in several places.

import * as v from 'valibot'
import { type About, address, flag, place, text, whole } from './leaf.ts'

export const about = (en: string, zh: string) => ({ en, zh }) satisfies About
export const secret = (en: string, zh: string) => ({ en, zh, secret: true }) satisfies About
/** Of a key that few need. */
export const rare = (en: string, zh: string) => ({ en, zh, rare: true }) satisfies About

/** A key that may be left out. The default is written as a user would write it. */
export function key<I, O>(schema: v.GenericSchema<I, O>, fallback: NoInfer<I>, meaning: About) {
  return v.optional(v.pipe(schema, v.metadata({ ...meaning })), () => fallback)
}

/** A key without a default: left out, nothing is said about it. */
export function unsaid<I, O>(schema: v.GenericSchema<I, O>, meaning: About) {
  return v.optional(v.pipe(schema, v.metadata({ ...meaning })))
}

/** A key that must be there. */
export function needed<I, O>(schema: v.GenericSchema<I, O>, meaning: About) {
  return v.pipe(schema, v.metadata({ ...meaning }))
}

// A timer holds 2^31-1 ms at most; beyond that it fires at once.
export const TIMER = { min: 1, max: 576 * 3_600_000 }
export const port = (min = 0) => whole({ wanted: `a port ${min}-65535`, min, max: 65_535 })
export const filled = (wanted: string) => text({ wanted, pattern: /\S/ })
// Sent in a header, by us or to us, which cannot bear more.
export const shownToken = (meaning: About) =>
  key(text({ wanted: 'text of ASCII characters only', pattern: /^[\x20-\x7e]*$/ }), '', meaning)
export const webSocket = () => address('ws', 'wss')
export const name = () =>
  key(text(), '', about('a name of your own, for logs and status', '自定义名称，用于日志和状态'))
export const certificates = {
  ca: key(place(), '', about('PEM file that replaces the system roots', '替代系统根证书的 PEM 文件')),
  insecure: key(flag(), false, about('accept any certificate', '接受任何证书')),
}
