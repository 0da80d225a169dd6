// NoneBot at a real gateway, as a client that dials and as one that is dialled.

import { expect, test } from 'bun:test'
import { groupMessage, heartbeat, ok } from '../support/implementation.ts'
import { type Bed, BRISK, testbed } from '../support/testbed.ts'
import { type NoneBot, nonebotDials, nonebotServes } from './nonebot.ts'
import { BOT, GROUP, type Talk, talk } from './talk.ts'

const TOKEN = 'token-of-clients'
const config = { http: { 'access-token': TOKEN } }

async function converses(nonebot: NoneBot, bed: Bed, spoken: Talk, name: string) {
  bed.bot.send(groupMessage(`ping ${name}`, BOT, 5))
  const event = await nonebot.hears('message')
  const sent = nonebot.send(event, `pong ${name} 你好`)
  const { text, messageId, params } = await spoken.said.take()
  expect(text).toBe(`pong ${name} 你好`)
  expect(params).toMatchObject({ group_id: GROUP, message_type: 'group' })
  expect(await sent).toEqual({ message_id: messageId })
}

test('[IOP5] NoneBot dials: the first frame tells the account, and none is lost on it', async () => {
  const spoken = talk()
  await using bed = await testbed({ config, bot: spoken })
  await using nonebot = await nonebotDials(`${bed.gateway.ws}/onebot/v11/ws`, TOKEN)
  await nonebot.hears('meta_event', ({ meta_event_type }) => meta_event_type === 'lifecycle')
  expect(nonebot).toMatchObject({ selfId: String(BOT), ignored: [], refused: [] })
  await converses(nonebot, bed, spoken, 'one')
  await expect(nonebot.call('no_such_action', {})).rejects.toThrow('1404')
  expect(nonebot).toMatchObject({ ignored: [], refused: [] })
  nonebot.leave()
  await bed.gateway.until(({ links }) => links === 0)
})

test('[IOP6] NoneBot twice: the same echoes in both, and each gets its own replies', async () => {
  await using bed = await testbed({ config })
  const connect = () => nonebotDials(`${bed.gateway.ws}/onebot/v11/ws`, TOKEN)
  await using one = await connect()
  await using two = await connect()
  const calls = [one, two, one, two].map((nonebot, user_id) => nonebot.call('get_stranger_info', { user_id }))
  const actions = [await bed.bot.next(), await bed.bot.next(), await bed.bot.next(), await bed.bot.next()]
  // The last is answered first.
  for (const action of actions.reverse()) bed.bot.send(ok(action, { user_id: action.params['user_id'] }))
  expect(await Promise.all(calls)).toEqual([0, 1, 2, 3].map((user_id) => ({ user_id })))
})

test('[IOP7] NoneBot waits: it is never left in silence, also while there is no implementation', async () => {
  const spoken = talk()
  await using bed = await testbed({ config, bot: spoken, ...BRISK })
  // Beats come every 200 ms instead of 5 s, and so its patience is not 30 s either.
  bed.bot.send(heartbeat(200))
  await bed.gateway.until(({ bots }) => bots[0]?.online === true)
  await using nonebot = await nonebotDials(`${bed.gateway.ws}/onebot/v11/ws`, TOKEN, { silence: 5_000 })
  const beats = (online: boolean) =>
    nonebot.hears('meta_event', ({ status }) => (status as { online?: boolean } | undefined)?.online === online)
  await beats(true)
  await bed.bot.stop()
  for (let i = 0; i < 8; i++) await beats(false)
  bed.bot.start()
  await beats(true)
  await converses(nonebot, bed, spoken, 'again')
})

test('[IOP8] NoneBot is dialled: its account and token are in the handshake, and it returns after a restart', async () => {
  const spoken = talk()
  await using server = await nonebotServes({ token: TOKEN })
  const entry = { url: server.url, 'access-token': TOKEN }
  await using bed = await testbed({ config: { 'reverse-web-socket': [entry] }, bot: spoken, ...BRISK })
  const before = await server.next()
  await converses(before, bed, spoken, 'one')
  before.leave()
  await using after = await server.next()
  await converses(after, bed, spoken, 'two')
  expect(server.refused).toEqual([])
})

test('[IOP9] NoneBot is dialled anew only when the link of before is gone', async () => {
  const spoken = talk()
  await using server = await nonebotServes({ token: TOKEN })
  const entry = { url: server.url, 'access-token': TOKEN }
  await using bed = await testbed({ config: { 'reverse-web-socket': [entry] }, bot: spoken, ...BRISK })
  await using before = await server.next()
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 1)
  // A busy event loop answers the goodbye late.
  before.slowToClose = 300
  const next = {
    'ntqq-impl': { 'external-web-socket': bed.bot.url },
    'reverse-web-socket': [{ ...entry, name: 'bot' }],
  }
  await bed.gateway.apply(next)
  await using after = await server.next()
  expect(server.refused).toEqual([])
  await converses(after, bed, spoken, 'two')
})
