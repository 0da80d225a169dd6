// The commands that talk to a running gateway.

import { expect, spyOn, test } from 'bun:test'
import { join } from 'node:path'
import { findingText } from '../../src/cli/finding.ts'
import { say } from '../../src/cli/say.ts'
import { table } from '../../src/cli/table.ts'
import { Client } from '../support/client.ts'
import { type Folder, folder } from '../support/folder.ts'
import { groupMessage, Implementation, ok } from '../support/implementation.ts'
import { ownPort } from '../support/port.ts'
import { program } from '../support/program.ts'

const TLS = join(import.meta.dir, '../fixtures/tls')

/** A gateway as a program, on a port of its own that the config names. */
async function running(more: object = {}) {
  const stack = new AsyncDisposableStack()
  const home = stack.use(await folder())
  const answer = (frame: { action: string; echo?: unknown }) =>
    frame.action === 'send_msg'
      ? JSON.stringify({ status: 'failed', retcode: 100, data: null, message: 'no such group', echo: frame.echo })
      : ok(frame, frame.action === 'get_msg' ? { id: 1 } : { app_name: 'NapCat', app_version: '4.1' })
  const bot = stack.use(new Implementation({ answer }))
  // The commands read it in the config.
  const port = ownPort()
  const config = {
    log: { dir: '', level: 'info' },
    'ntqq-impl': { 'external-web-socket': bot.url },
    ...more,
    http: { port, ...('http' in more ? (more.http as object) : {}) },
  }
  await Bun.write(home.at('config/config.yml'), JSON.stringify(config))
  const gateway = stack.use(program(['start'], { cwd: home.path }))
  await gateway.says(/bot online/)
  return { home, bot, gateway, port, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const perpetua = (home: Folder, ...words: string[]) => program(words, { cwd: home.path }).ended

test('[CTL1] status and clients find the gateway and its kept token by the config, and show who is there', async () => {
  await using bed = await running()
  await using _alice = await Client.connect(`ws://127.0.0.1:${bed.port}/?client_name=alice`)
  const status = await perpetua(bed.home, 'status')
  expect(status).toMatchObject({ code: 0, stderr: '' })
  expect(status.stdout).toMatch(/^perpetua \S+, up \d+ s, [\d.]+ MiB of memory, 1 links\n/)
  expect(status.stdout).toMatch(/\nBOT +STATE +IMPLEMENTATION +HEARTBEAT .*\n10001 +online \d+ s +NapCat 4\.1 +- +1 /)
  const clients = await perpetua(bed.home, 'clients')
  expect(clients.stdout).toMatch(/^CLIENT +TRANSPORT +STATE .*\nalice +forward +live +127\.0\.0\.1 +- /)
  const json = JSON.parse((await perpetua(bed.home, 'clients', '--json')).stdout)
  expect(json).toMatchObject([{ client_name: 'alice', state: 'live' }])
  expect(JSON.parse((await perpetua(bed.home, 'status', '--json')).stdout)).toMatchObject({ bots: [{ online: true }] })
})

test('[CTL1] what is wrong with a bot that is online is noted: an open circuit, an implementation that is not there', async () => {
  await using bed = await running({
    actions: { timeout: '100ms' },
    breaker: { failures: 1, 'cool-down': '1h' },
    upstreams: [
      { name: 'away', url: 'ws://127.0.0.1:1/', 'self-id': 5 },
      { name: 'gone', url: 'ws://127.0.0.1:2/', 'self-id': 5 },
    ],
  })
  expect((await perpetua(bed.home, 'status')).stdout).not.toContain('"send"')
  bed.bot.answer = ({ action }) => (action === 'send_msg' ? undefined : '')
  await using alice = await Client.connect(`ws://127.0.0.1:${bed.port}/`)
  expect(await alice.call('send_msg', {})).toMatchObject({ retcode: 1504 })
  const { stdout } = await perpetua(bed.home, 'status')
  expect(stdout).toMatch(/\nNOTE 10001, "send" actions keep failing: refused for (?:59 min|1 h 0 min) more\n/)
  expect(stdout.match(/^NOTE \S+, one of its implementations: not connected.*$/gm)).toHaveLength(2)
})

test('[CTL1] a client that is to be dialled and is not connected is noted, with why', async () => {
  await using deaf = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(null, { status: 403 }) })
  await using bed = await running({
    'reverse-web-socket': [
      { name: 'nonebot', url: `ws://127.0.0.1:${deaf.port}/` },
      { name: 'other', url: 'ws://127.0.0.1:1/', 'self-id': 5 },
    ],
  })
  const refused = /^NOTE reverse-web-socket nonebot: not connected: the peer answered 403$/m
  let stdout = ''
  while (!refused.test(stdout)) stdout = (await perpetua(bed.home, 'status')).stdout
  expect(stdout).toContain('\nNOTE reverse-web-socket other: dialled as soon as the account is known\n')
})

