// What a config says of clients, pools, limits and filters: what is read of it, and what is refused.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { changes } from '../../src/config/diff.ts'
import { accounts } from '../../src/config/implementations.ts'
import { jsonSchema } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigError, type Problem, problemText } from '../../src/config/problem.ts'
import { type ConfigInput, configOf, type FilterConfig } from '../../src/config/schema.ts'
import { callSettings, policySettings } from '../../src/config/settings.ts'

const parse = (text: string, environment = {}) => parseConfig(text, { file: 'F', environment }).config

function problems(text: string, environment = {}): Problem[] {
  try {
    parse(text, environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const told = (text: string, environment = {}) => problems(text, environment).map(problemText)
const places = (text: string) => problems(text).map(({ path }) => path)
const filterOf = (text: string): FilterConfig | undefined => parse(`defaults:\n  filter: ${text}`).defaults.filter
/** What is said about a filter, without where it stands. */
const filterTold = (text: string) =>
  told(`defaults:\n  filter: ${text}`).map((line) => line.replace(/^F:\d+:\d+ {2}defaults\.filter\.?/, ''))

test('[CFG39] everything that governs traffic is read, and what is not said stays unsaid', () => {
  const config = parse(`
clients:
  - name: worker-1
    token: a token of its own
    pool: workers
    weight: 3
    resume: yes
    message-format: array
    report-self-message: true
    prefix-strip: "/"
    allow: ["get_*", "send_*"]
    deny: [send_like]
    allow-groups: [123456789, "12345678901234567890"]
    rate-limit: {send: {rate: 1/s, burst: 5, min-interval: 300ms, mode: queue, max-wait: 10s}}
  - {name: plain}
defaults: {resume: {ack: explicit}, weight: 1}
pools: {workers: {strategy: hash, by: group_id}, standby: {strategy: priority, dispatch: acked, resume: no}}
rate-limit: {bot: {all: {min-interval: 1s, jitter: 500ms, per: group}}, preset: gentle}
actions: {hold: 0, resend: always, coalesce: false, cache: {get_group_list: 5s}}
breaker: {failures: 0, cool-down: 1m}
journal: {persist: true}
upstreams: [{url: 'ws://a', self-id: 10001, spread: true}]
http-post: [{name: hook, url: 'http://a', pool: workers, resume: {}}]
`)
  expect(config.clients).toEqual([
    {
      name: 'worker-1',
      token: 'a token of its own',
      pool: 'workers',
      weight: 3,
      resume: { ack: 'ping' },
      'message-format': 'array',
      'report-self-message': true,
      'prefix-strip': '/',
      allow: ['get_*', 'send_*'],
      deny: ['send_like'],
      'allow-groups': ['123456789', '12345678901234567890'],
      'rate-limit': {
        send: { rate: 1, burst: 5, 'min-interval': 300, jitter: 0, per: 'client', mode: 'queue', 'max-wait': 10_000 },
      },
    },
    { name: 'plain', token: '' },
  ])
  expect(config.defaults).toEqual({ resume: { ack: 'explicit' }, weight: 1 })
  expect(config.pools).toEqual({
    workers: { strategy: 'hash', by: 'group_id', dispatch: 'plain' },
    standby: { strategy: 'priority', dispatch: 'acked', resume: false },
  })
  expect(config['rate-limit']).toEqual({
    bot: { all: { 'min-interval': 1_000, jitter: 500, per: 'group', mode: 'queue', 'max-wait': 30_000 } },
    preset: 'gentle',
  })
  expect(config.breaker).toEqual({ failures: 0, 'cool-down': 60_000 })
  expect(config.journal.persist).toBe(true)
  expect(config.upstreams[0]?.spread).toBe(true)
  expect(config['http-post'][0]).toMatchObject({ pool: 'workers', resume: { ack: 'ping' } })
  expect(callSettings(config)).toMatchObject({
    hold: 0,
    resend: 'always',
    coalesce: false,
    cache: { get_group_list: 5_000 },
  })
  expect(callSettings(configOf())).toMatchObject({ hold: 30_000, resend: 'reads', coalesce: true, cache: {} })
  expect(configOf()).toMatchObject({
    clients: [],
    defaults: {},
    pools: {},
    'rate-limit': { bot: {}, preset: 'none' },
    breaker: { failures: 5, 'cool-down': 10_000 },
    journal: { persist: false },
  })
})

test('[CFG39] the environment says it, too', () => {
  const environment = {
    PERPETUA_CLIENTS: '[{name: a, filter: {groups: 5}}]',
    PERPETUA_DEFAULTS_FILTER: '{.not: {user_id: 1}}',
    PERPETUA_DEFAULTS_DENY: 'set_*,send_like',
    PERPETUA_DEFAULTS_RESUME: 'on',
    PERPETUA_RATE_LIMIT_BOT: '{send: {rate: 1/s}}',
    PERPETUA_RATE_LIMIT_PRESET: 'normal',
    PERPETUA_ACTIONS_HOLD: '5s',
  }
  expect(parse('', environment)).toMatchObject({
    clients: [{ name: 'a', filter: { groups: ['5'] } }],
    defaults: {
      filter: { '.not': { fields: { user_id: { '.eq': 1 } } } },
      deny: ['set_*', 'send_like'],
      resume: { ack: 'ping' },
    },
    'rate-limit': { bot: { send: { rate: 1 } }, preset: 'normal' },
    actions: { hold: 5_000 },
  })
  expect(told('', { PERPETUA_DEFAULTS_FILTER: '{.nott: {}}' })).toEqual([
    expect.stringMatching(
      /^PERPETUA_DEFAULTS_FILTER {2}defaults\.filter\.\.nott: found ".nott", .*did you mean \.not\?/,
    ),
  ])
})

test('[CFG39] limits of a client are its own, else those of its pool, else those for everybody', () => {
  const { clients, ...rest } = policySettings(
    parse(`
clients: [{name: a, rate-limit: {send: {rate: 1/s}}}, {name: b, pool: p}, {name: c}, {name: d, pool: p, rate-limit: {}}]
reverse-web-socket: [{name: e, url: 'ws://e', pool: p}, {url: 'ws://f', pool: p}]
pools: {p: {rate-limit: {read: {rate: 2/s}}}}
defaults: {rate-limit: {all: {rate: 3/s}}}
rate-limit: {bot: {send: {rate: 4/s}}, preset: normal}
`),
  )
  const rates = [...clients].map(([name, limits]) => [
    name,
    ...Object.entries(limits).map(([on, { rate }]) => `${on} ${rate}`),
  ])
  expect(Object.fromEntries(rates.map(([name, ...said]) => [name, said]))).toEqual({
    a: ['send 1'],
    b: ['read 2'],
    c: ['all 3'],
    d: [],
    e: ['read 2'],
    '': ['all 3'],
  })
  expect(rest).toMatchObject({
    bot: { send: { rate: 4 } },
    preset: 'normal',
    breaker: { failures: 5, coolDown: 10_000 },
  })
})

test('[CFG40] rates are read as so many per second; a limit has a rate or an interval', () => {
  const rate = (text: string) => parse(`rate-limit: {bot: {send: {rate: ${text}}}}`)['rate-limit'].bot['send']?.rate
  expect(['1/s', '0.5/s', '30/min', '90/m', '720/h', '"2 / sec"'].map(rate)).toEqual([1, 0.5, 0.5, 1.5, 0.2, 2])
  const hint = (text: string) => problems(`rate-limit: {bot: {send: {rate: ${text}}}}`)[0]
  expect(hint('5')).toMatchObject({ found: '5', hint: 'a rate needs its time: 5/s or 5/min' })
  expect(hint('0/s')).toMatchObject({ hint: 'to allow none at all, use deny' })
  for (const text of ['1/d', '-1/s', 's', '1/', '[]', '1e999/s'])
    expect(hint(text)).toMatchObject({ wanted: 'a rate such as 1/s, 30/min or 500/h' })
  expect(told('rate-limit: {bot: {send: {}}}')).toEqual([
    'F:1:26  rate-limit.bot.send.rate: found nothing, wanted a rate such as 1/s, 30/min or 500/h',
  ])
  expect(places('defaults: {rate-limit: {send: {rate: 1/s, per: bot}}}')).toEqual(['defaults.rate-limit.send.per'])
  expect(places('rate-limit: {bot: {send: {rate: 1/s, per: client}}}')).toEqual(['rate-limit.bot.send.per'])
})

test('[CFG41] names of actions that would mean nothing are refused', () => {
  expect(told('rate-limit: {bot: {sned: {rate: 1/s}}}')).toEqual([
    'F:1:26  rate-limit.bot.sned: found "sned", wanted send, manage, read, file, all, or the name of an action (did you mean send?)',
  ])
  expect(told('defaults: {rate-limit: {send_msg_async: {rate: 1/s}, "a b": {rate: 1/s}}}')).toEqual([
    expect.stringContaining('(write send_msg: it counts with every suffix)'),
    expect.stringContaining('found "a b"'),
  ])
  expect(told("defaults: {deny: [set_group_kick_async, 'a b', '*']}")).toEqual([
    expect.stringContaining('(write set_group_kick: it counts with every suffix)'),
    expect.stringContaining('found "a b", wanted the name of an action, such as send_group_msg or get_*'),
  ])
  expect(told('actions: {cache: {send_group_msg: 5s, get_msg: 5, get_status_async: 1s}}')).toEqual([
    expect.stringContaining('found "send_group_msg", wanted an action that only reads'),
    expect.stringContaining('5s or 5ms'),
    expect.stringContaining('write get_status'),
  ])
  expect(places('rate-limit: {bot: {.ocr_image: {rate: 1/s}, ArkShareGroup: {rate: 1/s}, poke: {rate: 1/s}}}')).toEqual(
    [],
  )
})

test('[CFG42] pools are described before they are used, and hash says by what', () => {
  expect(told('clients: [{name: a, pool: worker}]\npools: {workers: {}, others: {}}')).toEqual([
    'F:1:27  clients[0].pool: found "worker", wanted one of the pools workers, others (did you mean workers?)',
  ])
  expect(told('defaults: {pool: x}')).toEqual([
    'F:1:18  defaults.pool: found "x", wanted a pool that pools describes (add it: pools: {x: {}})',
  ])
  // Entries count as they were written, those left to fill in included.
  expect(
    places("reverse-web-socket: [{}, {url: 'ws://a', pool: x}]\nhttp-post: [{}, {url: 'http://a', pool: x}]"),
  ).toEqual(['reverse-web-socket[1].pool', 'http-post[1].pool'])
  expect(places("satori: {webhooks: [{}, {url: 'http://a', pool: x}]}")).toEqual(['satori.webhooks[1].pool'])
  expect(places("satori: {webhooks: [{url: 'http://a', resume: true}, {url: 'http://a', deny: [x]}]}")).toEqual([
    'satori.webhooks[0].name',
    'satori.webhooks[1].deny',
  ])
  expect(places("clients: [{name: a, pool: constructor}, {name: b, pool: ''}]")).toEqual(['clients[0].pool'])
  expect(told('pools: {a: {strategy: hash}, b: {by: user_id}, c: {strategy: hash, by: user}}')).toEqual([
    expect.stringContaining('pools.a.by: found nothing, wanted group_id or user_id, since strategy is hash'),
    expect.stringContaining('pools.b.strategy: found "round-robin", wanted hash, since by is set'),
    expect.stringContaining('pools.c.by: found "user", wanted one of group_id, user_id'),
  ])
  expect(places('pools: {a: {pool: b, weight: 1}}')).toEqual(['pools.a.pool', 'pools.a.weight'])
})

test('[CFG53] of a pool with dispatch acked those members are noticed that acknowledge nothing', () => {
  const notices = (text: string) => parseConfig(text, { file: 'F' }).notices
  const acked = 'pools: {alarm: {dispatch: acked}, loud: {}}\n'
  expect(
    notices(`${acked}
clients: [{name: a, pool: alarm}, {name: b, pool: alarm, resume: true}, {name: c, pool: loud}, {name: d}]
reverse-web-socket: [{url: 'ws://x', pool: alarm}, {name: e, url: 'ws://y', pool: alarm, resume: {ack: explicit}}]
http-post: [{url: 'http://x', pool: alarm}, {name: f, url: 'http://y', pool: alarm, resume: false}]
satori: {webhooks: [{url: 'http://x', pool: alarm}, {url: 'http://y', pool: alarm, resume: false}]}
`),
  ).toEqual([
    'pools.alarm.dispatch is acked, but nothing tells what has arrived at a, reverse-web-socket[0], f, satori.webhooks[1]: ' +
      'what is on its way when a member leaves is lost; set resume: true there, or in pools.alarm',
  ])
  // The nearest counts: a member, its pool, everybody.
  const member = (more: string) => `clients: [{name: a, pool: alarm${more}}]\n`
  for (const [pool, everybody, more, count] of [
    ['', '', '', 1],
    [', resume: true', '', '', 0],
    ['', 'defaults: {resume: true}', '', 0],
    [', resume: false', 'defaults: {resume: true}', '', 1],
    [', resume: true', '', ', resume: false', 1],
    [', resume: false', '', ', resume: true', 0],
  ] as const) {
    const text = `pools: {alarm: {dispatch: acked${pool}}}\n${everybody}\n${member(more)}`
    expect([text, notices(text).length]).toEqual([text, count])
  }
  // Nobody is in it, or it promises nothing.
  expect([...notices(acked), ...notices(`pools: {alarm: {}}\n${member('')}`)]).toEqual([])
  expect(notices(`${acked}defaults: {pool: alarm}`)).toEqual([
    expect.stringContaining('at everybody else (defaults): what'),
  ])
  const many = Array.from({ length: 7 }, (_, n) => `{name: m${n}, pool: alarm}`).join(', ')
  expect(notices(`${acked}clients: [${many}]`)).toEqual([expect.stringContaining('at m0, m1, m2, m3, m4 and 2 more: ')])
})

test('[CFG43] a client has a name, a token that is its own, and one place for its settings', () => {
  expect(told('clients: [{token: x}]')).toEqual([
    'F:1:11  clients[0].name: found nothing, wanted a name of 1 to 64 characters',
  ])
  expect(places(`clients: [{name: ${'😀'.repeat(64)}}, {name: ${'a'.repeat(65)}}, {name: ' '}]`)).toEqual([
    'clients[1].name',
    'clients[2].name',
  ])
  expect(places('clients: [{name: a}, {name: a}]')).toEqual(['clients[1].name'])
  const tokens = told(`
http: {access-token: hush-1}
admin: {token: hush-2}
clients: [{name: a, token: hush-1}, {name: b, token: hush-2}, {name: c, token: hush-3}, {name: d, token: hush-3}, {name: e}]
`)
  expect(tokens).toEqual([
    expect.stringContaining(
      'clients[0].token: found a value that is not shown here, wanted a token of its own (it is the one of http.access-token)',
    ),
    expect.stringContaining(
      'clients[1].token: found a value that is not shown here, wanted a token of its own (it is the one of admin.token)',
    ),
    expect.stringContaining(
      'clients[3].token: found a value that is not shown here, wanted a token of its own (it is the one of c)',
    ),
  ])
  expect(tokens.join()).not.toContain('hush')
  expect(
    told(
      "clients: [{name: a}, {name: b, token: x}]\nreverse-web-socket: [{name: b, url: 'ws://b'}, {name: a, url: 'ws://a'}]",
    ),
  ).toEqual([
    'F:1:18  clients[0].name: found "a", wanted a name that no entry of reverse-web-socket has (put its settings on reverse-web-socket[1] itself)',
  ])
  expect(
    places(
      "http-post: [{url: 'http://a', resume: true}, {name: b, url: 'http://b', resume: true}, {url: 'http://c', resume: false}]",
    ),
  ).toEqual(['http-post[0].name'])
  expect(told("reverse-web-socket: [{url: 'ws://a', rate-limit: {send: {rate: 1/s}}}]")).toEqual([
    'F:1:22  reverse-web-socket[0].name: found "", wanted a name, since rate-limit is set',
  ])
  expect(
    told(
      'clients: [{name: a, resume: {ack: pings}}, {name: b, resume: maybe}, {name: c, resume: {ack: ping, a: 1}}, {name: d, resume: [x]}]',
    ).map((line) => line.replace(/^.*?clients/, '')),
  ).toEqual([
    '[0].resume.ack: found "pings", wanted ping or explicit',
    '[1].resume: found "maybe", wanted true, false, or {ack: ping} or {ack: explicit}',
    '[2].resume.a: found "a", wanted ack: ping or ack: explicit',
    '[3].resume: found a list, wanted true, false, or {ack: ping} or {ack: explicit}',
  ])
})

test('[CFG44] a filter becomes plain data: shorthands are lists, plain values are equalities, long ids stay exact', () => {
  expect(
    filterOf(
      '{groups: [123456789, "5"], users: 12345678901234567890, types: [message, notice], .not: {user_id: 10001}}',
    ),
  ).toEqual({
    groups: ['123456789', '5'],
    users: ['12345678901234567890'],
    types: ['message', 'notice'],
    '.not': { fields: { user_id: { '.eq': 10001 } } },
  })
  expect(filterOf('{mode: deny, keywords: ad, prefix: ["/", 1]}')).toEqual({
    mode: 'deny',
    keywords: ['ad'],
    prefix: ['/', '1'],
  })
  expect(filterOf('{}')).toEqual({})
  expect(filterOf('{.not: {}}')).toEqual({ '.not': {} })
  expect(
    filterOf('{anonymous: null, sub_type: {.neq: ~}, to_me: true, user_id: {.in: [1, 12345678901234567890, x]}}'),
  ).toEqual({
    fields: {
      anonymous: { '.eq': null },
      sub_type: { '.neq': null },
      to_me: { '.eq': true },
      user_id: { '.in': [1, '12345678901234567890', 'x'] },
    },
  })
  // As the users of go-cqhttp have them.
  expect(
    filterOf(`
      .or:
        - message_type: private
          user_id: {.not: {.in: [11111, 22222]}, .neq: 44444}
        - message_type: {.regex: group|discuss}
          .or: [{group_id: 12345}, {raw_message: {.contains: 通知}}]
        - {sender: {role: {.in: "owner,admin"}}, message.0.type: text, .and: {a: 1}}
`),
  ).toEqual({
    '.or': [
      {
        fields: {
          message_type: { '.eq': 'private' },
          user_id: { '.not': { '.in': [11111, 22222] }, '.neq': 44444 },
        },
      },
      {
        '.or': [{ fields: { group_id: { '.eq': 12345 } } }, { fields: { raw_message: { '.contains': '通知' } } }],
        fields: { message_type: { '.regex': 'group|discuss' } },
      },
      {
        '.and': [{ fields: { a: { '.eq': 1 } } }],
        fields: { sender: { fields: { role: { '.in': 'owner,admin' } } }, 'message.0.type': { '.eq': 'text' } },
      },
    ],
  })
  const config = parse('defaults: {filter: {groups: [1], .or: [{x: {.eq: 1.5}}]}}')
  expect(structuredClone(config)).toEqual(config)
  expect(JSON.parse(JSON.stringify(config.defaults))).toEqual(config.defaults)
})

test('[CFG45] a filter that could not be evaluated, or would mean nothing, is refused with place, found and wanted', () => {
  expect(told('clients:\n  - name: a\n    filter:\n      raw_message:\n        .contians: x\n')).toEqual([
    'F:5:20  clients[0].filter.raw_message..contians: found ".contians", wanted one of .not, .and, .or, .eq, .neq, .in, .contains, .regex (did you mean .contains?)',
  ])
  expect(filterTold('x')).toEqual([
    ': found "x", wanted a filter such as {groups: [123456789], .not: {user_id: 10001}}',
  ])
  expect(filterTold('[]')).toEqual([expect.stringContaining(': found a list, wanted a filter')])
  expect(filterTold('{group: [1]}')).toEqual([expect.stringContaining('did you mean groups?')])
  expect(filterTold('{not: {a: 1}}')).toEqual([expect.stringContaining('did you mean .not?')])
  expect(filterTold('{.eq: 1}')).toEqual([
    expect.stringContaining('wanted the path of a value around it (raw_message: {.eq: ...})'),
  ])
  expect(filterTold('{"a b": 1, a..b: 1}')).toEqual([
    'a b: found "a b", wanted a path such as sender.role or message.0.type',
    'a..b: found "a..b", wanted a path such as sender.role or message.0.type',
  ])
  expect(filterTold('{groups: [], users: [me, 0, 1.5], keywords: "", prefix: [[x]]}')).toEqual([
    'groups: found a list, wanted a list of values, each a group number (digits only) that is not empty',
    'users[0]: found "me", wanted a QQ number (digits only)',
    'users[1]: found 0, wanted a QQ number (digits only)',
    'users[2]: found 1.5, wanted a QQ number (digits only)',
    'keywords: found "", wanted text',
    'prefix[0]: found a list, wanted text',
  ])
  expect(filterTold('{mode: deny}')).toEqual([
    'mode: found "deny", wanted one of groups, users, types, keywords, prefix beside it (mode says what these mean)',
  ])
  expect(filterTold('{mode: block, groups: 1}')).toEqual(['mode: found "block", wanted allow or deny'])
  expect(
    filterTold('{.or: [], .and: [], .not: [], a: {}, b: [1], c: {.in: []}, d: {.regex: 1}, e: {.contains: ""}}'),
  ).toEqual([
    '.or: found a list, wanted a list of conditions that is not empty',
    '.and: found a list, wanted a list of conditions that is not empty',
    '.not: found a list, wanted conditions: keys and values',
    'a: found keys and values, wanted conditions: keys and values',
    'b: found a list, wanted a value, or {.in: [...]} for one of several',
    'c..in: found a list, wanted a list of values that is not empty',
    'd..regex: found 1, wanted a regular expression',
    'e..contains: found "", wanted text',
  ])
  expect(filterTold('{.or: {a: 1}, b: {.or: [x]}, c: .nan, d: {.eq: [1]}}')).toEqual([
    '.or: found keys and values, wanted a list of conditions (start each entry with "- ")',
    'b..or[0]: found "x", wanted conditions: keys and values',
    'c: found NaN, wanted a number that is exact (write it in quotes)',
    'd..eq: found a list, wanted text, a number, true, false or null',
  ])
  const deep = `${'{.not: '.repeat(30)}{a: 1}${'}'.repeat(30)}`
  expect(filterTold(deep)).toEqual([expect.stringContaining('wanted fewer levels and aliases')])
})

test('[CFG45] what is wrong in a filter hides nothing that is wrong elsewhere', () => {
  expect(
    places(`
clients:
  - name: a
    pool: nobody
    filter: {group: [1], raw_message: {.regex: "(a"}, .not: {.or: []}}
    rate-limit: {sned: {rate: 5}}
http-post: [{url: 'http://a', resume: true}]
`),
  ).toEqual([
    'clients[0].pool',
    'clients[0].filter.group',
    'clients[0].filter.raw_message..regex',
    'clients[0].filter..not..or',
    'clients[0].rate-limit.sned',
    'clients[0].rate-limit.sned.rate',
    'http-post[0].name',
  ])
})

test('[CFG46] the types of a filter are known ones, as far as anybody knows them all', () => {
  const hint = (type: string) => problems(`defaults: {filter: {types: [${type}]}}`)[0]?.hint
  for (const type of [
    'message.group',
    'message_sent.private',
    'notice.notify.poke',
    'request.group.add',
    'notice.of_their_own',
  ])
    expect(filterOf(`{types: ${type}}`)).toEqual({ types: [type] })
  expect(hint('mesage')).toBe('did you mean message?')
  expect(hint('message.grop')).toBe('did you mean message.group?')
  expect(hint('notice.group_increse')).toBe('did you mean notice.group_increase? For others: {notice_type: ...}')
  expect(hint('notice.poke')).toStartWith('did you mean notice.notify.poke?')
  expect(hint('group_increase')).toBe('did you mean notice.group_increase?')
  expect(hint('meta_event')).toBe('meta events go to everybody')
  expect(places('defaults: {filter: {types: [request.guild, "notice.", 5]}}')).toHaveLength(3)
})

test('[CFG47] a regular expression that is none, or cannot be matched in linear time, is refused at load', () => {
  expect(filterTold('{raw_message: {.regex: "^(?!x)"}}')).toEqual([
    'raw_message..regex: found "^(?!x)", wanted a regular expression (there is a look around, which is not supported: use .not or two conditions (character 2))',
  ])
  expect(filterTold("{raw_message: {.regex: '(a'}}")).toEqual([expect.stringContaining('a ( that nothing closes')])
  expect(filterTold("{raw_message: {.regex: '^(a+)+$'}}")).toEqual([])
})

test('[CFG48] whatever a filter says, it is read or refused', () => {
  const key = fc.constantFrom(
    ...[
      'mode',
      'groups',
      'types',
      'keywords',
      '.not',
      '.and',
      '.or',
      '.eq',
      '.in',
      '.regex',
      'raw_message',
      'sender.role',
    ],
    ...['', '.', '..', '__proto__', 'constructor', 'group', '0'],
  )
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, 0, 1, -1, 1.5, 1e300, '', 'a', 'deny', 'message', '(', '5'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(key, tie('any'), { maxKeys: 3 }),
    ),
  }))
  fc.assert(
    fc.property(any, (filter) => {
      const text = `defaults: {filter: ${JSON.stringify(filter)}}`
      const found = problems(text)
      if (found.length > 0)
        for (const { path, wanted } of found) expect([path.startsWith('defaults'), wanted !== '']).toEqual([true, true])
      else if (filter !== null) expect(typeof parse(text).defaults.filter).toBe('object')
    }),
    { numRuns: 2_000 },
  )
})

