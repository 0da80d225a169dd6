// The console log of .NET programs, a line at a time: which level a line has, and what it says.

import { stripVTControlCharacters } from 'node:util'
import type { Level } from './kind.ts'

/** The words of .NET's console log. */
const LEVELS = { trce: 'trace', dbug: 'debug', info: 'info', warn: 'warn', fail: 'error', crit: 'error' } as const

/** `info: Lagrange.Core.BotContext[0]`, maybe after a time; the text follows on lines of their own, or right there. */
const HEADING = /^[\d\s.,:TZ/[\]+-]{0,40}(trce|dbug|info|warn|fail|crit): ?(?:[\w.`+]+\[-?\d+\])?\s*(.*)$/

/** Longer lines are cut before anybody looks at them: patterns must not meet megabytes. */
const LONGEST = 4096

/** .NET's last words. */
export const CRASH = /^Unhandled exception\. (.{1,300})/

/** Takes lines without colours. The level of one that is set in is that of the entry above. */
export function dotnetLog(): (line: string) => { readonly level: Level; readonly text: string } {
  let level: Level = 'info'
  return (line) => {
    const heading = HEADING.exec(line)
    if (heading !== null)
      level = LEVELS[heading[1] as keyof typeof LEVELS] // the pattern has just these words
    else if (CRASH.test(line)) level = 'error'
    // What is set in belongs to the entry above.
    else if (/^\S/.test(line)) level = 'info'
    return { level, text: (heading?.[2] ?? line).trim() }
  }
}

/** Without colours, the end of the line, and control characters; cut. */
export function plain(line: string): string {
  return stripVTControlCharacters(line.slice(0, LONGEST)).replaceAll(/\p{Cc}/gu, '')
}
