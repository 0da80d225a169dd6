// Words on the command line: commands, options, help, exit codes, init and check.

import { expect, test } from 'bun:test'
import { stat } from 'node:fs/promises'
import manifest from '../../package.json' with { type: 'json' }
import { template } from '../../src/config/template.ts'
import { type Folder, folder } from '../support/folder.ts'
import { program } from '../support/program.ts'

const perpetua = (home: Folder, ...words: string[]) => program(words, { cwd: home.path }).ended

test('[CLI1] unknown commands and options exit 2, with what was likely meant on stderr', async () => {
  await using home = await folder()
  const mistakes = {
    strat: 'unknown command "strat", did you mean start?',
    'frobnicate now': 'unknown command "frobnicate"\n',
    'start --confg x': 'unknown option --confg, did you mean --config?',
    '--confg=x': 'unknown option --confg, did you mean --config?',
    'check -x': 'unknown option -x\nRun perpetua check --help for its options.',
    '--port 9000': 'unknown option --port: set http.port in the config, or PERPETUA_HTTP_PORT in the environment\n',
    'sandbox --host x': 'unknown option --host\n',
    'check x': 'unexpected argument "x"',
    'check --config': '--config needs a value: --config <file>',
    'check --config --json': '--config needs a value: --config <file>',
    'check --config=': '--config needs a value: --config <file>',
    'check -c=x': '-c needs a value: -c <file>',
    'init --force=maybe': '--force takes no value',
    'init --no-force': 'unknown option --no-force',
    'init -- x': 'unknown option --',
    'completions tcsh': 'unknown command "completions tcsh": there are bash, zsh, fish, powershell\n',
    undefined: 'unknown command "undefined"',
    constructor: 'unknown command "constructor"',
  }
  const runs = Object.entries(mistakes).map(async ([words, complaint]) => {
    const { code, stdout, stderr } = await perpetua(home, ...words.split(' '))
    expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: '' })
    expect(stderr).toStartWith(`perpetua: ${complaint}`)
  })
  await Promise.all(runs)
  expect(await home.list()).toEqual([])
})

test('[CLI2] --version says which perpetua this is', async () => {
  await using home = await folder()
  for (const words of [['--version'], ['-v'], ['check', '--version']])
    expect(await perpetua(home, ...words)).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

test('[CLI3] help tells commands, options and exit codes, without colours in a pipe', async () => {
  await using home = await folder()
  for (const words of [['--help'], ['-h'], ['help']]) {
    const { code, stdout } = await perpetua(home, ...words)
    expect(code).toBe(0)
    for (const word of ['start', 'init', 'check', 'sandbox', 'simulate', '-c, --config <file>', '-v, --version'])
      expect(stdout).toContain(`  ${word}`)
    expect(stdout.match(/^ {2}\d /gm)).toEqual(['  0 ', '  1 ', '  2 ', '  3 ', '  4 '])
    expect(stdout).not.toContain('\u001b')
  }
  for (const words of [
    ['check', '--help'],
    ['help', 'check'],
    ['check', '-h', '--json'],
  ]) {
    const { stdout } = await perpetua(home, ...words)
    expect(stdout).toMatch(
      /^perpetua check: .*\n[\s\S]*--config <file> .*\(default: config\/config\.yml\)[\s\S]*--json/,
    )
  }
})

test('[CLI4] init writes the commented default file, and never replaces one unasked', async () => {
  await using home = await folder()
  const first = await perpetua(home, 'init')
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('Wrote config/config.yml with the defaults') })
  expect(await home.read('config', 'config.yml')).toBe(template())
  expect((await stat(home.at('config', 'config.yml'))).mode & 0o077).toBe(0)

  await Bun.write(home.at('config', 'config.yml'), 'http: {port: 1}')
  expect(await perpetua(home, 'init')).toMatchObject({ code: 1, stderr: expect.stringContaining('init --force') })
  expect(await home.read('config', 'config.yml')).toBe('http: {port: 1}')
  expect((await perpetua(home, 'init', '--force')).code).toBe(0)
  expect(await home.read('config', 'config.yml')).toBe(template())

  const elsewhere = await perpetua(home, 'init', '-c', 'elsewhere/my.yml')
  expect(elsewhere).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('  perpetua start --config elsewhere/my.yml'),
  })
  const again = await perpetua(home, 'init', '-c', 'elsewhere/my.yml')
  expect(again.stderr).toContain('init --config elsewhere/my.yml --force')
  expect(await home.list('elsewhere')).toEqual(['config.schema.json', 'my.yml'])
  await Bun.write(home.at('file'), '')
  expect(await perpetua(home, 'init', '-c', 'file/c.yml')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Config not written'),
  })
})

