// Tells a process from another one that got its number later: by its start and its executable, as each system says them.

import { execFile } from 'node:child_process'
import { readlinkSync, statSync } from 'node:fs'
import { startOf } from './process.ts'

export interface Identity {
  /** In the system's own terms: to be compared, not read. */
  readonly start: string
  readonly executable: string
  /** Device and inode, where the system tells them of a running program: those stay when its file is moved. */
  readonly file?: string
}

/** Undefined when there is no such process, or the system does not tell. */
export async function identityOf(pid: number): Promise<Identity | undefined> {
  switch (process.platform) {
    case 'linux':
      return ofLinux(pid)
    case 'win32':
      return parsePowershell(await said('powershell.exe', powershell(pid)))
    default:
      return parsePs(await said('ps', ['-o', 'lstart=', '-o', 'comm=', '-p', String(pid)]))
  }
}

/** A file that was moved or replaced since is still what the process runs. */
export function sameProcess(one: Identity, other: Identity, platform: string = process.platform): boolean {
  const plain = (path: string) => (platform === 'win32' ? path.toLowerCase() : path)
  if (one.start !== other.start) return false
  return plain(one.executable) === plain(other.executable) || (one.file !== undefined && one.file === other.file)
}

function ofLinux(pid: number): Identity | undefined {
  const start = startOf(pid)
  if (start === undefined) return undefined
  try {
    const exe = `/proc/${pid}/exe`
    const executable = readlinkSync(exe).replace(/ \(deleted\)$/, '')
    const { dev, ino } = statSync(exe)
    return { start, executable, file: `${dev}:${ino}` }
  } catch {
    return undefined // ended but not buried yet, or another user's
  }
}

function powershell(pid: number): string[] {
  const script = `
    [Console]::OutputEncoding = [Text.Encoding]::UTF8
    $p = Get-Process -Id ${pid} -ErrorAction Stop
    $p.StartTime.ToFileTimeUtc()
    $p.Path`
  return ['-NoProfile', '-NonInteractive', '-Command', script]
}

/** Two lines: the start in ticks, and the path. */
export function parsePowershell(text: string): Identity | undefined {
  const [start = '', executable = ''] = text
    .replace(/^\uFEFF/, '')
    .trim()
    .split(/\r?\n/)
  return /^\d+$/.test(start) && executable !== '' ? { start, executable } : undefined
}

/** `Tue Nov 24 07:04:36 2026 /Applications/x y`: the date is as long as in C's asctime, the rest is the path. */
export function parsePs(text: string): Identity | undefined {
  const [, start, executable] = /^\s*(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})\s+(.*\S)\s*$/.exec(text) ?? []
  return start === undefined || executable === undefined ? undefined : { start, executable }
}

/** What a program of the system prints; nothing when it fails or takes too long. */
function said(command: string, args: string[]): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC0' }
  return new Promise((resolve) => {
    execFile(command, args, { env, timeout: 10_000, windowsHide: true }, (error, stdout) =>
      resolve(error ? '' : stdout),
    )
  })
}
