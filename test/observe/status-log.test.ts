// The lines that facts become.

import { expect, jest, spyOn, test } from 'bun:test'
import type { Session } from '../../src/broker/session.ts'
import type { Status } from '../../src/broker/status.ts'
import type { Facts, Level } from '../../src/observe/log.ts'
import { statusLog } from '../../src/observe/status-log.ts'
import { FakeLink, sessionOf } from '../support/broker.ts'

type Line = [level: string, fact: string, fields: Record<string, unknown> | undefined]

function listening(level: Level = 'debug') {
  const lines: Line[] = []
  const at = (level: string) => (fact: string, fields?: Record<string, unknown>) =>
    void lines.push([level, fact, fields])
  const facts: Facts = {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
  const log = { ...facts, level, relay() {}, show() {}, reconfigure() {}, close: async () => {} } as const
  return { lines, say: statusLog(log) }
}

test('[OBS5] events and calls that went well are worth no line', () => {
  const { lines, say } = listening('info')
  say({ kind: 'event', bot: 'b', raw: '{}', event: {} })
  say({ kind: 'action', bot: 'b', session: undefined, raw: '{}' })
  say({ kind: 'call', bot: 'b', action: 'get_status', retcode: 0, ms: 1 })
  expect(lines).toEqual([])
})

test('[OBS6] what fails again and again has its first line and a reminder now and then', () => {
  const { lines, say } = listening()
  for (let tries = 1; tries <= 21; tries++)
    say({ kind: 'upstream-retry', bot: 'b', peer: 'p', reason: 'r', inMs: 1500, tries })
  expect(lines.filter(([level]) => level === 'warn')).toHaveLength(3)
  expect(lines).toHaveLength(21)
  expect(lines[0]?.[2]).toEqual({ bot: 'b', peer: 'p', reason: 'r', in: '1.5s' })
})

test('[OBS6] what fails for another reason than before is news; its address is written once', () => {
  const { lines, say } = listening()
  const peer = 'ws://127.0.0.1:3001/'
  const reasons = ['closed with 1001', `dial ${peer}: refused`, `dial ${peer}: refused`, `dial ${peer}: timeout`]
  for (const [i, reason] of reasons.entries())
    say({ kind: 'upstream-retry', bot: 'b', peer, reason, inMs: 1500, tries: i + 1 })
  expect(lines.map(([level, , fields]) => [level, fields?.['reason']])).toEqual([
    ['warn', 'closed with 1001'],
    ['warn', 'refused'],
    ['debug', 'refused'],
    ['warn', 'timeout'],
  ])
})

test('[OBS7] what a peer can cause at will is thinned out', () => {
  const { lines, say } = listening()
  for (let i = 0; i < 1000; i++) say({ kind: 'link-refused', peer: '1.2.3.4', path: '/', status: 401, why: 'no token' })
  expect(lines).toEqual([['warn', 'link refused', { peer: '1.2.3.4', path: '/', status: 401, why: 'no token' }]])
  say({ kind: 'link-refused', peer: '1.2.3.4', path: '/', status: 403, why: 'wrong token' })
  expect(lines.map(([, , fields]) => fields?.['status'])).toEqual([401, 403])
})

test('[OBS7] what an open circuit refuses is said again only after a minute, what a limit refuses sooner', () => {
  const now = spyOn(Date, 'now').mockReturnValue(0)
  try {
    const { lines, say } = listening()
    for (let second = 0; second <= 60; second++) {
      now.mockReturnValue(second * 1_000)
      say({ kind: 'call-limited', bot: 'b', action: 'open', retcode: 1503, why: 'no reply' })
    }
    expect(lines.map(([, , fields]) => fields?.['suppressed'])).toEqual([undefined, 59])
    for (let second = 61; second <= 120; second++) {
      now.mockReturnValue(second * 1_000)
      say({ kind: 'call-limited', bot: 'b', action: 'limit', retcode: 1429, why: 'too many' })
    }
    expect(lines.filter(([, , fields]) => fields?.['action'] === 'limit')).toHaveLength(12)
  } finally {
    now.mockRestore()
  }
})

test('[OBS14] who keeps losing events has a line at once, and one now and then with all it has lost since', () => {
  jest.useFakeTimers()
  try {
    const { lines, say } = listening()
    const missed = () => lines.map(([, , fields]) => fields?.['missed'])
    const [slow, other] = [sessionOf(), sessionOf()]
    for (let n = 0; n < 1_000; n++) say({ kind: 'session-behind', bot: 'b', session: slow, missed: 2 })
    say({ kind: 'session-behind', bot: 'b', session: other, missed: 7 })
    say({ kind: 'pool-behind', bot: 'b', pool: 'p', missed: 5 })
    expect(missed()).toEqual([2, 7, 5])
    jest.advanceTimersByTime(5_000)
    expect(missed()).toEqual([2, 7, 5, 1_998])
    jest.advanceTimersByTime(60_000)
    say({ kind: 'session-behind', bot: 'b', session: slow, missed: 3 })
    expect(missed()).toEqual([2, 7, 5, 1_998, 3])
  } finally {
    jest.useRealTimers()
  }
})

test('[OBS8] at debug every frame is shown, and cut', () => {
  const { lines, say } = listening('debug')
  say({ kind: 'event', bot: 'b', raw: 'e'.repeat(5_000), event: {} })
  say({ kind: 'action', bot: 'b', session: undefined, raw: '{"action":"get_status"}' })
  say({ kind: 'call', bot: 'b', action: 'get_status', retcode: 0, ms: 1 })
  expect(lines).toEqual([
    ['debug', 'event', { bot: 'b', frame: `${'e'.repeat(1024)}... (5000 characters)` }],
    ['debug', 'action', { bot: 'b', frame: '{"action":"get_status"}' }],
    ['debug', 'call ended', { bot: 'b', action: 'get_status', retcode: 0, ms: 1 }],
  ])
})

test('[OBS8] frames are shown at debug only', () => {
  const { lines, say } = listening()
  say({ kind: 'upstream-garbage', bot: 'b', why: 'text that is not JSON, not an object', text: 'x'.repeat(5_000) })
  expect(lines.map(([level]) => level)).toEqual(['warn', 'debug'])
  expect(JSON.stringify(lines[0])).not.toContain('xx')
  expect(String(lines[1]?.[2]?.['text'])).toMatch(/^x{1024}\.\.\. \(5000 characters\)$/)
})

const session: Session = { ...sessionOf(new FakeLink()), name: 'alice' }
const client = { client: 'alice', transport: 'forward', peer: session.link.peer }
const bot = 'b'
/** Each fact that somebody who keeps the log waits for: its level, some of its words, its fields. */
const LINES: [Status, Level, RegExp, Record<string, unknown>][] = [
  [{ kind: 'session-opened', bot, session }, 'info', /^client connected/, { bot, ...client }],
  [
    { kind: 'session-closed', bot, session, code: 1006, reason: 'lost' },
    'info',
    /^client disconnected/,
    { bot, ...client, code: 1006, reason: 'lost' },
  ],
  [{ kind: 'session-named', bot, session, name: 'alice' }, 'info', /^client named/, { bot, ...client }],
  [{ kind: 'session-slow', bot, session, buffered: 9 }, 'warn', /^client slow/, { bot, ...client, unread: 9 }],
  [{ kind: 'session-in-step', bot, session }, 'info', /in step again/, { bot, ...client }],
  [
    { kind: 'implementation-misplaced', bot, session },
    'warn',
    /implementation is where clients are/,
    { bot, ...client, remedy: expect.stringContaining('ntqq-impl.mode: reverse') },
  ],
  [{ kind: 'session-behind', bot, session, missed: 5 }, 'warn', /lost events/, { bot, ...client, missed: 5 }],
  [
    { kind: 'link-refused', peer: 'p', path: '/', status: 403, why: 'wrong token' },
    'warn',
    /^link refused/,
    { peer: 'p', path: '/', status: 403, why: 'wrong token' },
  ],
  [{ kind: 'upstream-connected', bot, peer: 'p' }, 'info', /^implementation connected/, { bot, peer: 'p' }],
  [
    { kind: 'upstream-lost', bot, code: 1001, reason: 'bye' },
    'warn',
    /^implementation lost/,
    { bot, code: 1001, reason: 'bye' },
  ],
  [
    { kind: 'upstream-refused', bot, peer: 'p', reason: '401', inMs: 60_000 },
    'error',
    /^implementation refused us/,
    { bot, peer: 'p', reason: '401', in: '60.0s' },
  ],
  [{ kind: 'upstream-mute', bot, peer: 'p' }, 'warn', /silent/, { bot, peer: 'p' }],
  [{ kind: 'upstream-active', bot, peer: 'p', why: 'first' }, 'info', /active: it is the first/, { bot, peer: 'p' }],
  [{ kind: 'upstream-active', bot, peer: 'p', why: 'lost' }, 'warn', /active: .* was lost/, { bot, peer: 'p' }],
  [{ kind: 'upstream-active', bot, peer: 'p', why: 'failing' }, 'warn', /active: .* fail/, { bot, peer: 'p' }],
  [{ kind: 'upstream-active', bot, peer: 'p', why: 'stable' }, 'info', /active: it comes first/, { bot, peer: 'p' }],
  [
    { kind: 'upstream-failing', bot, peer: 'p', why: 'no reply', last: false },
    'warn',
    /^implementation left alone/,
    { bot, peer: 'p', why: 'no reply', remedy: expect.stringContaining('restart it') },
  ],
  [
    { kind: 'upstream-failing', bot, peer: 'p', why: 'no reply', last: true },
    'warn',
    /no other one is well/,
    { bot, peer: 'p', why: 'no reply', remedy: expect.stringContaining('restart it') },
  ],
  [
    { kind: 'calls-failing', bot, class: 'send', why: 'no reply', failures: 5, inMs: 10_000 },
    'warn',
    /circuit is open/,
    { bot, class: 'send', failures: 5, reason: 'no reply', in: '10.0s', remedy: expect.stringContaining('restart it') },
  ],
  [{ kind: 'calls-work', bot, class: 'send' }, 'info', /circuit is closed/, { bot, class: 'send' }],
  [{ kind: 'upstream-works', bot, peer: 'p' }, 'info', /answers again/, { bot, peer: 'p' }],
  [{ kind: 'event-rescued', bot, peer: 'p' }, 'warn', /stands by/, { bot, peer: 'p' }],
  [{ kind: 'pool-empty', bot, pool: 'w' }, 'warn', /^pool has nobody/, { bot, pool: 'w' }],
  [{ kind: 'pool-behind', bot, pool: 'w', missed: 5 }, 'warn', /^pool lost events/, { bot, pool: 'w', missed: 5 }],
  [{ kind: 'bot-identified', bot, selfId: '1' }, 'info', /^bot online/, { bot, self_id: '1' }],
  [{ kind: 'bot-changed', bot, from: '1', to: '2' }, 'warn', /another account/, { bot, from: '1', to: '2' }],
  [{ kind: 'bot-conflict', bot, selfId: '1' }, 'error', /another upstream/, { bot, self_id: '1' }],
  [
    { kind: 'bot-conflict', bot, selfId: '1', wanted: '2' },
    'error',
    /another account than its self-id/,
    { bot, self_id: '1', wanted: '2' },
  ],
  [
    { kind: 'client-flapping', client: 'c', peer: 'p', inMs: 5_000 },
    'warn',
    /connects too often/,
    { client: 'c', peer: 'p', in: '5.0s' },
  ],
  [
    { kind: 'circuit-opened', target: 't', reason: 'r', failures: 5, inMs: 10_000 },
    'warn',
    /its circuit is open/,
    { target: 't', failures: 5, reason: 'r', in: '10.0s', remedy: expect.stringContaining('perpetua doctor') },
  ],
  [{ kind: 'circuit-closed', target: 't' }, 'info', /its circuit is closed/, { target: 't' }],
  [
    { kind: 'link-retry', target: 't', reason: 'r', inMs: 1_000, tries: 1 },
    'warn',
    /^client not reachable/,
    { target: 't', reason: 'r', in: '1.0s' },
  ],
  ...(['401', '403', '404'] as const).map((answer): (typeof LINES)[number] => [
    {
      kind: 'link-retry',
      target: answer,
      reason: `dial ${answer}: the peer answered ${answer}`,
      inMs: 1_000,
      tries: 1,
    },
    'warn',
    /^client not reachable/,
    {
      target: answer,
      reason: `the peer answered ${answer}`,
      remedy: expect.stringContaining(answer === '404' ? 'path' : 'access-token'),
      in: '1.0s',
    },
  ]),
  [
    { kind: 'delivery-failed', target: 't', reason: 'r', attempt: 1, inMs: 1_500 },
    'warn',
    /^delivery failed/,
    { target: 't', reason: 'r', attempt: 1, in: '1.5s' },
  ],
  [{ kind: 'delivery-given-up', target: 't', reason: 'r' }, 'error', /given up/, { target: 't', reason: 'r' }],
  [{ kind: 'call-timeout', bot, action: 'a', ms: 9 }, 'warn', /^no reply/, { bot, action: 'a', ms: 9 }],
  [{ kind: 'reply-unknown', bot }, 'debug', /dropped/, { bot }],
  [{ kind: 'reply-orphaned', bot, session }, 'debug', /dropped/, { bot, ...client }],
  [{ kind: 'restart', bot, delay: 5 }, 'info', /^restart/, { bot, delay: 5 }],
  [{ kind: 'allotted', port: 1, peer: 'p' }, 'info', /^port allotted/, { port: 1, peer: 'p' }],
  [{ kind: 'allotment-expired', port: 1 }, 'info', /taken back/, { port: 1 }],
]

test('[OBS11] who comes, goes or is refused, what becomes of implementations, and who is slow has its line', () => {
  for (const [status, level, words, fields] of LINES) {
    const { lines, say } = listening()
    say(status)
    expect(lines).toEqual([[level, expect.stringMatching(words), fields]])
  }
})
