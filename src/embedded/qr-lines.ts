// Recognises a QR code among lines of text: a square of half blocks, each row as wide as the first.

/** A code of 21 cells, up to 177 cells with two columns each and a border. */
const ROW = /^[█▀▄][█▀▄ ]{19,398}[█▀▄]$/
/** The same for terminals without block characters: `@` is full, `^` the upper half, `.` the lower half. */
const PLAIN_ROW = /^[@^][@^. ]{19,398}[@^]$/
/** A row below the first, where nothing light is around the code. */
const LATER_ROW = /^[█▀▄ ]+$/
const LATER_PLAIN_ROW = /^[@^. ]+$/
const BLOCKS: Record<string, string> = { '@': '█', '^': '▀', '.': '▄' }

/** A log written at the same time may put lines between two rows; after more of them the rest is not coming. */
const MOST_BETWEEN = 16

/**
 * Takes a line at a time. 'part': the line belongs to a code that is not whole yet. The rows of a code that never
 * becomes whole are dropped.
 */
export function codeReader(): (line: string) => readonly string[] | 'part' | undefined {
  let rows: string[] = []
  let between = 0

  return (line) => {
    const row = rowIn(line, rows[0]?.length)
    if (row === undefined) {
      between += 1
      if (between > MOST_BETWEEN) rows = []
      return undefined
    }
    between = 0
    if (rows[0]?.length !== row.length) rows = []
    rows.push(row)
    // A row of text shows two rows of cells, so a square is half as high as it is wide.
    if (rows.length < Math.ceil(row.length / 2)) return 'part'
    const whole = rows
    rows = []
    return whole
  }
}

/** @param width of the code that has begun. */
function rowIn(line: string, width: number | undefined): string | undefined {
  const later = line.length === width
  if (ROW.test(line) || (later && LATER_ROW.test(line))) return line
  return PLAIN_ROW.test(line) || (later && LATER_PLAIN_ROW.test(line))
    ? line.replaceAll(/[@^.]/g, (char) => BLOCKS[char] ?? char)
    : undefined
}
