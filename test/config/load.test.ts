// What a config file and the environment may say, and how mistakes in them are told.

import { expect, test } from 'bun:test'
import { mkdir } from 'node:fs/promises'
import fc from 'fast-check'
import { implementations } from '../../src/config/implementations.ts'
import { loadConfig, parseConfig } from '../../src/config/load.ts'
import { ConfigError, type Problem, problemText } from '../../src/config/problem.ts'
import { clientToken } from '../../src/config/rules.ts'
import { configOf } from '../../src/config/schema.ts'
import { folder } from '../support/folder.ts'

const parse = (text: string, environment = {}) => parseConfig(text, { file: 'config.yml', environment })
const goFile = `${import.meta.dir}/../fixtures/config-go.yml`

function problems(text: string, environment = {}): Problem[] {
  try {
    parse(text, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}
const told = (text: string, environment = {}) => problems(text, environment).map(problemText)
const places = (text: string, environment = {}) => problems(text, environment).map(({ path }) => path)

test('[CFG1] an empty file means the documented defaults', () => {
  for (const text of ['', '\n', '# nothing\n', '---\n', 'http:\nlog:\n  level:\n', '\ufeff'])
    expect(parse(text).config).toEqual(configOf())
  expect(configOf()).toMatchObject({
    'data-dir': 'data',
    log: { 'force-new': false, level: 'info', aging: 86_400_000, colorful: true, dir: 'logs' },
    http: { host: '127.0.0.1', port: 8080, 'access-token': '', 'allow-anonymous': false, 'open-discovery': false },
    'web-socket': { timeout: 15_000, 'range-port': { enabled: false, start: 8100, end: 8110 }, 'max-frame': 2 ** 26 },
    'msg-expire-time': 1_800_000,
    actions: { timeout: 60_000, timeouts: {}, 'rate-limited-interval': 500 },
    journal: { 'max-bytes': 2 ** 26 },
  })
})

test('[CFG2] a file of the Go version works unchanged', async () => {
  const { config, notices } = await loadConfig({ file: goFile, environment: {} })
  expect(config).toEqual(configOf({ log: { level: 'debug' } }))
  expect(notices).toEqual([expect.stringContaining('http.host is not set')])
  // Its file, shortened.
  for (const kept of ['log: {force-new: false}', 'log: {aging: 24h}', 'ntqq-impl: {update: {enable: false}}'])
    expect(parse(`${kept}\nhttp: {port: 8080}`).notices).toEqual([expect.stringContaining('http.host is not set')])
  for (const written of [
    'http: {port: 8080, host: 127.0.0.1}',
    'http: {port: 8080}',
    "ntqq-impl: {external-web-socket: 'ws://127.0.0.1:3001'}",
    'log: {level: debug, force-new: false}\nhttp: {port: 8080, access-token: x}',
  ])
    expect([written, parse(written).notices]).toEqual([written, []])
})

test('[CFG3] durations and sizes come out as milliseconds and bytes', () => {
  const { config } = parse(`
msg-expire-time: 1h30m
journal: {max-bytes: 1024}
actions: {rate-limited-interval: 0, timeout: 1.5s, timeouts: {upload_group_file: 10m}}
http-post: [{url: 'http://a', retries-interval: 1500ms, max-retries: 3}]
web-socket: {max-frame: 64MB}
`)
  expect(config['msg-expire-time']).toBe(5_400_000)
  expect(config.journal['max-bytes']).toBe(1024)
  expect(config.actions).toMatchObject({
    'rate-limited-interval': 0,
    timeout: 1500,
    timeouts: { upload_group_file: 600_000 },
  })
  expect(config['http-post'][0]).toMatchObject({ 'retries-interval': 1500, 'max-retries': 3, timeout: 10_000 })
  expect(config['web-socket']['max-frame']).toBe(64_000_000)
})

test('[CFG4] a number without its unit is refused, with what to write', () => {
  expect(told('msg-expire-time: 30')).toEqual([
    'config.yml:1:18  msg-expire-time: found 30, wanted a duration such as 15s, 1h30m or 1500ms, at least 1ms (a number needs its unit: 30s or 30ms)',
  ])
})

test('[CFG5] every problem is told at once, with file, line, column, key, what was found and what is wanted', () => {
  const text = `log:
  level: loud
http:
  prot: 8080
  port: 80a
web-socket:
  range-port: {start: 8200, enabled: si}
reverse-web-socket:
  - url: ws://a
  - url: http://b/ws
journal: 64
`
  expect(told(text)).toEqual([
    'config.yml:2:10  log.level: found "loud", wanted one of trace, debug, info, warn, error',
    'config.yml:4:3  http.prot: found an unknown key, wanted one of host, port, access-token, allow-anonymous, open-discovery, allowed-hosts, allowed-origins, tls (did you mean http.port?)',
    'config.yml:5:9  http.port: found "80a", wanted a port 0-65535',
    'config.yml:7:15  web-socket.range-port.end: found 8110, wanted a port not below start (8200)',
    'config.yml:7:38  web-socket.range-port.enabled: found "si", wanted true or false',
    'config.yml:10:10  reverse-web-socket[1].url: found "http://b/ws", wanted an address that starts with ws:// or wss:// (write ws://b/ws)',
    'config.yml:11:10  journal: found 64, wanted keys and values',
  ])
})

test('[CFG6] an unknown key is refused, with the known one that was likely meant', () => {
  const hint = (text: string) => problems(text)[0]?.hint
  expect(hint('htpp: {}')).toBe('did you mean http?')
  expect(hint('http: {accessToken: a}')).toBe('did you mean http.access-token?')
  expect(hint('port: 1')).toBe('did you mean http.port?')
  expect(hint('http-post: [{retry-interval: 1s}]')).toBe('did you mean http-post[0].retries-interval?')
  expect(hint('quite-something-else: 1')).toBeUndefined()
  expect(places('__proto__: 1\nconstructor: 2\nhttp: {__proto__: 3}')).toEqual([
    '__proto__',
    'constructor',
    'http.__proto__',
  ])
})

test('[CFG7] keys of later versions are unknown keys still', () => {
  const text = `
dashboard: {}
plugins: {}
ntqq-impl: {hold: 1s, qrcode: {}}
`
  expect(problems(text).every(({ found }) => found === 'an unknown key')).toBe(true)
  expect(problems(text)).toHaveLength(4)
})

test('[CFG8] the implementation of ntqq-impl may be run by us, with keys of its own; no other may', () => {
  const first = (text: string) => implementations(parse(text).config)[0]?.kind
  for (const text of ['ntqq-impl: {mode: embedded}', "ntqq-impl: {external-web-socket: ''}"])
    expect(first(text)).toBe('embedded')
  const { config } = parse(`ntqq-impl:
  path: /opt/Lagrange.OneBot
  archive: my.zip
  download: {base: 'http://127.0.0.1:1/', mirror: https://mirror.example/}
  account: 10001
  sign-server-url: https://sign.example/api
`)
  expect(config['ntqq-impl']).toMatchObject({
    path: '/opt/Lagrange.OneBot',
    archive: 'my.zip',
    download: { base: 'http://127.0.0.1:1/', mirror: 'https://mirror.example/' },
    account: '10001',
    'sign-server-url': 'https://sign.example/api',
  })
  expect(places('ntqq-impl: {account: me, sign-server-url: x, download: {mirror: y}}').toSorted()).toEqual([
    'ntqq-impl.account',
    'ntqq-impl.download.mirror',
    'ntqq-impl.sign-server-url',
  ])
  const second = 'upstreams: [{url: ws://a}, {kind: embedded, url: ws://b}]'
  expect(places(second)).toEqual(['upstreams[1].kind'])
  expect(told(second)).toEqual([expect.stringMatching(/that of ntqq-impl \(.*ntqq-impl\.mode: embedded\)/)])
  expect(places("ntqq-impl: {mode: external, external-web-socket: ''}")).toEqual(['ntqq-impl.external-web-socket'])
})

test('[CFG9] broken YAML is told by place, without quoting it', () => {
  const first = (text: string) => told(text)[0]
  expect(first('http:\n\tport: 1\n')).toBe('config.yml:2:1  found a tab as indentation, wanted spaces')
  expect(first('http:\n  port: 1\n  port: 2\n')).toBe(
    'config.yml:3:3  http.port: found this key a second time, wanted it once',
  )
  expect(first('http: {port: 1')).toStartWith('config.yml:1:15  found something unfinished')
  expect(first('- a\n- b\n')).toBe('config.yml:1:1  found a list, wanted keys and values')
  expect(first('just words')).toBe('config.yml:1:1  found "just words", wanted keys and values')
  expect(first('http: {}\n---\nlog: {}\n')).toContain('a second document')
  for (const text of [
    'http: {access-token: *hush}',
    'http:\n  access-token: @hush',
    'http:\n  access-token: "hush\\q"',
  ])
    expect(told(text).join('')).not.toContain('hush')
  const deep = (n: number) => `${'['.repeat(n)}${']'.repeat(n)}`
  for (const text of [
    '['.repeat(50_000),
    deep(50_000),
    `a: ${deep(20_000)}\nb: {c: 1, c: ${deep(20_000)}}`,
    '- '.repeat(9_999),
  ])
    expect(told(text)).not.toEqual([])
})

test('[CFG55] slips of hands that write Chinese are told, and what stands behind them is not shown', () => {
  for (const [text, place, hint] of [
    ['http：\n  port: 80\n', '1:1', 'full-width (：)'],
    ['http：\n  port： 80\n', '1:1', 'full-width (：)'],
    ['http:\n  access-token：hush\n', '2:3', 'full-width (：)'],
    ['http:\n  port: 80\n  access-token：hush\n', '3:3', 'full-width (：)'],
    ['http: {access-token：hush}\n', '1:8', 'full-width (：)'],
    ['admin:\n  token：“hush”: 1\n', '2:3', 'full-width (：)'],
    ['ntqq-impl:\n  external-web-socket: ws：//a\n', '2:24', 'write "://"'],
    ['http:\n  access-token: “hush”\n', '2:17', 'write "plain ones"'],
    ['http: {port: 80，host: "::1"}\n', '1:14', 'full-width (，)'],
    ['http:\n  port: 80\n\u3000 host: ::1\n', '3:1', 'plain spaces'],
    ['admin:\n  token:hush\n', '2:3', 'put a space behind the colon'],
    ['http:\n  access-token:hush\n  port: 80\n', '2:3', 'put a space behind the colon'],
  ] as const) {
    const [first = '', ...rest] = told(text)
    expect([text, first]).toEqual([text, expect.stringContaining(`config.yml:${place}  `)])
    expect([text, first]).toEqual([text, expect.stringContaining(hint)])
    expect([first, ...rest].join('')).not.toContain('hush')
  }
  // Nothing of the kind where it is only written about, or means itself.
  for (const line of ['  port: 80a # 端口：八十，“好”', '  port: “', '# http：']) {
    const [first = ''] = told(`http:\n${line}\n  host: 1\n`)
    expect(first.includes('full-width')).toBe(false)
  }
})

test('[CFG56] a path whose backslashes were taken for escapes is refused, with what to write', () => {
  const windows = '"C:\\bots\\new"'
  for (const text of [`data-dir: ${windows}`, `log: {dir: ${windows}}`, `ntqq-impl: {path: ${windows}}`])
    expect(problems(text)[0]).toMatchObject({
      found: '"C:\\bots\\new"',
      hint: expect.stringContaining("'single quotes'"),
    })
  expect(parse("data-dir: 'C:\\bots\\new'").config['data-dir']).toBe('C:\\bots\\new')
})

test('[CFG10] line ends and byte order marks do not matter; other encodings are told', async () => {
  expect(parse('http:\r\n  port: 1\r\n  host: localhost\r\n').config.http).toMatchObject({ port: 1, host: 'localhost' })
  expect(told('log:\r\n  level: info\r\nhttp:\r\n  port: x\r\n')).toEqual([
    expect.stringMatching(/^config\.yml:4:9 {2}http\.port/),
  ])
  await using home = await folder()
  const file = home.at('config.yml')
  const refused = async (bytes: Uint8Array) => {
    await Bun.write(file, bytes)
    return loadConfig({ file, environment: {} }).then(
      () => 'loaded',
      (error: ConfigError) => error.message.replace(file, 'F'),
    )
  }
  expect(await refused(Buffer.from('\ufeffhttp: {port: 1}'))).toBe('loaded')
  const gbk = Buffer.concat([Buffer.from('log: {}\n# '), Buffer.from([0xc4, 0xe3, 0xba, 0xc3])])
  expect(await refused(gbk)).toBe('F:2:3  found bytes that are not UTF-8, wanted UTF-8 (save the file as UTF-8)')
  expect(await refused(Buffer.from('\ufefflog: {}', 'utf16le'))).toContain('found UTF-16')
})

test('[CFG11] a file that cannot be read is told; a missing one may mean defaults', async () => {
  await using home = await folder()
  await mkdir(home.at('config.yml'))
  expect(loadConfig({ file: home.at('config.yml') })).rejects.toThrow('found a folder')
  expect(loadConfig({ file: home.at('none.yml') })).rejects.toThrow('perpetua init')
  const loaded = await loadConfig({ file: home.at('none.yml'), environment: {}, missing: 'defaults' })
  expect(loaded).toMatchObject({ config: configOf(), text: undefined, notices: [] })
})

test('[CFG11] files that the config names are looked at', async () => {
  await using home = await folder()
  const file = home.at('config.yml')
  await Bun.write(
    file,
    `
http:
  port: x
  tls: {cert: ${file}, key: ${home.at('none.pem')}}
reverse-web-socket:
  - url: ''
  - {url: wss://a, ca: none.pem}
`,
  )
  const error = await loadConfig({ file, environment: {} }).catch((error: ConfigError) => error)
  expect(String(error).match(/(\d+:\d+) {2}\S+: /g)).toEqual([
    '3:9  http.port: ',
    expect.stringMatching(/^4:\d+ {2}http\.tls\.key: /),
    '7:24  reverse-web-socket[1].ca: ',
  ])
})

test('[CFG12] text keeps its spelling: tokens and numbers may stand without quotes', () => {
  const { config } = parse(`
http: {access-token: 0123456789012345678901}
admin: {token: true}
reverse-web-socket: [{url: 'ws://a', self-id: 12345678901234567890}, {url: 'ws://b', self-id: '10'}, {url: 'ws://c', self-id: 0}]
`)
  expect(config.http['access-token']).toBe('0123456789012345678901')
  expect(config.admin.token).toBe('true')
  expect(config['reverse-web-socket'].map((entry) => entry['self-id'])).toEqual(['12345678901234567890', '10', ''])
  expect(problems('http: {port: "8080"}')[0]?.hint).toBe('write it without quotes')
  expect(parse('log: {colorful: no, force-new: on}').config.log).toMatchObject({ colorful: false, 'force-new': true })
})

test('[CFG13] empty entries of lists are places left to fill in', () => {
  const text = "reverse-web-socket: [{url: ''}, null, {url: 'ws://a'}, {}]\nhttp-post:\n  -\n  - url: http://a\n"
  const { config } = parse(text)
  expect(config['reverse-web-socket'].map(({ url }) => url)).toEqual(['ws://a'])
  expect(config['http-post'].map(({ url }) => url)).toEqual(['http://a'])
  expect(places('upstreams: [{}]')).toEqual(['upstreams[0].url'])
})

test('[CFG14] names are optional, and unique where given', () => {
  expect(places("http-post: [{url: 'http://a'}, {url: 'http://a'}]")).toEqual([])
  for (const list of ['http-post', 'reverse-web-socket', 'upstreams'])
    expect(places(`${list}: [{name: a}, {name: b}, {name: a}]`)).toContain(`${list}[2].name`)
})

test('[CFG15] the shapes that older versions documented are accepted, with a notice', () => {
  const single = parse('http: {host: localhost}\nreverse-web-socket: {enabled: true, url: ws://a, access-token: b}')
  expect(single.config['reverse-web-socket']).toMatchObject([{ url: 'ws://a', 'access-token': 'b' }])
  expect(single.notices).toEqual([expect.stringContaining('reverse-web-socket is a list now')])
  const off = parse('reverse-web-socket: {enabled: false, url: ws://a}')
  expect(off.config['reverse-web-socket']).toEqual([])

  const flat =
    'http: {host: localhost}\nntqq-impl: {update: true, id: 7, platform: linux, updated-at: 2024-01-01T00:00:00Z}'
  expect(parse(flat).config['ntqq-impl'].update).toEqual({
    enable: true,
    id: 7,
    platform: 'linux',
    'updated-at': '2024-01-01T00:00:00Z',
  })
  expect(parse(flat).notices).toEqual([expect.stringContaining('ntqq-impl.update has keys of its own now')])
  expect(told('ntqq-impl:\n  update: false\n  id: x\n')).toEqual([
    'config.yml:3:7  ntqq-impl.update.id: found "x", wanted a whole number',
  ])
  expect(told('reverse-web-socket:\n  url: a\n')).toEqual([
    expect.stringMatching(/^config\.yml:2:8 {2}reverse-web-socket\[0\]\.url/),
  ])
})

test('[CFG16] PERPETUA_ and a key overrides the file', () => {
  const environment = {
    PERPETUA_HTTP_PORT: '9000',
    PERPETUA_HTTP_ACCESS_TOKEN: '0815',
    PERPETUA_WEB_SOCKET_RANGE_PORT_ENABLED: 'true',
    PERPETUA_MSG_EXPIRE_TIME: '5m',
    PERPETUA_HTTP_ALLOWED_HOSTS: 'a.example, b.example',
    PERPETUA_HTTP_POST: '[{url: "http://a"}]',
    PERPETUA_ACTIONS_TIMEOUTS: '{get_msg: 1s}',
    PERPETUA_LOG_LEVEL: 'debug',
    PERPETUA_JOURNAL_MAX_BYTES: '',
    HOME: '/root',
  }
  const { config } = parse('http: {port: 1, host: localhost}\nmsg-expire-time: 1m', environment)
  expect(config).toEqual(
    configOf({
      http: { port: 9000, host: 'localhost', 'access-token': '0815', 'allowed-hosts': ['a.example', 'b.example'] },
      'web-socket': { 'range-port': { enabled: true } },
      'msg-expire-time': '5m',
      'http-post': [{ url: 'http://a' }],
      actions: { timeouts: { get_msg: '1s' } },
      log: { level: 'debug' },
    }),
  )
})

test('[CFG17] mistakes in the environment name the variable', () => {
  const environment = { PERPETUA_HTTP_PORT: '80a', PERPETUA_HTPP_PORT: '1', PERPETUA_WEB_SOCKET: '{}' }
  expect(told('http: {port: 1}', environment)).toEqual([
    'PERPETUA_HTPP_PORT  found an environment variable that names no key, wanted PERPETUA_ and a key, such as PERPETUA_HTTP_PORT for http.port (did you mean PERPETUA_HTTP_PORT?)',
    expect.stringContaining('PERPETUA_WEB_SOCKET  found an environment variable that names no key'),
    'PERPETUA_HTTP_PORT  http.port: found "80a", wanted a port 0-65535',
  ])
  expect(told('', { PERPETUA_HTTP_POST: '[{url: 1, urll: 2}' })).toHaveLength(1)
  expect(told('', { PERPETUA_HTTP_POST: '[{urll: 2}]' })[0]).toContain('did you mean')
})

test("[CFG18] the program's own variables, and those Kubernetes sets beside a service of this name, are no keys", () => {
  const environment = {
    PERPETUA_BIN: '/usr/bin/perpetua',
    PERPETUA_PORT: 'tcp://10.0.0.1:8080',
    PERPETUA_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    PERPETUA_PORT_8080_TCP_ADDR: '10.0.0.1',
    PERPETUA_SERVICE_HOST: '10.0.0.1',
    PERPETUA_SERVICE_PORT: '8080',
    PERPETUA_SERVICE_PORT_HTTP: '8080',
  }
  expect(parse('', environment).config).toEqual(configOf())
})

test('[CFG19] listening beyond this machine needs a token, or an open decision', () => {
  for (const host of ['0.0.0.0', '"::"', '192.168.1.5', 'example.com', '127.0.0.1.example.com'])
    expect(told(`http: {host: ${host}}`)).toEqual([
      expect.stringMatching(
        /http\.host: found .* since no token is set \(set http\.access-token, or http\.allow-anonymous/,
      ),
    ])
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '"::1"']) expect(told(`http: {host: ${host}}`)).toEqual([])
  expect(told('http: {host: 0.0.0.0, access-token: a}')).toEqual([])
  expect(told('http: {host: 0.0.0.0, allow-anonymous: true}')).toEqual([])
  expect(told('http: {host: 0.0.0.0}\nntqq-impl: {external-access-token: a}')).toEqual([])
})

test('[CFG20] clients show http.access-token, or the token of the implementation where that is unset', () => {
  expect(clientToken(configOf())).toBe('')
  const implementation = { 'external-access-token': 'theirs' }
  expect(clientToken(configOf({ 'ntqq-impl': implementation }))).toBe('theirs')
  expect(clientToken(configOf({ 'ntqq-impl': implementation, http: { 'access-token': 'ours' } }))).toBe('ours')
})

test('[CFG21] secrets never appear in errors', () => {
  const text = `
http: {access-token: {hush: 1}}
admin: {token: [hush]}
ntqq-impl: {external-web-socket: 'http://h/?access_token=hush'}
reverse-web-socket: [{url: 'http://user:hush@h'}]
clients: [{name: a, token: {hush: 1}}]
`
  expect(told(text)).toHaveLength(5)
  expect(told(text).join('\n')).not.toContain('hush')
  expect(told('', { PERPETUA_CLIENTS: '[{name: a, token: [hush]}, {nam: hush}]' }).join()).not.toContain('"hush"')
})

test('[CFG22] aliases and merges work, and cannot be made to explode', () => {
  const merged = parse(`
http-post:
  - &base {url: http://a, timeout: 3s, secret: x}
  - {<<: *base, url: http://b}
`)
  expect(merged.config['http-post']).toMatchObject([
    { url: 'http://a', timeout: 3000, secret: 'x' },
    { url: 'http://b', timeout: 3000, secret: 'x' },
  ])
  const laughs = Array.from({ length: 12 }, (_, i) => `&a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`)
  expect(told(`upstreams: [&a0 {url: ws://a}, ${laughs.join(', ')}]`).length).toBeGreaterThan(0)
  expect(told('http: &a {tls: *a}').length).toBeGreaterThan(0)
})

test('[CFG23] the implementation of ntqq-impl comes first, unless upstreams stand in for it', () => {
  const kinds = (text: string) => implementations(parse(text).config).map(({ name, kind, url }) => [name, kind, url])
  expect(kinds('')).toEqual([['ntqq-impl', 'forward', 'ws://127.0.0.1:5700/onebot/v11/ws']])
  expect(kinds('ntqq-impl: {mode: reverse}')).toEqual([['ntqq-impl', 'reverse', '']])
  const text = 'upstreams: [{name: b, url: ws://b}, {kind: reverse}]'
  expect(kinds(`${text}\nntqq-impl: {external-web-socket: ''}`)).toEqual([
    ['b', 'forward', 'ws://b'],
    ['', 'reverse', ''],
  ])
  expect(kinds(text)).toHaveLength(3)
  expect(parse(text).notices).toEqual([expect.stringContaining('is connected to as well, beside upstreams')])
})

test('[CFG24] any text either loads or is refused with problems', () => {
  const sane = (text: string, environment = {}) => {
    for (const { path, found, wanted, line } of problems(text, environment)) {
      expect([typeof path, typeof found, wanted.length > 0]).toEqual(['string', 'string', true])
      if (line !== undefined) expect(line).toBeLessThanOrEqual(text.split('\n').length)
    }
  }
  const snippet = fc.constantFrom(
    ...[
      'http',
      'port',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a',
      '*a',
      '<<',
      '!!',
      '"',
      "'",
      '|',
      '>',
    ],
    ...[
      '#',
      '\t',
      '---',
      '...',
      '%',
      '?',
      '8080',
      'ntqq-impl',
      'update',
      'reverse-web-socket',
      'null',
      '\r\n',
      '0x',
      '@',
    ],
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => sane(text)),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.array(snippet, { maxLength: 40 }), (parts) => sane(parts.join(''))),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => sane(text)),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) =>
      sane('', { PERPETUA_HTTP_POST: text, PERPETUA_HTTP_PORT: text }),
    ),
    { numRuns: 300 },
  )
})

