// perpetua doctor against set-ups that are broken in one way each, and perpetua healthz.

import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { clock } from '../../src/cli/doctor-machine.ts'
import type { Finding } from '../../src/cli/finding.ts'
import { folder } from '../support/folder.ts'
import { Implementation } from '../support/implementation.ts'
import { program } from '../support/program.ts'

/** The set-up is well until a test breaks it. */
async function setUp() {
  const home = await folder()
  const bot = new Implementation({ token: 'right' })
  // As NapCat and LLBot do it: the link opens first.
  const picky = new Implementation({ first: ['{"status":"failed","retcode":1403,"message":"wrong token"}'] })
  const web = createServer((_, response) => response.writeHead(404).end('a page')).listen(0, '127.0.0.1')
  await once(web, 'listening')
  return {
    home,
    bot,
    picky,
    /** Of a web server that is nothing of ours. */
    taken: (web.address() as AddressInfo).port, // it listens on a port
    async [Symbol.asyncDispose]() {
      web.close()
      for (const each of [bot, picky, home]) await each[Symbol.asyncDispose]()
    },
  }
}
type SetUp = Awaited<ReturnType<typeof setUp>>

/** Keys that stand in the place of those that are well. */
const config = ({ bot }: SetUp, keys: { url?: string; token?: string; more?: string; http?: string } = {}) => `
ntqq-impl: {external-web-socket: "${keys.url ?? bot.url}", external-access-token: ${keys.token ?? 'right'}}
http: {${keys.http ?? 'port: 0'}}
log: {dir: ''}
${keys.more ?? ''}
`

async function examined({ home }: SetUp, text: string | undefined, mode = 0o600) {
  if (text !== undefined) {
    await Bun.write(home.at('config', 'config.yml'), text)
    await chmod(home.at('config', 'config.yml'), mode)
  }
  const { code, stdout } = await program(['doctor', '--json'], { cwd: home.path }).ended
  const { ok, findings }: { ok: boolean; findings: Finding[] } = JSON.parse(stdout)
  expect(code).toBe(ok ? 0 : 1)
  return { ok, findings, wrong: findings.filter(({ state }) => state !== 'ok') }
}

test('[DOCT1] where all is well, doctor says so, exits 0, and leaves nothing behind', async () => {
  await using it = await setUp()
  const { ok, wrong } = await examined(it, config(it))
  expect({ ok, wrong }).toEqual({ ok: true, wrong: [] })
  expect(await it.home.list()).toEqual(['config'])
  const { stdout } = await program(['doctor'], { cwd: it.home.path }).ended
  expect(stdout).toMatch(/^ok {4}config: config\/config\.yml is fine\n/)
  expect(stdout).toEndWith('All is well.\n')
  expect(stdout).not.toContain('right')
})

interface Broken {
  config?: (it: SetUp) => string
  mode?: number
  about: string
  fact: RegExp
  remedy: RegExp
  state?: Finding['state']
}

