// What becomes of appsettings.json.

import { expect, test } from 'bun:test'
import { chmod, mkdir, readlink, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import fc from 'fast-check'
import { type Settings, SettingsError } from '../../src/embedded/kind.ts'
import { lagrangeSettings } from '../../src/embedded/settings.ts'
import { JsoncError, member, type Node, parseJsonc } from '../../src/lib/jsonc.ts'
import { type Folder, folder } from '../support/folder.ts'

const NAME = 'appsettings.json'
const NOTHING = { account: '', signServerUrl: '' }
const PORT = 47_319
const FORWARD = `{ "Type": "ForwardWebSocket", "Host": "127.0.0.1", "Port": ${PORT}, "AccessToken": "t0ken" }`

const settings = (cwd: Folder, wanted = {}, freePort = async () => PORT): Promise<Settings> =>
  lagrangeSettings(cwd.path, { ...NOTHING, ...wanted }, freePort)
const problem = (cwd: Folder, wanted = {}) =>
  settings(cwd, wanted).catch((error) => {
    expect(error).toBeInstanceOf(SettingsError)
    return error.message
  })

async function given(cwd: Folder, text: string): Promise<void> {
  await writeFile(cwd.at(NAME), text)
  await utimes(cwd.at(NAME), 1, 1)
}
const written = async (cwd: Folder) => (await stat(cwd.at(NAME))).mtimeMs !== 1000

test('[LGR11] a missing file is written before the first start, for its owner only', async () => {
  await using cwd = await folder()
  const { file, url, token, changed } = await lagrangeSettings(
    cwd.at('config'),
    { account: '1234567890', signServerUrl: 'https://sign.example/api' },
    async () => PORT,
  )
  expect(file).toBe(cwd.at('config', NAME))
  expect(url).toBe(`ws://127.0.0.1:${PORT}`)
  expect(token).toMatch(/^perpetua-[\w-]{32}$/)
  expect(changed).toBe(true)
  expect(JSON.parse(await cwd.read('config', NAME))).toEqual({
    Logging: {
      LogLevel: { Default: 'Information', Microsoft: 'Warning', 'Microsoft.Hosting.Lifetime': 'Information' },
    },
    SignServerUrl: 'https://sign.example/api',
    SignProxyUrl: '',
    MusicSignServerUrl: '',
    Account: {
      Uin: 1234567890,
      Protocol: 'Linux',
      AutoReconnect: true,
      UseIPv6Network: false,
      GetOptimumServer: true,
      AutoReLogin: true,
    },
    Message: { IgnoreSelf: true, StringPost: false },
    QrCode: { ConsoleCompatibilityMode: false },
    Implementations: [
      {
        Type: 'ForwardWebSocket',
        Host: '127.0.0.1',
        Port: PORT,
        HeartBeatInterval: 5000,
        HeartBeatEnable: true,
        AccessToken: token,
      },
    ],
  })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await cwd.list('config')).toEqual([NAME])
})

test('[LGR11] the same again is no change, and every file gets a token of its own', async () => {
  await using one = await folder()
  await using other = await folder()
  const first = await settings(one)
  expect(await settings(one)).toEqual({ ...first, changed: false })
  expect((await settings(other)).token).not.toBe(first.token)
})

const OF_THE_GO_VERSION = `\uFEFF{
  // kept since 2023
  "$schema": "https://example.org/schema.json",
  "SignServerUrl": "https://old.example/api/sign",
  "Account": { "Uin": 1, "Password": "p\\u0061ss//word", "Protocol": "Linux", /* mine */ "Later": 12345678901234567890 },
  "Big": 1.50e+3,
  "Implementations": [
    {
      "Type": "ReverseWebSocket",
      "Host": "127.0.0.1",
      "Port": 8080,
      "Suffix": "/onebot/v11/ws",
    },
  ],
}
`

