// Streams by themselves: what is shared by those who watch the same.

import { expect, test } from 'bun:test'
import type { Asked } from '../../src/admin/route.ts'
import { type Feed, type Send, Streams } from '../../src/admin/streams.ts'

/** As much of a request as a stream looks at. */
function asked() {
  const gone = new AbortController()
  const c = { env: { keepOpen: () => undefined }, req: { raw: { signal: gone.signal } } } as unknown as Asked
  return { c, leave: () => gone.abort() }
}

interface Heard {
  text: string
  chunks: Uint8Array[]
}

/** Resolves once `enough` has been read. */
async function read({ body }: Response, enough: RegExp): Promise<Heard> {
  const decoder = new TextDecoder()
  const heard: Heard = { text: '', chunks: [] }
  const reader = (body as ReadableStream<Uint8Array>).getReader() // streams have one
  while (!enough.test(heard.text)) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`it ended after ${JSON.stringify(heard.text)}`)
    heard.text += decoder.decode(value, { stream: true })
    heard.chunks.push(value)
  }
  reader.releaseLock()
  return heard
}

test('[TAP15] who asks for the same shares it: begun once, written once, ended with the last', async () => {
  const streams = new Streams()
  const begun: string[] = []
  const ended: string[] = []
  const says = new Map<string, Send>()
  const feed = (key: string): Feed => ({
    key,
    greet: (send) => send('hello', '{}'),
    begin(send) {
      begun.push(key)
      says.set(key, send)
      return () => void ended.push(key)
    },
  })
  const [first, second, other] = [asked(), asked(), asked()]
  const one = streams.open(first.c, feed('a'))
  says.get('a')?.('news', '"before"')
  const two = streams.open(second.c, feed('a'))
  const three = streams.open(other.c, feed('b'))
  expect(begun).toEqual(['a', 'b'])
  for (let n = 0; n < 10; n++) says.get('a')?.('news', String(n))
  says.get('b')?.('news', '"b"')
  const [a, b, c] = await Promise.all([read(one, /data: 9/), read(two, /data: 9/), read(three, /data: "b"/)])
  expect(a.text).toStartWith(
    ': perpetua\n\nevent: hello\ndata: {}\n\nevent: news\ndata: "before"\n\nevent: news\ndata: 0\n',
  )
  expect(b.text).toStartWith(': perpetua\n\nevent: hello\ndata: {}\n\nevent: news\ndata: 0\n')
  expect(c.text).not.toContain('data: 0')
  // The very same bytes, and all ten together.
  expect(a.chunks.at(-1)).toBe(b.chunks.at(-1) as Uint8Array)
  expect(b.chunks).toHaveLength(2)
  first.leave()
  expect(ended).toEqual([])
  second.leave()
  expect(ended).toEqual(['a'])
  streams.open(asked().c, feed('a'))
  expect(begun).toEqual(['a', 'b', 'a'])
  streams.stop()
  expect(ended.toSorted()).toEqual(['a', 'a', 'b'])
})

test('[TAP5] who does not read is left out, and told how much once there is room; others miss nothing', async () => {
  const streams = new Streams()
  let say: Send = () => undefined
  const feed: Feed = {
    key: 'a',
    begin(send) {
      say = send
      return () => undefined
    },
  }
  const lazy = streams.open(asked().c, feed)
  const eager = streams.open(asked().c, feed)
  const all = read(eager, /data: "last"/)
  const long = JSON.stringify('x'.repeat(100_000))
  for (let n = 0; n < 20; n++) {
    say('long', long, true)
    await Bun.sleep(0)
  }
  say('short', '"last"', true)
  expect((await all).text).not.toContain('skipped')
  const late = await read(lazy, /event: skipped/)
  const skipped = Number(/"skipped":(\d+)/.exec(late.text)?.[1])
  expect(late.text.split('event: long').length - 1 + skipped).toBe(21)
  expect(skipped).toBeGreaterThan(10)
  streams.stop()
})
