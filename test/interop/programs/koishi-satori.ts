// A Koishi bot with the Satori adapter: answers `ping NAME` with `pong NAME`, and tells what it hears and how it fares.

import { createRequire } from 'node:module'
import { endWith, settings, tell } from './told.ts'

// Its modules for `import` do not load in Node; those for `require` are what everybody runs.
const require = createRequire(import.meta.url)
const { Context, h }: typeof import('koishi') = require('koishi')
const { SatoriAdapter }: typeof import('@satorijs/adapter-satori') = require('@satorijs/adapter-satori')

const { endpoint = '', token = '' } = settings
const app = new Context()
/** Koishi brings these along; they are no dependencies of ours. */
const plugin = createRequire(require.resolve('koishi'))('@koishijs/plugin-http')
app.plugin(plugin.default ?? plugin)
// The cast: the adapter's type wants every default spelled out, which its schema fills in.
app.plugin(SatoriAdapter, { endpoint, token, retryTimes: 100, retryInterval: 50, retryLazy: 50 } as never)

app.on('bot-status-updated', (bot) => tell('status', { status: bot.status, name: bot.user?.name }))
app.middleware(async (session, next) => {
  tell('heard', {
    content: session.content,
    user: session.userId,
    channel: session.channelId,
    raw: session.event._data,
  })
  if (session.content?.startsWith('ping') !== true) return next()
  const [messageId] = await session.send([
    h.at(session.userId ?? ''),
    ' ',
    ...h.parse(session.content.replace('ping', 'pong')),
  ])
  const members = await session.bot.getGuildMemberList(session.guildId ?? '')
  const [upload] = Object.values(
    await session.bot.createUpload({
      type: 'text/plain',
      filename: 'a.txt',
      data: new TextEncoder().encode('hello').buffer,
    }),
  )
  const info = await session.bot.internal.getGroupInfo({ group_id: Number(session.guildId) })
  tell('answered', {
    messageId,
    channel: session.channelId,
    members: members.data.length,
    upload,
    group: info.group_id,
  })
})

await app.start()
tell('started')
endWith(async () => {
  await Promise.all(app.bots.map((bot) => bot.stop()))
  await app.stop()
})
