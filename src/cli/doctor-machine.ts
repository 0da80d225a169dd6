// Looks at the machine: versions, clock, open files, disks, and whether folders can be written.

import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { openFileLimit } from '../lib/process.ts'
import { formatSize } from '../lib/size.ts'
import { host } from '../runtime/current.ts'
import { bad, type Finding, fine, warning } from './finding.ts'
import { target, time, versionText } from './version.ts'

const DAY = 24 * 3_600_000
const MEBI = 2 ** 20
const GIBI = 2 ** 30
/** No perpetua is older: a clock before it is wrong. */
const FIRST = new Date('2026-01-01')
/** Bytes left on a disk: below the first, files will soon not be written. */
const ROOM = { least: 16 * MEBI, good: 256 * MEBI }
/** Below this many open files, a busy bot's clients may find no room. */
const FEW_FILES = 1_000
const OLDEST_NODE = 22

/** `now` in milliseconds; `running`: the gateway's process, if there is one. */
export function machine(config: Config, now: number, running?: number): Finding[] {
  const logs = config.log.dir
  return [
    versions(),
    clock(now),
    ...openFiles(running),
    folder('data', 'data-dir', config['data-dir']),
    ...(logs === '' ? [] : [folder('logs', 'log.dir', logs)]),
  ]
}

function versions(): Finding {
  const runtime = host.name === 'bun' ? `Bun ${process.versions['bun']}` : `${host.name} ${runtimeVersion()}`
  const fact = `perpetua ${versionText}${target === undefined ? ', from source' : ` for ${target}`}, ${runtime}`
  if (host.name === 'node' && Number(process.versions.node.split('.')[0]) < OLDEST_NODE)
    return bad('versions', fact, `use Node.js ${OLDEST_NODE} or newer, or the program that needs none`)
  return fine('versions', fact)
}

const runtimeVersion = () => process.versions[host.name] ?? process.versions.node

export function clock(now: number): Finding {
  const shown = new Date(now).toISOString()
  const made = time ?? FIRST
  const remedy = 'set the clock, best by NTP (timedatectl set-ntp true): certificates and logins fail without'
  if (now < made.getTime() - DAY) return bad('clock', `it says ${shown}, before this perpetua was made`, remedy)
  if (now > made.getTime() + 3_650 * DAY) return warning('clock', `it says ${shown}, ten years from now`, remedy)
  return fine('clock', shown)
}

function openFiles(running: number | undefined): Finding[] {
  const files = openFileLimit(running)
  if (files === undefined) return []
  return files >= FEW_FILES
    ? [fine('open files', `${files} at most`)]
    : [warning('open files', `${files} at most: few clients can connect`, 'raise it: ulimit -n 65536')]
}

/** Whether it can be written, or made, and has room. Nothing is written for it. */
function folder(about: string, key: string, path: string): Finding {
  const where = resolve(path)
  const there = nearest(where)
  // What is above it is not ours to give away.
  const give = there === where && process.platform !== 'win32'
  const opens = give ? `sudo chown -R ${user()} ${there}` : `let the user who runs perpetua write ${there}`
  const elsewhere = `${opens}, or set ${key} to another folder`
  if (!statSync(there).isDirectory()) return bad(about, `${key}: ${there} is no folder`, `set ${key} to another`)
  try {
    accessSync(there, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // node:fs throws nothing else
    if (code === 'EROFS')
      return bad(
        about,
        `${key}: ${where} is on a disk that is read-only`,
        `mount it for writing, or set ${key} to another folder`,
      )
    return bad(about, `${key}: ${where} cannot be ${there === where ? 'written' : 'made'} by this user`, elsewhere)
  }
  const { bavail, bsize } = statfsSync(there)
  const left = bavail * bsize
  const unit = left < GIBI ? MEBI : GIBI
  const fact = `${where}, ${formatSize(Math.floor(left / unit) * unit)} left`
  const remedy = `make room on that disk, or set ${key} to a folder on another`
  if (left < ROOM.least) return bad(about, fact, remedy)
  return left < ROOM.good ? warning(about, fact, remedy) : fine(about, fact)
}

/** Who we are, as commands take it; containers know users by their number alone. */
export function user(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 0)
  }
}

/** The folder, or the one in which it would be made. */
function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path))
}
