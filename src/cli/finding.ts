// What doctor finds, and how it reads.

import { maskText } from '../lib/mask.ts'
import { oneLine } from '../observe/line.ts'
import { wrapped } from './wrap.ts'

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly about: string
  /** `bad`: it does not work like this. `warn`: it works, and somebody should know. */
  readonly state: 'ok' | 'warn' | 'bad'
  readonly fact: string
  /** What to do; there whenever something is to be done. */
  readonly remedy?: string
}

export const fine = (about: string, fact: string): Finding => ({ about, state: 'ok', fact })
export const warning = (about: string, fact: string, remedy: string): Finding => ({
  about,
  state: 'warn',
  fact,
  remedy,
})
export const bad = (about: string, fact: string, remedy: string): Finding => ({ about, state: 'bad', fact, remedy })

const COLOURS = { ok: 32, warn: 33, bad: 31 }

/**
 * The fact, and what is to be done about it on a line of its own, whatever others have said of themselves. No secrets.
 * `width`: columns of the terminal; lines stay whole where there is none, for programs that look for words.
 */
export function findingText({ about, state, fact, remedy }: Finding, width = Number.POSITIVE_INFINITY): string {
  const mark = `\u001b[${COLOURS[state]}m${state.padEnd(5)}\u001b[39m`
  const block = (text: string, indent: string) =>
    wrapped(maskText(oneLine(text)), width - indent.length).join(`\n${indent}`)
  const todo = remedy === undefined ? '' : `\n      -> ${block(remedy, ' '.repeat(9))}`
  return `${mark} ${block(`${about}: ${fact}`, ' '.repeat(6))}${todo}`
}

export function summaryText(findings: readonly Finding[]): string {
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length
  const [problems, warnings] = [count('bad'), count('warn')]
  if (problems + warnings === 0) return 'All is well.'
  const named = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
  return [problems > 0 && named(problems, 'problem'), warnings > 0 && named(warnings, 'warning')]
    .filter(Boolean)
    .join(', ')
}