const IMPLEMENTATION = 'implementation ntqq-impl'
const BROKEN: Record<string, Broken> = {
  'no file': {
    about: 'config',
    fact: /^\/.*config\.yml is not there: the defaults/,
    remedy: /perpetua init/,
    state: 'warn',
  },
  'no YAML': { config: () => 'http: {', about: 'config', fact: /config\.yml:1:\d+ /, remedy: /perpetua check/ },
  'an unknown key': {
    config: () => 'http: {prot: 1}',
    about: 'config',
    fact: /:1:8 {2}http\.prot: found an unknown key/,
    remedy: /did you mean http\.port/,
  },
  'tokens that others can read': {
    config: (it) => config(it),
    mode: 0o644,
    about: 'config',
    fact: /other users of this machine can read the tokens/,
    remedy: /chmod 600 config/,
    state: 'warn',
  },
  'a port in use': {
    config: (it) => config(it, { http: `port: ${it.taken}` }),
    about: 'gateway',
    fact: /^http\.port: \d+ is in use on 127\.0\.0\.1$/,
    remedy: /^stop the other program, or set http\.port/,
  },
  'a host of another machine': {
    config: (it) => config(it, { http: 'port: 0, host: 192.0.2.1' }),
    about: 'gateway',
    fact: /http\.host: 192\.0\.2\.1 is no address of this machine/,
    remedy: /127\.0\.0\.1/,
  },
  'open to everybody': {
    config: ({ bot }) =>
      `ntqq-impl: {external-web-socket: "${bot.url}"}\nhttp: {port: 0, host: 0.0.0.0, allow-anonymous: true}`,
    about: 'access',
    fact: /everybody who reaches 0\.0\.0\.0/,
    remedy: /http\.access-token/,
    state: 'warn',
  },
  'no implementation': {
    config: (it) => config(it, { url: 'ws://127.0.0.1:1/' }),
    about: IMPLEMENTATION,
    fact: /nobody listens there/,
    remedy: /start it, log it in/,
  },
  'a name that nobody knows': {
    config: (it) => config(it, { url: 'ws://no.such.invalid/' }),
    about: IMPLEMENTATION,
    fact: /the name no\.such\.invalid is not known/,
    remedy: /compare address and port/,
  },
  'a wrong token': {
    config: (it) => config(it, { token: 'wrong' }),
    about: IMPLEMENTATION,
    fact: /refuses our token/,
    remedy: /set ntqq-impl\.external-access-token/,
  },
  'a token refused once the link is open': {
    config: (it) => config(it, { url: it.picky.url }),
    about: IMPLEMENTATION,
    fact: /refuses our token/,
    remedy: /set ntqq-impl\.external-access-token/,
  },
  'a web page instead of an implementation': {
    config: (it) => config(it, { url: `ws://127.0.0.1:${it.taken}/webui` }),
    about: IMPLEMENTATION,
    fact: /is no WebSocket of an implementation: it answered 404/,
    remedy: /compare the path/,
  },
  'TLS where nobody speaks it': {
    config: (it) => config(it, { url: `wss://127.0.0.1:${it.taken}/` }),
    about: IMPLEMENTATION,
    fact: /^wss:\S+ cannot be reached by TLS: (?!dial)/,
    remedy: /^write ws:\/\/ .*tls\.ca/,
  },
  'a file in the place of the data folder': {
    config: (it) => config(it, { more: 'data-dir: config/config.yml' }),
    about: 'data',
    fact: /^data-dir: .*config\.yml is no folder/,
    remedy: /set data-dir/,
  },
  'ports that are all taken': {
    config: (it) =>
      config(it, { more: `web-socket: {range-port: {enabled: true, start: ${it.taken}, end: ${it.taken}}}` }),
    about: 'allotted ports',
    fact: /, 1 cannot be had: \d+$/,
    remedy: /web-socket\.range-port/,
  },
  'a client that is away': {
    config: (it) => config(it, { more: 'reverse-web-socket: [{name: koishi, url: "ws://127.0.0.1:1/onebot"}]' }),
    about: 'reverse-web-socket koishi',
    fact: /nobody listens there/,
    remedy: /start that program/,
    state: 'warn',
  },
  "a web hook of Satori's that is away": {
    config: (it) =>
      config(it, { more: 'satori: {enabled: true, webhooks: [{name: app, url: "http://127.0.0.1:1/"}]}' }),
    about: 'satori.webhooks app',
    fact: /nobody listens there/,
    remedy: /start that program/,
    state: 'warn',
  },
  'a program that is not there': {
    config: () => 'ntqq-impl: {mode: embedded, path: nowhere, external-web-socket: ""}\nhttp: {port: 0}',
    about: IMPLEMENTATION,
    fact: /ntqq-impl\.path: there is no nowhere/,
    remedy: /lagrange\.md/,
  },
}

