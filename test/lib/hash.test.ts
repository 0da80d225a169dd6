import { expect, test } from 'bun:test'
import { hash32 } from '../../src/lib/hash.ts'

test('[POOL5] a text has the same hash on every machine and in every run: who comes back finds its conversations', () => {
  const texts = ['', 'a', '10001', '你好']
  expect(texts.map((text) => hash32(text))).toEqual([2872998923, 444641715, 2434829144, 1022202765])
  expect(hash32('a', 1)).not.toBe(hash32('a'))
})
