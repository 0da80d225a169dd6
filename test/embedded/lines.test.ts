// A process's output is cut into lines, however it comes.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Lines } from '../../src/embedded/lines.ts'

function cut(...pieces: (string | Uint8Array)[]): string[] {
  const said: string[] = []
  const lines = new Lines((text) => said.push(text))
  for (const piece of pieces) lines.push(typeof piece === 'string' ? Buffer.from(piece) : piece)
  lines.end()
  return said
}

test('[SUP14] lines end in \\n or \\r\\n, empty ones count, and the last needs no end', () => {
  expect(cut('a\nb\r\n\n\r\nc')).toEqual(['a', 'b', '', '', 'c'])
  expect(cut('a\r', '\nb', 'c\n')).toEqual(['a', 'bc'])
  expect(cut('a\rb\n')).toEqual(['a\rb'])
  expect(cut('')).toEqual([])
  expect(cut('\x1b[32mgreen\x1b[0m\n')).toEqual(['\x1b[32mgreen\x1b[0m'])
})

test('[SUP14] how the bytes are cut into pieces does not matter', () => {
  const text = fc.array(fc.constantFrom('群', 'é', 'a', '\r', '\n', '\r\n', '🐧', 'x'.repeat(1500)), { maxLength: 30 })
  fc.assert(
    fc.property(text, fc.array(fc.nat(4000)), (parts, sizes) => {
      const bytes = Buffer.from(parts.join(''))
      const pieces: Uint8Array[] = []
      let at = 0
      for (const size of sizes) {
        pieces.push(bytes.subarray(at, at + size))
        at += size
      }
      expect(cut(...pieces, bytes.subarray(at))).toEqual(cut(bytes))
    }),
  )
})

test('[SUP15] a line beyond 4 KiB loses its rest, inside no character, and the next one is whole', () => {
  const exact = 'x'.repeat(4096)
  expect(cut(`${exact}\nnext\n`)).toEqual([exact, 'next'])
  expect(cut(`${exact}\r\nnext\n`)).toEqual([exact, 'next'])
  expect(cut(`${exact}y\r\nnext\r\n`)).toEqual([`${exact}…`, 'next'])
  expect(cut(exact, 'y', 'z\n', 'next')).toEqual([`${exact}…`, 'next'])
  expect(cut(`${'群'.repeat(2000)}\nnext`)).toEqual([`${'群'.repeat(1365)}…`, 'next'])
})

test('[SUP15] bytes that are no UTF-8 are replaced', () => {
  expect(cut(Uint8Array.of(0xff, 0x61, 0xe7, 0xbe, 10, 0x62))).toEqual(['\ufffda\ufffd', 'b'])
})