test('[CTL2] kick disconnects a client; one that is not here is a failure that says so', async () => {
  await using bed = await running()
  await using alice = await Client.connect(`ws://127.0.0.1:${bed.port}/?client_name=alice`)
  expect(await perpetua(bed.home, 'kick', 'alice')).toMatchObject({ code: 0, stdout: 'Disconnected alice.\n' })
  expect((await alice.closed).code).toBe(4012)
  expect(await perpetua(bed.home, 'kick', 'alice')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'perpetua: the gateway refuses (HTTP 404): no client "alice" is here, by name or by app_id\n',
  })
  expect(await perpetua(bed.home, 'kick')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('wanted <client>'),
  })
})

test('[CTL3] call takes params as key=value or as JSON, and fails where the action fails', async () => {
  await using bed = await running()
  const call = async (...words: string[]) => {
    const { code, stdout } = await perpetua(bed.home, 'call', ...words)
    return { code, reply: stdout === '' ? undefined : JSON.parse(stdout) }
  }
  expect(await call('get_msg', 'message_id=5')).toEqual({
    code: 0,
    reply: { status: 'ok', retcode: 0, data: { id: 1 } },
  })
  expect((await call('get_msg', '{"message_id": 5}', '--json')).code).toBe(0)
  expect((await call('ack_event', 'seq=x')).reply).toMatchObject({ status: 'failed' })
  expect((await call('ack_event', 'seq=x')).code).toBe(1)
  expect((await call('get_msg', 'nonsense')).code).toBe(2)
  expect((await call('get_msg', '{"a":')).code).toBe(2)
  expect((await call('get_msg', '--bot', '777')).code).toBe(1)
})

test('[CTL4] tail shows what happens line by line, without what somebody wrote unless asked', async () => {
  await using bed = await running()
  await using plain = program(['tail', '--kinds', 'event'], { cwd: bed.home.path })
  await using json = program(['tail', '--kinds', 'event', '--texts', '--json'], { cwd: bed.home.path })
  const said = (text: string) => bed.bot.send(groupMessage(text))
  // Until both listen.
  const saying = setInterval(() => said('hello \u001b[31m'), 50)
  await plain.says(
    /\d\d:\d\d:\d\d event {2}ntqq-impl message\.group\.normal group=123456789 user=2854196310 .*\(11 characters\)\n/,
  )
  await json.says(/"kind":"event",.*"raw_message":"hello/)
  clearInterval(saying)
  expect(plain.output).not.toContain('hello')
  await bed.gateway[Symbol.asyncDispose]()
  expect(await plain.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('the gateway ended the stream') })
})

test('[CTL5] a gateway that is not there, another token, another program: each is said with what to do', async () => {
  await using home = await folder()
  await Bun.write(home.at('c.yml'), 'http: {port: 1}\nadmin: {token: x}')
  await Bun.write(home.at('any.yml'), 'http: {port: 0}\nadmin: {token: x}')
  await Bun.write(home.at('none.yml'), 'http: {port: 1}')
  const complaint = async (...words: string[]) => {
    const { code, stderr } = await perpetua(home, 'status', ...words)
    expect(code).toBe(1)
    return stderr
  }
  expect(await complaint('--config', 'c.yml')).toContain('no gateway answers at http://127.0.0.1:1: is it running?')
  expect(await complaint('--config', 'any.yml')).toContain('http.port is 0')
  expect(await complaint('--config', 'none.yml')).toContain('no admin token: data/admin-token cannot be read')
  expect(await complaint('--config', 'gone.yml')).toContain('no such file')
  await using bed = await running({ admin: { token: 'right' } })
  const there = ['--url', `http://127.0.0.1:${bed.port}`]
  expect(await complaint(...there, '--token', 'wrong')).toContain('HTTP 403')
  expect(await perpetua(home, 'clients', ...there, '--token', 'right')).toMatchObject({
    stdout: 'Nobody is connected.\n',
  })
  await using other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('<html>') })
  expect(await complaint('--url', `http://127.0.0.1:${other.port}`, '--token', 'x')).toContain(
    'this is no gateway of ours',
  )
})

test('[CTL6] over TLS the certificate must be the one of the config, whatever name it is for', async () => {
  await using bed = await running({ http: { tls: { cert: join(TLS, 'cert.pem'), key: join(TLS, 'key.pem') } } })
  expect(await perpetua(bed.home, 'clients')).toMatchObject({ code: 0, stdout: 'Nobody is connected.\n' })
  const config = JSON.parse(await bed.home.read('config', 'config.yml'))
  config.http.tls = { cert: join(TLS, 'renewed-cert.pem'), key: join(TLS, 'renewed-key.pem') }
  await Bun.write(bed.home.at('other.yml'), JSON.stringify(config))
  const other = await perpetua(bed.home, 'clients', '--config', 'other.yml')
  expect(other).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('shows another certificate than http.tls.cert'),
  })
})

