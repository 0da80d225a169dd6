// How the Go version lost, delayed or leaked, and must not any more.

import { describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import { Inbox } from '../contract/witness.ts'
import { Application } from '../support/application.ts'
import { Client } from '../support/client.ts'
import { crowd, numbered } from '../support/crowd.ts'
import { native, type Overview } from '../support/gateway.ts'
import { groupMessage, ok } from '../support/implementation.ts'
import { BRISK, testbed } from '../support/testbed.ts'
import { expectTold, type Upstream } from '../support/upstream.ts'

/** Says events `from` to `to`, letting the others have their turn now and then. */
async function speak(bot: Upstream, from: number, to: number, size = 500): Promise<void> {
  for (let n = from; n <= to; n++) {
    bot.send(numbered(n, size))
    if (n % 200 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

const whole = (last: number) => ({ count: last, first: 1, last, gaps: 0, code: undefined })

/** A web hook that takes connections and never answers. */
async function deadHook() {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

test("[MND8] a stuck client and dead web hooks are nobody else's business", async () => {
  await using dead = await deadHook()
  const config = { 'http-post': [{ url: dead.url }, { url: 'http://127.0.0.1:1/' }] }
  await using bed = await testbed({ config })
  await using clients = await crowd(bed.gateway.address, { count: 4 })
  const [stuck, ...others] = clients.members
  stuck?.pause()
  // Far more than the 512 at which everything once stood still, and than any socket holds.
  await speak(bed.bot, 1, 6_000, 2_000)
  await clients.heard(6_000, others)
  for (const member of others) expect(member).toMatchObject(whole(6_000))
  expect(stuck?.last).toBeLessThan(6_000)
  const { bots } = await bed.gateway.status()
  // The stuck client and both hooks read from the journal, each in its own time.
  expect(bots[0]?.waiting.catchingUp).toBe(3)
})

test('[MND9] the 40,000th event costs what the first ones did', async () => {
  await using bed = await testbed()
  await using clients = await crowd(bed.gateway.address, { count: 1 })
  const block = 5_000
  const took: number[] = []
  for (let start = 0; start < 40_000; start += block) {
    const since = performance.now()
    await speak(bed.bot, start + 1, start + block, 300)
    await clients.heard(start + block)
    took.push(performance.now() - since)
  }
  // It was 78 times as long. The fastest of the last against the fastest of the first: the machine has its moments.
  expect(Math.min(...took.slice(-3)) / Math.min(...took.slice(0, 3))).toBeLessThan(10)
})

describe('[MND10] a client that lags', () => {
  test('[MND10] catches up from the journal, in order and without a gap', async () => {
    await using bed = await testbed()
    await using clients = await crowd(bed.gateway.address, { count: 2 })
    const [slow, quick] = clients.members
    if (slow === undefined || quick === undefined) throw new Error('nobody came')
    for (let round = 0; round < 3; round++) {
      slow.pause()
      await speak(bed.bot, round * 4_000 + 1, round * 4_000 + 4_000, 2_000)
      await clients.heard(round * 4_000 + 4_000, [quick])
      expect(slow.last).toBeLessThan(quick.last)
      slow.resume()
      await clients.heard(round * 4_000 + 4_000, [slow])
    }
    expect(slow).toMatchObject(whole(12_000))
    await bed.gateway.until(({ bots }) => bots[0]?.waiting.catchingUp === 0)
  })

  test('[MND10] is told by 4008 when the journal no longer has what it missed', async () => {
    await using bed = await testbed({ config: { journal: { 'max-bytes': '1MiB' } } })
    await using clients = await crowd(bed.gateway.address, { count: 2 })
    const [slow, quick] = clients.members
    if (slow === undefined || quick === undefined) throw new Error('nobody came')
    slow.pause()
    let last = 0
    while ((await bed.gateway.status()).bots[0]?.sessions.length === 2) {
      await speak(bed.bot, last + 1, last + 500, 2_000)
      last += 500
      await clients.heard(last, [quick])
    }
    slow.resume()
    await clients.closed([slow])
    expect(slow).toMatchObject({ code: 4008, first: 1, gaps: 0, count: slow.last })
    expect(quick).toMatchObject(whole(last))
  })
})

test('[MND11] a reverse link that comes back leaves no ghost, which others are told', async () => {
  await using app = new Application()
  await using bed = await testbed({ config: { 'reverse-web-socket': [{ url: app.url }] }, ...BRISK })
  const watcher = await bed.client()
  for (let round = 0; round < 3; round++) {
    const link = await app.links.take()
    await link.event('notice.client_status')
    // Its name would be kept by a ghost, and so be taken.
    expect(await link.call('set_client_name', { name: 'koishi' })).toMatchObject({ status: 'ok' })
    app.drop()
    expect(await watcher.next(({ online }) => online === false)).toMatchObject({
      notice_type: 'client_status',
      client: { client_name: 'koishi', transport: 'reverse' },
      self_client: false,
    })
    expect((await watcher.call('get_online_clients'))['data']).not.toContainEqual(
      expect.objectContaining({ client_name: 'koishi' }),
    )
  }
})

test('[MND12] several reverse entries each dial their own, also when the last one is empty', async () => {
  await using first = new Application()
  await using second = new Application()
  await using third = new Application()
  const urls = [first.url, second.url, '', third.url, '']
  await using bed = await testbed({ config: { 'reverse-web-socket': urls.map((url) => ({ url })) } })
  const links = await Promise.all([first, second, third].map((app) => app.links.take()))
  for (const link of links) await link.event('notice.client_status')
  bed.bot.send(groupMessage('to each'))
  for (const link of links) expect(await link.event('message')).toMatchObject({ raw_message: 'to each' })
  for (const app of [first, second, third]) expect([app.open, app.links.left]).toEqual([1, []])
})

test('[MND17] posts are signed, tried again, and what they answer is carried out', async () => {
  const requests = new Inbox<{ headers: Headers; body: string }>()
  const answers: [number, unknown?][] = [[500], [204], [200, { reply: 'pong', auto_escape: true, at_sender: false }]]
  await using hook = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const body = await request.text()
      // What else there is to tell is not what this story is about.
      if (!body.includes('"post_type":"message"')) return new Response(null, { status: 204 })
      requests.push({ headers: request.headers, body })
      const [status, json] = answers.shift() ?? [204]
      return json === undefined ? new Response(null, { status }) : Response.json(json, { status })
    },
  })
  const entry = { url: `http://127.0.0.1:${hook.port}/`, secret: 'key of the hook', 'retries-interval': '50ms' }
  await using bed = await testbed({ config: { 'http-post': [entry] } })
  const [first, second] = [groupMessage('first & <好>'), groupMessage('ping')]
  bed.bot.send(first)
  bed.bot.send(second)
  for (const wanted of [first, first, second]) {
    const { headers, body } = await requests.take()
    expectTold(body, wanted)
    expect(headers.get('x-signature')).toBe(`sha1=${createHmac('sha1', entry.secret).update(body).digest('hex')}`)
    expect([headers.get('x-self-id'), headers.get('content-type')]).toEqual([
      '10001',
      expect.stringMatching(/^application\/json/),
    ])
  }
  const action = await bed.bot.next()
  expect(action).toMatchObject({
    action: expect.stringMatching(/^send_(?:group_)?msg$/),
    params: { group_id: 123456789 },
  })
  expect(JSON.stringify(action.params['message'])).toContain('pong')
  // Ours to ask for, and ours to hear the answer of.
  bed.bot.send(ok(action))
  await bed.gateway.until(({ bots }) => bots[0]?.waiting.replies === 0)
})

/** A status without what moves by itself. */
const settled = ({ links, allotments, bots }: Overview) => ({
  links,
  allotments,
  bots: bots.map(({ sessions, waiting }) => ({ sessions, waiting })),
})

test('[MND22] 10,000 links that open and close leave nothing behind', async () => {
  await using bed = await testbed({ bot: { answer: (frame) => ok(frame) } })
  const before = await bed.gateway.status()
  const paths = ['/', '/event', '/api', '/onebot/v11/ws', '/onebot/v11/ws?client_name=']
  for (let opened = 0; opened < (native ? 10_000 : 1_000); opened += 50) {
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const path = paths[index % paths.length] ?? '/'
        // Who comes again and again by one name is made to wait.
        return Client.connect(`${bed.gateway.ws}${path.endsWith('=') ? `${path}${opened + index}` : path}`)
      }),
    )
    // Some leave with a call unanswered.
    for (const client of clients.slice(0, 5)) client.send({ action: 'get_status', echo: opened })
    await Promise.all(clients.map((client) => client.close()))
    await bed.gateway.until(({ links }) => links === 0)
  }
  const after = await bed.gateway.until(({ bots }) => bots[0]?.waiting.replies === 0)
  expect(settled(after)).toEqual(settled(before))
})