test('[CFG49] implementations of one account are one bot, in the order of the config', () => {
  const grouped = (input: ConfigInput) =>
    accounts(configOf(input)).map(({ selfId, entries }) => [selfId, ...entries.map(({ name, url }) => name || url)])
  expect(grouped({})).toEqual([['', 'ntqq-impl']])
  expect(
    grouped({
      'ntqq-impl': { 'external-web-socket': '' },
      upstreams: [
        { url: 'ws://a', 'self-id': '10001' },
        { url: 'ws://b' },
        { url: 'ws://c', 'self-id': 10001 },
        { url: 'ws://d' },
        { kind: 'reverse', name: 'e', 'self-id': '10002' },
      ],
    }),
  ).toEqual([
    ['10001', 'ws://a', 'ws://c'],
    ['', 'ws://b'],
    ['', 'ws://d'],
    ['10002', 'e'],
  ])
  const embedded = { mode: 'embedded', account: '10001' } as const
  expect(grouped({ 'ntqq-impl': embedded, upstreams: [{ url: 'ws://a', 'self-id': '10001' }] })).toEqual([
    ['10001', 'ntqq-impl', 'ws://a'],
  ])
  // The account of an implementation that is not run here is whatever it says.
  expect(grouped({ 'ntqq-impl': { account: '10001' }, upstreams: [{ url: 'ws://a', 'self-id': '10001' }] })).toEqual([
    ['', 'ntqq-impl'],
    ['10001', 'ws://a'],
  ])
})

