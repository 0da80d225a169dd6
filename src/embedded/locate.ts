// Brings about the program to run: found, or else installed from the archive or the release that the config names.

import type { Origin } from '../lib/release.ts'
import { formatSize } from '../lib/size.ts'
import { find, type Where } from './find.ts'
import { type InstallProgress, install, update } from './installer.ts'
import type { Version } from './versions.ts'

export interface LocateOptions extends Where {
  readonly download: Origin
  /** Whether to look for a newer version of what is installed first. */
  readonly renew: boolean
  readonly signal: AbortSignal
  /** How it goes on, in words, often enough for somebody who waits. */
  readonly progress: (what: string) => void
  /** A version has just been installed. */
  readonly installed: (version: Version) => void
}

/** Every so many percent of a download is worth a line. */
const STEP = 10

/** Resolves with the program's path. Rejects with FindError or InstallError, which say what to do. */
export async function locate(options: LocateOptions): Promise<string> {
  const { kind, machine, folder, download, signal, progress, installed } = options
  const found = await find(options)
  if ('executable' in found)
    return found.from === 'folder' && options.renew ? await renewed(options, found.executable) : found.executable
  const source = found.from === 'archive' ? { archive: found.archive } : download
  const { executable, version } = await install({ kind, machine, folder, source, signal, progress: told(progress) })
  progress(`installed ${kind.name} ${version.name}`)
  installed(version)
  return executable
}

/** What is there is good enough: whatever keeps from having a newer one is only told. */
async function renewed(options: LocateOptions, known: string): Promise<string> {
  const { kind, machine, folder, download: source, signal, progress, installed } = options
  try {
    const updated = await update({ kind, machine, folder, source, signal, progress: told(progress) })
    if (updated.outcome === 'unknown') progress(`no newer version can be looked for: ${updated.why}`)
    if (updated.outcome !== 'installed') return known
    progress(`updated to ${kind.name} ${updated.version.name}`)
    installed(updated.version)
    return updated.executable
  } catch (error) {
    signal.throwIfAborted()
    progress(`no newer version: ${error instanceof Error ? error.message : error}`)
    return known
  }
}

function told(progress: (what: string) => void): (now: InstallProgress) => void {
  let next = STEP
  return (now) => {
    switch (now.step) {
      case 'found':
        next = STEP
        return progress(`downloading ${now.url}${now.size === undefined ? '' : ` (${mebi(now.size)})`}`)
      case 'notice':
        return progress(now.text)
      case 'unpack':
        return progress(`unpacking ${now.archive}`)
      case 'download': {
        const percent = now.total ? Math.floor((now.received / now.total) * 100) : 0
        if (percent < next) return
        next = percent - (percent % STEP) + STEP
        return progress(`downloaded ${percent} %`)
      }
      default:
        return now satisfies never
    }
  }
}

const mebi = (bytes: number) => formatSize(Math.round(bytes / 2 ** 20) * 2 ** 20)
