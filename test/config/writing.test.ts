// What is written out of the schema: the default file, the reference, the JSON Schema.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { jsonSchema } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/load.ts'
import { type Language, reference } from '../../src/config/reference.ts'
import { configOf } from '../../src/config/schema.ts'
import { leaves, pathText } from '../../src/config/shape.ts'
import { template, written } from '../../src/config/template.ts'

test('[CFG25] the default file loads to the defaults, names every key that many need, and gives cause for no notice', () => {
  expect(parseConfig(template(), { file: 'F' })).toEqual({ config: configOf(), notices: [] })
  for (const { path, shape } of leaves())
    if (!shape.rare) expect(template()).toMatch(new RegExp(`^ *${path.at(-1)}:`, 'm'))
  for (const key of ['clients', 'defaults', 'pools', 'rate-limit', 'breaker'])
    expect(template()).toMatch(new RegExp(`^# ${key}: `, 'm'))
  expect(template()).not.toContain('message-format')
  expect(template()).toBe(template())
})

test('[CFG26] answers stand in the default file as given', () => {
  const answers = {
    'ntqq-impl.external-web-socket': 'ws://127.0.0.1:3001',
    'ntqq-impl.external-access-token': '0123 "x" \\ # : *',
    'http.host': '0.0.0.0',
    'http.port': 9000,
    'http.allow-anonymous': true,
  }
  expect(parseConfig(template(answers), { file: 'F' }).config).toMatchObject({
    'ntqq-impl': { 'external-web-socket': 'ws://127.0.0.1:3001', 'external-access-token': '0123 "x" \\ # : *' },
    http: { host: '0.0.0.0', port: 9000, 'allow-anonymous': true },
  })
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (secret) => {
      const { config } = parseConfig(`http-post: [{url: 'http://x', secret: ${written(secret)}}]`, { file: 'F' })
      expect(config['http-post'][0]?.secret).toBe(secret)
    }),
  )
})

test('[CFG27] the reference names every key with its default, in both languages', () => {
  for (const language of ['en', 'zh'] as const) {
    const text = reference(language)
    for (const { path, shape } of leaves())
      if (shape.type === 'value' || shape.setting) expect(text).toContain(`\`${pathText(path)}\``)
    for (const { path, shape } of leaves())
      if (shape.type === 'value' && shape.fallback !== undefined)
        expect(text).toContain(`\`${pathText(path)}\` | \`${written(shape.fallback)}\` |`)
    expect(text).toMatch(/`clients\[\]\.rate-limit\.<.+>\.max-wait` \| `30s` \|/)
    for (const entry of ['http-post[]', 'reverse-web-socket[]', 'defaults'])
      expect(text).toContain(`\`${entry}.message-format\``)
    expect(text).toContain('`http-post[].max-retries`')
    expect(text).not.toContain('undefined')
  }
  expect(reference('zh')).toContain('监听端口')
  // Each language tells the same bounds.
  const rows = (language: Language) =>
    reference(language)
      .split('\n')
      .filter((line) => line.startsWith('| `'))
  const bounds = (row: string) => row.replace(/<.*?>/g, '').match(/\d[\w/]*|\w+:\/\/|\{.*?\}/g)
  expect(rows('zh').map(bounds)).toEqual(rows('en').map(bounds))
})

test('[CFG28] the JSON Schema knows every key, its default and its meaning, and no other', () => {
  const { properties, additionalProperties } = jsonSchema() as {
    properties: Record<string, never>
    additionalProperties: boolean
  }
  expect(additionalProperties).toBe(false)
  expect(properties).toMatchObject({
    log: { properties: { level: { default: 'info', enum: ['trace', 'debug', 'info', 'warn', 'error'] } } },
    http: {
      additionalProperties: false,
      properties: { port: { type: 'integer', minimum: 0, maximum: 65535, default: 8080 } },
    },
    'http-post': { items: { properties: { url: { type: 'string' } } } },
  })
  for (const { path } of leaves())
    expect(properties).toHaveProperty([
      ...path.flatMap((key, i) => (i === 0 ? [key] : ['properties', key])),
      'description',
    ])
})
