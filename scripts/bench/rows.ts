// The rows of the bench's table: what was measured, with what it is compared, what is wanted, and how it is printed.

import { columns } from '../columns.ts'

export interface Row {
  /** What filters match. */
  id: string
  what: string
  unit: string
  /** Of the gateway. */
  value: number
  /** What it is compared with, measured in the same run. */
  base?: { what: string; value: number }
  /** Where there is something to compare with. */
  ratio?: number
  target?: { of: 'value' | 'ratio'; most: number }
  note?: string
}

/** What every part of the bench is given. */
export interface Bench {
  /** How the gateway is started. */
  command: string[]
  /** The executable file, where there is one. */
  binary: string | undefined
  quick: boolean
  /** For whoever waits; not part of the result. */
  say: (text: string) => void
}

/** Measures, and yields rows as soon as they are known. */
export type Part = (bench: Bench) => AsyncIterable<Row>

/** Undefined: nothing is wanted. */
export function met({ value, ratio, target }: Row): boolean | undefined {
  if (target === undefined) return undefined
  return (target.of === 'value' ? value : (ratio ?? Number.NaN)) <= target.most
}

const HEAD = ['row', 'what', 'gateway', 'compared with', 'ratio', 'target', '']

export function table(rows: readonly Row[]): string {
  return columns([HEAD, ...rows.map(cells)])
}

/** The same for docs/benchmarks.md. */
export function markdown(rows: readonly Row[]): string {
  const lines = [HEAD, HEAD.map(() => '---'), ...rows.map(cells)]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function cells(row: Row): string[] {
  const { id, what, unit, value, base, ratio, target, note } = row
  return [
    id,
    what,
    `${short(value)} ${unit}`,
    base === undefined ? '' : `${base.what} ${short(base.value)} ${unit}`,
    ratio === undefined ? '' : `${ratio.toFixed(2)}x`,
    target === undefined ? '' : wanted(target, unit),
    [verdict(row), note].filter(Boolean).join(' '),
  ]
}

function verdict(row: Row): string {
  const good = met(row)
  if (good === undefined) return ''
  return good ? 'ok' : 'MISSED'
}

const wanted = ({ of, most }: NonNullable<Row['target']>, unit: string) =>
  `<= ${most}${of === 'ratio' ? 'x' : ` ${unit}`}`

/** Three figures that mean something. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '?'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}
