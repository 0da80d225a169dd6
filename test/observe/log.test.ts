// What is logged, where it goes, and what never appears in it.

import { expect, test } from 'bun:test'
import { rm, symlink, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { configOf } from '../../src/config/schema.ts'
import { limit } from '../../src/observe/limit.ts'
import { line } from '../../src/observe/line.ts'
import { type Facts, LEVELS, openLog } from '../../src/observe/log.ts'
import { folder } from '../support/folder.ts'
import { lacks, linux } from '../support/system.ts'

const START = Date.parse('2026-11-23T20:00:00.000Z')

/** A log into a folder of its own, by a clock that the test turns. */
async function bench(settings: Parameters<typeof configOf>[0] = {}, tty = false) {
  const home = await folder()
  const seen = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof seen) => ({
    isTTY: tty,
    write(text: string) {
      seen[name] += text
    },
  })
  const clock = { now: START }
  const config = configOf({ ...settings, log: { dir: home.at('logs'), ...settings.log } }).log
  const open = () => openLog(config, { stdout: stream('stdout'), stderr: stream('stderr'), now: () => clock.now })
  const written = async () => {
    const files = await home.list('logs')
    return Promise.all(files.map((name) => home.read('logs', name)))
  }
  return { home, seen, clock, config, open, written, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() }
}

test('[LOG1] a line has time, level, fact and fields, on the console and in the file', async () => {
  await using it = await bench()
  const log = it.open()
  log.info('client came', { app_id: 'a-1', name: 'two words', port: 8080, gone: undefined })
  log.warn('slow', { error: new Error('outer', { cause: new Error('inner') }) })
  await log.close()
  const info = '2026-11-23T20:00:00.000Z info  client came app_id=a-1 name="two words" port=8080\n'
  const warn = '2026-11-23T20:00:00.000Z warn  slow error="outer: inner"\n'
  expect(await it.written()).toEqual([info + warn])
  expect(it.seen).toEqual({ stdout: info, stderr: warn })
})

test('[LOG2] less important levels are left out, and a new config changes that at once', async () => {
  await using it = await bench({ log: { level: 'warn' } })
  const log = it.open()
  for (const level of LEVELS) log[level](`first ${level}`)
  log.reconfigure({ ...it.config, level: 'trace' })
  expect(log.level).toBe('trace')
  for (const level of LEVELS) log[level](`second ${level}`)
  await log.close()
  const facts = (await it.written()).join('').match(/(first|second) \w+/g)
  expect(facts).toEqual(['first warn', 'first error', ...LEVELS.map((level) => `second ${level}`)])
})

test('[LOG3] a file is used again until it is older than log.aging', async () => {
  await using it = await bench({ log: { aging: '1h' } })
  const first = it.open()
  first.info('one')
  await first.close()
  it.clock.now += 3_599_000
  const second = it.open()
  second.info('two')
  it.clock.now += 1_000
  second.info('three')
  await second.close()
  expect(await it.home.list('logs')).toEqual(['perpetua-20261123-200000.log', 'perpetua-20261123-210000.log'])
  const [young, next] = await it.written()
  expect(young).toMatch(/one\n.*two\n$/)
  expect(next).toMatch(/^\S+ info {2}three\n$/)
})

test('[LOG4] log.force-new starts a file at every start, also within one second', async () => {
  await using it = await bench({ log: { 'force-new': true } })
  for (const fact of ['one', 'two', 'three']) {
    const log = it.open()
    log.info(fact)
    log.reconfigure({ ...it.config, aging: 1_000_000 })
    log.info(`${fact} again`)
    await log.close()
  }
  expect((await it.written()).map((text) => text.match(/\w+$/gm))).toHaveLength(3)
})

test('[LOG5] an unwritable folder is said once, and logging goes on', async () => {
  await using it = await bench()
  await writeFile(it.home.at('logs'), 'a file is in the way')
  const log = it.open()
  log.info('one')
  log.info('two')
  it.clock.now += 61_000
  log.info('three')
  await log.close()
  expect(it.seen.stdout.match(/\w+$/gm)).toEqual(['one', 'two', 'three'])
  expect(it.seen.stderr.match(/cannot be written/g)).toHaveLength(1)
})

