// The worked configs of the pages about traffic governance start as they are printed, and do what the pages say of them.

import { describe, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Page, readPage } from '../../scripts/markdown.ts'
import { accounts } from '../../src/config/implementations.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { ClientSettings, Config } from '../../src/config/schema.ts'
import { policySettings } from '../../src/config/settings.ts'
import { classOf } from '../../src/governance/classes.ts'
import { compileFilter } from '../../src/governance/filter.ts'
import { Policy } from '../../src/governance/policy.ts'
import { poolPlans } from '../../src/governance/pools.ts'
import { PRESETS } from '../../src/governance/presets.ts'
import { rulesOf } from '../../src/governance/rules.ts'
import { STRATEGIES } from '../../src/governance/strategies.ts'
import { termsOf } from '../../src/governance/terms.ts'

const ROOT = join(import.meta.dir, '../..')
/** Of each part, with its configs. */
const PAGES = {
  clients: 1,
  resume: 1,
  balancing: 2,
  'rate-limits': 2,
  health: 1,
  routing: 1,
  discovery: 1,
} as const

const read = async (file: string) => readPage(await readFile(join(ROOT, 'docs', file), 'utf8'))
const yamlOf = ({ blocks }: Page) => blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text)

const english = new Map<string, Page>()
for (const name of Object.keys(PAGES)) english.set(name, await read(`${name}.md`))

const pageOf = (name: keyof typeof PAGES): Page => {
  const page = english.get(name)
  if (page === undefined) throw new Error(`docs/${name}.md: no such page`)
  return page
}
const configOf = (name: keyof typeof PAGES, turn = 0): Config =>
  parseConfig(yamlOf(pageOf(name))[turn] ?? '', { file: `docs/${name}.md` }).config

/** The rows under this first heading. */
const rowsOf = (page: Page, head: string) => page.tables.find((table) => table.head[0] === head)?.rows ?? []
const codes = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

describe.each(Object.entries(PAGES))('%s', (name, count) => {
  test('[DOC6] the page has the same configs in both languages', async () => {
    const configs = yamlOf(pageOf(name as keyof typeof PAGES)) // one of its own keys
    expect(configs).toHaveLength(count)
    expect(yamlOf(await read(`${name}.zh-CN.md`))).toEqual(configs)
  })
})

test('[DOC6] the permissions allow and forbid what the page says', () => {
  const { clients, defaults } = configOf('clients')
  const forbids = (name: string, action: string, params = {}) => {
    const settings = clients.find((client) => client.name === name) ?? {}
    return termsOf({ name, settings, defaults }).forbids(action, params)
  }
  expect(forbids('worker-1', 'send_group_msg', { group_id: 123456789 })).toBeUndefined()
  expect(forbids('worker-1', 'send_group_msg', { group_id: 1 })).toContain('allow-groups')
  expect(forbids('worker-1', 'send_like')).toContain('deny')
  expect(forbids('worker-1', 'set_group_kick')).toContain('allow')
  // Its own deny takes the place of that of defaults; it is not allowed all the same.
  expect(forbids('worker-1', 'set_restart')).toContain('allow of client')
  expect(forbids('worker-1', 'get_online_clients')).toBeUndefined()
  for (const name of ['minecraft', 'nobody']) expect(forbids(name, 'set_restart')).toContain('defaults')
})

test('[DOC6] the filters pass what the page says, and forms are as it says', () => {
  const { clients } = configOf('routing')
  const entry = (name: string): ClientSettings => clients.find((client) => client.name === name) ?? {}
  const passes = (name: string, event: Record<string, unknown>) => {
    const filter = compileFilter(entry(name).filter ?? {})
    if (typeof filter !== 'function') throw new TypeError(filter.problem)
    return filter(JSON.stringify(event), event)
  }
  const group = { post_type: 'message', message_type: 'group', group_id: 123456789, user_id: 5, sender: {} }
  expect(passes('shop', group)).toBe(true)
  expect(passes('shop', { ...group, group_id: 1 })).toBe(false)
  expect(passes('shop', { ...group, user_id: 10001 })).toBe(false)
  expect(passes('shop', { ...group, post_type: 'notice', notice_type: 'group_increase' })).toBe(true)
  expect(passes('shop', { ...group, post_type: 'notice', notice_type: 'group_ban' })).toBe(false)
  expect(passes('commands', { ...group, message: 'help' })).toBe(false)
  expect(passes('commands', { ...group, message: '[CQ:at,qq=1] /help' })).toBe(true)
  expect(passes('quiet', { ...group, message: '广告' })).toBe(false)
  expect(passes('quiet', { ...group, message: 'hello' })).toBe(true)
  expect(passes('quiet', { ...group, post_type: 'notice', notice_type: 'group_ban' })).toBe(true)
  expect(passes('from-go-cqhttp', { ...group, raw_message: '通知：开会' })).toBe(true)
  expect(passes('from-go-cqhttp', { ...group, raw_message: 'hello' })).toBe(false)
  expect(passes('from-go-cqhttp', { ...group, message_type: 'private', user_id: 11111 })).toBe(false)
  expect(passes('from-go-cqhttp', { ...group, message_type: 'private', user_id: 3 })).toBe(true)
  expect(
    passes('from-go-cqhttp', { ...group, sender: { role: 'owner' }, message: [{ type: 'text', data: { text: 'x' } }] }),
  ).toBe(true)

  const heard = (name: string, event: Record<string, unknown>) =>
    rulesOf(entry(name))?.apply(JSON.stringify(event), event, 0 as never) // no rule looks at the position
  const command = { ...group, message: '/help', raw_message: '/help' }
  expect(JSON.parse(heard('commands', command) ?? '')).toEqual({ ...group, message: 'help', raw_message: 'help' })
  expect(JSON.parse(heard('shop', command) ?? '')).toMatchObject({
    message: [{ type: 'text', data: { text: '/help' } }],
  })
  expect(heard('shop', { ...command, self_id: 5 })).toBeUndefined()
})