test('[LGR12] what is there stays as it is written: unknown keys, comments, order, long numbers', async () => {
  await using cwd = await folder()
  await given(cwd, OF_THE_GO_VERSION)
  const { token } = await settings(cwd, { account: '10001', signServerUrl: 'https://sign.example/api' })
  expect(await cwd.read(NAME)).toBe(
    OF_THE_GO_VERSION.replace('https://old.example/api/sign', 'https://sign.example/api')
      .replace('"Uin": 1,', '"Uin": 10001,')
      .replace(
        '    },\n  ],',
        `    },
    {
        "Type": "ForwardWebSocket",
        "Host": "127.0.0.1",
        "Port": ${PORT},
        "HeartBeatInterval": 5000,
        "HeartBeatEnable": true,
        "AccessToken": "${token}"
    },
  ],`,
      ),
  )
})

test('[LGR12] any file with any unknown keys keeps them, byte for byte', async () => {
  await using cwd = await folder()
  const name = fc.string({ minLength: 1 }).filter((key) => key.toLowerCase() === key)
  const scalar = fc.oneof(
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('12345678901234567890', '1.50', '-0', '1E400', 'true', 'null', '"\\u0041\\/"'),
  )
  const object = (value: fc.Arbitrary<string>) =>
    fc
      .uniqueArray(fc.tuple(name, value), { selector: ([key]) => key })
      .map((all) => all.map(([key, text]) => `${JSON.stringify(key)}:${text}`))
  const value = fc.oneof(
    scalar,
    object(scalar).map((members) => `{ ${members.join(' , ')} }`),
    fc.array(scalar).map((items) => `[\n${items.join(',\n')}]`),
  )
  const known = fc.subarray([
    '"Account": {}',
    '"Implementations": []',
    '"SignServerUrl": ""',
    `"Implementations": [${FORWARD}]`,
  ])
  const file = fc
    .tuple(object(value), known, fc.constantFrom('\n', '\r\n', ' ', '\n\t// a note\n'), fc.constantFrom('', ','))
    .map(([unknown, known, gap, trail]) => {
      const members = [
        ...unknown,
        ...known.filter((one, i) => known.findIndex((k) => k.slice(0, 9) === one.slice(0, 9)) === i),
      ]
      return `{${gap}${members.join(`,${gap}`)}${members.length > 0 ? trail : ''}${gap}}`
    })
  await fc.assert(
    fc.asyncProperty(file, async (text) => {
      await given(cwd, text)
      await settings(cwd, { account: '10001', signServerUrl: 'https://sign.example/' })
      const after = await cwd.read(NAME)
      const [old, now] = [parseJsonc(text), parseJsonc(after)]
      if (old.type !== 'object' || now.type !== 'object') throw new Error('wanted objects')
      for (const { key, node } of old.members) {
        if (['Account', 'Implementations', 'SignServerUrl'].includes(key)) continue
        const kept = member(now, key)
        expect(after.slice(kept?.start, kept?.end)).toBe(text.slice(node.start, node.end))
      }
      expect(now.members.map(({ key }) => key).slice(0, old.members.length)).toEqual(old.members.map(({ key }) => key))
      expect(after.match(/\/\/ a note/g)?.length).toBe(text.match(/\/\/ a note/g)?.length)
      // Once more changes nothing: all that was wanted is there.
      expect((await settings(cwd, { account: '10001', signServerUrl: 'https://sign.example/' })).changed).toBe(false)
    }),
    { numRuns: 200 },
  )
})

test('[LGR13] what config leaves open is never blanked, and an unchanged file is not written', async () => {
  await using cwd = await folder()
  const text = `{"signserverurl":"https://mine.example","ACCOUNT":{"uin":"10001"},"Implementations":[${FORWARD}]}`
  await given(cwd, text)
  expect(await settings(cwd)).toEqual({
    file: cwd.at(NAME),
    url: `ws://127.0.0.1:${PORT}`,
    token: 't0ken',
    userToken: 't0ken',
    changed: false,
    notes: [],
  })
  await settings(cwd, { account: '10001', signServerUrl: 'https://mine.example' })
  expect(await cwd.read(NAME)).toBe(text)
  expect(await written(cwd)).toBe(false)
  await settings(cwd, { account: '10002' })
  expect(await cwd.read(NAME)).toBe(text.replace('"10001"', '10002'))
})