test.skipIf(lacks(!linux, 'only Linux has a device that is always full'))(
  '[LOG5] a full disk is said once, and logging goes on',
  async () => {
    await using it = await bench()
    const before = it.open()
    before.info('one')
    await before.close()
    const [name = ''] = await it.home.list('logs')
    await using other = await bench({ log: { dir: it.home.at('full') } })
    await Bun.write(it.home.at('full', '.keep'), '')
    await symlink('/dev/full', it.home.at('full', name))
    const log = other.open()
    log.info('more')
    while (other.seen.stderr === '') await new Promise(setImmediate)
    for (let n = 0; n < 100; n++) log.info('more')
    await log.close()
    log.info('after the end')
    expect(other.seen.stdout.trim().split('\n')).toHaveLength(102)
    expect(other.seen.stderr).toMatch(/^\S+ warn {2}log file cannot be written: .*ENOSPC.*\n$/)
  },
)

test('[LOG5] once the file takes lines again it says how many it lacks', async () => {
  await using it = await bench()
  await writeFile(it.home.at('logs'), 'a file is in the way')
  const log = it.open()
  for (const fact of ['one', 'two', 'three']) log.info(fact)
  await rm(it.home.at('logs'))
  it.clock.now += 61_000
  log.info('four')
  while (!it.seen.stderr.includes('written again')) await new Promise(setImmediate)
  log.info('five')
  await log.close()
  const [name = ''] = await it.home.list('logs')
  const kept = (await it.home.read('logs', name)).trim().split('\n')
  expect(kept.map((line) => line.replace(/^\S+ \w+ +/, ''))).toEqual([
    'four',
    expect.stringMatching(/^log file is written again dir=\S+ missing=3$/),
    'five',
  ])
})

test('[LOG6] without a folder nothing is written', async () => {
  await using it = await bench({ log: { dir: '' } })
  const log = it.open()
  log.error('one')
  await log.close()
  expect(it.seen.stderr).toContain('one')
  expect(await it.home.list()).toEqual([])
})

test('[LOG7] colours are for terminals, when log.colorful says so', async () => {
  await using plain = await bench({ log: { colorful: false } }, true)
  const log = plain.open()
  log.info('plain')
  await log.close()
  await using pipe = await bench({ log: { colorful: true } }, false)
  const piped = pipe.open()
  piped.info('plain')
  await piped.close()
  expect(plain.seen.stdout + pipe.seen.stdout).not.toContain('\u001b')
})

test('[LOG8] secrets never appear: fields that hold one, and texts that contain one', () => {
  const text = line('dialled ws://h/?access_token=hush&x=1', {
    token: 'hush',
    'access-token': 'hush',
    accessToken: 'hush',
    Authorization: 'Bearer hush',
    secret: ['hush'],
    url: 'ws://user:hush@host/ws?access_token=hush',
    headers: { authorization: 'hush', nested: [{ access_token: 'hush' }] },
    error: new Error('refused', { cause: new Error('401 for ?access_token=hush') }),
    hook: 'https://host/hook?a=1&key=hush&token=hush#x',
    raw: '{"access_token":"hush"}',
    frame: '{"action":"login","params":{"token": "hush","password":"hush","secret":"hush"}}',
    bearer: 'Authorization: Bearer hush',
  })
  expect(text).not.toContain('hush')
  expect(text).toContain('x=1')
  expect(text).toContain('url=ws://user:***@host/ws?access_token=***')
  expect(line('none', { token: '' })).toBe('none token=""')
})

test('[LOG9] a line stays one line, whatever a peer sends', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.anything({ withBigInt: true }), (fact, value) => {
      expect(line(fact, { value })).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
    }),
  )
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  expect(line('fact', { loop })).toContain('(circular)')
  expect(line('fact', { frame: 'x'.repeat(1e6) }).length).toBeLessThan(3000)
  expect(line('fact', { client: '\u202egnp.1\u009b2J' })).toBe('fact client="\\u202egnp.1\\u009b2J"')
})

test('[LOG10] a repeated fact passes once in a while, with the number left out', () => {
  const lines: string[] = []
  const facts = Object.fromEntries(
    LEVELS.map((level) => [level, (fact: string, fields = {}) => lines.push(line(fact, fields))]),
  ) as unknown as Facts
  let now = 0
  const few = limit(facts, 10_000, () => now)
  for (let n = 0; n < 5; n++) few.warn('slow client', { n })
  few.warn('other', {})
  now = 10_000
  few.warn('slow client', { n: 9 })
  now = 20_000
  few.warn('slow client', {})
  expect(lines).toEqual(['slow client n=0', 'other', 'slow client n=9 suppressed=4', 'slow client'])
})
