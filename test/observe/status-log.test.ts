// The lines that facts become.

import { expect, test } from 'bun:test'
import type { Facts, Level } from '../../src/observe/log.ts'
import { statusLog } from '../../src/observe/status-log.ts'

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
  say({ kind: 'event', bot: 'b', raw: '{}' })
  say({ kind: 'action', bot: 'b', session: undefined, raw: '{}' })
  say({ kind: 'call', bot: 'b', action: 'get_status', retcode: 0, ms: 1 })
  expect(lines).toEqual([])
})

test('[OBS6] what fails again and again has its first line and a reminder now and then', () => {
  const { lines, say } = listening()
  for (let tries = 1; tries <= 21; tries++)
    say({ kind: 'upstream-retry', bot: 'b', peer: 'p', reason: 'r', inMs: 1500, tries })
  expect(lines.filter(([level]) => level === 'info')).toHaveLength(3)
  expect(lines).toHaveLength(21)
  expect(lines[0]?.[2]).toEqual({ bot: 'b', peer: 'p', reason: 'r', in: '1.5s' })
})

test('[OBS7] what a peer can cause at will is thinned out', () => {
  const { lines, say } = listening()
  for (let i = 0; i < 1000; i++) say({ kind: 'link-refused', peer: '1.2.3.4', path: '/', status: 401, why: 'no token' })
  expect(lines).toEqual([['warn', 'link refused', { peer: '1.2.3.4', path: '/', status: 401, why: 'no token' }]])
})

test('[OBS8] at debug every frame is shown, and cut', () => {
  const { lines, say } = listening('debug')
  say({ kind: 'event', bot: 'b', raw: 'e'.repeat(5_000) })
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
