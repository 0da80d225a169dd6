// Reads the values of options, or says what is wrong with them.

import { parseDuration } from '../lib/duration.ts'
import { parseSize } from '../lib/size.ts'
import { EXIT } from './exit.ts'
import { complain } from './say.ts'

/** An option has a value that it cannot have. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type Reader<T> = (text: string) => T | undefined

/** Undefined: the option was not given. @throws UsageError */
const reading =
  <T>(read: Reader<T>, wanted: string) =>
  (option: string, text: string | undefined): T | undefined => {
    if (text === undefined) return undefined
    const value = read(text)
    if (value === undefined) throw new UsageError(`--${option}: found "${text}", wanted ${wanted}`)
    return value
  }

const whole =
  (min: number, max: number): Reader<number> =>
  (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  }

const address =
  (...schemes: string[]): Reader<string> =>
  (text) =>
    URL.canParse(text) && schemes.includes(new URL(text).protocol) ? text : undefined

export const port = reading(whole(0, 65_535), 'a port 0-65535')
export const account = reading(whole(1, Number.MAX_SAFE_INTEGER), 'a QQ number')
export const count = reading(whole(1, Number.MAX_SAFE_INTEGER), 'a whole number from 1')
export const duration = reading(parseDuration, 'a duration such as 5s')
export const size = reading(parseSize, 'a size such as 64KiB')
export const webSocket = reading(address('ws:', 'wss:'), 'an address that begins with ws:// or wss://')
export const http = reading(address('http:', 'https:'), 'an address that begins with http:// or https://')

/** Runs a command whose options may be unusable: that ends it as a wrong option would. */
export async function usable(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    complain(`perpetua: ${error.message}`)
    return EXIT.usage.code
  }
}