test('[CLI5] check tells every problem and exits 1, or says what would run and exits 0', async () => {
  await using home = await folder()
  await Bun.write(home.at('bad.yml'), 'http:\n  port: x\n  hots: y\n')
  expect(await perpetua(home, 'check', '--config', 'bad.yml')).toEqual({
    code: 1,
    stdout: '',
    stderr: `bad.yml:2:9  http.port: found "x", wanted a port 0-65535
bad.yml:3:3  http.hots: found an unknown key, wanted one of host, port, access-token, allow-anonymous, open-discovery, allowed-hosts, allowed-origins, tls (did you mean http.host?)
2 problems in the config
`,
  })
  expect(await perpetua(home, 'check')).toMatchObject({ code: 1, stderr: expect.stringContaining('perpetua init') })

  await Bun.write(
    home.at('good.yml'),
    `http: {access-token: hush}
ntqq-impl: {external-web-socket: 'ws://h/?access_token=hush', external-access-token: hush}
reverse-web-socket: [{name: koishi, url: ws://k/onebot, access-token: hush}]
http-post: [{url: http://hook, secret: hush}]
satori: {enabled: true, token: hush-s, webhooks: [{name: app, url: http://app, token: hush-a, filter: {groups: [1]}}]}
upstreams: [{name: second, kind: reverse, self-id: 10002}]
`,
  )
  const { code, stdout, stderr } = await perpetua(home, 'check', '-cgood.yml')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe(`good.yml is fine.
  implementation  ntqq-impl, connect to ws://h/?access_token=***
  implementation  second, wait for it to connect, as 10002
  clients         http://127.0.0.1:8080, token needed
  allotted ports  any free port
  reverse         koishi, ws://k/onebot
  http-post       http://hook
  satori          /satori
  satori hook     app, http://app, filtered
  events kept     30m, 64MiB
  data            data
  log             info, logs
`)
})

test('[CLI27] check lists clients, pools and limits, without their tokens', async () => {
  await using home = await folder()
  await Bun.write(
    home.at('all.yml'),
    `http: {access-token: hush}
clients:
  - {name: w1, token: hush-w1, pool: workers, weight: 2, resume: true, allow: ["get_*", "send_*"], allow-groups: [1, 2, 3, 4, 5, 6, 7]}
  - {name: plain, filter: {types: [message]}, rate-limit: {send: {rate: 30/min, burst: 5, min-interval: 300ms, jitter: 200ms, per: group}}}
defaults: {deny: [set_restart]}
pools: {workers: {strategy: hash, by: group_id, dispatch: acked}}
rate-limit: {preset: gentle, bot: {send_like: {rate: 20/h, mode: reject}}}
reverse-web-socket: [{name: koishi, url: "ws://k/", message-format: string, report-self-message: false}]
http-post: [{url: "http://hook", pool: workers, resume: false}]
journal: {persist: true}
`,
  )
  const { code, stdout, stderr } = await perpetua(home, 'check', '-call.yml')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).not.toContain('hush')
  expect(stdout).toContain(`
  reverse         koishi, ws://k/, messages as string, no own messages
  http-post       http://hook, pool workers, no resume
  client          w1, known by its token, pool workers, weight 2, resume by ping, may call get_* send_*, groups 1 2 3 4 5 and 2 more
  client          plain, known by its name, filtered, at most send 30/min burst 5 every 300ms jitter 200ms per group waits up to 30s
  everybody       may not call set_restart
  pool            workers, hash by group_id, dispatch acked
  limit           at most send_like 20/h else rejected for each bot
  limit           preset gentle
  events kept     30m, 64MiB, on disk
`)
})

test('[CLI5] check --json says the same to programs', async () => {
  await using home = await folder()
  await Bun.write(home.at('bad.yml'), 'http: {port: x}')
  const bad = await perpetua(home, 'check', '--json', '-c', 'bad.yml')
  expect(bad.code).toBe(1)
  expect(JSON.parse(bad.stdout)).toEqual({
    ok: false,
    problems: [{ file: 'bad.yml', line: 1, column: 14, path: 'http.port', found: '"x"', wanted: 'a port 0-65535' }],
    notices: [],
  })
  await Bun.write(home.at('go.yml'), 'log: {aging: 24h}\nhttp: {port: 1}')
  const good = await perpetua(home, 'check', '--json', '-c', 'go.yml')
  expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, notices: [expect.stringContaining('http.host')] })
})
