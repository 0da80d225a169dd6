// A program: an implementation that gets killed. Numbers its events, and notes what it was told to do before it answers.

import { openSync, writeSync } from 'node:fs'
import { lifecycle, now } from './implementation.ts'
import { LOOK, MOST, type Mortal, SLOWEST, SLOWEST_DURABLE, UNREAD, waiting } from './mortal-life.ts'
import { Pace } from './pace.ts'

const [given = ''] = process.argv.slice(2)
const { port, life, rate, since, notes, hook }: Mortal = JSON.parse(given) // ours
const file = openSync(notes, 'a')
const note = (line: string) => writeSync(file, `${line}\n`)

const pace = new Pace(rate, since)
const waits = waiting(hook)
let links = 0
let open: { name: string; count: number; link: Bun.ServerWebSocket } | undefined
let speaking = rate > 0
let ending = false

Bun.serve({
  hostname: '127.0.0.1',
  port,
  reusePort: false,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('', { status: 426 })),
  websocket: {
    sendPings: false,
    idleTimeout: 0,
    open(link) {
      link.send(lifecycle())
      // Another gateway: nothing was due while there was none.
      if (links > 0) pace.notBefore(Date.now())
      open = { name: `${life * 1_000 + ++links}`, count: 0, link }
      if (rate > 0) note(`link ${open.name}`)
    },
    close() {
      open = undefined
    },
    message: (link, text) => carryOut(link, JSON.parse(String(text))),
  },
})
console.log('ready')

setInterval(() => {
  const one = open
  if (one === undefined || !speaking || one.link.getBufferedAmount() > UNREAD) return
  if (!ending && waits(one.name, one.count)) return pace.notBefore(Date.now())
  one.link.cork(() => {
    // The end is an event, too: there is a last one whatever was due.
    for (let due = ending ? 1 : pace.take(MOST); due > 0; due--) one.link.send(spoken(`${one.name}.${++one.count}`))
  })
  if (!ending) return
  speaking = false
  note(`last ${one.name}.${one.count}`)
}, LOOK)

// No more events; calls are still answered.
process.on('SIGUSR1', () => {
  ending = true
})

interface Asked {
  action: string
  params?: { message?: unknown }
  echo?: unknown
}

function carryOut(link: Bun.ServerWebSocket, { action, params, echo }: Asked): void {
  const durable = action === 'send_group_msg'
  if (durable) note(`did ${params?.message}`)
  const reply = JSON.stringify({ status: 'ok', retcode: 0, data: { message_id: 1 }, echo })
  setTimeout(() => link.send(reply), Math.random() * (durable ? SLOWEST_DURABLE : SLOWEST))
}

const spoken = (text: string) =>
  `{"time":${now()},"self_id":10001,"post_type":"message","message_type":"private","sub_type":"friend","message_id":1,"user_id":2854196310,"message":"${text}","raw_message":"${text}","font":0,"sender":{"user_id":2854196310,"nickname":"n"}}`
