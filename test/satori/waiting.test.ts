// Calls of Satori's clients that wait, are refused for a while, or that nobody waits for any more.

import { expect, test } from 'bun:test'
import { outside } from '../support/gateway.ts'
import { BRISK } from '../support/testbed.ts'
import { satoriBed, TOKEN } from './bed.ts'

const AUTH = { Authorization: `Bearer ${TOKEN}` }

test('[SAT42] what is refused for a while says for how long in `Retry-After`, by whichever path it was asked', async () => {
  await using it = await satoriBed({
    config: {
      http: { 'access-token': TOKEN },
      defaults: { 'rate-limit': { read: { rate: '1/h', mode: 'reject' } } },
    },
  })
  it.replies['get_stranger_info'] = { user_id: 5 }
  expect((await it.call('user.get', { user_id: 5 })).status).toBe(200)
  for (const [path, body, wanted] of [
    ['user.get', { user_id: 6 }, 429],
    // In OneBot's own words, where that is no status.
    ['internal/onebot11/get_stranger_info', { user_id: 6 }, 200],
    ['internal/onebot/10001/_api/getStrangerInfo', [{ user_id: 6 }], 500],
  ] as const) {
    const { status, headers } = await it.call(path, body)
    expect([path, status]).toEqual([path, wanted])
    expect(Number(headers.get('retry-after'))).toBeWithin(1, 3_700)
  }
  it.replies['delete_msg'] = { status: 'failed', retcode: 1503, data: null, retry_after: 1e300 }
  const odd = await it.call('message.delete', { channel_id: '7', message_id: 1 })
  expect([odd.status, odd.headers.get('retry-after')]).toEqual([503, null])
})

test.skipIf(outside)(
  '[SAT43] what somebody asked for that has hung up is not sent any more, nor the rest of it',
  async () => {
    await using it = await satoriBed(BRISK)
    it.replies['send_group_msg'] = { message_id: 1 }
    const { address, facts } = it.bed.gateway
    const held = async (count: number) => {
      while (facts.filter(({ kind }) => kind === 'call-held').length < count) await Bun.sleep(1)
    }
    await it.bed.bot.stop()
    await it.bed.gateway.until(({ bots }) => bots[0]?.online === false)
    const hangsUp = new AbortController()
    const cut = fetch(`${address}/satori/v1/message.create`, {
      method: 'POST',
      headers: AUTH,
      body: JSON.stringify({ channel_id: '7', content: 'cut<message>too</message>' }),
      signal: hangsUp.signal,
    }).catch(() => 'cut')
    await held(1)
    hangsUp.abort()
    expect(await cut).toBe('cut')
    const stays = it.call('message.create', { channel_id: '7', content: 'stays' })
    await held(2)
    it.bed.bot.start()
    expect((await stays).status).toBe(200)
    expect(it.asked.map(({ params }) => params['message'])).toEqual([[{ type: 'text', data: { text: 'stays' } }]])
  },
)
