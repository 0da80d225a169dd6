// Accepts the shapes that older versions documented, by rewriting them into today's before anything else looks.

import { type Document, isMap, isScalar, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { pathText } from './shape.ts'

/** Rewrites `doc` in place and says, for each shape, what to write instead. Values keep their places in the text. */
export function modernise(doc: Document): string[] {
  return isMap(doc.contents) ? [...singleReverse(doc.contents), ...flatUpdate(doc.contents)] : []
}

/** `reverse-web-socket: {enabled, url, access-token}`: one object instead of a list. */
function* singleReverse(root: YAMLMap): Generator<string> {
  const pair = find(root, 'reverse-web-socket')
  const entry = pair?.value
  if (!pair || !isMap(entry)) return
  const enabled = take(entry, 'enabled')
  const list = new YAMLSeq()
  if (!isScalar(enabled) || enabled.value !== false) list.items.push(entry)
  list.range = entry.range ?? null
  pair.value = list
  yield 'reverse-web-socket is a list now: write "- url: ..." (and leave "enabled" out)'
}

const FLAT = ['id', 'platform', 'updated-at']

/** `ntqq-impl: {update: false, id, platform, updated-at}`: update's own keys beside it. */
function* flatUpdate(root: YAMLMap): Generator<string> {
  const section = find(root, 'ntqq-impl')?.value
  if (!isMap(section)) return
  const pair = find(section, 'update')
  const switched = isScalar(pair?.value) && typeof pair.value.value === 'boolean'
  const beside = FLAT.filter((key) => find(section, key))
  if (!switched && beside.length === 0) return
  const update = isMap(pair?.value) ? pair.value : new YAMLMap()
  if (switched) update.items.push(new Pair(new Scalar('enable'), pair.value))
  for (const key of beside) {
    const moved = find(section, key)
    take(section, key)
    if (moved && !find(update, key)) update.items.push(moved)
  }
  if (pair) pair.value = update
  else section.set('update', update)
  yield 'ntqq-impl.update has keys of its own now: write "update: {enable, id, platform, updated-at}"'
}

const find = (map: YAMLMap, key: string) => map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)

function take(map: YAMLMap, key: string): unknown {
  const pair = find(map, key)
  if (pair) map.items.splice(map.items.indexOf(pair), 1)
  return pair?.value
}

// All that the Go version knew.
const GO_KEYS = new Set([
  ...['log', 'log.force-new', 'log.level', 'log.aging', 'log.colorful'],
  ...['ntqq-impl', 'ntqq-impl.external-web-socket', 'ntqq-impl.external-access-token', 'ntqq-impl.update'],
  ...['http', 'http.port', 'web-socket', 'web-socket.timeout', 'web-socket.range-port'],
  ...['reverse-web-socket', 'http-post', 'msg-expire-time'],
])

/** It wrote these into every file; of those who write one themselves hardly anybody has a use for them. */
const GO_WROTE = ['log.force-new', 'log.aging', 'ntqq-impl.update']

/** Whether the file has keys that the Go version wrote, and none that it did not know. */
export function looksLikeGo(value: Record<string, unknown>): boolean {
  const sections = Object.entries(value)
  const keys = sections.flatMap(([key, inner]) => [key, ...innerKeys(inner).map((name) => pathText([key, name]))])
  return keys.every((key) => GO_KEYS.has(key)) && GO_WROTE.some((key) => keys.includes(key))
}

const innerKeys = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