test('[CTL7] columns line up for Chinese names as well, and names cannot steer the terminal', () => {
  const lines = table(
    ['name', 'n'],
    [
      ['小佩', '1'],
      ['abcd', '2'],
      ['\u001b[2J', ''],
      ['x'.repeat(99), '3'],
    ],
  ).split('\n')
  expect(lines[1]).toBe(`小佩${' '.repeat(46)}1`)
  expect(lines[2]).toBe(`abcd${' '.repeat(46)}2`)
  expect(lines[3]).not.toContain('\u001b')
  expect(lines[4]).toBe(`${'x'.repeat(45)}...  3`)
})

test('[CTL7] what others say cannot steer the terminal, and JSON stays what it means', () => {
  const hostile = 'a\u001b]0;b\u0007\u009b2J\u202ec\u007f\r'
  const said = (text: string, tty: boolean) => {
    const { isTTY } = process.stdout
    const written: string[] = []
    const write = spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
    process.stdout.isTTY = tty
    try {
      say(text)
      return written.join('')
    } finally {
      process.stdout.isTTY = isTTY
      write.mockRestore()
    }
  }
  for (const tty of [false, true]) {
    expect(said(hostile, tty)).toBe('a\\u001b]0;b\\u0007\\u009b2J\\u202ec\\u007f\\r\n')
    expect(JSON.parse(said(JSON.stringify({ hostile }, null, 2), tty))).toEqual({ hostile })
  }
  expect([said('\u001b[31mbad\u001b[39m\tx\ny', false), said('\u001b[31mbad', true)]).toEqual([
    'bad\tx\ny\n',
    '\u001b[31mbad\n',
  ])
  const finding = findingText({ about: 'x', state: 'bad', fact: 'a\nok    all: fine', remedy: '\u001b[8mhide' })
  expect(finding.split('\n')).toHaveLength(2)
  expect(finding).not.toContain('\u001b[8m')
})

test('[CTL8] calls lists what waits and what failed, one of them or both, without what somebody wrote', async () => {
  await using bed = await running()
  const calls = async (...words: string[]) => {
    const { code, stdout, stderr } = await perpetua(bed.home, 'calls', ...words)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
  }
  expect(await calls()).toBe('No call waits.\nNo failed call is kept.\n')
  await using alice = await Client.connect(`ws://127.0.0.1:${bed.port}/?client_name=小明`)
  await alice.call('send_msg', { message: 'private words \u001b[31m' })
  const failed = await calls()
  expect(failed).toMatch(
    /^No call waits\.\n1 failed, newest first:\nID +CLIENT +ACTION .*\n[0-9a-f]{8}-1 +小明 +send_msg /,
  )
  expect(failed).toMatch(/ 100 +failed +- +no such group +\{"message":"\(\d+ characters\)"\}\n$/)
  await bed.bot[Symbol.asyncDispose]()
  await bed.gateway.says(/implementation lost/)
  alice.send({ action: 'get_msg', params: { message_id: 1 }, echo: 1 })
  while (!(await calls('--held')).startsWith('1 of 1 that wait')) await Bun.sleep(50)
  const held = await calls('--held')
  expect(held).toMatch(
    /^1 of 1 that wait:\nID .*\n[0-9a-f]{8}\.\w+ +小明 +get_msg +the implementation +\d+ s +- +\d+ s /,
  )
  expect(held).not.toContain('failed')
  const json = JSON.parse(await calls('--failed', '--texts', '--json'))
  expect(json).toMatchObject({ waiting: 1, held: [], failed: [{ params: { message: 'private words \u001b[31m' } }] })
  expect(await calls('--failed', '--client', 'bob')).toBe('No failed call is kept.\n')
})

test('[CTL9] retry sends a call again and fails where it fails; what may happen twice wants --twice; drop gives up', async () => {
  await using bed = await running({ actions: { timeouts: { set_group_card: '100ms' } } })
  await using alice = await Client.connect(`ws://127.0.0.1:${bed.port}/?client_name=alice`)
  await alice.call('send_msg', { message: 'x' })
  const first = async () => JSON.parse((await perpetua(bed.home, 'calls', '--json')).stdout).failed[0]?.id ?? ''
  const id = await first()
  const refused = await perpetua(bed.home, 'retry', id)
  expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([1, { retcode: 100 }])
  const { answer } = bed.bot
  bed.bot.answer = undefined
  await alice.call('set_group_card', { group_id: 1 })
  bed.bot.answer = (frame) => ok(frame, { done: true })
  const twice = await first()
  expect(await perpetua(bed.home, 'retry', twice)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('it may have been carried out, and would be twice'),
  })
  const worked = await perpetua(bed.home, 'retry', twice, '--twice', '--json')
  expect(worked).toMatchObject({ code: 0, stdout: '{"status":"ok","retcode":0,"data":{"done":true}}\n' })
  bed.bot.answer = answer
  expect(await perpetua(bed.home, 'drop', id)).toMatchObject({ code: 0, stdout: `Dropped ${id}.\n` })
  expect((await perpetua(bed.home, 'drop', id)).stderr).toContain('HTTP 404')
  expect(await perpetua(bed.home, 'retry')).toMatchObject({ code: 2, stderr: expect.stringContaining('wanted <id>') })
})
