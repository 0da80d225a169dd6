// Reads and writes sizes in bytes: 64MiB, 64MB, 1024.

const BYTES: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}
const SIZE = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/

/** Bytes, rounded up. Units are read in any case; a bare number is bytes. Undefined: not a size. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = SIZE.exec(text.trim().toLowerCase()) ?? []
  const factor = BYTES[unit ?? '?']
  if (amount === undefined || factor === undefined) return undefined
  const bytes = Math.ceil(Number(amount) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The shortest exact form with a binary unit: 67108864 is 64MiB, 1000 is 1000B. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const)
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`
  return `${bytes}B`
}
