// Which parts of a config changed.

import { expect, test } from 'bun:test'
import { changes } from '../../src/config/diff.ts'
import { type ConfigInput, configOf } from '../../src/config/schema.ts'

const between = (old: ConfigInput, next: ConfigInput) => changes(configOf(old), configOf(next))
const urls = (entries: { url: string }[]) => entries.map(({ url }) => url)

test('[CFG29] no change is no change', () => {
  const { upstreams, reverse, post, restart, ...flags } = between({}, {})
  expect([urls(upstreams.kept), upstreams.added, upstreams.removed]).toEqual([
    ['ws://127.0.0.1:5700/onebot/v11/ws'],
    [],
    [],
  ])
  expect([reverse, post, restart]).toEqual([
    { added: [], removed: [], kept: [] },
    { added: [], removed: [], kept: [] },
    [],
  ])
  expect(Object.values(flags).every((changed) => !changed)).toBe(true)
})

test('[CFG29] each part is told apart from the others', () => {
  const only = (next: ConfigInput) =>
    Object.entries(between({}, next))
      .filter(([, changed]) => changed === true)
      .map(([part]) => part)
  expect(only({ http: { port: 1 } })).toEqual(['http'])
  expect(only({ http: { tls: { cert: 'c', key: 'k' } } })).toEqual(['http'])
  expect(only({ 'web-socket': { 'max-frame': '1MiB' } })).toEqual(['http'])
  expect(only({ http: { 'access-token': 'a' } })).toEqual(['access'])
  expect(only({ 'ntqq-impl': { 'external-access-token': 'a' } })).toEqual(['access'])
  expect(only({ http: { 'allowed-hosts': ['a'] } })).toEqual(['access'])
  expect(only({ admin: { token: 'a' } })).toEqual(['admin'])
  expect(only({ log: { level: 'warn' } })).toEqual(['log'])
  expect(only({ 'web-socket': { 'range-port': { enabled: true } } })).toEqual(['allotment'])
  expect(only({ 'msg-expire-time': '1m' })).toEqual(['journal'])
  expect(only({ journal: { 'max-bytes': '1MiB' } })).toEqual(['journal'])
  expect(only({ actions: { timeouts: { a: '1s' } } })).toEqual(['actions'])
  expect(only({ 'data-dir': 'b' })).toEqual([])
  expect(between({}, { 'data-dir': 'b' }).restart).toEqual(['data-dir'])
  // What the program is started with that we run ourselves; of no interest where we run none.
  const started = { account: '10002', 'sign-server-url': 'https://sign.example' }
  expect(
    between({ 'ntqq-impl': { mode: 'embedded' } }, { 'ntqq-impl': { mode: 'embedded', ...started } }).restart,
  ).toEqual(['ntqq-impl.account', 'ntqq-impl.sign-server-url'])
  expect(between({}, { 'ntqq-impl': started }).restart).toEqual([])
})

test('[CFG30] entries of lists are known by name, else by address; a changed one is removed and added', () => {
  const a = { name: 'a', url: 'ws://a' }
  const b = { url: 'ws://b' }
  const { reverse } = between({ 'reverse-web-socket': [a, b] }, { 'reverse-web-socket': [b, { ...a, url: 'ws://c' }] })
  expect([urls(reverse.added), urls(reverse.removed), urls(reverse.kept)]).toEqual([['ws://c'], ['ws://a'], ['ws://b']])

  const post = between({ 'http-post': [{ url: 'http://a' }] }, { 'http-post': [{ url: 'http://a', secret: 's' }] }).post
  expect([post.added.length, post.removed.length, post.kept.length]).toEqual([1, 1, 0])

  const twice = between({ 'reverse-web-socket': [b, b] }, { 'reverse-web-socket': [b] }).reverse
  expect([twice.added.length, twice.removed.length, twice.kept.length]).toEqual([0, 1, 1])

  const { upstreams } = between(
    {},
    { 'ntqq-impl': { 'external-web-socket': 'ws://x' }, upstreams: [{ url: 'ws://y' }] },
  )
  expect([urls(upstreams.added), urls(upstreams.removed)]).toEqual([
    ['ws://x', 'ws://y'],
    ['ws://127.0.0.1:5700/onebot/v11/ws'],
  ])
})
