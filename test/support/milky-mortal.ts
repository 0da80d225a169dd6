// A program: an implementation that speaks Milky and gets killed. Numbers its events, and notes what it did before it answers.

import { openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from './implementation.ts'
import { FRIEND, friendMessage, SELF, text } from './milky-stage.ts'
import { LOOK, MOST, type Mortal, SLOWEST, SLOWEST_DURABLE, UNREAD, waiting } from './mortal-life.ts'
import { Pace } from './pace.ts'

const [given = ''] = process.argv.slice(2)
const { port, life, rate, since, notes, hook }: Mortal = JSON.parse(given) // ours
const file = openSync(notes, 'a')
const note = (line: string) => writeSync(file, `${line}\n`)

const pace = new Pace(rate, since)
const waits = waiting(hook)
let links = 0
let seq = 0
let open: { name: string; count: number; link: Bun.ServerWebSocket } | undefined
let speaking = rate > 0
let ending = false

Bun.serve({
  hostname: '127.0.0.1',
  port,
  reusePort: false,
  fetch: (request, self) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/event') return self.upgrade(request) ? undefined : new Response('', { status: 426 })
    return carriedOut(pathname.replace('/api/', ''), request)
  },
  websocket: {
    sendPings: false,
    idleTimeout: 0,
    open(link) {
      // Another gateway: nothing was due while there was none.
      if (links > 0) pace.notBefore(Date.now())
      open = { name: `${life * 1_000 + ++links}`, count: 0, link }
      if (rate > 0) note(`link ${open.name}`)
    },
    close() {
      open = undefined
    },
    message: () => undefined,
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

async function carriedOut(api: string, request: Request): Promise<Response> {
  const { message = [] } = (await request.json()) as { message?: { data: { text: string } }[] } // the gateway's
  const durable = api === 'send_group_message'
  if (durable) note(`did ${message[0]?.data.text}`)
  if (api.startsWith('send_')) await sleep(Math.random() * (durable ? SLOWEST_DURABLE : SLOWEST))
  return Response.json({ status: 'ok', retcode: 0, data: ANSWERS[api]?.() ?? {} })
}

const ANSWERS: Readonly<Record<string, () => object>> = {
  get_login_info: () => ({ uin: SELF, nickname: 'n' }),
  get_impl_info: () => ({ impl_name: 'a mortal', impl_version: '1', milky_version: '1.2' }),
  send_group_message: () => ({ message_seq: ++seq, time: now() }),
  send_private_message: () => ({ message_seq: ++seq, time: now() }),
}

const spoken = (words: string) =>
  JSON.stringify({
    event_type: 'message_receive',
    time: now(),
    self_id: SELF,
    data: friendMessage([text(words)], ++seq, FRIEND),
  })