test('[LGR14] the first forward WebSocket that is switched on is used as it is', async () => {
  await using cwd = await folder()
  const entry = (more: object) => ({ Type: 'ForwardWebSocket', Host: '127.0.0.1', Port: PORT, ...more })
  const used = async (...entries: object[]) => {
    await given(cwd, JSON.stringify({ SignServerUrl: 'https://s.example', Implementations: entries }))
    const { url, token, changed } = await settings(cwd, {}, () => Promise.reject(new Error('no port is needed')))
    expect(changed).toBe(false)
    return [url, token]
  }
  expect(
    await used(
      { Type: 'Http' },
      entry({ Enable: false }),
      entry({ Enable: 'False' }),
      entry({ AccessToken: 'a' }),
      entry({}),
    ),
  ).toEqual([`ws://127.0.0.1:${PORT}`, 'a'])
  expect(await used(entry({ Host: '0.0.0.0' }))).toEqual([`ws://127.0.0.1:${PORT}`, ''])
  expect(await used(entry({ Host: '*', Port: `${PORT}` }))).toEqual([`ws://127.0.0.1:${PORT}`, ''])
  expect(await used(entry({ Host: 'localhost', AccessToken: null }))).toEqual([`ws://localhost:${PORT}`, ''])
  expect(await used(entry({ Host: '::1' }))).toEqual([`ws://[::1]:${PORT}`, ''])
})

test('[LGR14] an added one takes no port that another entry has', async () => {
  await using cwd = await folder()
  await given(cwd, `{ "Implementations": [{ "Type": "Http", "Host": "*", "Port": ${PORT} }] }`)
  const ports = [PORT, PORT, PORT + 1]
  expect((await settings(cwd, {}, async () => ports.shift() ?? 0)).url).toBe(`ws://127.0.0.1:${PORT + 1}`)
})

test('[LGR15] a file that cannot be understood is told with its place, and left alone', async () => {
  await using cwd = await folder()
  const bad: [string, string][] = [
    ['', '1:1: found the end, wanted a value'],
    ['{\n  "a": 1\n  "b": 2\n}', '3:3: found "\\"", wanted a comma or }'],
    ['{"a": "secret', '1:7: found "\\"", wanted text in double quotes, ended on its line'],
    ["{'a': 1}", `1:2: found "'", wanted a key in double quotes or }`],
    ['{"a": 01}', '1:7: found "0", wanted a value'],
    ['{"a": 1} x', '1:10: found "x", wanted the end'],
    ['{"a" 1}', '1:6: found "1", wanted a colon'],
    ['{"a": 1, "A": 2}', '1:10: found "\\"", wanted every key only once'],
    ['{"a": /* no end', '1:7: found "/", wanted a value'],
    [`${'['.repeat(70)}`, '1:65: found "[", wanted at most 64 levels'],
    ['[]', '1:1: wanted an object'],
    ['{"Implementations": {}}', '1:21: Implementations: wanted a list'],
    [
      '{"Implementations": [{"Type": "ForwardWebSocket", "Port": 0, "Host": "*"}]}',
      '1:59: ForwardWebSocket: wanted a Port',
    ],
    ['{"Implementations": [{"Type": "ForwardWebSocket", "Port": 1}]}', '1:22: ForwardWebSocket: wanted a Host'],
    ['{"Account": 1}', '1:13: Account: wanted an object'],
  ]
  for (const [text, message] of bad) {
    await given(cwd, text)
    const said = await problem(cwd, { account: '10001' })
    expect(said).toStartWith(`${cwd.at(NAME)}:${message}`)
    expect(said).toContain('Mend the file, or move it away')
    expect(said).not.toContain('secret')
    expect(await cwd.read(NAME)).toBe(text)
    expect(await written(cwd)).toBe(false)
  }
  await writeFile(cwd.at(NAME), Buffer.from([0x7b, 0xff, 0x7d]))
  expect(await problem(cwd)).toContain('it is not UTF-8')
  expect(await problem(cwd, { account: '12x' })).toContain('it is not UTF-8')
})

