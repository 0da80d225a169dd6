// The stories themselves: over which kind of implementation they run.

import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onlyMilky, overOneBot } from '../support/upstream.ts'

/** Those that are about one kind, whatever is asked for. */
const OF_ONE_KIND = ['embedded.test.ts', 'embedded-milky.test.ts', 'milky.test.ts', 'upstreams.test.ts']

test('[MLS7] no story makes an implementation of its own kind, and none is skipped over Milky without a reason', () => {
  for (const name of readdirSync(import.meta.dir).filter((one) => !OF_ONE_KIND.includes(one))) {
    const text = readFileSync(join(import.meta.dir, name), 'utf8')
    expect([name, /new Implementation\(|\.skip\(|skipIf\(!?milky/.exec(text)?.[0]]).toEqual([name, undefined])
  }
  for (const reason of ['', ' ', 'no'])
    expect(() => overOneBot(reason)).toThrow('say in words why the story means nothing over Milky')
})

test('[MLS7] over Milky nobody who speaks OneBot is dialled by mistake', () => {
  const url = 'ws://127.0.0.1:5700/'
  expect(() => onlyMilky({ 'ntqq-impl': { 'external-web-socket': url } })).toThrow('speaks OneBot')
  expect(() => onlyMilky({ upstreams: [{ url }] })).toThrow('speaks OneBot')
  onlyMilky({ 'ntqq-impl': { 'external-web-socket': 'ws://127.0.0.1:1/' } })
  onlyMilky({ 'ntqq-impl': { mode: 'milky', milky: { url: 'http://127.0.0.1/' } } })
  onlyMilky({ upstreams: [{ kind: 'milky', url: 'http://127.0.0.1/' }, { kind: 'reverse' }] })
})
