// Talks to the person at the terminal, outside the log.

import { oneLine } from '../observe/line.ts'

/** An answer, on stdout. Colours stay only where a person looks. */
export const say = (text: string): void => write(process.stdout, text)
/** A complaint, on stderr. */
export const complain = (text: string): void => write(process.stderr, text)

const ESCAPE = String.fromCharCode(27)
/** What a text of ours may hold beside characters: lines, columns, colours. */
const OURS = new RegExp(`(\\n|\\t|${ESCAPE}\\[[\\d;]*m)`)

/** Whatever else is in it came from somebody else, and must not steer the terminal. */
function write(stream: NodeJS.WriteStream, text: string): void {
  const plain = !stream.isTTY || process.env['NO_COLOR'] !== undefined
  const pieces = text.split(OURS).map((piece, n) => {
    // Every second one is ours.
    if (n % 2 === 0) return oneLine(piece)
    return plain && piece.startsWith(ESCAPE) ? '' : piece
  })
  stream.write(`${pieces.join('')}\n`)
}

/** Whether somebody is there to answer questions. */
export const interactive = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true
