// Bot programs built on packages that others wrote, each a process of its own, at a real gateway.

import { expect, test } from 'bun:test'
import { ownPort } from '../support/port.ts'
import { Guest, type Told } from './guest.ts'
import { JavaSdk } from './java-sdk.ts'
import { nonebotDials } from './nonebot.ts'
import { remembered, type SmallQQ, smallQQ } from './small-qq.ts'
import { BOT } from './talk.ts'

const TOKEN = 'a token/of+clients=='
/** As packages want it that put it into the address as it is. */
const accessToken = encodeURIComponent(TOKEN)
const config = { http: { 'access-token': TOKEN } }
/** Koishi's word for it. */
const ONLINE = 1

/** Somebody says `heard`, the program says `answer`, and is told the id under which QQ knows it. */
async function converses(guest: Guest, bed: SmallQQ, heard: string, answer: string): Promise<Told> {
  const { group, user } = bed.hears(heard)
  expect(await bed.answers(1)).toEqual([{ group, text: answer }])
  const told = await guest.tells('answered')
  if ('messageId' in told) expect(await remembered(bed, told['messageId'])).toBe(answer)
  if ('channel' in told) expect(told).toMatchObject({ channel: String(group), user: String(user) })
  return told
}

/** Its end is orderly, and nothing of it stays. */
async function leaves(guest: Guest, { gateway }: SmallQQ): Promise<void> {
  expect(await guest.leave()).toBe(0)
  await gateway.until(({ links, bots }) => links === 0 && bots[0]?.sessions.length === 0)
}

const koishiDials = ({ gateway }: SmallQQ) =>
  new Guest('koishi', {
    protocol: 'ws',
    selfId: String(BOT),
    token: TOKEN,
    endpoint: `${gateway.ws}/onebot/v11/ws`,
  })

/** Its server takes the first free port from here on. */
const koishiServes = () => new Guest('koishi', { protocol: 'ws-reverse', selfId: String(BOT), port: String(ownPort()) })

const reverseTo = ({ port }: Told) => ({
  ...config,
  'reverse-web-socket': [{ url: `ws://127.0.0.1:${port}/onebot`, name: 'koishi' }],
})

const online = ({ status }: Told) => status === ONLINE

for (const way of ['OneBot', 'Milky by WebSocket'] as const) {
  test(`[IOP1] Koishi over ws, ${way}`, async () => {
    await using bed = await smallQQ(config, way)
    await using koishi = koishiDials(bed)
    expect(await koishi.tells('status', online)).toMatchObject({ name: bed.nickname })
    await converses(koishi, bed, 'ping 你好 &amp;&#91;&#93;', 'pong 你好 &[]')
    await leaves(koishi, bed)
  })

  test(`[IOP3] node-napcat-ts, ${way}`, async () => {
    await using bed = await smallQQ(config, way)
    await using guest = new Guest('napcat-ts', { baseUrl: `${bed.gateway.ws}/onebot/v11/ws`, accessToken })
    expect(await guest.tells('connected')).toMatchObject({ selfId: BOT })
    expect(await guest.tells('started')).toMatchObject({ login: { user_id: BOT } })
    await converses(guest, bed, 'ping 你好', 'pong 你好')
    // It sends the whole event back as the context of a quick operation.
    await converses(guest, bed, 'quick one', '[at] pong one')
    await leaves(guest, bed)
  })
}

test('[IOP2] Koishi over ws-reverse', async () => {
  await using koishi = koishiServes()
  await using bed = await smallQQ(reverseTo(await koishi.tells('started')))
  expect(await koishi.tells('status', online)).toMatchObject({ name: bed.nickname })
  await converses(koishi, bed, 'ping 你好', 'pong 你好')
  await leaves(koishi, bed)
})

test('[IOP4] go-cqwebsocket', async () => {
  await using bed = await smallQQ(config)
  await using guest = new Guest('go-cqwebsocket', { baseUrl: bed.gateway.ws, accessToken })
  expect(await guest.tells('connected')).toMatchObject({ selfId: BOT })
  expect(await guest.tells('started')).toMatchObject({ login: { user_id: BOT } })
  await converses(guest, bed, 'ping 你好', 'pong 你好')
  await leaves(guest, bed)
})

test('[IOP15] all of them at once: everybody hears the same message, and every answer arrives once', async () => {
  await using served = koishiServes()
  await using bed = await smallQQ(reverseTo(await served.tells('started')))
  await using dialling = koishiDials(bed)
  await using napcat = new Guest('napcat-ts', { baseUrl: `${bed.gateway.ws}/onebot/v11/ws`, accessToken })
  await using cq = new Guest('go-cqwebsocket', { baseUrl: bed.gateway.ws, accessToken })
  await using nonebot = await nonebotDials(`${bed.gateway.ws}/onebot/v11/ws`, TOKEN)
  await using java = await JavaSdk.start(bed.gateway.address, TOKEN)
  await Promise.all([served, dialling].map((koishi) => koishi.tells('status', online)))
  for (const guest of [napcat, cq]) await Promise.all([guest.tells('connected'), guest.tells('started')])

  const { group } = bed.hears('ping all')
  const event = await nonebot.hears('message')
  const heard = await java.hears(({ post_type }) => post_type === 'message')
  expect(heard).toEqual(event)
  await nonebot.send(event, 'pong all')
  await java.request('send_group_msg', { group_id: group, message: 'pong all' })
  expect(await bed.answers(6)).toEqual(Array.from({ length: 6 }, () => ({ group, text: 'pong all' })))
  const told = await Promise.all([served, dialling, napcat, cq].map((guest) => guest.tells('answered')))
  expect(new Set(told.map(({ messageId }) => String(messageId))).size).toBe(4)
  expect(bed.qq.sent.filter(({ action }) => action.startsWith('send_'))).toHaveLength(6)
})
