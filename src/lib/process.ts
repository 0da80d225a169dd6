// What the system says of processes: whether one noted down earlier is still the same, how many files ours may open.

import { readFileSync } from 'node:fs'

/** When a process started, in the system's own terms; undefined where that cannot be told (only Linux says). */
export function startOf(pid: number): string | undefined {
  return fieldsOf(pid)?.[19]
}

/** Whether `pid`, which started at `start`, has ended; one that nobody has buried yet has, where that can be told. */
export function hasEnded(pid: number, start: string): boolean {
  if (process.platform !== 'linux') return !isRunning(pid)
  const fields = fieldsOf(pid)
  return fields === undefined || fields[19] !== start || isDead(fields)
}

/** It has ended, and only its entry is left: until its parent looks, which some never do. */
const isDead = ([state]: readonly string[]) => state === 'Z' || state === 'X'

/** What Linux says of a process, from its state on. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    // The name in parentheses before them may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return undefined
  }
}

/**
 * Whether `pid` runs, and as far as can be told has been running since `start`: a pid is soon given to another, and one
 * that nobody has buried yet answers signals like one that lives.
 */
export function isRunning(pid: number, start?: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Not ours to signal, but there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false // process.kill throws nothing else
  }
  const fields = fieldsOf(pid)
  return fields === undefined || (!isDead(fields) && (start === undefined || fields[19] === start))
}

/** How many files, and so sockets, a process may have open; undefined where that cannot be told (only Linux says). */
export function openFileLimit(pid: number = process.pid): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
