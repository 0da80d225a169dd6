// A program: an implementation that gets killed. Numbers its events, and notes what it was told to do before it answers.

import { lifecycle, now } from './implementation.ts'
import { live, SLOWEST, SLOWEST_DURABLE } from './mortal-life.ts'

interface Asked {
  action: string
  params?: { message?: unknown }
  echo?: unknown
}

live((note) => ({
  spoken: (text) =>
    `{"time":${now()},"self_id":10001,"post_type":"message","message_type":"private","sub_type":"friend","message_id":1,"user_id":2854196310,"message":"${text}","raw_message":"${text}","font":0,"sender":{"user_id":2854196310,"nickname":"n"}}`,
  asked: (_request, upgrade) => upgrade(),
  opened: (link) => void link.send(lifecycle()),
  heard(link, text) {
    const { action, params, echo }: Asked = JSON.parse(text) // the gateway's
    const durable = action === 'send_group_msg'
    if (durable) note(`did ${params?.message}`)
    const reply = JSON.stringify({ status: 'ok', retcode: 0, data: { message_id: 1 }, echo })
    setTimeout(() => link.send(reply), Math.random() * (durable ? SLOWEST_DURABLE : SLOWEST))
  },
}))
