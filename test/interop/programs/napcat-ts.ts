// A bot on node-napcat-ts: answers `ping NAME` by a call, `quick NAME` by a quick operation, each with `pong NAME`.

import { NCWebsocket, Structs } from 'node-napcat-ts'
import { endWith, settings, tell } from './told.ts'

const { baseUrl = '', accessToken = '' } = settings
const bot = new NCWebsocket({ baseUrl, accessToken, throwPromise: true } as never)

bot.on('meta_event.lifecycle.connect', ({ self_id }) => tell('connected', { selfId: self_id }))
bot.on('message.group.normal', async (message) => {
  const text = message.raw_message
  const answer = [Structs.text(text.replace(/ping|quick/, 'pong'))]
  if (text.startsWith('quick')) return tell('answered', { reply: await message.quick_action(answer) })
  if (!text.startsWith('ping')) return
  const reply = await bot.send_group_msg({ group_id: message.group_id, message: answer })
  tell('answered', { messageId: reply.message_id })
})

await bot.connect()
tell('started', { login: await bot.get_login_info() })
endWith(() => bot.disconnect())
