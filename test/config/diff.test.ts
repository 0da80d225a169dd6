// Which parts of a config changed.

import { expect, test } from 'bun:test'
import { changes } from '../../src/config/diff.ts'
import { type ConfigInput, configOf } from '../../src/config/schema.ts'

const between = (old: ConfigInput, next: ConfigInput) => changes(configOf(old), configOf(next))

test('[CFG29] no change is no change', () => {
  const some = { 'reverse-web-socket': [{ url: 'ws://a' }, { url: 'ws://a' }], 'http-post': [{ url: 'http://a' }] }
  const { reverse, post, restart, ...flags } = between(some, some)
  const none = { added: new Map(), removed: [] }
  expect([reverse, post, restart]).toEqual([none, none, []])
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
  const dialled = (...entries: { name?: string; url: string; weight?: number }[]) => ({ 'reverse-web-socket': entries })
  const moved = between(dialled(a, b), dialled(b, { ...a, url: 'ws://c' })).reverse
  expect(moved.removed).toEqual(['reverse-web-socket a'])
  expect([...moved.added]).toMatchObject([['reverse-web-socket a', { url: 'ws://c' }]])

  const { post } = between({ 'http-post': [{ url: 'http://a' }] }, { 'http-post': [{ url: 'http://a', secret: 's' }] })
  expect([[...post.added.keys()], post.removed]).toEqual([['http-post http://a'], ['http-post http://a']])

  // What is said of the first is now what the second said: it goes on in its place.
  const twice = between(dialled({ ...b, weight: 2 }, b), dialled(b)).reverse
  expect([twice.added.size, twice.removed]).toEqual([0, ['reverse-web-socket ws://b 2']])
})