test('[LGR15] no text breaks the reader, and what it reads is what JSON means', () => {
  const meaning = (node: Node): unknown => {
    if (node.type === 'scalar') return node.value
    if (node.type === 'array') return node.items.map(meaning)
    return Object.fromEntries(node.members.map(({ key, node }) => [key, meaning(node)]))
  }
  const read = (text: string) => {
    try {
      return meaning(parseJsonc(text))
    } catch (error) {
      if (!(error instanceof JsoncError)) throw error
      expect(error.line).toBeGreaterThan(0)
      expect(error.column).toBeGreaterThan(0)
      return error
    }
  }
  const broken = fc
    .tuple(fc.json(), fc.nat(), fc.string())
    .map(([text, at, by]) => text.slice(0, at % text.length) + by)
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), broken), (text) => void read(text)))
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (text) => {
      const value = read(text)
      if (value instanceof JsoncError) expect(value.message).toContain('every key only once')
      else expect(value).toEqual(JSON.parse(text))
    }),
  )
})

test('[LGR16] what somebody should know is noted: no sign server, a port in use, open to everybody', async () => {
  await using cwd = await folder()
  const notes = async (text: string, wanted = {}) => {
    await given(cwd, text)
    return (await settings(cwd, wanted)).notes
  }
  const ended = [expect.stringMatching(/public sign server.*ended.*ntqq-impl\.sign-server-url/)]
  expect(await notes(`{"Implementations":[${FORWARD}]}`)).toEqual(ended)
  const official = `{"SignServerUrl":"https://sign.lagrangecore.org/api/sign","Implementations":[${FORWARD}]}`
  expect(await notes(official)).toEqual(ended)
  expect(await notes(official, { signServerUrl: 'https://sign.example' })).toEqual([])

  const open = `{"SignServerUrl":"https://s.example","Implementations":[${FORWARD.replace('127.0.0.1', '0.0.0.0').replace('t0ken', '')}]}`
  expect(await notes(open)).toEqual([expect.stringMatching(/beyond this machine without a token/)])

  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  const busy = official.replace('lagrangecore.org', 'example').replace(`${PORT}`, `${taken}`)
  expect(await notes(busy)).toEqual([
    expect.stringMatching(new RegExp(`port ${taken}, but another program has it: .*${NAME}$`)),
  ])
  expect(await cwd.read(NAME)).toBe(busy)
  await new Promise((resolve) => other.close(resolve))
  expect(await notes(busy)).toEqual([])
})

test('[LGR17] a file that cannot be written stays whole, and nothing is left beside it', async () => {
  await using cwd = await folder()
  await mkdir(cwd.at('there'))
  await writeFile(cwd.at('there', NAME), '{}')
  await symlink(cwd.at('there', NAME), cwd.at(NAME))
  await settings(cwd)
  expect(await readlink(cwd.at(NAME))).toBe(cwd.at('there', NAME))
  expect(await cwd.list('there')).toEqual([NAME])
  expect(JSON.parse(await cwd.read('there', NAME)).Implementations).toHaveLength(1)

  await using folderInstead = await folder()
  await mkdir(folderInstead.at(NAME))
  expect(await problem(folderInstead)).toStartWith(`cannot read ${folderInstead.at(NAME)}: `)

  await using fileInstead = await folder()
  await writeFile(fileInstead.at('config'), '')
  const said = await lagrangeSettings(fileInstead.at('config'), NOTHING, async () => PORT).catch((error) => error)
  expect(said).toBeInstanceOf(SettingsError)

  // The superuser may write everywhere.
  if (process.getuid?.() === 0) return
  await using closed = await folder()
  await given(closed, '{}')
  await chmod(closed.path, 0o500)
  expect(await problem(closed)).toStartWith(`cannot write ${closed.at(NAME)}: `)
  await chmod(closed.path, 0o700)
  expect(await closed.read(NAME)).toBe('{}')
  expect(await closed.list()).toEqual([NAME])
})
