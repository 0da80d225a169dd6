// Reads and replaces a settings file: as a whole or not at all, and for nobody else's eyes, since tokens stand in it.

import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SettingsError } from './kind.ts'

/** Undefined when there is none. */
export async function readSettings(file: string): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new SettingsError(`cannot read ${file}: ${error instanceof TypeError ? 'it is not UTF-8' : said(error)}`, {
      cause: error,
    })
  }
}

export async function writeSettings(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    // Behind a link it is the file that is replaced, not the link.
    await replace(await realpath(file).catch(() => file), text)
  } catch (error) {
    throw new SettingsError(`cannot write ${file}: ${said(error)}`, { cause: error })
  }
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

const said = (error: unknown) => (error instanceof Error ? error.message : String(error))
