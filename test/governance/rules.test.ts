import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { Cursor, Rules } from '../../src/broker/ports.ts'
import { type ClientSettings, type ConfigInput, configOf } from '../../src/config/schema.ts'
import { composed, rulesOf } from '../../src/governance/rules.ts'
import { termsOf } from '../../src/governance/terms.ts'

const BIG = '7672696335120716277'
const NEAR = '7672696335120716276'

type Written = NonNullable<ConfigInput['defaults']>

const settings = (written: Written): ClientSettings => configOf({ defaults: written }).defaults
const rules = (written: Written) => rulesOf(settings(written))

// Rules have no use for the position.
const AT = 0 as Cursor
const apply = (of: Rules | undefined, raw: string) => (of === undefined ? raw : of.apply(raw, JSON.parse(raw), AT))

const say = (text: string, { group = '1', user = '5', type = 'message' } = {}) =>
  `{"self_id":10001,"post_type":"${type}","group_id":${group},"user_id":${user},"message":"${text}","raw_message":"${text}"}`

test('[RUL1] who asks for nothing has no rules', () => {
  for (const written of [
    {},
    { filter: {} },
    { 'report-self-message': true },
    { 'prefix-strip': '' },
    { resume: true, deny: ['a'] },
  ])
    expect(rules(written)).toBeUndefined()
})

