// The life of an implementation that gets killed, whatever it speaks: what it is told, what it says and notes, how slow it is.

import { fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { Pace } from './pace.ts'

export interface Mortal {
  port: number
  /** Which of its lives this is; each link within one counts, too. */
  life: number
  /** Events a second ... */
  rate: number
  /** ... since then (ms since 1970). */
  since: number
  /** Where it notes what it did. */
  notes: string
  /** Where the web hook notes what it hears. */
  hook: string
}

/** The longest that a reply takes (ms), and that to a durable call: some are open whenever it, or the gateway, is killed. */
export const SLOWEST = 40
export const SLOWEST_DURABLE = 300

/** Milliseconds between two looks at what is due, the most that is said at one of them, and what may stand unread then. */
const LOOK = 2
const MOST = 100
const UNREAD = 256 * 1024

/** Events that the web hook may be behind within a link: it takes one after the other, on a busy machine far too slowly. */
const AHEAD = 5_000

type Socket = Bun.ServerWebSocket

/** What it speaks. */
export interface Ways {
  /** An event that says this. */
  spoken(text: string): string
  /** What comes over HTTP; the handshake is `upgrade`. */
  asked(request: Request, upgrade: () => Response | undefined): Response | undefined | Promise<Response | undefined>
  opened?(link: Socket): void
  heard?(link: Socket, text: string): void
}

/** @param ways what it speaks, given by whom it notes what it did. */
export function live(ways: (note: (line: string) => void) => Ways): void {
  const [given = ''] = process.argv.slice(2)
  const { port, life, rate, since, notes, hook }: Mortal = JSON.parse(given) // ours
  const file = openSync(notes, 'a')
  const note = (line: string) => void writeSync(file, `${line}\n`)
  const { spoken, asked, opened, heard } = ways(note)
  const pace = new Pace(rate, since)
  const waits = waiting(hook)
  let links = 0
  let open: { name: string; count: number; link: Socket } | undefined
  let speaking = rate > 0
  let ending = false

  Bun.serve({
    hostname: '127.0.0.1',
    port,
    reusePort: false,
    fetch: (request, self) =>
      asked(request, () => (self.upgrade(request) ? undefined : new Response('', { status: 426 }))),
    websocket: {
      sendPings: false,
      idleTimeout: 0,
      open(link) {
        opened?.(link)
        // Another gateway: nothing was due while there was none.
        if (links > 0) pace.notBefore(Date.now())
        open = { name: `${life * 1_000 + ++links}`, count: 0, link }
        if (rate > 0) note(`link ${open.name}`)
      },
      close() {
        open = undefined
      },
      message: (link, text) => heard?.(link, String(text)),
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
}

/** Tells whether the web hook is to hear more before more is said: by the end of its notes, looked at now and then. */
function waiting(hook: string): (link: string, count: number) => boolean {
  const file = openSync(hook, 'r')
  const end = Buffer.alloc(256)
  let look = 0
  let heard: { link: string; count: number } | undefined
  return (link, count) => {
    if (look++ % 10 === 0) {
      const { size } = fstatSync(file)
      const text = end.toString('latin1', 0, readSync(file, end, 0, end.length, Math.max(0, size - end.length)))
      const [, of = '', last] = [...text.matchAll(/^event (\d+)\.(\d+)$/gm)].at(-1) ?? []
      heard = { link: of, count: Number(last) }
    }
    return count - (heard?.link === link ? heard.count : 0) > AHEAD
  }
}
