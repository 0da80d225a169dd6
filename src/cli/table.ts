// Sets rows in columns for a terminal, Chinese names included.

import { oneLine } from '../observe/line.ts'

const WIDEST = 48

/** The head in capitals, then the rows; columns as wide as what is in them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head.map((name) => name.toUpperCase()), ...rows.map((row) => row.map(cell))]
  const widths = head.map((_, at) => Math.max(...all.map((row) => width(row[at] ?? ''))))
  return all
    .map((row) =>
      row
        .map((text, at) => text + ' '.repeat(Math.max(0, (widths[at] ?? 0) - width(text))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cell(text: string): string {
  // Names are chosen by others: they must not steer the terminal.
  const plain = oneLine(text)
  return plain.length > WIDEST ? `${plain.slice(0, WIDEST - 3)}...` : plain || '-'
}

/** Columns that a terminal takes: characters of East Asia take two. */
const width = (text: string) =>
  [...text].reduce(
    (sum, char) =>
      sum +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(
        char,
      )
        ? 2
        : 1),
    0,
  )

export const bytes = (count: number): string =>
  count < 2 ** 10
    ? `${count} B`
    : count < 2 ** 20
      ? `${(count / 2 ** 10).toFixed(1)} KiB`
      : `${(count / 2 ** 20).toFixed(1)} MiB`

export function lasting(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`
}
