// What the program writes into somebody's config file, and what it leaves alone.

import { expect, test } from 'bun:test'
import { chmodSync, statSync, symlinkSync } from 'node:fs'
import fc from 'fast-check'
import { parseConfig } from '../../src/config/load.ts'
import { template } from '../../src/config/template.ts'
import { withUpdate, writeUpdate } from '../../src/config/write-back.ts'
import { folder } from '../support/folder.ts'

const VALUES = { id: 42, platform: 'linux-x64', 'updated-at': '2025-09-12T08:30:00Z' }
const updateOf = (text: string) => parseConfig(text, { file: 'F' }).config['ntqq-impl'].update
const NEW = { id: 42, platform: 'linux-x64', 'updated-at': '2025-09-12T08:30:00Z' }

test('[INS1] values take the places of the old ones, in the quotes that were there', () => {
  const before = `# mine
log: {level: info}   # loud enough

ntqq-impl:   # the bot
  mode: 'embedded'
  update:
      enable:  yes   # please
      updated-at: 0001-01-01T00:00:00Z
      id:   0  # do not touch
      platform: ''

  # the end of it
http:
  port: 8080
`
  expect(withUpdate(before, VALUES)).toBe(
    before
      .replace('0001-01-01T00:00:00Z', '2025-09-12T08:30:00Z')
      .replace('id:   0 ', 'id:   42 ')
      .replace("platform: ''", "platform: 'linux-x64'"),
  )
})

test('[INS1] keys that are missing are added behind those that are there', () => {
  const added = 'id: 42|platform: linux-x64|updated-at: "2025-09-12T08:30:00Z"'.split('|')
  const indented = (by: number) => added.map((line) => ' '.repeat(by) + line).join('\n')
  const cases: [before: string, after: string][] = [
    ['', `ntqq-impl:\n  update:\n${indented(4)}\n`],
    ['# only words', `# only words\nntqq-impl:\n  update:\n${indented(4)}\n`],
    ['http: {}\n', `http: {}\nntqq-impl:\n  update:\n${indented(4)}\n`],
    [
      'ntqq-impl:\n  mode: auto # so\n# x\nhttp: {}',
      `ntqq-impl:\n  mode: auto # so\n  update:\n${indented(4)}\n# x\nhttp: {}`,
    ],
    ['ntqq-impl: {mode: auto}', `ntqq-impl: {mode: auto, update: {${added.join(', ')}}}`],
    ['ntqq-impl: {}', `ntqq-impl: {update: {${added.join(', ')}}}`],
    ['ntqq-impl: # later\nhttp: {}', `ntqq-impl: {update: {${added.join(', ')}}} # later\nhttp: {}`],
    ['ntqq-impl:\n  update:\n    enable: true', `ntqq-impl:\n  update:\n    enable: true\n${indented(4)}\n`],
    ['ntqq-impl: {update: false}', `ntqq-impl: {update: false, ${added.join(', ')}}`],
  ]
  for (const [before, after] of cases) expect([before, withUpdate(before, VALUES)]).toEqual([before, after])
})

test('[INS1] line ends and a byte order mark stay', () => {
  const text = '\ufeffntqq-impl:\r\n  update:\r\n    enable: true\r\n'
  expect(withUpdate(text, VALUES)).toBe(
    `${text}    id: 42\r\n    platform: linux-x64\r\n    updated-at: "2025-09-12T08:30:00Z"\r\n`,
  )
})

test('[INS1] what cannot be placed well is left alone', () => {
  for (const text of [
    'a: &a {id: 1}\nntqq-impl: {update: *a}',
    'ntqq-impl: [1]',
    'ntqq-impl: {update: [1]}',
    '- 1',
    'http: {',
    'ntqq-impl: {}\n---\nhttp: {}',
  ])
    expect([text, withUpdate(text, VALUES)]).toEqual([text, undefined])
})

