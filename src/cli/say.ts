// Talks to the person at the terminal, outside the log.

import { stripVTControlCharacters } from 'node:util'

/** An answer, on stdout. Colours stay only where a person looks. */
export const say = (text: string): void => write(process.stdout, text)
/** A complaint, on stderr. */
export const complain = (text: string): void => write(process.stderr, text)

function write(stream: NodeJS.WriteStream, text: string): void {
  const plain = !stream.isTTY || process.env['NO_COLOR'] !== undefined
  stream.write(`${plain ? stripVTControlCharacters(text) : text}\n`)
}

/** Whether somebody is there to answer questions. */
export const interactive = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true
