// What the kernel says of a process, and what remains of many numbers.

import { readFileSync } from 'node:fs'

const TICKS = Number(Bun.spawnSync(['getconf', 'CLK_TCK']).stdout.toString()) || 100

/** Seconds of processor time so far, in all threads, user and system. Counted in ticks, usually of 10 ms. */
export function cpu(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name may hold spaces: what follows it starts with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** MiB that the process holds in memory. */
export const rss = (pid: number) => memory(pid, 'VmRSS')
/** The most it ever held. */
export const peak = (pid: number) => memory(pid, 'VmHWM')

function memory(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
}

export const median = (values: readonly number[]) => quantile(values, 0.5)

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** Resolves once `value` has not risen or fallen by more than `by` for `seconds`. */
export async function settled(
  value: () => number,
  { by, seconds, most }: { by: number; seconds: number; most: number },
) {
  let low = value()
  let high = low
  let since = performance.now()
  const end = since + most * 1000
  while (performance.now() < end) {
    const now = value()
    low = Math.min(low, now)
    high = Math.max(high, now)
    if (high - low > by) {
      low = now
      high = now
      since = performance.now()
    } else if (performance.now() - since > seconds * 1000) return now
    await Bun.sleep(200)
  }
  return value()
}
