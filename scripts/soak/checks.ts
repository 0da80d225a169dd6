// What the soak has found: a line for each invariant, and for each figure that is only worth knowing.

export interface Check {
  what: string
  found: number | string
  /** Undefined: nothing is wanted of it. */
  wanted?: string
  ok?: boolean
}

export const equal = (what: string, found: number, wanted: number): Check => ({
  what,
  found,
  wanted: String(wanted),
  ok: found === wanted,
})
export const atMost = (what: string, found: number, most: number, unit = ''): Check => ({
  what,
  found: `${Math.round(found * 100) / 100}${unit}`,
  wanted: `<= ${most}${unit}`,
  ok: found <= most,
})
export const figure = (what: string, found: number | string): Check => ({ what, found })

export function printed(checks: readonly Check[]): string {
  const lines = [
    ['what', 'found', 'wanted', ''],
    ...checks.map(({ what, found, wanted = '', ok }) => [
      what,
      found.toLocaleString('en-US'),
      wanted,
      ok === undefined ? '' : ok ? 'ok' : 'BROKEN',
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
