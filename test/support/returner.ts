// A program: a client that comes back whatever ends, itself included. Notes each thing it hears before it answers to it.

import { openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pace } from './pace.ts'

export interface Returner {
  name: string
  /** A token of its own; without one it shows the secret that it was given. */
  token?: string
  ack: 'ping' | 'explicit'
  /** Where the gateway's address stands, which changes with each of its lives, and since when it lives (ms since 1970). */
  address: string
  /** Where it notes what it hears; those of its earlier lives are there already. */
  notes: string
  /** Calls a second ... */
  calls: number
  /** ... since then (ms since 1970). */
  since: number
}

const ACK_EVERY = 1_000
const AGAIN = 10
/** Milliseconds between two looks at what is due, and the most calls at one of them. */
const LOOK = 5
const MOST = 20
/** One call in so many is durable ... */
const DURABLE = 15
/** ... to so many groups: over Milky those of one go up in turn, and would pile up in one alone. */
const GROUPS = 11

const [given = ''] = process.argv.slice(2)
const { name, token, ack, address, notes, calls, since }: Returner = JSON.parse(given) // ours
const file = openSync(notes, 'a')
const note = (line: string) => writeSync(file, `${line}\n`)
/** Bun's own takes headers, and tells of PINGs after all that came before them. */
const Socket = WebSocket as unknown as new (url: string, options: { headers: Record<string, string> }) => WebSocket

interface Heard {
  post_type?: string
  message_type?: string
  meta_event_type?: string
  raw_message?: string
  seq?: number
  retcode?: number
  echo?: string
  data?: { id?: string } | null
  secret?: string
  recovered?: boolean
  missed?: number
  lost?: number
  from?: number
}

let secret = [...readFileSync(notes, 'utf8').matchAll(/^secret (\S+)$/gm)].at(-1)?.[1]
const pace = new Pace(calls, since)
let calling = true
let asked = 0
process.on('SIGUSR1', () => {
  calling = false
})

note('born')
console.log('ready')
for (;;) {
  await live()
  await sleep(AGAIN)
}

/** Until the link ends. */
function live(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const [gateway = '', born] = readFileSync(address, 'utf8').split(' ')
  const url = `${gateway}/?client_name=${name}&resume=${secret ?? 1}&ack=${ack}`
  const link = new Socket(url, { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } })
  let last: { seq?: number; text: string } | undefined
  let acknowledging = false
  const ask = (kind: string, action: string, params: object) => {
    const echo = `${name}-${process.pid}-${kind}-${++asked}`
    note(`asked ${echo}`)
    link.send(JSON.stringify({ action, params: kind === 'durable' ? { ...params, message: echo } : params, echo }))
  }
  const every = (ms: number, work: () => void) => setInterval(() => link.readyState === WebSocket.OPEN && work(), ms)
  const timers = [
    every(LOOK, () => {
      if (!calling) return
      for (let due = pace.take(MOST); due > 0; due--)
        if (asked % DURABLE === 0)
          ask('durable', 'send_group_msg_async', { group_id: 1 + (asked % GROUPS), durable: true })
        else ask('call', asked % 2 === 0 ? 'get_status' : 'send_private_msg', { user_id: asked, message: 'x' })
    }),
    every(ACK_EVERY, () => {
      // One after the other, as PINGs are asked: several at a time would say the same moment.
      if (ack !== 'explicit' || last?.seq === undefined || acknowledging) return
      acknowledging = true
      link.send(JSON.stringify({ action: 'ack_event', params: { seq: last.seq }, echo: `ack ${last.text}` }))
    }),
  ]
  link.onopen = () => {
    note('open')
    // Nothing was due while there was no gateway.
    pace.notBefore(Number(born))
  }
  link.onmessage = ({ data }) => {
    const heard: Heard = JSON.parse(String(data))
    if (heard.post_type === undefined) {
      if (heard.echo?.startsWith('ack ')) acknowledging = false
      return note(replied(heard))
    }
    if (heard.message_type !== undefined) {
      note(`event ${heard.raw_message}`)
      last = { text: heard.raw_message ?? '', ...(heard.seq !== undefined && { seq: heard.seq }) }
    } else if (heard.meta_event_type === 'resume') {
      note(`resume ${heard.recovered} ${heard.missed} ${heard.lost} ${heard.from}`)
      if (heard.secret === undefined) return
      secret = heard.secret
      note(`secret ${secret}`)
    }
  }
  link.addEventListener('ping', () => note(`confirmed ${last?.text ?? 'nothing'}`))
  link.onclose = ({ code }) => {
    note(`closed ${code}`)
    for (const timer of timers) clearInterval(timer)
    resolve()
  }
  return promise
}

function replied({ echo = '', retcode, data }: Heard): string {
  if (echo.startsWith('ack ')) return retcode === 0 ? `confirmed ${echo.slice(4)}` : `refused ${echo} ${retcode}`
  return `reply ${echo} ${retcode} ${data?.id ?? ''}`
}
