// aiocqhttp, dialled by a real gateway.

import { expect, test } from 'bun:test'
import { groupMessage } from '../support/implementation.ts'
import { BRISK, testbed } from '../support/testbed.ts'
import { aiocqhttp } from './aiocqhttp.ts'
import { BOT, GROUP, talk, USER } from './talk.ts'

test('[IOP10] aiocqhttp is dialled: objects as echo, answers by call and by what its handler returns', async () => {
  const spoken = talk()
  await using app = await aiocqhttp('s3cret')
  const entry = { url: app.url, 'access-token': 's3cret' }
  await using bed = await testbed({ config: { 'reverse-web-socket': [entry] }, bot: spoken, ...BRISK })
  expect(await app.linked.take()).toEqual({ role: 'Universal', selfId: String(BOT) })

  app.onMessage = async ({ raw_message, ...context }) => {
    if (String(raw_message).startsWith('quick')) return { reply: 'pong http://quick/', at_sender: false }
    await app.call(String(BOT), 'send_msg', { ...context, message: 'pong 你好/' })
    return undefined
  }
  bed.bot.send(groupMessage('ping', BOT, 1))
  expect(await spoken.said.take()).toMatchObject({ text: 'pong 你好/', params: { group_id: GROUP, user_id: USER } })
  bed.bot.send(groupMessage('quick', BOT, 2))
  expect(await spoken.said.take()).toMatchObject({ text: 'pong http://quick/', params: { group_id: GROUP } })

  expect(await app.call(String(BOT), 'get_login_info', { self_id: BOT })).toMatchObject({ user_id: BOT })
  await expect(app.call(String(BOT), 'no_such_action', {})).rejects.toThrow('ActionFailed 1404')
  expect(app).toMatchObject({ strays: [], refused: [] })
})