for (const [what, { config, mode, about, fact, remedy, state = 'bad' }] of Object.entries(BROKEN))
  test(`[DOCT2] ${what}: doctor says so, and what to do about it`, async () => {
    await using it = await setUp()
    const { ok, wrong } = await examined(it, config?.(it), mode)
    expect(wrong).toContainEqual({
      about,
      state,
      fact: expect.stringMatching(fact),
      remedy: expect.stringMatching(remedy),
    })
    expect(ok).toBe(wrong.every((finding) => finding.state === 'warn'))
    expect(JSON.stringify(wrong)).not.toMatch(/right|wrong"/)
  })

test('[DOCT2] a clock before the program was made, or far ahead, is told', () => {
  expect(clock(Date.parse('2010-01-01'))).toMatchObject({ state: 'bad', remedy: expect.stringContaining('NTP') })
  expect(clock(Date.parse('2099-01-01'))).toMatchObject({ state: 'warn' })
  expect(clock(Date.parse('2027-01-01'))).toEqual({ about: 'clock', state: 'ok', fact: '2027-01-01T00:00:00.000Z' })
})

test('[DOCT3] a gateway that runs is asked, by doctor and by healthz; its port is no conflict', async () => {
  await using it = await setUp()
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo // it listens on a port
  free.close()
  await once(free, 'close')
  const text = config(it, { http: `port: ${port}` })
  await Bun.write(it.home.at('config', 'config.yml'), text)
  const healthz = () => program(['healthz'], { cwd: it.home.path }).ended
  expect(await healthz()).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^nobody answers at http:.*\n(?!.*not there).*perpetua doctor/),
  })

  await using running = program(['start'], { cwd: it.home.path })
  await running.says(/started/)
  expect(await healthz()).toEqual({ code: 0, stdout: `well: http://127.0.0.1:${port}\n`, stderr: '' })
  const { wrong, findings } = await examined(it, text)
  expect(wrong).toEqual([])
  expect(findings).toContainEqual({
    about: 'gateway',
    state: 'ok',
    fact: `it runs (process ${running.pid}) and answers at http://127.0.0.1:${port}`,
  })

  running.signal('SIGSTOP')
  const stuck = await examined(it, text)
  running.signal('SIGCONT')
  expect(stuck.wrong).toContainEqual(expect.objectContaining({ about: 'gateway', state: 'bad' }))
  await Bun.write(it.home.at('config', 'config.yml'), config(it, { http: `port: ${it.taken}` }))
  expect((await healthz()).stderr).toContain('answered 404')
})

test('[DOCT4] healthz asks /healthz where the gateway listens, and takes no other program for it', async () => {
  await using it = await setUp()
  const asked: string[] = []
  const page: [number, string] = [200, 'perpetua']
  const answers: Record<string, [number, string]> = { '/': page }
  const web = createServer(({ method, url = '', headers }, response) => {
    asked.push(`${method} ${url} ${headers.authorization ?? ''}`)
    const [status, text] = answers[url] ?? [404, 'nothing']
    response.writeHead(status).end(text)
  }).listen(0, '0.0.0.0')
  await once(web, 'listening')
  const { port } = web.address() as AddressInfo // it listens on a port
  // By the file every address; by the environment, as in a container, another port.
  const http = `host: 0.0.0.0, port: ${it.taken}, access-token: hush`
  await Bun.write(it.home.at('config', 'config.yml'), config(it, { http }))
  const env = { PERPETUA_HTTP_PORT: String(port) }
  const healthz = () => program(['healthz'], { cwd: it.home.path, env }).ended
  const at = `http://127.0.0.1:${port}`
  for (const [answer, wanted] of [
    [undefined, `${at}/healthz answered 404`],
    [[503, '{"service":"perpetua"}'], `${at}/healthz answered 503`],
    [[200, '{"status":"ok"}'], `something else than perpetua answers at ${at}/healthz`],
    [page, `something else than perpetua answers at ${at}/healthz`],
  ] as [[number, string] | undefined, string][]) {
    if (answer !== undefined) answers['/healthz'] = answer
    expect(await healthz()).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(`${wanted}\n`) })
  }
  answers['/healthz'] = [200, '{"status":"ok","service":"perpetua"}']
  expect(await healthz()).toEqual({ code: 0, stdout: `well: ${at}\n`, stderr: '' })
  // Nothing else, and no token where none is needed.
  expect(new Set(asked)).toEqual(new Set(['GET /healthz ']))
  web.close()
})
