// Durations, sizes and suggestions.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatDuration, parseDuration } from '../../src/lib/duration.ts'
import { formatSize, parseSize } from '../../src/lib/size.ts'
import { suggest } from '../../src/lib/suggest.ts'

test("[CFG3] Go's durations are read", () => {
  const known = {
    '15s': 15e3,
    '1h30m': 54e5,
    '1500ms': 1500,
    '1.5h': 54e5,
    '0.3s': 300,
    '2us': 1,
    '1h0m1s': 3601e3,
    '0': 0,
    '0s': 0,
  }
  for (const [text, milliseconds] of Object.entries(known)) expect(parseDuration(text)).toBe(milliseconds)
  for (const text of ['', '5', '-1s', '1d', '1 s', 's', '1.s', '1e3s', '15S', `${'9'.repeat(400)}s`])
    expect(parseDuration(text)).toBeUndefined()
  fc.assert(fc.property(fc.nat(), (milliseconds) => parseDuration(formatDuration(milliseconds)) === milliseconds))
})

test('[CFG3] sizes are read with decimal and binary units', () => {
  const known = { '64MiB': 2 ** 26, '64MB': 64e6, '1024': 1024, '1.5kib': 1536, '10 b': 10, '2GiB': 2 ** 31 }
  for (const [text, bytes] of Object.entries(known)) expect(parseSize(text)).toBe(bytes)
  for (const text of ['', 'MiB', '-1', '64M', '1e3', '1PiB', '64 MiBs']) expect(parseSize(text)).toBeUndefined()
  fc.assert(fc.property(fc.nat(), (bytes) => parseSize(formatSize(bytes)) === bytes))
})

test('[CFG6] a suggestion is near, or there is none', () => {
  const words = ['access-token', 'allow-anonymous', 'port', 'host', 'tls']
  const meant = {
    'acess-token': 'access-token',
    accessToken: 'access-token',
    prot: 'port',
    PORT: 'port',
    hots: 'host',
    sudo: undefined,
    x: undefined,
  }
  for (const [word, expected] of Object.entries(meant)) expect(suggest(word, words)).toBe(expected)
})
