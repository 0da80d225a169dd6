// A bot on go-cqwebsocket, which opens one link for calls and one for events: answers `ping NAME` with `pong NAME`.

import { once } from 'node:events'
import cq from 'go-cqwebsocket'
import { endWith, settings, tell } from './told.ts'

const { baseUrl = '', accessToken = '' } = settings
const bot = new cq.CQWebSocket({ baseUrl, accessToken })

bot.on('meta_event.lifecycle', () => tell('connected', { selfId: bot.qq }))
bot.on('message.group', async ({ context }) => {
  if (!context.raw_message.startsWith('ping')) return
  const reply = await bot.send_group_msg(context.group_id, context.raw_message.replace('ping', 'pong'))
  tell('answered', { messageId: reply.message_id })
})

const opened = Promise.withResolvers<void>()
bot.on('socket.open', () => opened.resolve())
bot.connect()
await opened.promise
tell('started', { login: await bot.get_login_info() })
endWith(async () => {
  const closed = Promise.all(['socket.close', 'socket.closeEvent'].map((event) => once(bot as never, event)))
  bot.disconnect()
  await closed
})
