// Looks at what earlier runs left in the data folder: files that are damaged, of a newer perpetua, or somebody else's.

import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { asideFiles, troubledFiles } from '../storage/look.ts'
import { user } from './doctor-machine.ts'
import { heldElsewhere, runningGateway } from './doctor-ports.ts'
import { bad, type Finding, warning } from './finding.ts'

const ABOUT = 'data'

export function kept(config: Config): Finding[] {
  const folder = resolve(config['data-dir'])
  if (!existsSync(folder)) return []
  try {
    const foreign = readdirSync(folder).filter((name) => !isOurs(join(folder, name)))
    if (foreign.length > 0) return [ofOthers(folder, foreign)]
    // Those of a gateway that runs are in the midst of being written.
    const busy = runningGateway(folder) !== undefined || heldElsewhere(folder)
    const troubled = busy ? [] : troubledFiles(folder)
    const aside = asideFiles(folder)
    return [
      ...troubled.map(({ file, trouble }) => warning(ABOUT, `${file} cannot be used: ${trouble.why}`, trouble.remedy)),
      ...(aside.length === 0 ? [] : [wasDamaged(folder, aside)]),
    ]
  } catch {
    return [] // Not a folder, or not readable: that is told already.
  }
}

function isOurs(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** As one run by root leaves them. */
function ofOthers(folder: string, names: readonly string[]): Finding {
  const shown = `${names.slice(0, 3).join(', ')}${names.length > 3 ? ' …' : ''}`
  return bad(
    ABOUT,
    `${shown} in ${folder} cannot be read and written by this user, as after a run by another`,
    `sudo chown -R ${user()} ${folder}`,
  )
}

const wasDamaged = (folder: string, names: readonly string[]) =>
  warning(
    ABOUT,
    `${names.length === 1 ? 'a file was' : `${names.length} files were`} damaged and put aside: ${names.at(-1)}`,
    `look after the disk; the gateway does without, so rm ${folder}/*.corrupt-* is safe`,
  )
