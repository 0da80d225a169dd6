// Koishi with its Satori adapter at a real gateway: hears, answers, and gets what it missed after its link was dropped.

import { expect, test } from 'bun:test'
import { Relay } from '../support/relay.ts'
import { Guest, type Told } from './guest.ts'
import { type SmallQQ, smallQQ } from './small-qq.ts'

const TOKEN = 'a token of satori'
const config = { satori: { enabled: true, token: TOKEN } }

/** Koishi's words for it. */
const ONLINE = 1
const online = ({ status }: Told) => status === ONLINE

const koishi = (address: string) => new Guest('koishi-satori', { endpoint: `${address}/satori`, token: TOKEN })

const here = (bed: SmallQQ, count: number) =>
  bed.gateway.until(({ bots }) => bots[0]?.sessions.filter(({ transport }) => transport === 'satori').length === count)

test('[SAT1] Koishi over Satori hears, answers, lists members, uploads, and calls OneBot itself', async () => {
  await using bed = await smallQQ(config)
  await using guest = koishi(bed.gateway.address)
  expect(await guest.tells('status', online)).toMatchObject({ name: bed.nickname })
  const { group, user } = bed.hears('ping 你好 &amp;&#91;&#93; <b>')
  const heard = await guest.tells('heard')
  expect(heard).toMatchObject({ content: 'ping 你好 &amp;[] &lt;b&gt;', channel: String(group), user: String(user) })
  expect(heard['raw']).toMatchObject({ post_type: 'message', group_id: group })
  const [answer] = await bed.answers(1)
  expect(answer).toEqual({ group, text: '[at] pong 你好 &[] <b>' })
  const told = await guest.tells('answered')
  expect(told).toMatchObject({ channel: String(group), group })
  expect(Number(told['members'])).toBeGreaterThan(1)
  expect(String(told['messageId'])).toMatch(/^-?\d+$/)
  expect(told['upload']).toMatch(/^internal:onebot\/\d+\/_tmp\//)
  expect(await guest.leave()).toBe(0)
  await bed.gateway.until(({ links, bots }) => links === 0 && bots[0]?.sessions.length === 0)
})

test('[SAT2] Koishi gets what was said while its link was down, once and in order', async () => {
  await using bed = await smallQQ(config)
  await using relay = new Relay(Number(new URL(bed.gateway.address).port))
  await using guest = koishi(`http://127.0.0.1:${relay.port}`)
  await guest.tells('status', online)
  bed.hears('before')
  await guest.tells('heard', ({ content }) => content === 'before')
  relay.cut()
  await here(bed, 0)
  for (const text of ['one', 'two', 'three']) bed.hears(text)
  relay.plug()
  await here(bed, 1)
  bed.hears('after')
  const heard: unknown[] = []
  while (heard.at(-1) !== 'after') heard.push((await guest.tells('heard'))['content'])
  expect(heard).toEqual(['one', 'two', 'three', 'after'])
})