test('[CFG36] the address of the gateway itself is nobody to dial', () => {
  const dial = (url: string) => `ntqq-impl: {external-web-socket: '${url}'}`
  expect(told(dial('ws://127.0.0.1:8080'))).toEqual([
    'config.yml:1:34  ntqq-impl.external-web-socket: found "ws://127.0.0.1:8080", wanted the address of the ' +
      "implementation: this is perpetua's own (set http.port to another, or correct the address)",
  ])
  expect(places(`${dial('ws://localhost:8080/x')}\nreverse-web-socket: [{url: 'ws://127.0.0.1:8080/'}]`)).toEqual([
    'ntqq-impl.external-web-socket',
    'reverse-web-socket[0].url',
  ])
  expect(places(`http: {host: 0.0.0.0, access-token: t}\n${dial('ws://[::1]:8080')}`)).toHaveLength(1)
  expect(places(`http: {port: 80}\nupstreams: [{url: ws://127.0.0.1}]`)).toEqual(['upstreams[0].url'])
  for (const text of ['http: {port: 8081}', 'http: {host: 127.0.0.2}', 'http: {host: 10.0.0.5, access-token: t}'])
    expect(parse(`${text}\n${dial('ws://127.0.0.1:8080')}`).config).toBeDefined()
  expect(parse(dial('ws://10.0.0.5:8080')).config).toBeDefined()
})

