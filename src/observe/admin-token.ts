// The token for whoever looks and steers: the configured one, or one of our own that is kept between starts.

import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface AdminToken {
  readonly token: string
  /** Where a token of our own is kept; absent: it is configured, or nothing could be kept and it ends with us. */
  readonly file?: string
}

const NAME = 'admin-token'
/** What we write ourselves; a file that holds something else is not ours to trust. */
const OWN = /^[\w-]{32}$/

/** @param folder where to keep it; absent: nowhere. Never throws. */
export function adminToken(configured: string, folder: string | undefined): AdminToken {
  if (configured !== '') return { token: configured }
  const token = randomBytes(24).toString('base64url')
  if (folder === undefined) return { token }
  const file = join(folder, NAME)
  const kept = read(file)
  if (kept !== undefined) return { token: kept, file }
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, `${token}\n`, { mode: 0o600 })
    // A file that was there before keeps its mode.
    chmodSync(file, 0o600)
    return { token, file }
  } catch {
    return { token }
  }
}

function read(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return OWN.test(text) ? text : undefined
  } catch {
    return undefined
  }
}
