// A Koishi bot with the OneBot adapter, in either WebSocket mode: answers `ping NAME` with `pong NAME`.

import { createRequire } from 'node:module'
import { endWith, settings, tell } from './told.ts'

// Its modules for `import` do not load in Node; those for `require` are what everybody runs.
const require = createRequire(import.meta.url)
const { Context }: typeof import('koishi') = require('koishi')
const { OneBotBot }: typeof import('koishi-plugin-adapter-onebot') = require('koishi-plugin-adapter-onebot')

const { protocol = 'ws', selfId = '', token = '', endpoint = '', port = '' } = settings
const app = new Context()
/** Koishi brings these along; they are no dependencies of ours. */
const brought = (name: string) => {
  const plugin = createRequire(require.resolve('koishi'))(name)
  return plugin.default ?? plugin
}

app.plugin(brought('@koishijs/plugin-http'))
if (protocol === 'ws-reverse') app.plugin(brought('@koishijs/plugin-server'), { port: Number(port), maxPort: 65_535 })
// The cast: the adapter's type wants every default spelled out, which its schema fills in.
app.plugin(OneBotBot, { protocol, selfId, token, endpoint } as never)

app.on('bot-status-updated', (bot) => tell('status', { status: bot.status, name: bot.user?.name }))
app.middleware(async (session, next) => {
  if (session.content?.startsWith('ping') !== true) return next()
  const [messageId] = await session.send(session.content.replace('ping', 'pong'))
  tell('answered', { messageId, channel: session.channelId, user: session.userId })
})

await app.start()
// The server plugin says its port only to Koishi's own type of context.
tell('started', { port: (app as unknown as { server?: { port: number } }).server?.port })
endWith(async () => {
  await Promise.all(app.bots.map((bot) => bot.stop()))
  await app.stop()
})
