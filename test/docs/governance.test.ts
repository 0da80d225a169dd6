// The worked configs of the page about traffic governance do what the page says of them.

import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPage } from '../../scripts/markdown.ts'
import { accounts } from '../../src/config/implementations.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { policySettings } from '../../src/config/settings.ts'
import { compileFilter } from '../../src/governance/filter.ts'
import { termsOf } from '../../src/governance/terms.ts'

const ROOT = join(import.meta.dir, '../..')

async function configs(file: string): Promise<Config[]> {
  const { blocks } = readPage(await readFile(join(ROOT, file), 'utf8'))
  return blocks.filter(({ language }) => language === 'yaml').map(({ text }) => parseConfig(text, { file }).config)
}

const pages = await Promise.all(['docs/governance.md', 'docs/governance.zh-CN.md'].map(configs))
const [english = [], chinese = []] = pages
const having = (what: (config: Config) => unknown) => {
  const found = english.find((config) => what(config))
  if (found === undefined) throw new Error('docs/governance.md: no such config')
  return found
}

test('[DOC6] the page has the same configs in both languages, but for their tokens', () => {
  const bare = (config: Config) => ({
    ...config,
    http: { ...config.http, 'access-token': '' },
    admin: {},
    clients: config.clients.map((client) => ({ ...client, token: client.token !== '' })),
  })
  expect(english.length).toBeGreaterThanOrEqual(8)
  expect(chinese.map(bare)).toEqual(english.map(bare))
})

test('[DOC6] its permissions allow and forbid what it says', () => {
  const { clients, defaults } = having(({ clients }) => clients[0]?.allow)
  const forbids = (name: string, action: string, params = {}) => {
    const settings = clients.find((client) => client.name === name) ?? {}
    return termsOf({ name, settings, defaults }).forbids(action, params)
  }
  expect(forbids('worker-1', 'send_group_msg', { group_id: 123456789 })).toBeUndefined()
  expect(forbids('worker-1', 'send_group_msg', { group_id: 1 })).toContain('allow-groups')
  expect(forbids('worker-1', 'send_like')).toContain('deny')
  expect(forbids('worker-1', 'set_group_kick')).toContain('allow')
  expect(forbids('worker-1', 'get_online_clients')).toBeUndefined()
  for (const name of ['minecraft', 'nobody']) expect(forbids(name, 'set_restart')).toContain('defaults')
})

test('[DOC6] its filters pass what it says, its upstreams are one bot, and its limits are for whom they should be', () => {
  const { clients } = having(({ clients }) => clients.some(({ filter }) => filter?.['.or']))
  const passes = (name: string, event: Record<string, unknown>) => {
    const filter = compileFilter(clients.find((client) => client.name === name)?.filter ?? {})
    if (typeof filter !== 'function') throw new TypeError(filter.problem)
    return filter(JSON.stringify(event), event)
  }
  const group = { post_type: 'message', message_type: 'group', group_id: 123456789, user_id: 5, sender: {} }
  expect(passes('shop', group)).toBe(true)
  expect(passes('shop', { ...group, group_id: 1 })).toBe(false)
  expect(passes('shop', { ...group, user_id: 10001 })).toBe(false)
  expect(passes('shop', { ...group, post_type: 'notice', notice_type: 'group_increase' })).toBe(true)
  expect(passes('shop', { ...group, post_type: 'notice', notice_type: 'group_ban' })).toBe(false)
  expect(passes('quiet', { ...group, message: '广告' })).toBe(false)
  expect(passes('quiet', { ...group, message: 'hello' })).toBe(true)
  expect(passes('from-go-cqhttp', { ...group, raw_message: '通知：开会' })).toBe(true)
  expect(passes('from-go-cqhttp', { ...group, raw_message: 'hello' })).toBe(false)
  expect(passes('from-go-cqhttp', { ...group, message_type: 'private', user_id: 11111 })).toBe(false)
  expect(passes('from-go-cqhttp', { ...group, message_type: 'private', user_id: 3 })).toBe(true)
  expect(
    passes('from-go-cqhttp', { ...group, sender: { role: 'owner' }, message: [{ type: 'text', data: { text: 'x' } }] }),
  ).toBe(true)

  const [account, ...others] = accounts(having(({ upstreams }) => upstreams.length > 0))
  expect(others).toEqual([])
  expect(account?.entries.map(({ name, spread }) => [name, spread])).toEqual([
    ['napcat', false],
    ['llbot', true],
  ])

  const { bot, clients: limits, preset } = policySettings(having((config) => config['rate-limit'].bot['send']))
  expect([preset, Object.keys(bot)]).toEqual(['normal', ['send', 'send_like']])
  expect(limits.get('chatty')?.['send']).toMatchObject({ rate: 0.5, per: 'group' })
  expect(limits.get('')).toEqual({})
})
