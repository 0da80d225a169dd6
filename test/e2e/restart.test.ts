// The gateway ends, in one way or the other, and is started again: who was there goes on.

import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import type { ConfigInput } from '../../src/config/schema.ts'
import { Client, type Frame } from '../support/client.ts'
import { markOf, numbered, numberIn } from '../support/crowd.ts'
import { heartbeat, lifecycle, ok } from '../support/implementation.ts'
import { type Lasting, lasting } from '../support/lasting.ts'
import { lacks, windows } from '../support/system.ts'
import { target } from '../support/target.ts'
import { milky, type Upstream, upstream } from '../support/upstream.ts'

const posix = !lacks(
  windows,
  'Windows has no signals that a program could answer, and lets nobody write to a file that another has locked',
)

const CONFIG: ConfigInput = {
  clients: [
    { name: 'w', token: 'tw', resume: true },
    { name: 'pooled', token: 'tp', pool: 'crew', resume: true },
  ],
  pools: { crew: { strategy: 'round-robin' } },
}
const withBot = (bot: Upstream, more: ConfigInput = {}): ConfigInput => ({
  ...CONFIG,
  ...more,
  'ntqq-impl': bot.own,
})

const come = (it: Lasting, token: string) => Client.connect(it.ws, { headers: { Authorization: `Bearer ${token}` } })
const isResume = (frame: Frame) => frame['meta_event_type'] === 'resume'
const isMe = (frame: Frame) => frame['self_client'] === true
const appId = (frame: Frame) => (frame['client'] as { app_id: string }).app_id
const online = (it: Lasting) => it.until(({ bots }) => bots[0]?.online === true)
const numbers = (client: Client) => client.heard.map(numberIn).filter((n) => n > 0)
const hears = (client: Client, n: number) => client.next((_, raw) => numberIn(raw) === n)

/** What else is there: the numbers of Milky's messages. */
const isJournal = (name: string) => /^(?!milky-).*\.db/.test(name)

/** The file of the only bot. */
async function dataFile(it: Lasting): Promise<string> {
  const name = (await it.home.list('data')).find(isJournal)
  if (name === undefined) throw new Error(`no file in ${await it.home.list('data')}`)
  return it.home.at('data', name)
}

/** Everything that may be waited for is on disk: a session's position stands in its file. */
async function onDisk(it: Lasting, wanted: (database: Database) => boolean): Promise<void> {
  // Its owner has the file to itself while it runs: what was committed is read from a copy.
  const file = await dataFile(it)
  for (;;) {
    const copy = it.home.at('copy.db')
    for (const part of ['', '-wal']) {
      const bytes = await Bun.file(file + part)
        .bytes()
        .catch(() => new Uint8Array())
      await Bun.write(copy + part, bytes)
    }
    const database = new Database(copy)
    try {
      if (wanted(database)) return
    } finally {
      database.close()
    }
    await Bun.sleep(20)
  }
}

const holds = (database: Database, n: number) =>
  database
    .query('SELECT texts FROM events')
    .values()
    .flat()
    .some((texts) => Buffer.from(texts as Uint8Array).includes(milky ? markOf(n) : numbered(n)))

const ENDS = ['SIGKILL', 'SIGTERM'] as const

test.skipIf(!posix).each(ENDS)(
  '[GOV4] [GOV5] after %s the account is known before its implementation is back, and clients, pools and hooks go on',
  async (how) => {
    await using bot = upstream({ answer: (frame) => ok(frame) })
    await using hook = target()
    const post = [{ name: 'hook', url: hook.url, filter: { types: ['message'] }, 'retries-interval': '100ms' }]
    await using it = await lasting(withBot(bot, { 'http-post': post }))
    await online(it)
    await using first = await come(it, 'tw')
    const hello = await first.next(isMe)
    await using pooled = await come(it, 'tp')
    const helloPooled = await pooled.next(isMe)
    for (let n = 1; n <= 3; n++) bot.send(numbered(n))
    await hears(first, 3)
    await hears(pooled, 3)
    // The client goes, and so do the only member of the pool and the hook: this is for later.
    await first.close()
    await pooled.close()
    // The gateway may hear of it later: what it says of who left is to come before what waits.
    await it.until(({ bots }) => bots[0]?.waiting.away === 2)
    await hook.heard(3)
    hook.stop()
    for (let n = 4; n <= 6; n++) bot.send(numbered(n))
    await it.until(({ bots }) => bots[0]?.pools?.[0]?.waiting === 3)
    // At most 50 ms behind; what a crash may lose is another story.
    if (how === 'SIGKILL') await onDisk(it, (database) => holds(database, 6))

    await bot.stop()
    if (how === 'SIGKILL') await it.kill()
    else expect(await it.stop()).toBe(0)
    expect(it.output).not.toContain('did not come back')
    await it.start()
    await it.says(/going on where the last run ended/)
    hook.start()
    await hook.heard(6)

    await using back = await come(it, 'tw')
    expect(await back.next()).toMatchObject({ meta_event_type: 'lifecycle', self_id: 10001 })
    expect(await back.next()).toMatchObject({ meta_event_type: 'resume', recovered: true, lost: 0 })
    expect(await back.next()).toMatchObject({ meta_event_type: 'heartbeat', status: { online: false, good: false } })
    expect(appId(await back.next(isMe))).toBe(appId(hello))
    await hears(back, 6)
    // What it had confirmed before it went is not known here; what it has missed came, and in order.
    expect(numbers(back).slice(-3)).toEqual([4, 5, 6])

    await using backPooled = await come(it, 'tp')
    expect(appId(await backPooled.next(isMe))).toBe(appId(helloPooled))
    await hears(backPooled, 6)
    // After a crash what was given away in the last second is given away again.
    expect(numbers(backPooled).slice(how === 'SIGKILL' ? -3 : 0)).toEqual([4, 5, 6])

    bot.start()
    expect(await back.next(({ status }) => (status as { online?: boolean })?.online === true)).toBeDefined()
    bot.send(numbered(7))
    await hears(back, 7)
    await hears(backPooled, 7)
    await hook.heard(7)
    expect(hook.numbers.filter((n) => n > 3)).toEqual([4, 5, 6, 7])
  },
)

