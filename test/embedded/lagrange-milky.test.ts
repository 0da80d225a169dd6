// Lagrange.Milky as an implementation of our own: which one is run, where it comes from, its settings, what it says.

import { expect, test } from 'bun:test'
import { chmod } from 'node:fs/promises'
import { chooseKind } from '../../src/embedded/choose.ts'
import { lagrangeMilky } from '../../src/embedded/lagrange-milky.ts'
import { locate } from '../../src/embedded/locate.ts'
import { milkyReader } from '../../src/embedded/milky-output.ts'
import { milkySettings } from '../../src/embedded/milky-settings.ts'
import { lagrangeSettings } from '../../src/embedded/settings.ts'
import { folder } from '../support/folder.ts'

const LINUX = { os: 'linux', cpu: 'x64', musl: false }
const AUTO = { embedded: 'auto', path: '', archive: '' } as const
const port = async () => 34567
const NOTHING = { account: '', signServerUrl: '' }

test('[LGR18] the config decides, then what is there, then it is Lagrange.Milky', async () => {
  await using home = await folder()
  const chosen = async (choice: Parameters<typeof chooseKind>[0]) => (await chooseKind(choice, home.path, LINUX)).name
  expect(await chosen(AUTO)).toBe('Lagrange.Milky')
  expect(await chosen({ ...AUTO, archive: '/x/Lagrange.OneBot_linux-x64.tar.gz' })).toBe('Lagrange.OneBot')
  expect(await chosen({ ...AUTO, archive: '/x/Lagrange.Milky-linux-x64.zip' })).toBe('Lagrange.Milky')
  expect(await chosen({ ...AUTO, path: '/opt/Lagrange.OneBot' })).toBe('Lagrange.OneBot')
  expect(await chosen({ ...AUTO, path: '/opt/lagrange/run.sh' })).toBe('Lagrange.Milky')
  await Bun.write(home.at('elsewhere', 'deep', 'Lagrange.OneBot'), 'x')
  expect(await chosen({ ...AUTO, path: home.at('elsewhere') })).toBe('Lagrange.OneBot')
  await Bun.write(home.at('Lagrange.Milky', 'Lagrange.Milky'), 'x')
  expect(await chosen(AUTO)).toBe('Lagrange.Milky')
  // Who has run it all along goes on with it, whatever else lies there.
  await Bun.write(home.at('Lagrange.OneBot', 'any', 'Lagrange.OneBot'), 'x')
  expect(await chosen(AUTO)).toBe('Lagrange.OneBot')
  expect(await chosen({ ...AUTO, embedded: 'lagrange-milky' })).toBe('Lagrange.Milky')
  expect(await chosen({ ...AUTO, embedded: 'lagrange-onebot', path: '/x/Lagrange.Milky' })).toBe('Lagrange.OneBot')
})

test('[LGR19] without a program, an archive or a server of ones own it is said where to get it', async () => {
  await using home = await folder()
  const at = (base: string) =>
    locate({
      kind: lagrangeMilky,
      machine: LINUX,
      path: '',
      archive: '',
      folder: home.at('Lagrange.Milky'),
      download: { base, mirror: '' },
      renew: false,
      signal: new AbortController().signal,
      progress: () => undefined,
      installed: () => undefined,
    })
  await expect(at('')).rejects.toThrow(/GitHub Actions.*ntqq-impl\.archive.*download\.base.*lagrange-onebot/)
  const asked: string[] = []
  await using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => {
      asked.push(new URL(request.url).pathname)
      return new Response(null, { status: 404 })
    },
  })
  await expect(at(`http://127.0.0.1:${server.port}`)).rejects.toThrow(/download/)
  expect(asked.at(-1)).toBe('/LagrangeDev/Lagrange.Core/releases/download/milky/Lagrange.Milky-linux-x64.zip')
})

test('[LGR19] every machine it is built for has its file, others are told the way out', () => {
  expect(lagrangeMilky.asset(LINUX)).toEqual({ file: 'Lagrange.Milky-linux-x64.zip' })
  expect(lagrangeMilky.asset({ os: 'win32', cpu: 'arm64', musl: false })).toEqual({
    file: 'Lagrange.Milky-win-x64.zip',
  })
  expect(lagrangeMilky.asset({ ...LINUX, musl: true })).toEqual({ unsupported: expect.stringContaining('musl') })
  expect(lagrangeMilky.asset({ os: 'darwin', cpu: 'x64', musl: false })).toHaveProperty('unsupported')
  expect(lagrangeMilky.executable('win32')).toBe('Lagrange.Milky.exe')
})

test('[LGR20] missing settings are written whole: address, token, signer, account', async () => {
  await using home = await folder()
  const wanted = { account: '10001', signServerUrl: 'https://sign.example.com/', signServerToken: 'S' }
  const settings = await milkySettings(home.path, wanted, port)
  const written = await Bun.file(settings.file).json()
  expect(written).toEqual({
    Lagrange: {
      Login: { Uin: 10001 },
      Protocol: { Signer: { BaseUrl: 'https://sign.example.com/', Token: 'S' } },
    },
    Milky: {
      HttpServer: { Host: '127.0.0.1', Port: 34567 },
      AccessToken: expect.stringMatching(/^perpetua-.{32}$/),
      Api: { Http: { Enabled: true } },
      Event: { WebSocket: { Enabled: true } },
    },
  })
  expect(settings).toMatchObject({
    url: 'http://127.0.0.1:34567',
    token: written.Milky.AccessToken,
    userToken: '',
    changed: true,
    notes: [],
  })
  expect(await milkySettings(home.path, wanted, port)).toMatchObject({ changed: false, token: settings.token })
})

