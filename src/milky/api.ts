// Calls the APIs of a Milky implementation, and says in OneBot's retcodes what went wrong.

import { Buffer } from 'node:buffer'
import { isObject, own, parse } from '../onebot/object.ts'
import type { DialOptions } from '../runtime/host.ts'
import { NoAnswer, Wire } from './http.ts'
import type { Api, Input, Output } from './shapes.ts'

/** A call that came to nothing. `retcode`: for the client, as OneBot has it. */
export class MilkyError extends Error {
  override readonly name = 'MilkyError'
  readonly retcode: number
  /** The implementation does not like our token. */
  readonly refused: boolean
  /** The connection broke under the call. */
  readonly broken: boolean

  constructor(retcode: number, message: string, { refused = false, broken = false } = {}) {
    super(message)
    this.retcode = retcode
    this.refused = refused
    this.broken = broken
  }
}

export const BAD_REQUEST = 1400
export const UNSUPPORTED = 1404
/** It looked at the call and did not carry it out. */
export const FAILED = 1200
const FORBIDDEN = 1403
const TOO_LARGE = 1413
/** From here on faults of its own, as far as anybody can tell. */
const ODD_ANSWER = 1502
const UNAVAILABLE = 1503
const UNKNOWN_OUTCOME = 1504

/** Milliseconds: longer than anybody waits for an ordinary call, and as long as files take. */
const PATIENCE = 120_000
const FILE_PATIENCE = 600_000
const CARRY_FILES: ReadonlySet<Api> = new Set(['upload_group_file', 'upload_private_file'])
/** Bytes of an answer: forwarded messages and lists of thousands of members are long. */
const LONGEST_ANSWER = 64 * 1024 * 1024
/** As much of what it says is passed on. */
const LONGEST_WORDS = 300

export interface ApiOptions {
  readonly base: string
  readonly accessToken: string
  readonly tls?: DialOptions['tls']
}

export class MilkyApi {
  readonly wire: Wire
  readonly #over = new AbortController()

  constructor({ base, accessToken, tls }: ApiOptions) {
    this.wire = new Wire({ base, accessToken, tls })
  }

  /**
   * What the API answers, as promised by its type: nothing in it is checked here. Rejects with MilkyError.
   * @param patience milliseconds. Default: what such a call may take.
   */
  async call<A extends Api>(api: A, input: Input<A>, patience?: number): Promise<Output<A>> {
    const body = JSON.stringify(input)
    const wait = patience ?? (CARRY_FILES.has(api) || carriesMuch(body) ? FILE_PATIENCE : PATIENCE)
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(new Error(`timeout: no answer within ${wait / 1000} s`)), wait)
    try {
      const signal = AbortSignal.any([late.signal, this.#over.signal])
      const answer = await this.wire.text({ method: 'POST', path: `/api/${api}`, body, signal }, LONGEST_ANSWER)
      // The types are what the API promises; what is done with it bears that it is not so.
      return judged(api, answer.status, answer.text) as Output<A>
    } catch (error) {
      if (error instanceof NoAnswer)
        throw new MilkyError(error.sent ? UNKNOWN_OUTCOME : UNAVAILABLE, `${api}: ${error.message}`, {
          broken: !AbortSignal.any([late.signal, this.#over.signal]).aborted,
        })
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Gives up whatever is under way, for the reason given. */
  close(reason: string): void {
    this.#over.abort(new Error(reason))
    this.wire.close()
  }
}

const carriesMuch = (body: string) => body.length > 65_536 || Buffer.byteLength(body) > 65_536

/** The data of an answer. @throws MilkyError */
function judged(api: Api, status: number, text: string | undefined): unknown {
  if (text === undefined) throw new MilkyError(TOO_LARGE, `${api}: the answer is longer than ${LONGEST_ANSWER} bytes`)
  const answer = parse(text)
  const told = isObject(answer) ? wordsOf(answer) : ''
  if (status !== 200) throw refusal(api, status, told)
  if (!isObject(answer))
    throw new MilkyError(ODD_ANSWER, `${api}: ${found(text)}, wanted JSON: is this the address of a Milky server?`)
  if (own(answer, 'status') === 'ok') {
    const data = own(answer, 'data') ?? {}
    if (isObject(data)) return data
    throw new MilkyError(ODD_ANSWER, `${api}: data: found ${typeof data}, wanted an object`)
  }
  const retcode = own(answer, 'retcode')
  const code = typeof retcode === 'number' ? ` (${retcode})` : ''
  throw new MilkyError(retcode === NO_SUCH_API ? UNSUPPORTED : FAILED, `${api}: ${told || 'it did not work'}${code}`)
}

const NO_SUCH_API = -404

function refusal(api: Api, status: number, told: string): MilkyError {
  const words = told === '' ? '' : `: ${told}`
  switch (status) {
    case 401:
    case 403:
      return new MilkyError(FORBIDDEN, `the implementation refuses the access token (HTTP ${status})${words}`, {
        refused: true,
      })
    case 404:
      return new MilkyError(UNSUPPORTED, `this implementation has no API ${api}${words}`)
    case 400:
    case 415:
      return new MilkyError(BAD_REQUEST, `${api}: HTTP ${status}${words}`)
    case 413:
      return new MilkyError(TOO_LARGE, `${api}: HTTP ${status}${words}`)
    case 502:
    case 503:
    case 504:
      return new MilkyError(UNAVAILABLE, `${api}: HTTP ${status}${words}`)
    default:
      // A 500 among them: some answer so to whatever cannot be done, and it says nothing about how they are.
      return new MilkyError(FAILED, `${api}: HTTP ${status}${words}`)
  }
}

function wordsOf(answer: Record<string, unknown>): string {
  const words = own(answer, 'message')
  return typeof words === 'string' ? words.slice(0, LONGEST_WORDS) : ''
}

function found(text: string): string {
  const start = text.slice(0, LONGEST_WORDS).trimStart()
  if (start === '') return 'an empty answer'
  return /^<(?:!doctype|html|\?xml)/i.test(start)
    ? 'a web page'
    : `an answer that begins with ${JSON.stringify(start.slice(0, 40))}`
}
