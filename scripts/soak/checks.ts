// What the soak has found: a line for each invariant, and for each figure that is only worth knowing.

import { columns } from '../columns.ts'

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
  return columns([
    ['what', 'found', 'wanted', ''],
    ...checks.map(({ what, found, wanted = '', ok }) => [
      what,
      found.toLocaleString('en-US'),
      wanted,
      ok === undefined ? '' : ok ? 'ok' : 'BROKEN',
    ]),
  ])
}
