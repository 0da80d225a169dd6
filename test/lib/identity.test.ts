// A process is told from another one that got its number later.

import { expect, test } from 'bun:test'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { identityOf, parsePowershell, parsePs, sameProcess } from '../../src/lib/identity.ts'

test('[SUP20] the same process has the same identity, another one has another, and none has none', async () => {
  const own = await identityOf(process.pid)
  expect(own).toBeDefined()
  if (!own) return
  expect(sameProcess(own, (await identityOf(process.pid))!)).toBe(true)
  const child = Bun.spawn([process.execPath, '-e', 'setInterval(() => {}, 60_000)'])
  const other = (await identityOf(child.pid))!
  expect(sameProcess(own, other)).toBe(false)
  child.kill('SIGKILL')
  await child.exited
  expect(await identityOf(child.pid)).toBeUndefined()
})

test('[SUP20] start and executable must be the same; a file that was moved is still the same', () => {
  const one = { start: '5', executable: '/a/x', file: '1:2' }
  expect(sameProcess(one, { ...one })).toBe(true)
  expect(sameProcess(one, { ...one, start: '6' })).toBe(false)
  expect(sameProcess(one, { ...one, executable: '/b/x' })).toBe(true)
  expect(sameProcess(one, { ...one, executable: '/b/x', file: '1:3' })).toBe(false)
  expect(sameProcess({ start: '5', executable: '/a' }, { start: '5', executable: '/b' })).toBe(false)
  expect(sameProcess({ start: '5', executable: '/a' }, { start: '5', executable: '/A' }, 'linux')).toBe(false)
  expect(sameProcess({ start: '5', executable: 'C:\\A.exe' }, { start: '5', executable: 'c:\\a.EXE' }, 'win32')).toBe(
    true,
  )
})

test('[SUP20] what macOS says', () => {
  expect(parsePs('Tue Nov  4 07:04:36 2026     /Applications/my bots/Lagrange.OneBot\n')).toEqual({
    start: 'Tue Nov  4 07:04:36 2026',
    executable: '/Applications/my bots/Lagrange.OneBot',
  })
  expect(parsePs('')).toBeUndefined()
  expect(parsePs('ps: no such process\n')).toBeUndefined()
})

test('[SUP20] the options that macOS is asked with are understood by any ps', async () => {
  const words = ['-o', 'lstart=', '-o', 'comm=', '-p', String(process.pid)]
  const { stdout } = await promisify(execFile)('ps', words, { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC0' } })
  const { start } = parsePs(stdout)!
  expect(Math.abs(Date.parse(`${start} UTC`) - (Date.now() - process.uptime() * 1000))).toBeLessThan(60_000)
})

test('[SUP20] what Windows says', () => {
  expect(parsePowershell('\uFEFF133769126760000000\r\nC:\\群\\Lagrange.OneBot.exe\r\n')).toEqual({
    start: '133769126760000000',
    executable: 'C:\\群\\Lagrange.OneBot.exe',
  })
  expect(parsePowershell('')).toBeUndefined()
  expect(parsePowershell('133769126760000000\r\n\r\n')).toBeUndefined()
})