test('[INS1] whatever the file looks like, comments, order and all other values survive', () => {
  const comment = fc.constantFrom('', '# one', '  # two: {x}', '# 三', "# it's")
  const line = (keys: string[]) =>
    fc.tuple(fc.constantFrom(...keys), comment).map(([key, remark]) => `${key}${remark && ` ${remark}`}`)
  const update = fc.uniqueArray(
    line(['enable: true', 'id: 7', 'platform: "x"', "updated-at: '2024'", 'id:', 'platform:']),
    {
      selector: (text) => text.split(':')[0],
    },
  )
  const own = fc.uniqueArray(
    line(['mode: auto', 'path: "a b"', 'account: 0123', 'external-access-token: "#"', 'archive:']),
    {
      selector: (text) => text.split(':')[0],
    },
  )
  const file = fc
    .record({
      update: fc.option(update),
      own,
      first: fc.boolean(),
      indent: fc.constantFrom(1, 2, 4),
      blank: fc.boolean(),
      before: fc.constantFrom('', 'http: {port: 9000}  # mine\n', '# head\nlog:\n  level: warn\n'),
      after: fc.constantFrom('', 'admin:\n  token: "x"\n', '# tail', 'msg-expire-time: 1h'),
      end: fc.constantFrom('\n', '\r\n'),
    })
    .map(({ update, own, first, indent, blank, before, after, end }) => {
      const pad = (lines: string[]) => lines.map((text) => ' '.repeat(indent) + text)
      const inner = update === null ? [] : ['update:', ...pad(update)]
      const body = pad(first ? [...inner, ...own] : [...own, ...inner])
      const text = `${before}ntqq-impl:\n${body.join('\n')}${body.length > 0 ? '\n' : ''}${blank ? '\n' : ''}${after}`
      return text.replaceAll('\n', end)
    })
  fc.assert(
    fc.property(file, (before) => {
      const after = withUpdate(before, VALUES)
      if (after === undefined) throw new Error('left alone')
      expect(updateOf(after)).toMatchObject(NEW)
      const rest = (text: string) => ({ ...parseConfig(text, { file: 'F' }).config, 'ntqq-impl': undefined })
      expect(rest(after)).toEqual(rest(before))
      // Every line that says nothing of the values is there as it was, in its order.
      const others = (text: string) =>
        text
          .split('\n')
          .filter((line) => line.trim() !== '' && !/^\s*(update|id|platform|updated-at|ntqq-impl):/.test(line))
      const kept = others(after).map((line) => line.replace(/\r$/, ''))
      expect(kept).toEqual(others(before).map((line) => line.replace(/\r$/, '')))
      for (const remark of before.match(/#.*$/gm) ?? []) expect(after).toContain(remark)
      if (before.includes('\r\n')) expect(after.replaceAll('\r\n', '')).not.toContain('\n')
      expect(withUpdate(after, VALUES)).toBe(after)
    }),
    { numRuns: 200 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const after = withUpdate(text, VALUES)
      if (after !== undefined) expect(after.length).toBeGreaterThan(text.length)
    }),
  )
})

test('[INS2] the file is replaced whole, keeps its rights, and the one who watches it is told first', async () => {
  await using home = await folder()
  const file = home.at('config.yml')
  await Bun.write(file, template())
  chmodSync(file, 0o600)
  symlinkSync('config.yml', home.at('link.yml'))
  let told: string | undefined
  const first = writeUpdate(home.at('link.yml'), VALUES, (text) => {
    told = text
  })
  expect(first).toEqual({ outcome: 'written' })
  const text = await home.read('config.yml')
  expect(told).toBe(text)
  expect(updateOf(text)).toMatchObject(NEW)
  expect(text.split('\n').length).toBe(template().split('\n').length)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await home.list()).toEqual(['config.yml', 'link.yml'])
  const again = writeUpdate(file, VALUES, () => {
    throw new Error('nothing is to be written')
  })
  expect(again).toEqual({ outcome: 'unchanged' })
})

test('[INS2] a file that is read-only, missing or beyond us is left alone, and that is no error', async () => {
  await using home = await folder()
  const file = home.at('config.yml')
  await Bun.write(file, 'http: {}')
  chmodSync(file, 0o444)
  expect(writeUpdate(file, VALUES)).toEqual({ outcome: 'left', why: expect.stringContaining('read-only') })
  chmodSync(file, 0o644)
  await Bun.write(file, 'ntqq-impl: [1]')
  expect(writeUpdate(file, VALUES)).toMatchObject({ outcome: 'left' })
  expect(await home.read('config.yml')).toBe('ntqq-impl: [1]')
  await Bun.write(file, new Uint8Array([0xff, 0xfe, 0x41]))
  expect(writeUpdate(file, VALUES)).toMatchObject({ outcome: 'left' })
  expect(writeUpdate(home.at('none.yml'), VALUES)).toMatchObject({ outcome: 'left' })
})
