import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { assign, locate, members, splice, without } from '../../src/onebot/json-text.ts'
import { json, object } from './json.ts'

const textAt = (raw: string, path: readonly string[]) => {
  const span = locate(raw, path)
  return span && raw.slice(span.start, span.end)
}

test('[COD1] members are found with their keys decoded, whatever their text looks like', () => {
  fc.assert(
    fc.property(object(), ({ raw, members: wanted }) => {
      const found = members(raw).map(({ key, name, value }) => ({
        key,
        keyText: raw.slice(name.start, name.end),
        text: raw.slice(value.start, value.end),
      }))
      expect(found).toEqual(wanted.map(({ keyText, text }) => ({ key: JSON.parse(keyText), keyText, text })))
    }),
  )
})

test('[COD1] what is located is what JSON.parse takes, nested and with duplicates', () => {
  expect(textAt('{"a":{"b":1},"a":{"b":2,"\\u0062": 3 }}', ['a', 'b'])).toBe('3')
  expect(textAt('{"a":{"b":1},"a":5}', ['a', 'b'])).toBeUndefined()
  expect(textAt('{"a":[{"b":1}]}', ['a', 'b'])).toBeUndefined()
  expect(textAt(' {"a":"x"} ', [])).toBe('{"a":"x"}')
  fc.assert(
    fc.property(object(), ({ raw }) => {
      const value: Record<string, unknown> = JSON.parse(raw)
      for (const key of Object.keys(value)) expect(JSON.parse(textAt(raw, [key]) ?? '')).toEqual(value[key])
      expect(locate(raw, ['no such key'])).toBeUndefined()
    }),
  )
})

test('[COD2] splicing replaces the spans and nothing else', () => {
  const edits = [
    { span: { start: 0, end: 0 }, text: '<' },
    { span: { start: 1, end: 3 }, text: '' },
    { span: { start: 5, end: 6 }, text: 'long' },
  ]
  expect(splice('abcdef', edits)).toBe('<adelong')
  expect(splice('abc', [])).toBe('abc')
})

test('[COD2] assigning sets every duplicate, and adds in front what is missing', () => {
  expect(assign('{"a":1, "\\u0061" : [2], "c":3}', { a: '9', b: '"x"' })).toBe('{"b":"x","a":9, "\\u0061" : 9, "c":3}')
  expect(assign(' { } ', { a: '1', b: '2' })).toBe(' {"a":1,"b":2 } ')
  fc.assert(
    fc.property(object(), json(), ({ raw }, text) => {
      const changed: Record<string, unknown> = JSON.parse(assign(raw, { a: text, new: 'null' }))
      const wanted = new Map(Object.entries(JSON.parse(raw))).set('a', JSON.parse(text)).set('new', null)
      expect(new Map(Object.entries(changed))).toEqual(wanted)
    }),
  )
})

test('[COD4] a member is cut with one comma, wherever it stands', () => {
  for (const [raw, left] of [
    ['{"x":1}', '{}'],
    ['{ "x" : 1 }', '{  }'],
    ['{"x":1,"a":2}', '{"a":2}'],
    ['{"a":2,"x":1}', '{"a":2}'],
    ['{"a":2 , "x" : 1 }', '{"a":2 }'],
    ['{"a":2,"x":1,"b":3}', '{"a":2,"b":3}'],
    ['{"x":1,"x":2}', '{}'],
    ['{"x":1, "x":2, "a":3}', '{"a":3}'],
    ['{"x":1,"a":3,"\\u0078":2,"x":[",x"],"b":{"x":1}}', '{"a":3,"b":{"x":1}}'],
  ] as const)
    expect(without(raw, 'x')).toBe(left)
})