test('[LGR20] what is there stays as it is written, comments and all; a sign server and an account are asked for', async () => {
  await using home = await folder()
  const before = `{
    // mine
    "lagrange": { "login": { "AutoReLogin": true }, },
    "Milky": { "HttpServer": { "Host": "*", "Port": 3456 }, "AccessToken": "mine", "Other": 12345678901234567890 }
}`
  await Bun.write(home.at('appsettings.json'), before)
  const settings = await milkySettings(home.path, NOTHING, port)
  const after = await Bun.file(settings.file).text()
  expect(after).toContain('// mine')
  expect(after).toContain('12345678901234567890')
  expect(after).toContain('"Host": "*", "Port": 3456')
  expect(settings).toMatchObject({ url: 'http://127.0.0.1:3456', token: 'mine', userToken: 'mine' })
  expect(settings.notes).toEqual([
    expect.stringContaining('ntqq-impl.sign-server-url'),
    expect.stringContaining('ntqq-impl.account'),
  ])
})

test('[LGR20] both Lagranges may have their settings in one file', async () => {
  await using home = await folder()
  const wanted = { account: '10001', signServerUrl: 'https://sign.example.com/' }
  const old = await lagrangeSettings(home.path, wanted, async () => 34568)
  const own = await milkySettings(home.path, wanted, port)
  expect(await lagrangeSettings(home.path, wanted, port)).toMatchObject({
    url: old.url,
    token: old.token,
    changed: false,
  })
  expect(await milkySettings(home.path, wanted, port)).toMatchObject({ url: own.url, token: own.token, changed: false })
})

test('[LGR20] settings that are not understood are told with their place, and left alone', async () => {
  await using home = await folder()
  await Bun.write(home.at('appsettings.json'), '{ "Milky": [1] }')
  await expect(milkySettings(home.path, NOTHING, port)).rejects.toThrow(
    /appsettings\.json:1:\d+: Milky: wanted an object/,
  )
  await Bun.write(home.at('appsettings.json'), '{ "Milky": {"HttpServer": {"Port": "many"}} }')
  await expect(milkySettings(home.path, NOTHING, port)).rejects.toThrow(/HttpServer\.Port/)
})

const CODE = Array.from({ length: 11 }, (_, row) => (row === 0 ? '█▀▀▀▀▀█ ▄▀ ▄▀ █▀▀▀▀▀█' : ' ▄ ▀ █ ▀▄▀▄ ▀ █ ▄▀ ▄ '))

test('[LGR21] a code without a margin, the login, its levels', () => {
  const read = milkyReader()
  const facts = [
    ...CODE,
    'info: Lagrange.Milky.LoginService[0]',
    '      Please scan the QR code with a device logged into account 10001 to login, URL: https://x',
    'dbug: Lagrange.Milky.LoginService[0]',
    '      QR code scan state: WaitingForConfirm',
    'info: Lagrange.Milky.LoginService[0]',
    '      Successfully logged in as 10001 with protocol Linux',
  ].flatMap((line) => read(line))
  expect(facts.filter(({ kind }) => kind !== 'level')).toEqual([
    { kind: 'qr', text: CODE },
    { kind: 'logged-in', account: '10001' },
  ])
  expect(facts.filter((fact) => fact.kind === 'level' && fact.text.startsWith('QR'))).toEqual([
    { kind: 'level', level: 'debug', text: 'QR code scan state: WaitingForConfirm' },
  ])
})

test('[LGR21] a code that cannot be made out is waited for all the same, and a failure has its reason', () => {
  const read = milkyReader()
  const said = (category: string, text: string) => [...read(`fail: ${category}[0]`), ...read(`      ${text}`)]
  const facts = [
    ...said('A', 'Please scan the QR code with a device logged into account 10001 to login, URL: https://x'),
    ...said('A', 'QR code scan state: CodeExpired'),
    ...said('A', 'Failed to login for account 10001.'),
    ...said('A', 'Failed to login for account 10001.'),
  ]
  expect(facts.filter(({ kind }) => kind !== 'level')).toEqual([
    { kind: 'qr', text: [] },
    { kind: 'qr-expired', why: 'expired' },
    { kind: 'login-failed', why: 'the QR code expired before it was scanned' },
  ])
})

test('[LGR21] what a person must do is a warning, whatever its level was', () => {
  const read = milkyReader()
  for (const asks of [
    'Captcha required, open the following link to complete captcha: https://x',
    'Scan it for new device verification, URL: https://x',
    'Please enter the SMS verification code: ',
  ])
    expect(read(asks)).toEqual([{ kind: 'level', level: 'warn', text: asks.trim() }])
  expect(read('x'.repeat(1_000_000))[0]).toMatchObject({ kind: 'level' })
})

test('[LGR21] its picture is the one that was written since the start', async () => {
  await using home = await folder()
  await Bun.write(home.at('qrcode.png'), 'x')
  await chmod(home.at('qrcode.png'), 0o600)
  expect(await lagrangeMilky.qrcode(home.path, 0)).toBe(home.at('qrcode.png'))
  expect(await lagrangeMilky.qrcode(home.path, Date.now() + 60_000)).toBeUndefined()
})
