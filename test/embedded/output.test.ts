// What Lagrange prints, and what it means.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { OutputFact } from '../../src/embedded/kind.ts'
import { lagrangeReader } from '../../src/embedded/output.ts'

const facts = (lines: readonly string[], read = lagrangeReader()) => lines.flatMap((line) => read(line))
const meaning = (lines: readonly string[], read = lagrangeReader()) =>
  facts(lines, read).filter(({ kind }) => kind !== 'level')

const BOT = 'info: Lagrange.Core.BotContext[0]'
const core = (text: string, level = 'INFORMATION') =>
  `      [2026-04-14 23:13:18] [WtExchangeLogic] [${level}]: ${text}`

/** As Lagrange draws a code of `size` cells: a light border, two rows of cells in a row of text. */
function code(size: number, dark: (x: number, y: number) => boolean, chars = '▀▄█ '): string[] {
  const [upper = '', lower = '', full = '', none = ''] = chars
  const isDark = (x: number, y: number) => x >= 0 && y >= 0 && x < size && y < size && dark(x, y)
  const rows: string[] = []
  for (let y = -1; y <= size; y += 2) {
    let row = ''
    for (let x = -1; x <= size; x++) {
      const below = isDark(x, y + 1) || y + 1 > size
      row += isDark(x, y) ? (below ? none : lower) : below ? upper : full
    }
    rows.push(row)
  }
  return rows
}

const corner = (x: number, y: number) => (x * 7 + y * 5 + ((x * y) % 3)) % 4 < 2

test('[LGR7] a QR code is recognised whole, in blocks or in plain characters', () => {
  for (const size of [21, 25, 33, 57, 177]) {
    const rows = code(size, corner)
    expect(facts(rows)).toEqual([{ kind: 'qr', text: rows }])
    expect(facts(code(size, corner, '^.@ '))).toEqual([{ kind: 'qr', text: rows }])
    expect(facts(rows.map((row) => `\x1b[37m${row}\x1b[0m\r`))).toEqual([{ kind: 'qr', text: rows }])
  }
})

test('[LGR7] lines of the log in its midst do not spoil it, and another code follows the first', () => {
  const rows = code(33, corner)
  const mixed = [...rows.slice(0, 3), BOT, core('QrCode Fetched, Expiration: 120 seconds'), ...rows.slice(3)]
  expect(meaning([...mixed, ...rows])).toEqual([
    { kind: 'qr', text: rows },
    { kind: 'qr', text: rows },
  ])
  expect(facts(mixed)).toContainEqual({
    kind: 'level',
    level: 'info',
    text: '[WtExchangeLogic] QrCode Fetched, Expiration: 120 seconds',
  })
  const slow = rows.flatMap((row) => [row, 'a line'])
  expect(meaning(slow)).toEqual([{ kind: 'qr', text: rows }])
  const late = Array.from({ length: 40 }, () => 'a line')
  expect(meaning([...rows.slice(0, 3), ...late, ...rows])).toEqual([{ kind: 'qr', text: rows }])
})

test('[LGR7] a code that could not be made out is told by the waiting for its scan', () => {
  const waiting = [BOT, core('QrCode State Queried: WaitingForScan Uin: 0')]
  expect(meaning([...waiting, ...waiting])).toEqual([{ kind: 'qr', text: [] }])
  expect(meaning([...code(33, corner), ...waiting])).toHaveLength(1)
})

test('[LGR8] every line outside a code has its level and its text, without colours', () => {
  const level = (line: string, read = lagrangeReader()) => read(line)[0]
  const of = (level: string, text: string): OutputFact => ({ kind: 'level', level, text }) as OutputFact // as in the table
  const words = { trce: 'trace', dbug: 'debug', info: 'info', warn: 'warn', fail: 'error', crit: 'error' }
  for (const [word, wanted] of Object.entries(words)) {
    const read = lagrangeReader()
    expect(level(`${word}: Lagrange.OneBot.Utility.MusicSigner[0]`, read)).toEqual(of(wanted, ''))
    expect(level('      MusicSignServer is not available', read)).toEqual(
      of(wanted, 'MusicSignServer is not available'),
    )
    expect(level('      and so on', read)).toEqual(of(wanted, 'and so on'))
    expect(level('Version: abc', read)).toEqual(of('info', 'Version: abc'))
  }
  expect(level('\x1b[40m\x1b[1m\x1b[33mwarn\x1b[39m\x1b[22m\x1b[49m: Some.Thing[14]')).toEqual(of('warn', ''))
  expect(level('2026-04-14 23:13:18 fail: Some.Thing[14] all on one line')).toEqual(of('error', 'all on one line'))
  expect(level('info: no category')).toEqual(of('info', 'no category'))
  expect(level('information: something')).toEqual(of('info', 'information: something'))
  expect(level('')).toEqual(of('info', ''))
  const read = lagrangeReader()
  expect(level('Unhandled exception. System.Exception: no', read)).toMatchObject({ level: 'error' })
  expect(level('   at Lagrange.OneBot.Program.Main(String[] args)', read)).toMatchObject({ level: 'error' })
})

