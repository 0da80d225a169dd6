// Bot programs built on packages that others wrote, each a process of its own, at a real gateway.

import { expect, test } from 'bun:test'
import { groupMessage } from '../support/implementation.ts'
import { type Bed, BRISK, testbed } from '../support/testbed.ts'
import { Guest } from './guest.ts'
import { BOT, GROUP, type Talk, talk, USER } from './talk.ts'

const TOKEN = 'a token/of+clients=='
/** Koishi's word for it. */
const ONLINE = 1
const config = { http: { 'access-token': TOKEN } }

/** A member says something in the group. */
const hear = (text: string, id: number) => groupMessage(text, BOT, id)

async function answers(spoken: Talk, text: string) {
  const { params, messageId, ...said } = await spoken.said.take()
  expect(said.text).toBe(text)
  expect(Number(params['group_id'])).toBe(GROUP)
  return messageId
}

/** Everything this program opened is closed again, and its end was orderly. */
async function leaves(guest: Guest, bed: Bed) {
  expect(await guest.leave()).toBe(0)
  await bed.gateway.until(({ links, bots }) => links === 0 && bots[0]?.sessions.length === 0)
}

test('[IOP1] Koishi over ws', async () => {
  const spoken = talk()
  await using bed = await testbed({ config, bot: spoken })
  const endpoint = `${bed.gateway.ws}/onebot/v11/ws`
  await using koishi = new Guest('koishi', { protocol: 'ws', selfId: String(BOT), token: TOKEN, endpoint })
  expect(await koishi.tells('status', ({ status }) => status === ONLINE)).toMatchObject({ name: '小助手' })
  await koishiAnswers(koishi, bed, spoken)
  await leaves(koishi, bed)
})

test('[IOP2] Koishi over ws-reverse', async () => {
  const spoken = talk()
  await using koishi = new Guest('koishi', {
    protocol: 'ws-reverse',
    selfId: String(BOT),
    port: String(20_000 + (process.pid % 10_000)),
  })
  const { port } = await koishi.tells('started')
  const entry = { url: `ws://127.0.0.1:${port}/onebot`, name: 'koishi' }
  await using bed = await testbed({ config: { ...config, 'reverse-web-socket': [entry] }, bot: spoken, ...BRISK })
  await koishi.tells('status', ({ status }) => status === ONLINE)
  await koishiAnswers(koishi, bed, spoken)
  expect(await koishi.leave()).toBe(0)
  await bed.gateway.until(({ bots }) => bots[0]?.sessions.length === 0)
})

test('[IOP3] node-napcat-ts', async () => {
  const spoken = talk()
  await using bed = await testbed({ config, bot: spoken })
  const baseUrl = `${bed.gateway.ws}/onebot/v11/ws`
  await using guest = new Guest('napcat-ts', { baseUrl, accessToken: encodeURIComponent(TOKEN) })
  expect(await guest.tells('connected')).toMatchObject({ selfId: BOT })
  expect(await guest.tells('started')).toMatchObject({ login: { user_id: BOT } })
  bed.bot.send(hear('ping 你好', 1))
  const messageId = await answers(spoken, 'pong 你好')
  expect(await guest.tells('answered')).toMatchObject({ messageId })
  // It sends the whole event back as the context of a quick operation.
  bed.bot.send(hear('quick one', 2))
  await answers(spoken, '[at] pong one')
  await guest.tells('answered')
  await leaves(guest, bed)
})

test('[IOP4] go-cqwebsocket', async () => {
  const spoken = talk()
  await using bed = await testbed({ config, bot: spoken })
  const accessToken = encodeURIComponent(TOKEN)
  await using guest = new Guest('go-cqwebsocket', { baseUrl: bed.gateway.ws, accessToken })
  expect(await guest.tells('connected')).toMatchObject({ selfId: BOT })
  expect(await guest.tells('started')).toMatchObject({ login: { user_id: BOT } })
  bed.bot.send(hear('ping 你好', 1))
  const messageId = await answers(spoken, 'pong 你好')
  expect(await guest.tells('answered')).toMatchObject({ messageId })
  await leaves(guest, bed)
})

async function koishiAnswers(koishi: Guest, bed: Bed, spoken: Talk) {
  bed.bot.send(hear('ping 你好 &[]', -7))
  const messageId = await answers(spoken, 'pong 你好 &[]')
  const where = { channel: String(GROUP), user: String(USER) }
  expect(await koishi.tells('answered')).toMatchObject({ messageId: String(messageId), ...where })
}
