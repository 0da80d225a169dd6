// What tests need of the system they run on, and say when it is not there.

import { existsSync, readFileSync } from 'node:fs'

export const linux = process.platform === 'linux'
export const windows = process.platform === 'win32'

/** For `skipIf`: whoever reads what was run reads why this was not. */
export function lacks(lacking: boolean, why: string): boolean {
  if (lacking) console.log(`not run here: ${why}`)
  return lacking
}

/** Whether there is such a process; one that has ended but is not buried is none. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    if (existsSync('/proc/self')) return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    // It ended between the two.
    return false
  }
  const { stdout } = Bun.spawnSync(['ps', '-o', 'stat=', '-p', String(pid)])
  return /^\s*[^Z\s]/.test(stdout.toString())
}