test('[DOC6] the pools are those that the page says, its upstreams are one bot, and its strategies are all there are', () => {
  const config = configOf('balancing')
  const plans = [...poolPlans(config)].map(([name, plan]) => [name, plan().strategy.name, plan().dispatch])
  expect(plans).toEqual([
    ['workers', 'hash', 'plain'],
    ['alarm', 'priority', 'acked'],
  ])
  const redelivered = config.clients.filter(({ pool }) => pool === 'alarm')
  expect(redelivered.map(({ resume }) => resume)).toEqual([{ ack: 'ping' }, { ack: 'ping' }])
  const listed = rowsOf(pageOf('balancing'), 'strategy').flatMap(([cell]) => codes(cell))
  expect(listed.toSorted()).toEqual(Object.keys(STRATEGIES).toSorted())

  const [account, ...others] = accounts(configOf('balancing', 1))
  expect(others).toEqual([])
  expect(account?.entries.map(({ name, spread }) => [name, spread])).toEqual([
    ['napcat', false],
    ['llbot', true],
  ])
})

test('[DOC6] the limits are for whom the page says, and let through as much', () => {
  expect(policySettings(configOf('rate-limits')).preset).toBe('gentle')
  const settings = policySettings(configOf('rate-limits', 1))
  expect([settings.preset, Object.keys(settings.bot)]).toEqual(['normal', ['send', 'send_like']])
  expect(settings.clients.get('chatty')?.['send']).toMatchObject({ rate: 0.5, per: 'group' })
  expect(settings.clients.get('')).toEqual({})

  const policy = new Policy(settings)
  const like = (now: number) =>
    policy.admit({ caller: 'x', action: 'send_like', params: { user_id: 5 }, paced: false }, now, 0)
  // What it has to wait for meanwhile is the preset's limit for what changes something.
  let now = 0
  for (let count = 1; count <= 20; now += 500) if (like(now).kind === 'go') count += 1
  const refused = like(now)
  if (refused.kind !== 'full') throw new Error(`wanted a refusal, found ${refused.kind}`)
  expect(refused.why).toBe('more than rate-limit.bot allows for send_like (0.006/s, burst 20)')
  const shown = pageOf('rate-limits').blocks.find(({ language }) => language === 'json')?.text ?? ''
  expect(JSON.parse(shown).msg).toStartWith(`${refused.why}; try again in `)
  expect(like(180_000)).toEqual({ kind: 'go' })
  expect(like(181_000).kind).toBe('full')
})

test('[DOC6] circuits and shared reads are set to what they are anyway, as the page says', () => {
  const { breaker, actions } = configOf('health')
  const usual = parseConfig('', { file: 'config.yml' }).config
  expect(breaker).toEqual(usual.breaker)
  expect({ ...actions, timeouts: {}, cache: {} }).toEqual(usual.actions)
})

test('[DOC6] the tables of classes and presets are those of the code', () => {
  const page = pageOf('rate-limits')
  const [classes = [], presets = []] = page.tables.filter(({ head }) => head[0] === 'class').map(({ rows }) => rows)
  expect(classes.map(([name]) => codes(name)[0])).toEqual(['send', 'manage', 'file', 'read'])
  for (const [name, , examples] of classes)
    for (const action of codes(examples)) expect(`${action}: ${classOf(action)}`).toBe(`${action}: ${codes(name)[0]}`)

  for (const [column, preset] of [PRESETS.gentle, PRESETS.normal].entries()) {
    const found = presets.map(([on, per, ...limits]) => {
      const name = codes(on)[0] ?? ''
      const text = `rate-limit: {bot: {${name}: ${codes(limits[column])[0]}}}`
      const limit = parseConfig(text, { file: 'docs/rate-limits.md' }).config['rate-limit'].bot[name]
      return { ...limit, on: name, per }
    })
    const wanted = preset.map((limit) => ({ 'min-interval': 0, jitter: 0, mode: 'queue', ...limit }))
    expect(found).toEqual(wanted as typeof found) // a string where the config has one of a few
  }
})
