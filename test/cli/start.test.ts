// What surrounds a gateway: first start, lock, signals, reload, failures.

import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { template } from '../../src/config/template.ts'
import { type Folder, folder } from '../support/folder.ts'
import { program } from '../support/program.ts'
import { lacks, linux } from '../support/system.ts'

const ENTRY = 'test/cli/main.ts'
const start = (home: Folder, env: Record<string, string> = {}, ...words: string[]) =>
  program(words, { cwd: home.path, env: { PERPETUA_HTTP_PORT: '0', ...env }, entry: ENTRY })

async function home(config?: string) {
  const made = await folder()
  if (config !== undefined) await Bun.write(made.at('config', 'config.yml'), config)
  return made
}

test('[CLI6] without a config the commented default is written, and the gateway runs with it', async () => {
  await using at = await home()
  await using it = start(at)
  await it.says(/Wrote config\/config\.yml with the defaults/)
  await it.says(/started address=http:\/\/127\.0\.0\.1:\d+ version=\S+ config=config\/config\.yml/)
  expect(await at.read('config', 'config.yml')).toBe(template())
})

test('[CLI6] where no config can be written, the gateway runs with the defaults in memory', async () => {
  await using at = await home()
  await Bun.write(at.at('config'), 'a file is in the way')
  await Bun.write(at.at('data'), 'here, too')
  await Bun.write(at.at('logs'), 'and here')
  await using it = start(at)
  await it.says(/Config not written: [\s\S]*Going on without a file/)
  await it.says(/data folder cannot be written/)
  await it.says(/started/)
  it.signal('SIGTERM')
  expect((await it.ended).code).toBe(0)
})

test('[CLI7] an invalid config starts nothing: every problem, exit 1', async () => {
  await using at = await home('http: {prot: 1}\nlog: {level: loud}\n')
  const { code, stdout, stderr } = await start(at).ended
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr.match(/^config\/config\.yml:\d/gm)).toHaveLength(2)
  expect(await at.list()).toEqual(['config'])
})

test('[CLI8] the first signal ends the gateway in order, with exit 0', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await using at = await home('')
    await using it = start(at)
    await it.says(/started/)
    expect(await at.list('data')).toEqual(['perpetua.lock'])
    it.signal(signal)
    const { code, stdout } = await it.ended
    expect(code).toBe(0)
    expect(stdout).toMatch(/info {2}stopped\n$/)
    expect(await at.list('data')).toEqual([])
    const [log = ''] = await at.list('logs')
    expect(await at.read('logs', log)).toMatch(/ info {2}stopped\n$/)
  }
})

// Meanwhile the others.
test.concurrent('[CLI9] a second signal ends it at once, with exit 1', async () => {
  await using at = await home('')
  await using it = start(at, { FAKE_STOP: '60000' })
  await it.says(/started/)
  it.signal('SIGINT')
  await it.says(/stopping/)
  it.signal('SIGINT')
  const { code, stderr } = await it.ended
  // And not because its patience was over.
  expect([code, stderr]).toEqual([1, ''])
})

test.concurrent('[CLI10] what does not stop within 10 seconds is cut off, with exit 1', async () => {
  await using at = await home('')
  await using it = start(at, { FAKE_STOP: '60000' })
  await it.says(/started/)
  const before = performance.now()
  it.signal('SIGTERM')
  const { code, stderr } = await it.ended
  expect(code).toBe(1)
  expect(stderr).toContain('cut off')
  // And not because it was done.
  expect(performance.now() - before).toBeLessThan(55_000)
})

test.concurrent('[CLI11] SIGHUP and a changed file apply the config; a wrong one is told and changes nothing', async () => {
  await using at = await home('http: {port: 0, access-token: hush}')
  await using it = start(at, { PERPETUA_HTTP_PORT: '' }, '--config', at.at('config', 'config.yml'))
  const write = (text: string) => Bun.write(at.at('config', 'config.yml'), text)
  await it.says(/started/)
  await write('http: {port: 9001, access-token: hush}')
  it.signal('SIGHUP')
  await it.says(/applied port=9001 token=\*\*\*/)
  await write('http: {port: x}')
  await it.says(/http\.port: found "x"[\s\S]*config not applied: going on with the one before/)
  await write('http: {port: 9003}\ndata-dir: other')
  await it.says(/takes effect at the next start keys=data-dir[\s\S]*applied port=9003/)
})

