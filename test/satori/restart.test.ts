// What Satori's clients find after a restart, where events are kept on disk.

import { expect, test } from 'bun:test'
import type { Frame } from '../support/client.ts'
import { folder } from '../support/folder.ts'
import { groupMessage } from '../support/implementation.ts'
import { type Lasting, lasting } from '../support/lasting.ts'
import { milky, upstream } from '../support/upstream.ts'
import { event, satoriBed, TOKEN } from './bed.ts'
import { WebHook } from './web-hook.ts'

const textOf = (body: Frame) => (body['message'] as Frame | undefined)?.['content'] ?? body['raw_message']

// Windows has no signals that a program could answer.
const ENDS = process.platform === 'win32' ? ['SIGKILL'] : ['SIGTERM', 'SIGKILL']

/** The file of the bot holds this text. */
async function onDisk(it: Lasting, text: string): Promise<void> {
  for (;;) {
    for (const name of await it.home.list('data')) {
      if (!/\.db(?:-wal)?$/.test(name)) continue
      const bytes = await Bun.file(it.home.at('data', name))
        .bytes()
        .catch(() => new Uint8Array())
      if (Buffer.from(bytes).includes(text)) return
    }
    await Bun.sleep(20)
  }
}

test('[SAT29] with journal.persist the last sn of an earlier run still leads to what came after it', async () => {
  await using place = await folder()
  const config = { http: { 'access-token': TOKEN }, 'data-dir': place.at('data'), journal: { persist: true } }
  const run = () => satoriBed({ apart: true, config })
  let sn: unknown
  {
    await using it = await run()
    const client = await it.ready()
    it.bed.bot.send(groupMessage('1'))
    sn = (await event(client, 'message-created'))['sn']
    await client.close()
    await it.bed.gateway.until(({ links }) => links === 0)
    const watcher = await it.ready()
    it.bed.bot.send(groupMessage('2'))
    await event(watcher, 'message-created')
  }
  await using again = await run()
  const client = await again.ready({ sn })
  expect(await event(client, 'message-created')).toMatchObject({ message: { content: '2' } })
  again.bed.bot.send(groupMessage('3'))
  expect(await event(client, 'message-created')).toMatchObject({ message: { content: '3' } })
  expect(client.heard.filter((frame) => frame.includes('login-updated'))).toEqual([])
})

test.skipIf(milky).each(ENDS)(
  '[SAT35] what waits for a dead web hook outlives the gateway, in order (%s)',
  async (how) => {
    await using hook = new WebHook()
    await using bot = upstream()
    await using it = await lasting({
      'ntqq-impl': bot.own,
      breaker: { failures: 3, 'cool-down': '1h' },
      satori: { enabled: true, webhooks: [{ name: 'hook', url: hook.url, 'retries-interval': '1ms' }] },
    })
    await hook.next('login-added')
    bot.send(groupMessage('1'))
    expect(await hook.contents(1)).toEqual(['1'])
    await hook.stop()
    for (const text of ['2', '3', '4']) bot.send(groupMessage(text))
    // It is said once, however often it is tried.
    await it.says(/client keeps failing: left alone for a while, its circuit is open target=hook/)
    await it.until(({ bots }) => (bots[0]?.journal.entries ?? 0) >= 4)
    if (how === 'SIGKILL') await onDisk(it, '"raw_message":"4"')
    if (how === 'SIGKILL') await it.kill()
    else expect(await it.stop()).toBe(0)
    expect(it.output.match(/its circuit is open/g)?.length).toBe(1)
    hook.start()
    await it.start()
    // After a crash what was answered in the last second may come again.
    const contents = await hook.contents(3)
    if (contents[0] === '1') contents.push(...(await hook.contents(1)))
    expect(contents.slice(-3)).toEqual(['2', '3', '4'])
  },
)

const entry = (url: string) => ({ name: 'hook', url, 'retries-interval': '1ms' })

test.skipIf(milky || process.platform === 'win32').each([
  ['http-post', (url: string) => ({ 'http-post': [entry(url)] })],
  ['satori', (url: string) => ({ satori: { enabled: true, webhooks: [entry(url)] } })],
] as const)('[POST17] what a web hook takes while the gateway ends does not come again (%s)', async (_kind, hooks) => {
  await using hook = new WebHook()
  await using bot = upstream()
  await using it = await lasting({ 'ntqq-impl': bot.own, ...hooks(hook.url) })
  await it.until(({ bots }) => bots[0]?.sessions.length === 1)
  const came: unknown[] = []
  let release = Promise.withResolvers<void>()
  let arrived = Promise.withResolvers<void>()
  hook.answer = async ({ body }) => {
    const text = textOf(body)
    if (text === undefined) return new Response()
    came.push(text)
    arrived.resolve()
    await release.promise
    return new Response()
  }
  bot.send(groupMessage('1'))
  bot.send(groupMessage('2'))
  await arrived.promise
  const ended = it.stop()
  await it.says(/stopping/)
  release.resolve()
  expect(await ended).toBe(0)
  release = Promise.withResolvers()
  arrived = Promise.withResolvers()
  await it.start()
  await arrived.promise
  // This one is not taken in time.
  expect(await it.stop()).toBe(0)
  arrived = Promise.withResolvers()
  release.resolve()
  await it.start()
  await arrived.promise
  expect(came).toEqual(['1', '2', '2'])
})
