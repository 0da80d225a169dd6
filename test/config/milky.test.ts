// What a config says of implementations that speak Milky: what is read of it, and what is refused.

import { expect, test } from 'bun:test'
import { implementations } from '../../src/config/implementations.ts'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigError, problemText } from '../../src/config/problem.ts'

const parse = (text: string) => parseConfig(text, { file: 'F', environment: {} }).config

function told(text: string): string[] {
  try {
    parse(text)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problemText)
    throw error
  }
}

test('[MLC1] one of ntqq-impl and those of upstreams are read with their address and the way of their events', () => {
  const config = parse(`
ntqq-impl:
  mode: milky
  milky: {url: http://127.0.0.1:3010/a, events: sse}
  external-access-token: T
upstreams:
  - {name: b, kind: milky, url: https://b.example, self-id: 10001}
  - {name: c, kind: forward, url: ws://c}
`)
  expect(implementations(config).map(({ name, kind, url, events }) => [name, kind, url, events])).toEqual([
    ['ntqq-impl', 'milky', 'http://127.0.0.1:3010/a', 'sse'],
    ['b', 'milky', 'https://b.example', 'websocket'],
    ['c', 'forward', 'ws://c', 'websocket'],
  ])
  expect(implementations(config)[0]?.['access-token']).toBe('T')
})

test('[MLC2] an address of the other protocol is refused, with its place and what is wanted', () => {
  expect(told('ntqq-impl: {mode: milky}')).toEqual([expect.stringMatching(/ntqq-impl\.milky\.url.*http:\/\//)])
  expect(told('upstreams: [{kind: milky, url: "ws://a"}]')).toEqual([
    expect.stringMatching(/upstreams.*url.*http:\/\//),
  ])
  expect(told('upstreams: [{kind: forward, url: "http://a"}]')).toEqual([
    expect.stringMatching(/upstreams.*url.*ws:\/\//),
  ])
  expect(told('ntqq-impl: {mode: milky, milky: {url: "http://127.0.0.1:8080"}}')).toEqual([
    expect.stringMatching(/ntqq-impl\.milky\.url.*perpetua's own/),
  ])
})

test('[MLC3] nobody may post events without a token', () => {
  const posted = (token: string) =>
    told(`upstreams: [{kind: milky, url: "http://a", events: webhook, access-token: "${token}"}]`)
  expect(posted('T')).toEqual([])
  expect(posted('')).toEqual([expect.stringMatching(/access-token.*events: webhook/)])
  expect(told('ntqq-impl: {mode: milky, milky: {url: "http://a", events: webhook}}')).toEqual([
    expect.stringMatching(/external-access-token.*events: webhook/),
  ])
})
