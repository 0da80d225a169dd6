// Fits texts into the terminal, where there is one.

/** Columns of the terminal; undefined where the output goes to a program, which wants lines whole. */
export const columns = (): number | undefined =>
  process.stdout.isTTY ? process.stdout.columns || undefined : undefined

/** Below this many columns, words would stand alone: then the terminal may break lines itself. */
const LEAST = 20

/** Lines of whole words; a word that is longer than a line stays whole, to be copied. */
export function wrapped(text: string, width: number): string[] {
  if (width < LEAST) return [text]
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
