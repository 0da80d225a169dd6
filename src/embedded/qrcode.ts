// Finds the picture of the QR code that waits to be scanned.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** `qr-<account>.png`, and `qr-0.png` where no account is set. */
const PICTURE = /^qr-\d*\.png$/
/** One name for all, written anew each time. */
const ONE_PICTURE = /^qrcode\.png$/

/**
 * The newest picture in `cwd` written at or after `since` (milliseconds). An older one is of an earlier run, and its
 * code is void: scanning it would only frustrate.
 */
export const newestPicture = (cwd: string, since: number): Promise<string | undefined> => newest(cwd, since, PICTURE)

/** The same for a program that writes `qrcode.png`. */
export const writtenPicture = (cwd: string, since: number): Promise<string | undefined> =>
  newest(cwd, since, ONE_PICTURE)

async function newest(cwd: string, since: number, called: RegExp): Promise<string | undefined> {
  const names = await readdir(cwd).catch(() => [])
  const pictures = await Promise.all(names.filter((name) => called.test(name)).map((name) => written(join(cwd, name))))
  const fresh = pictures.filter((picture) => picture !== undefined && picture.at >= since)
  return fresh.sort((one, other) => (other?.at ?? 0) - (one?.at ?? 0))[0]?.file
}

/** Undefined when it is gone by now, or no file with something in it. */
async function written(file: string): Promise<{ file: string; at: number } | undefined> {
  const facts = await stat(file).catch(() => undefined)
  return facts?.isFile() && facts.size > 0 ? { file, at: facts.mtimeMs } : undefined
}