test('[CFG50] a change of what governs clients and calls is told apart, and redials nobody', () => {
  const only = (old: ConfigInput, next: ConfigInput) =>
    Object.entries(changes(configOf(old), configOf(next)))
      .filter(([, changed]) => changed === true)
      .map(([part]) => part)
  expect(only({}, { clients: [{ name: 'a' }] })).toEqual(['terms', 'calls'])
  expect(only({ clients: [{ name: 'a' }] }, { clients: [{ name: 'a', deny: ['*'] }] })).toEqual(['terms'])
  expect(only({}, { defaults: { filter: { groups: [1] } } })).toEqual(['terms'])
  expect(only({}, { pools: { a: {} } })).toEqual(['terms'])
  expect(only({}, { 'rate-limit': { bot: { send: { rate: '1/s' } } } })).toEqual(['calls'])
  expect(only({}, { 'rate-limit': { preset: 'normal' } })).toEqual(['calls'])
  expect(only({}, { breaker: { failures: 1 } })).toEqual(['calls'])
  expect(only({}, { actions: { hold: '1s' } })).toEqual(['actions'])
  expect(only({}, { defaults: { 'rate-limit': { send: { rate: '1/s' } } } })).toEqual(['terms', 'calls'])
  expect(only({}, { journal: { persist: true } })).toEqual([])
  expect(changes(configOf(), configOf({ journal: { persist: true } })).restart).toEqual(['journal.persist'])

  const { reverse, post, terms } = changes(
    configOf({
      'reverse-web-socket': [{ url: 'ws://a' }, { url: 'ws://a', weight: 2 }, { name: 'b', url: 'ws://b' }],
      'http-post': [{ url: 'http://a' }],
    }),
    configOf({
      'reverse-web-socket': [
        { url: 'ws://a', filter: { groups: [1] } },
        { name: 'b', url: 'ws://c', weight: 5 },
      ],
      'http-post': [{ url: 'http://a', deny: ['*'] }],
    }),
  )
  expect(terms).toBe(true)
  expect(reverse.removed).toEqual(['reverse-web-socket ws://a 2', 'reverse-web-socket b'])
  expect([...reverse.added]).toMatchObject([['reverse-web-socket b', { url: 'ws://c', weight: 5 }]])
  expect([post.added.size, post.removed]).toEqual([0, []])
})

test('[CFG51] the JSON Schema knows filters, what must be there, and pools by any name', () => {
  const schema = jsonSchema() as {
    properties: Record<string, Record<string, unknown>>
    definitions: Record<string, unknown>
  }
  expect(schema.definitions['filter']).toMatchObject({
    properties: { '.or': { items: { $ref: '#/definitions/filter' } } },
  })
  expect(schema.properties['clients']).toMatchObject({
    items: { required: ['name'], properties: { filter: { allOf: [{ $ref: '#/definitions/filter' }] } } },
  })
  expect(schema.properties['pools']).toMatchObject({
    additionalProperties: { properties: { by: { enum: ['group_id', 'user_id'] } } },
  })
})
