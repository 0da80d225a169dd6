// A program: an implementation that speaks Milky and gets killed. Numbers its events, and notes what it did before it answers.

import { setTimeout as sleep } from 'node:timers/promises'
import { now } from './implementation.ts'
import { FRIEND, friendMessage, SELF, text } from './milky-stage.ts'
import { live, SLOWEST, SLOWEST_DURABLE } from './mortal-life.ts'

let seq = 0

const ANSWERS: Readonly<Record<string, () => object>> = {
  get_login_info: () => ({ uin: SELF, nickname: 'n' }),
  get_impl_info: () => ({ impl_name: 'a mortal', impl_version: '1', milky_version: '1.2' }),
  send_group_message: () => ({ message_seq: ++seq, time: now() }),
  send_private_message: () => ({ message_seq: ++seq, time: now() }),
}

live((note) => ({
  spoken: (words) =>
    JSON.stringify({
      event_type: 'message_receive',
      time: now(),
      self_id: SELF,
      data: friendMessage([text(words)], ++seq, FRIEND),
    }),
  async asked(request, upgrade) {
    const { pathname } = new URL(request.url)
    if (pathname === '/event') return upgrade()
    const api = pathname.replace('/api/', '')
    const { message = [] } = (await request.json()) as { message?: { data: { text: string } }[] } // the gateway's
    const durable = api === 'send_group_message'
    if (durable) note(`did ${message[0]?.data.text}`)
    if (api.startsWith('send_')) await sleep(Math.random() * (durable ? SLOWEST_DURABLE : SLOWEST))
    return Response.json({ status: 'ok', retcode: 0, data: ANSWERS[api]?.() ?? {} })
  },
}))
