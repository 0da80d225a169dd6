// What can be wrong with a file of ours, and what to do about it, in words.

import { fileProblem, isOfFiles } from '../lib/file-error.ts'

/** `damaged`: what it holds cannot be trusted; it is put aside. Everything else may be over when it is tried again. */
export type Fault = 'damaged' | 'full' | 'locked' | 'newer' | 'foreign' | 'unsupported' | 'refused'

export interface Trouble {
  readonly fault: Fault
  readonly why: string
  readonly remedy: string
}

/** What we find out about a file ourselves. */
export class FileTrouble extends Error {
  override readonly name = 'FileTrouble'
  readonly fault: Fault
  constructor(fault: Fault, message: string) {
    super(message)
    this.fault = fault
  }
}

const REMEDIES: Record<Fault, string> = {
  damaged: 'nothing needs to be done; the old file can be looked at with the sqlite3 program',
  full: 'free some space; it is tried again by itself',
  locked: 'end the other program that has the file open; it is tried again by itself',
  newer: 'run the newer perpetua again, or move the file away',
  foreign: 'move the file away, or set data-dir to another folder',
  unsupported: 'run it on Bun, Deno or Node 22.13 or later, or set journal.persist to false',
  refused: 'let perpetua write to this folder and file; it is tried again by itself',
}

/** SQLite's primary result codes. Codes that are not here: the file or its disk refuses. */
const CODES: Record<number, Fault> = { 5: 'locked', 6: 'locked', 11: 'damaged', 13: 'full', 26: 'damaged' }
/** Deno does not always tell the code. */
const WORDS: readonly (readonly [RegExp, Fault])[] = [
  [/is locked|is busy/, 'locked'],
  [/malformed|not a database/, 'damaged'],
  [/is full/, 'full'],
]

export function troubleOf(error: unknown): Trouble {
  const fault = faultOf(error)
  return { fault, why: wordsOf(error), remedy: REMEDIES[fault] }
}

function faultOf(error: unknown): Fault {
  if (error instanceof FileTrouble) return error.fault
  if (isOfFiles(error)) return error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'full' : 'refused'
  const code = errcodeOf(error)
  // Extended codes have the primary one in their last eight bits.
  if (code !== undefined) return CODES[code & 0xff] ?? 'refused'
  const message = String(error)
  return WORDS.find(([words]) => words.test(message))?.[1] ?? 'refused'
}

function errcodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}

function wordsOf(error: unknown): string {
  if (isOfFiles(error)) return fileProblem(error)
  const message = error instanceof Error ? error.message : String(error)
  const code = errcodeOf(error)
  return code === undefined ? message : `SQLite: ${message} (${code})`
}
