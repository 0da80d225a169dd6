// What Satori's clients find after a restart, where events are kept on disk.

import { expect, test } from 'bun:test'
import { folder } from '../support/folder.ts'
import { groupMessage } from '../support/implementation.ts'
import { event, satoriBed, TOKEN } from './bed.ts'

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
