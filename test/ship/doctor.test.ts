// perpetua doctor against set-ups that are broken in one way each, and perpetua healthz.

import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { chmod, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { stripVTControlCharacters } from 'node:util'
import { clock } from '../../src/cli/doctor-machine.ts'
import { bad, type Finding, findingText, fine } from '../../src/cli/finding.ts'
import { bringUpToDate } from '../../src/storage/schema.ts'
import { folder } from '../support/folder.ts'
import { type Action, Implementation } from '../support/implementation.ts'
import { ownPort } from '../support/port.ts'
import { program } from '../support/program.ts'

/** Says who it is and how it is, as implementations do. */
const answers =
  (online = true) =>
  ({ action, echo }: Action) =>
    JSON.stringify({
      status: 'ok',
      retcode: 0,
      data: action === 'get_status' ? { online, good: online } : { user_id: 10001, nickname: 'bot' },
      echo,
    })

/** The set-up is well until a test breaks it. */
async function setUp() {
  const home = await folder()
  const bot = new Implementation({ token: 'right', answer: answers() })
  // As NapCat and LLBot do it: the link opens first.
  const picky = new Implementation({ first: ['{"status":"failed","retcode":1403,"message":"wrong token"}'] })
  const secret = new Implementation({ tls: await certificates() })
  const chatty = new Implementation({ first: ['welcome to this chat'] })
  const web = createServer((_, response) => response.writeHead(404).end('a page')).listen(0, '127.0.0.1')
  await once(web, 'listening')
  return {
    home,
    bot,
    picky,
    secret,
    chatty,
    /** Of a web server that is nothing of ours. */
    taken: (web.address() as AddressInfo).port, // it listens on a port
    async [Symbol.asyncDispose]() {
      web.close()
      for (const each of [bot, picky, secret, chatty, home]) await each[Symbol.asyncDispose]()
    },
  }
}
type SetUp = Awaited<ReturnType<typeof setUp>>

async function certificates() {
  const text = (name: string) => readFile(join(import.meta.dir, '../fixtures/tls', name), 'utf8')
  return { cert: await text('cert.pem'), key: await text('key.pem') }
}

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
  /** What else is so. */
  arrange?: (it: SetUp) => unknown
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
  'a certificate that nobody vouches for': {
    config: (it) => config(it, { url: it.secret.url }),
    about: IMPLEMENTATION,
    fact: /cannot be reached by TLS: .*certificate/,
    remedy: /tls\.ca in an entry of upstreams$/,
  },
  'TLS where a plain link is tried': {
    config: (it) => config(it, { url: it.secret.url.replace('wss', 'ws') }),
    about: IMPLEMENTATION,
    fact: /is no WebSocket of an implementation/,
    remedy: /where it speaks TLS, write wss/,
  },
  'a certificate that nobody vouches for, by Milky': {
    config: (it) =>
      `ntqq-impl: {mode: milky, milky: {url: "${it.secret.url.replace('wss', 'https')}"}}\nhttp: {port: 0}`,
    about: IMPLEMENTATION,
    fact: /certificate/,
    remedy: /tls\.ca in an entry of upstreams$/,
  },
  'a WebSocket of another program': {
    config: (it) => config(it, { url: it.chatty.url }),
    about: IMPLEMENTATION,
    fact: /takes connections, but says nothing that OneBot says$/,
    remedy: /compare port and path/,
  },
  'an address for events alone': {
    config: (it) => config(it),
    arrange: (it) => {
      it.bot.answer = () => undefined
    },
    about: IMPLEMENTATION,
    fact: /takes connections, but answers no calls$/,
    remedy: /for events and calls alike$/,
  },
  'one that hangs up': {
    config: (it) => config(it, { url: it.chatty.url }),
    arrange: ({ chatty }) => {
      chatty.answer = () => void chatty.drop()
    },
    about: IMPLEMENTATION,
    fact: /hangs up at once$/,
    remedy: /^see its log; set ntqq-impl/,
  },
  'an account that is offline': {
    config: (it) => config(it),
    arrange: (it) => {
      it.bot.answer = answers(false)
    },
    about: IMPLEMENTATION,
    fact: /answers, but its account 10001 is offline$/,
    remedy: /log it in again/,
  },
  'another account than is meant': {
    config: ({ bot }) =>
      `upstreams: [{name: mine, url: "${bot.url}", access-token: right, self-id: 20002}]\nntqq-impl: {external-web-socket: ""}\nhttp: {port: 0}`,
    about: 'implementation mine',
    fact: /is logged in to 10001, and self-id says 20002$/,
    remedy: /correct self-id/,
  },
  'a clock that is not that of the implementation': {
    config: (it) => config(it),
    arrange: ({ bot }) => {
      const answer = answers()
      bot.answer = (frame) => {
        bot.send(
          JSON.stringify({ time: Math.floor(Date.now() / 1000) + 7_200, post_type: 'meta_event', self_id: 10001 }),
        )
        return answer(frame)
      }
    },
    about: 'clock',
    fact: /^this machine's is 2h behind that of ws:/,
    remedy: /NTP/,
    state: 'warn',
  },
  'a kept file that is damaged': {
    config: (it) => config(it),
    arrange: ({ home }) => Bun.write(home.at('data', 'bot.db'), 'nonsense'.repeat(1_000)),
    about: 'data',
    fact: /bot\.db cannot be used: .*not a database/,
    remedy: /nothing needs to be done/,
    state: 'warn',
  },
  'a kept file of a newer perpetua': {
    config: (it) => config(it),
    arrange: async ({ home }) => {
      await Bun.write(home.at('data', 'here'), '')
      const database = new DatabaseSync(home.at('data', 'bot.db'))
      database.exec('PRAGMA application_id = 0x70707461; PRAGMA user_version = 99; CREATE TABLE t (x)')
      database.close()
    },
    about: 'data',
    fact: /it is of version 99/,
    remedy: /run the newer perpetua again/,
    state: 'warn',
  },
  'a file that was damaged': {
    config: (it) => config(it),
    arrange: ({ home }) => Bun.write(home.at('data', 'bot.db.corrupt-2026-01-01T00-00-00-000Z'), ''),
    about: 'data',
    fact: /^a file was damaged and put aside: bot\.db\.corrupt/,
    remedy: /rm .*\*\.corrupt-\*/,
    state: 'warn',
  },
  'a program that nobody may download': {
    config: () => 'ntqq-impl: {mode: embedded, embedded: lagrange-milky}\nhttp: {port: 0}',
    about: IMPLEMENTATION,
    fact: /Lagrange\.Milky is not installed yet/,
    remedy: /ntqq-impl\.archive/,
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

for (const [what, { config, arrange, mode, about, fact, remedy, state = 'bad' }] of Object.entries(BROKEN))
  test(`[DOCT2] ${what}: doctor says so, and what to do about it`, async () => {
    await using it = await setUp()
    await arrange?.(it)
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

test.skipIf(process.getuid?.() === 0)('[DOCT2] files of another user are told, as after a run by root', async () => {
  await using it = await setUp()
  await Bun.write(it.home.at('data', 'bot.db'), '')
  await chmod(it.home.at('data', 'bot.db'), 0o400)
  expect((await examined(it, config(it))).wrong).toContainEqual({
    about: 'data',
    state: 'bad',
    fact: expect.stringMatching(/^bot\.db in .* cannot be read and written by this user/),
    remedy: expect.stringMatching(/^sudo chown -R \S+ \/.*data$/),
  })
})

test('[DOCT5] a finding fits into the terminal, and is one line where nobody looks', async () => {
  const finding = bad('gateway', 'some words after other words', 'do this and also that, please')
  expect(stripVTControlCharacters(findingText(finding, 30))).toBe(
    'bad   gateway: some words\n      after other words\n      -> do this and also\n         that, please',
  )
  expect(stripVTControlCharacters(findingText(finding))).toBe(
    'bad   gateway: some words after other words\n      -> do this and also that, please',
  )
  // What is to be copied stays whole.
  const long = `/${'x'.repeat(40)}`
  expect(stripVTControlCharacters(findingText(fine('data', long), 30))).toBe(`ok    data:\n      ${long}`)
})

test('[DOCT6] a gateway that runs as another version than this program is told', async () => {
  await using it = await setUp()
  // What a gateway of ours says, as one of another version.
  const own = ownPort()
  await Bun.write(it.home.at('config', 'config.yml'), config(it, { http: `port: ${own}` }))
  await using running = program(['start'], { cwd: it.home.path })
  await running.says(/started/)
  const Authorization = `Bearer ${(await it.home.read('data', 'admin-token')).trim()}`
  const status = await fetch(`http://127.0.0.1:${own}/api/status`, { headers: { Authorization } })
  const told = { ...((await status.json()) as object), version: '0.0.1 (abcdef0)' } // of ours
  running.signal('SIGTERM')
  await running.ended
  const stub = createServer(({ url, headers }, response) => {
    const said = url === '/healthz' ? { service: 'perpetua' } : told
    response.writeHead(url === '/healthz' || headers.authorization === 'Bearer hush' ? 200 : 401)
    response.end(JSON.stringify(said))
  }).listen(0, '127.0.0.1')
  await once(stub, 'listening')
  const { port } = stub.address() as AddressInfo // it listens on a port
  await Bun.write(it.home.at('data', 'perpetua.lock'), JSON.stringify({ pid: process.pid }))
  await Bun.write(it.home.at('data', 'admin-token'), 'hush\n')
  const { ok, wrong } = await examined(it, config(it, { http: `port: ${port}` }))
  stub.close()
  expect({ ok, wrong }).toEqual({
    ok: true,
    wrong: [
      {
        about: 'gateway',
        state: 'warn',
        fact: expect.stringMatching(/^it runs as 0\.0\.1 \(abcdef0\), this program is \d/),
        remedy: 'restart it',
      },
    ],
  })
})

test('[DOCT8] an implementation that the running gateway has is not dialled, and the gateway says how it is', async () => {
  await using it = await setUp()
  const port = ownPort()
  const text = config(it, { http: `port: ${port}` })
  await Bun.write(it.home.at('config', 'config.yml'), text)
  await using running = program(['start'], { cwd: it.home.path })
  await running.says(/bot online/)
  const dialled = it.bot.handshakes.left.length
  const { wrong, findings } = await examined(it, text)
  expect(wrong).toEqual([])
  expect(findings).toContainEqual({
    about: IMPLEMENTATION,
    state: 'ok',
    fact: `${it.bot.url} is connected to the gateway, for 10001`,
  })
  expect(it.bot.handshakes.left.length).toBe(dialled)
})

test('[DOCT7] a gateway that was killed while its log went into the file left nothing that is damaged', async () => {
  await using it = await setUp()
  const file = it.home.at('data', 'bot.db')
  await Bun.write(it.home.at('data', 'admin-token'), 'hush\n')
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0')
  bringUpToDate(database)
  const fill = (from: number, size: number) =>
    database.exec(`WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + 1_000})
      INSERT OR REPLACE INTO events SELECT i, x'', x'', NULL, zeroblob(${size}), 0 FROM n`)
  fill(0, 3_000)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.exec('DELETE FROM events WHERE first % 3 = 0')
  fill(1_000, 9_000)
  const [before, log] = [await readFile(file), await readFile(`${file}-wal`)]
  database.exec('PRAGMA wal_checkpoint(PASSIVE)')
  const after = await readFile(file)
  database.close()
  // Every other page has arrived.
  for (let at = 4_096; at < before.length; at += 8_192) before.copy(after, at, at, at + 4_096)
  await Bun.write(file, after)
  expect((await examined(it, config(it))).wrong).toEqual([
    expect.objectContaining({ about: 'data', fact: expect.stringContaining('cannot be used') }),
  ])

  await Bun.write(`${file}-wal`, log)
  expect((await examined(it, config(it))).wrong).toEqual([])
  expect(await it.home.list('data')).toEqual(['admin-token', 'bot.db', 'bot.db-wal'])
  expect([await readFile(file), await readFile(`${file}-wal`)]).toEqual([after, log])
  // One of another machine may be in the midst of it.
  await rm(`${file}-wal`)
  await Bun.write(it.home.at('data', 'perpetua.lock'), JSON.stringify({ pid: 1, start: '0', host: 'another' }))
  expect((await examined(it, config(it))).wrong).toEqual([])
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