test('[CFG37] a token that no header can bear is refused, and not shown', () => {
  const [problem = ''] = told("ntqq-impl: {external-access-token: '秘密'}")
  expect(problem).toContain('external-access-token: found ')
  expect(problem).toContain('wanted text of ASCII characters only')
  expect(problem).not.toContain('秘密')
  expect(places("reverse-web-socket: [{url: 'ws://a', access-token: 'ü'}]")).toEqual([
    'reverse-web-socket[0].access-token',
  ])
  const ours = [
    "http: {access-token: '密'}",
    "admin: {token: 'é'}",
    "satori: {token: 'ö'}",
    "clients: [{name: a, token: '钥'}]",
  ]
  expect(ours.flatMap(places)).toEqual(['http.access-token', 'admin.token', 'satori.token', 'clients[0].token'])
  expect(ours.flatMap(told).join()).not.toMatch(/[密éö钥]/)
})

test('[CFG52] the address of an implementation that speaks Milky has nothing after its path', () => {
  expect(told("upstreams: [{kind: milky, url: 'http://127.0.0.1:3010/x?access_token=hidden'}]")).toEqual([
    expect.stringMatching(
      /^config\.yml:\d+:\d+ {2}upstreams\[0\]\.url: found .*wanted an address without "\?" \(a token/,
    ),
  ])
  expect(told("upstreams: [{kind: milky, url: 'http://127.0.0.1:3010/?access_token=hidden'}]").join()).not.toContain(
    'hidden',
  )
  expect(places("ntqq-impl: {mode: milky, milky: {url: 'https://qq.example/?a'}}")).toEqual(['ntqq-impl.milky.url'])
  expect(places("upstreams: [{kind: milky, url: 'http://127.0.0.1:3010/x'}]")).toEqual([])
})
