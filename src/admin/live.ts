// What an operator watches: the live tap, the numbers of the last hour, the lines of the log.

import { Together } from '../lib/together.ts'
import { refuse } from '../onebot/retcode.ts'
import { type Asked, list, nullable, object, type Route, text, whole } from './route.ts'
import type { Send, Streams } from './streams.ts'

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]
const FRAMES = ['event', 'action', 'reply', 'fact'] as const
type Frame = (typeof FRAMES)[number]
const KINDS = [...FRAMES, 'status', 'second', 'log'] as const
type Kind = (typeof KINDS)[number]

export interface TapFilter {
  readonly kinds: ReadonlySet<Frame>
  readonly bot?: string | undefined
  readonly type?: string | undefined
  readonly action?: string | undefined
  readonly client?: string | undefined
  readonly group?: string | undefined
  readonly user?: string | undefined
  readonly text?: string | undefined
  readonly texts: boolean
}

export interface LogLine {
  readonly time: number
  readonly level: Level
  readonly text: string
}

export interface LivePort {
  readonly streams: Streams
  /** Returns what ends it. */
  readonly tap: (filter: TapFilter, sink: Send) => () => void
  /** The same, for each second that is over. */
  readonly seconds: (watcher: (point: object) => void) => () => void
  /** The same, for each change of who is there. */
  readonly changes: (watcher: () => void) => () => void
  /** What GET /api/status answers, made once for all. */
  readonly statusText: () => string
  readonly chart: (step: 1 | 60) => object
  /** Absent: no log is kept here. */
  readonly log: {
    lines(level: Level, most: number): LogLine[]
    listen(level: Level, to: (line: LogLine) => void): () => void
  }
}

const SERIES = list(nullable({ type: 'number' }))
const LINE = object({ time: whole, level: { enum: LEVELS }, text })
const MOST_LINES = 1_000

export function liveRoutes(port: LivePort): Route[] {
  const { streams, chart, log } = port
  return [
    {
      method: 'get',
      path: '/api/tap',
      summary: 'Events, actions and more as they happen, as server-sent events; a sample where there are too many',
      query: {
        kinds: `which, separated by commas: ${KINDS.join(', ')}; event,action,reply by default`,
        texts: '1: with the texts of messages, which are hidden otherwise',
        bot: 'of this account or name only',
        type: 'events of this kind only: message, or message.group',
        action: 'actions of this name only; * stands for anything',
        client: 'of this client only, by name or app_id',
        group: 'about this group only',
        user: 'about this user only',
        text: 'whose frame holds this text only',
        level: 'for log: the least important level',
      },
      answer: { media: 'text/event-stream', means: 'events named after their kind, and skipped: {time, skipped}' },
      handle: (c) => tap(c, port),
    },
    {
      method: 'get',
      path: '/api/history',
      summary: 'Numbers of the last hour, oldest first: per second, and milliseconds for p50, p99 and lag',
      query: { step: 'seconds between two numbers: 1 or 60; 1 by default' },
      answer: object({
        step: whole,
        from: { type: 'integer', description: 'milliseconds since 1970, of the first' },
        events: SERIES,
        calls: SERIES,
        errors: SERIES,
        sent: SERIES,
        p50: SERIES,
        p99: SERIES,
        lag: SERIES,
      }),
      handle(c) {
        const step = c.req.query('step') ?? '1'
        if (step !== '1' && step !== '60') refuse('bad-request', `step: found ${JSON.stringify(step)}, wanted 1 or 60`)
        return c.json(chart(step === '1' ? 1 : 60))
      },
    },
    {
      method: 'get',
      path: '/api/log',
      summary: 'The last lines of the log, oldest first; with follow=1 those to come as well, as server-sent events',
      query: {
        level: `the least important level: ${LEVELS.join(', ')}; info by default, and never more than log.level has`,
        lines: 'how many at most: 200 by default',
        follow: '1: as a stream of events named log',
      },
      answer: object({ lines: list(LINE) }),
      handle(c) {
        const level = levelOf(c)
        const most = linesOf(c)
        if (c.req.query('follow') !== '1') return c.json({ lines: log.lines(level, most) })
        return streams.open(c, {
          key: `log ${level}`,
          greet(send) {
            for (const line of log.lines(level, most)) send('log', JSON.stringify(line))
          },
          begin: (send) => log.listen(level, (line) => send('log', JSON.stringify(line))),
        })
      },
    },
  ]
}

function tap(c: Asked, port: LivePort): Response {
  const kinds = kindsOf(c)
  const filter = filterOf(c, kinds)
  const level = levelOf(c)
  return port.streams.open(c, {
    key: JSON.stringify([...kinds, filter, level]),
    greet: (send) => kinds.has('status') && send('status', port.statusText()),
    begin(send) {
      const ends: (() => void)[] = []
      if (filter.kinds.size > 0) ends.push(port.tap(filter, send))
      if (kinds.has('second')) ends.push(port.seconds((point) => send('second', JSON.stringify(point))))
      if (kinds.has('status')) ends.push(statuses(port, send))
      if (kinds.has('log')) ends.push(port.log.listen(level, (line) => send('log', JSON.stringify(line))))
      return () => {
        for (const end of ends) end()
      }
    },
  })
}

/** A status of thousands of clients is long: the longer, the less often. */
const STATUS_PER_SECOND = 64 * 1024
/** Nobody waits a second to see who has come (ms); many who come are seen together. */
const CHANGED = { soon: 100, seldom: 250 }

function statuses({ statusText, seconds, changes }: LivePort, send: Send): () => void {
  let due = 0
  const tell = () => {
    const status = statusText()
    due = Math.floor(status.length / STATUS_PER_SECOND)
    send('status', status, true)
  }
  const changed = new Together(() => due > 0 || tell(), CHANGED)
  const ends = [seconds(() => due-- > 0 || tell()), changes(() => changed.due()), () => changed.stop()]
  return () => {
    for (const end of ends) end()
  }
}

function kindsOf(c: Asked): Set<Kind> {
  const said = (c.req.query('kinds') ?? 'event,action,reply').split(',').filter((kind) => kind !== '')
  const kinds = new Set<Kind>()
  for (const kind of said) {
    const known = KINDS.find((one) => one === kind)
    if (known === undefined)
      refuse('bad-request', `kinds: found ${JSON.stringify(kind)}, wanted some of ${KINDS.join(', ')}`)
    kinds.add(known)
  }
  return kinds
}

function filterOf(c: Asked, kinds: ReadonlySet<Kind>): TapFilter {
  const said = (name: string) => c.req.query(name) || undefined
  return {
    kinds: new Set(FRAMES.filter((kind) => kinds.has(kind))),
    texts: c.req.query('texts') === '1',
    bot: said('bot'),
    type: said('type'),
    action: said('action'),
    client: said('client'),
    group: said('group'),
    user: said('user'),
    text: said('text'),
  }
}

function levelOf(c: Asked): Level {
  const said = c.req.query('level') ?? 'info'
  return (
    LEVELS.find((level) => level === said) ??
    refuse('bad-request', `level: found ${JSON.stringify(said)}, wanted one of ${LEVELS.join(', ')}`)
  )
}

function linesOf(c: Asked): number {
  const said = c.req.query('lines') ?? '200'
  const lines = /^\d{1,6}$/.test(said) ? Number(said) : Number.NaN
  if (!(lines >= 0 && lines <= MOST_LINES))
    refuse('bad-request', `lines: found ${JSON.stringify(said)}, wanted a whole number 0-${MOST_LINES}`)
  return lines
}
