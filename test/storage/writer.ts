// A program that keeps 20,000 events a second until it is killed, and says which numbers it has given away.

import { writeSync } from 'node:fs'
import { steady } from '../../src/lib/clock.ts'
import { openStorage } from '../../src/storage/storage.ts'

const [folder = '', run = ''] = process.argv.slice(2)
const say = (what: object) => writeSync(1, `${JSON.stringify(what)}\n`)

const limits = () => ({ maxBytes: 16 * 1024 * 1024, maxAge: 60_000 })
const storage = openStorage({ folder, name: 'bot', limits, now: steady, report: (status) => say({ status }) })
const journal = storage.restored?.journal ?? storage.journal()
storage.identified('10001')
const session = {
  appId: 'alice',
  name: 'alice',
  entry: undefined,
  resume: undefined,
  events: true,
  calls: true,
  transport: 'forward',
} as const
const body = 'x'.repeat(400)
const start = performance.now()
let count = 0
let ticks = 0

setInterval(() => {
  const due = Math.floor((performance.now() - start) * 20)
  const first = { number: Number(journal.head), count }
  for (; count < due; count++) journal.append(`${run} ${count} ${body}`, steady())
  const cursor = journal.head
  storage.remember({ ...session, secretHash: 'ab'.repeat(32), cursor, since: 0, until: undefined })
  const call =
    ++ticks % 20 === 0 ? storage.durable.add({ account: '10001', action: 'a', text: run, since: ticks }) : undefined
  say({ tick: ticks, epoch: journal.epoch, first, end: Number(journal.head), call })
}, 1)
