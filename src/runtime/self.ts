// Says how this very program is run again: as one file, or by a runtime that reads its source.

import { resolve } from 'node:path'

declare const Deno: { readonly build: { readonly standalone?: boolean } } | undefined

/** Where Bun keeps what is inside a program, on Unix and on Windows. */
const INSIDE_BUN = /^(?:\/\$bunfs\/|B:[\\/]~BUN[\\/])/

/** The command, with whole paths and the runtime's own options; its own words come behind it. */
export function ownCommand(): [program: string, ...words: string[]] {
  const { execPath, execArgv, argv } = process
  const [, entry = ''] = argv
  if (typeof Deno !== 'undefined')
    return Deno.build.standalone === true
      ? [execPath]
      : [execPath, 'run', '-A', '--node-modules-dir=manual', '--no-check', resolve(entry)]
  return INSIDE_BUN.test(entry) ? [execPath] : [execPath, ...execArgv, resolve(entry)]
}