test('[RUL2] an event that rules leave as it is stays the very same text', () => {
  const lines = readFileSync(new URL('../fixtures/events.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean)
  const all = rules({
    filter: { '.not': { post_type: 'nothing' } },
    'prefix-strip': 'no such',
    'report-self-message': true,
  })
  for (const raw of lines) expect(apply(all, raw)).toBe(raw)
})

test('[RUL3] the same settings in another order have the same key, others have another', () => {
  const same = [
    {
      filter: { groups: [1, 2], '.or': [{ user_id: 5 }, { sub_type: 'a', user_id: { '.in': [1, '2'] } }] },
      'message-format': 'array',
    },
    {
      'message-format': 'array',
      filter: { '.or': [{ user_id: { '.in': ['2', '1', 1] }, sub_type: 'a' }, { user_id: '5' }], groups: ['2', 1, 2] },
    },
  ] satisfies Written[]
  expect(new Set(same.map((written) => rules(written)?.key)).size).toBe(1)
  const all: Written[] = [
    ...same.slice(1),
    { filter: { groups: [1] } },
    { filter: { groups: [1, 2] } },
    { filter: { users: [1] } },
    { filter: { groups: [1], mode: 'deny' } },
    { filter: { group_id: 1 } },
    { filter: { group_id: { '.neq': 1 } } },
    { filter: { group_id: { '.in': ['1'] } } },
    { filter: { group_id: { '.in': '1' } } },
    { filter: { group_id: null } },
    { filter: { group_id: 'null' } },
    { filter: { '.and': [{ a: 1 }, { b: 1 }] } },
    { filter: { '.or': [{ a: 1 }, { b: 1 }] } },
    { filter: { '.or': [{ a: 1, b: 1 }] } },
    { filter: { 'a.b': 1 } },
    { 'message-format': 'array' },
    { 'message-format': 'string' },
    { 'prefix-strip': 'array' },
    { 'report-self-message': false },
    { 'report-self-message': false, filter: { groups: [1] } },
  ]
  expect(new Set(all.map((written) => rules(written)?.key)).size).toBe(all.length)
})

test("[RUL4] the bot's own messages are left out if they are not wanted, by their kind or by their sender", () => {
  const events = {
    sent: say('a', { type: 'message_sent', user: '10001' }),
    own: say('a', { user: '10001' }),
    ownText: say('a', { user: '"10001"' }),
    others: say('a'),
    big: `{"self_id":${BIG},"post_type":"message","user_id":"${BIG}"}`,
    near: `{"self_id":${BIG},"post_type":"message","user_id":${NEAR}}`,
    poked: say('a', { type: 'notice', user: '10001' }),
    nobody: '{"post_type":"message"}',
  }
  const passing = (of: Rules | undefined) =>
    Object.keys(events).filter((name, index) => apply(of, Object.values(events)[index] ?? name) !== undefined)
  expect(passing(rules({ 'report-self-message': false }))).toEqual(['others', 'near', 'poked', 'nobody'])
  expect(passing(rules({ 'report-self-message': true, 'message-format': 'array' }))).toEqual(Object.keys(events))
})

test('[RUL5] an event is judged as it came, then loses its prefix, then is turned', () => {
  const made = rules({
    filter: { prefix: '/', message: { '.regex': '^/' } },
    'prefix-strip': '/',
    'message-format': 'array',
  })
  expect(apply(made, say('/a'))).toBe(
    say('a').replace('"message":"a"', '"message":[{"type":"text","data":{"text":"a"}}]'),
  )
  expect(apply(made, say('a'))).toBeUndefined()
})

test('[RUL6] rules that fail let nothing pass but meta events, and do not throw', () => {
  const broken = rulesOf({ filter: { fields: { a: { '.regex': '(' } } } })
  expect(apply(broken, say('a'))).toBeUndefined()
  expect(apply(broken, '{"post_type":"meta_event"}')).toBe('{"post_type":"meta_event"}')
  const hostile = new Proxy(
    {},
    {
      getOwnPropertyDescriptor: () => {
        throw new Error('no')
      },
    },
  )
  expect(rules({ filter: { user_id: 5 } })?.apply('{}', hostile, AT)).toBeUndefined()
})

test('[RUL7] a member gets what its pool and it both let pass, in the form it says itself', () => {
  const pool = settings({ filter: { groups: [1, 2] }, 'prefix-strip': '/', 'message-format': 'array' })
  const member = settings({ filter: { users: [5], mode: 'deny' }, 'message-format': 'string' })
  const both = rulesOf(composed(pool, member))
  expect(apply(both, say('/a', { group: '2', user: '6' }))).toBe(say('a', { group: '2', user: '6' }))
  expect(apply(both, say('/a', { group: '2' }))).toBeUndefined()
  expect(apply(both, say('/a', { group: '3', user: '6' }))).toBeUndefined()
  expect(rulesOf(composed(pool, {}))?.key).toBe(rulesOf(pool)?.key ?? 'none')
  expect(rulesOf(composed({}, member))?.key).toBe(rulesOf(member)?.key ?? 'none')
  expect(rulesOf(composed({}, {}))).toBeUndefined()
})

test('[RUL8] of each setting the nearest counts: the entry, then its pool, then the defaults', () => {
  const config = configOf({
    defaults: {
      pool: 'p',
      weight: 2,
      resume: true,
      filter: { groups: [9] },
      'message-format': 'array',
      deny: ['a'],
      allow: ['d'],
    },
    pools: { p: { 'prefix-strip': '/', allow: ['b'], 'report-self-message': false } },
    clients: [
      { name: 'near', weight: 3, resume: { ack: 'explicit' }, filter: { groups: [1] }, deny: ['c'] },
      { name: 'far' },
      { name: 'alone', pool: '', resume: false, allow: ['*'] },
    ],
  })
  const { defaults, clients } = config
  const of = (index: number, pool = 'p') => {
    const entry = clients[index]
    return termsOf({ name: entry?.name ?? '', settings: entry ?? {}, pool: config.pools[pool], defaults })
  }
  const near = of(0)
  expect(near).toMatchObject({ client: 'near', pool: 'p', weight: 3, resume: 'explicit' })
  expect(near.rules?.key).toBe(
    rules({ filter: { groups: [1] }, 'message-format': 'array', 'prefix-strip': '/', 'report-self-message': false })
      ?.key ?? 'none',
  )
  expect(near.forbids('c', {})).toBe('c is not allowed: deny of client "near" has "c"')
  expect(near.forbids('a', {})).toBe('a is not allowed: allow of pool "p" does not have it')
  const far = of(1)
  expect(far).toMatchObject({ client: 'far', pool: 'p', weight: 2, resume: 'ping' })
  expect(far.rules?.key).toContain('"9"')
  expect(far.forbids('a', {})).toBe('a is not allowed: deny of defaults has "a"')
  const alone = of(2, '')
  expect(alone).toMatchObject({ client: 'alone', pool: undefined, weight: 2, resume: undefined })
  expect(alone.rules?.key).toBe(rules({ filter: { groups: [9] }, 'message-format': 'array' })?.key ?? 'none')
  expect(alone.forbids('d', {})).toBeUndefined()
  const open = termsOf({ name: '', settings: {}, defaults: configOf().defaults })
  expect({ ...open, forbids: open.forbids('set_restart', {}) }).toEqual({
    ...{ client: '', rules: undefined, pool: undefined, weight: 1, resume: undefined, forbids: undefined },
  })
})