test.skipIf(!posix)(
  '[GOV5] what a pool has given away is not given away again after a crash, but for the last moment, however seldom hearts beat',
  async () => {
    await using bot = upstream(milky ? {} : { first: [lifecycle(), heartbeat(60_000)] })
    await using it = await lasting(withBot(bot, { clients: [{ name: 'plain', token: 'tx', pool: 'crew' }] }))
    await online(it)
    await using member = await come(it, 'tx')
    await member.next(isMe)
    for (let n = 1; n <= 3; n++) bot.send(numbered(n))
    await hears(member, 3)
    const head = 'SELECT max(first + length(sizes) / 4) FROM events'
    await onDisk(it, (database) => {
      const [position] = database.query("SELECT position FROM cursors WHERE name = 'pool crew'").values().flat()
      return holds(database, 3) && Number(position) === Number(database.query(head).values().flat()[0])
    })
    await it.kill()
    await it.start()
    await online(it)
    await using back = await come(it, 'tx')
    bot.send(numbered(4))
    await hears(back, 4)
    expect(numbers(back)).toEqual([4])
  },
)

test.skipIf(!posix)(
  '[GOV6] a damaged file is put aside: the gateway starts, says so, and keeps what comes',
  async () => {
    await using bot = upstream({ answer: (frame) => ok(frame) })
    await using it = await lasting(withBot(bot))
    await online(it)
    expect(await it.stop()).toBe(0)
    const file = await dataFile(it)
    await Bun.write(file, 'this is no database, whatever its name says'.repeat(1_000))
    await it.start()
    await online(it)
    await it.says(/put aside/)
    expect((await it.home.list('data')).filter((name) => name.includes('.corrupt-'))).toHaveLength(1)
    await using client = await come(it, 'tw')
    const hello = await client.next(isMe)
    expect(await it.stop()).toBe(0)
    await it.start()
    await using back = await come(it, 'tw')
    expect(await back.next(isResume)).toMatchObject({ lost: 0 })
    expect(appId(await back.next(isMe))).toBe(appId(hello))
  },
)

test.skipIf(!posix)(
  '[GOV6] a file that another program has is said to be locked: the gateway goes on from memory',
  async () => {
    await using bot = upstream({ answer: (frame) => ok(frame) })
    await using it = await lasting(withBot(bot))
    await online(it)
    expect(await it.stop()).toBe(0)
    const other = new Database(await dataFile(it))
    other.run('BEGIN IMMEDIATE')
    await it.start()
    await online(it)
    await it.says(/going on from memory.*locked/)
    await using client = await come(it, 'tw')
    await client.next(isResume)
    bot.send(numbered(1))
    await hears(client, 1)
    expect(await client.call('send_group_msg_async', { group_id: 1, message: 'x', durable: true })).toMatchObject({
      status: 'failed',
      retcode: 1503,
    })
    other.close()
  },
)

test('[GOV6] without `journal.persist` nothing is written, and nobody comes back', async () => {
  await using bot = upstream({ answer: (frame) => ok(frame) })
  await using it = await lasting(withBot(bot, { journal: { persist: false } }))
  await online(it)
  await using client = await come(it, 'tw')
  await client.next(isMe)
  expect((await it.home.list('data')).filter(isJournal)).toEqual([])
  expect(await client.call('send_group_msg_async', { group_id: 1, message: 'x', durable: true })).toMatchObject({
    status: 'failed',
    retcode: 1400,
  })
  await it.kill()
  await it.start()
  await online(it)
  await using back = await come(it, 'tw')
  expect(await back.next(isResume)).toMatchObject({ recovered: false, secret: expect.any(String) })
})