test('[LGR9] a login is told with its account', () => {
  const lines = [
    BOT,
    core('Session has not expired, using session to login and register status'),
    'info: Lagrange.OneBot.Core.Login.LoginService[0]',
    '      Bot Uin: 1234567890',
  ]
  expect(meaning(lines)).toEqual([{ kind: 'logged-in', account: '1234567890' }])
})

test('[LGR9] an expired or a refused code is told, and then why the login failed, once', () => {
  const end = [
    'fail: Microsoft.Extensions.Hosting.Internal.Host[11]',
    '      Hosting failed to start',
    '      System.Exception: All login failed!',
    'Unhandled exception. System.Exception: All login failed!',
    '   at Lagrange.OneBot.Core.Login.LoginService.StartAsync(CancellationToken token)',
  ]
  const after = (...lines: string[]) => meaning([...lines, ...lines, ...end])
  expect(
    after('warn: Lagrange.Core.BotContext[0]', core('QrCode Expired, Please Fetch QrCode Again', 'WARNING')),
  ).toEqual([
    { kind: 'qr-expired', why: 'expired' },
    { kind: 'login-failed', why: 'the QR code expired before it was scanned' },
  ])
  expect(
    after('warn: Lagrange.Core.BotContext[0]', core('QrCode Canceled, Please Fetch QrCode Again', 'WARNING')),
  ).toEqual([
    { kind: 'qr-expired', why: 'cancelled' },
    { kind: 'login-failed', why: 'the login was cancelled on the phone' },
  ])
  expect(
    after(
      core('Login failed: 45', 'FATAL'),
      core('Tag: 禁止登录', 'FATAL'),
      '      State: 登录失败，请前往QQ官网下载最新版QQ',
    ),
  ).toEqual([{ kind: 'login-failed', why: 'QQ refused: 登录失败，请前往QQ官网下载最新版QQ' }])
  expect(after()).toEqual([{ kind: 'login-failed', why: 'no way to log in worked' }])
})

test('[LGR9] what stands in the way names its remedy', () => {
  const why = (...lines: string[]) =>
    meaning([...lines, 'Unhandled exception. System.Exception: All login failed!']).find(
      (fact) => fact.kind === 'login-failed',
    )?.why
  expect(why('      System.Exception: Signer server returned a 521')).toBe(
    'the sign server answered 521: set ntqq-impl.sign-server-url to one that works',
  )
  expect(why('      System.Exception: Signer version mismatch')).toContain('ntqq-impl.sign-server-url')
  expect(why('      System.Net.Http.HttpRequestException: Connection refused (sign.lagrangecore.org:443)')).toContain(
    'the public sign server has ended',
  )
  expect(
    why('crit: Realms.RealmConfiguration[0]', '      Found LiteDB database, currently it has been migrated'),
  ).toContain('lagrange-')
  expect(meaning(['Unhandled exception. System.IO.IOException: No space left on device'])).toEqual([
    { kind: 'login-failed', why: 'System.IO.IOException: No space left on device' },
  ])
})

test('[LGR9] once logged in, only QQ ends the session', () => {
  const read = lagrangeReader()
  meaning(['      Bot Uin: 1'], read)
  expect(meaning(['Unhandled exception. System.Exception: something'], read)).toEqual([])
  const kicked = ['fail: Lagrange.Core.BotContext[0]', core('KickNTEvent: 下线通知: 你的帐号已在别处登录', 'FATAL')]
  expect(meaning([...kicked, ...kicked], read)).toEqual([
    { kind: 'login-failed', why: 'QQ ended the session: 下线通知: 你的帐号已在别处登录' },
  ])
})

test('[LGR10] whatever comes, nothing is thrown and everything stays bounded', () => {
  const pieces = fc.constantFrom(
    'info: ',
    'A[0]',
    '      ',
    '█',
    '▀▄ ',
    '@^.',
    '\x1b[',
    '[2026-04-14 23:13:18] ',
    'QrCode ',
  )
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 200 }).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      for (const fact of facts(lines)) {
        const text = 'text' in fact ? [fact.text].flat() : []
        expect(text.length).toBeLessThanOrEqual(200)
        for (const one of text) expect(one.length).toBeLessThanOrEqual(4096)
      }
    }),
  )
  for (const char of ['█', '@', 'a', ' ', '\x1b', '"', '[', '1'])
    for (const fact of facts([char.repeat(1_000_000), `info: ${char.repeat(1_000_000)}`]))
      expect(JSON.stringify(fact).length).toBeLessThan(30_000)
})

test('[LGR10] rows that never become a code are forgotten', () => {
  const read = lagrangeReader()
  const rows = code(177, corner)
  for (let i = 0; i < 10_000; i++) expect(read(rows[i % 40] ?? '').length).toBeLessThanOrEqual(1)
  expect(meaning(code(21, corner), read)).toEqual([{ kind: 'qr', text: code(21, corner) }])
})