test('[CLI12] a port in use: exit 3, naming http.port and its value', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  await using at = await home('')
  const { code, stderr } = await start(at, { PERPETUA_HTTP_PORT: String(port) }).ended
  taken.close()
  expect(code).toBe(3)
  expect(stderr).toContain(`http.port: ${port} is in use on 127.0.0.1`)
  expect(await at.list('data')).toEqual([])
})

test('[CLI12] a host that is not ours: exit 1, naming http.host', async () => {
  await using at = await home('http: {host: 192.0.2.1, access-token: a}')
  const { code, stderr } = await start(at).ended
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('http.host: 192.0.2.1 is no address of this machine'),
  })
})

test.skipIf(lacks(!linux, 'only Linux tells how many files may be open'))(
  '[CLI25] a low limit of open files is told at the start',
  async () => {
    await using at = await home('http: {port: 0}\nlog: {dir: ""}')
    const run = (limit: string) => {
      const command = `ulimit -n ${limit} && exec '${process.execPath}' '${process.cwd()}/${ENTRY}'`
      return Bun.spawn(['sh', '-c', command], { cwd: at.path, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
    }
    for (const [limit, told] of [
      ['512', true],
      ['2048', false],
    ] as const) {
      const child = run(limit)
      let stdout = ''
      for await (const bytes of child.stdout) {
        const before = stdout.includes('started')
        stdout += new TextDecoder().decode(bytes)
        if (!before && stdout.includes('started')) child.kill('SIGTERM')
      }
      const stderr = await new Response(child.stderr).text()
      expect(stderr.includes('few clients can connect')).toBe(told)
      expect(await child.exited).toBe(0)
    }
  },
)

test('[CLI13] a data folder in use: exit 4, naming the process; another folder is fine', async () => {
  await using at = await home('')
  await using first = start(at)
  await first.says(/started/)
  const { code, stderr } = await start(at).ended
  expect(code).toBe(4)
  expect(stderr).toContain(`data is in use by a running gateway (process ${first.pid} on `)
  await using other = start(at, { PERPETUA_DATA_DIR: 'other' })
  await other.says(/started/)
})

test('[CLI14] what a killed gateway left behind is taken over', async () => {
  await using at = await home('')
  {
    await using first = start(at)
    await first.says(/started/)
    first.signal('SIGKILL')
    await first.ended
    expect(await at.list('data')).toEqual(['perpetua.lock'])
  }
  const leftovers = [
    await at.read('data', 'perpetua.lock'),
    '',
    'not json',
    '{"pid":"x"}',
    // Its pid went to somebody else.
    JSON.stringify({ pid: process.pid, start: '1', host: 'h', since: '' }),
  ]
  // Only Linux tells one owner of a pid from the next.
  if (process.platform !== 'linux') leftovers.pop()
  for (const text of leftovers) {
    await Bun.write(at.at('data', 'perpetua.lock'), text)
    await using next = start(at)
    await next.says(/started/)
    next.signal('SIGTERM')
    expect((await next.ended).code).toBe(0)
  }
})

test('[CLI15] a bug ends the program with exit 1 and a line in the log', async () => {
  await using at = await home('')
  const { code } = await start(at, { FAKE_CRASH: '1' }).ended
  expect(code).toBe(1)
  const [log = ''] = await at.list('logs')
  expect(await at.read('logs', log)).toMatch(/error unexpected error error="a bug" stack=/)
})

test('[CLI24] a start tells where the dashboard is and where its token lies; the token itself only on a terminal', async () => {
  for (const terminal of [false, true]) {
    await using at = await home('ntqq-impl: {mode: reverse}\nhttp: {host: 0.0.0.0, access-token: t}\n')
    await using it = program([], { cwd: at.path, env: { PERPETUA_HTTP_PORT: '0' }, terminal })
    const [, page = ''] = await it.says(/dashboard address=(\S+) token-file=data\/admin-token/)
    // Everywhere is no place that a browser can go to.
    expect(page).toStartWith('http://127.0.0.1:')
    const token = (await at.read('data', 'admin-token')).trim()
    if (terminal) await it.says(new RegExp(`Dashboard / \\S+ ${page}#token=${token}`))
    const headers = { Authorization: `Bearer ${token}` }
    const status = `${page}api/status`
    expect([(await fetch(status)).status, (await fetch(status, { headers })).status]).toEqual([401, 200])
    it.signal('SIGTERM')
    const { code, stdout, stderr } = await it.ended
    expect([code, `${stdout}${stderr}`.includes(token)]).toEqual([0, terminal])
    const [name = ''] = await at.list('logs')
    expect(await at.read('logs', name)).not.toContain(token)
  }
})
