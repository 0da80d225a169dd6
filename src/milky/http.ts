// One HTTP request to an implementation: over connections that are kept, bounded in time and in what is read.

import type { IncomingMessage } from 'node:http'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { DialOptions } from '../runtime/host.ts'

export interface Door {
  /** `http://127.0.0.1:3000`, or with a path that stands before all others; no slash at the end. */
  readonly base: string
  /** '' when it wants none. */
  readonly accessToken: string
  readonly tls?: DialOptions['tls']
}

export interface Asked {
  readonly method: 'GET' | 'POST'
  /** After the base: `/api/get_login_info`. */
  readonly path: string
  /** JSON text. */
  readonly body?: string
  readonly accept?: string
  readonly signal: AbortSignal
}

/** The request was not answered. `sent`: it may have been read all the same. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly sent: boolean
  constructor(message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options)
    this.sent = sent
  }
}

/** Calls of either kind at one time; further ones wait for a connection. */
const CONNECTIONS = 16
/** Those that only ask have connections of their own: what hangs while something is done does not hold them up. */
const ASKS = /^\/api\/get_/
/** Errors after which nobody has read anything. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ConnectionRefused'])

export class Wire {
  readonly #door: Door
  readonly #asking: HttpAgent
  readonly #doing: HttpAgent
  readonly #secure: boolean

  constructor(door: Door) {
    this.#door = door
    this.#secure = door.base.startsWith('https:')
    const { ca, insecure = false } = door.tls ?? {}
    const agent = () =>
      this.#secure
        ? new HttpsAgent({
            keepAlive: true,
            maxSockets: CONNECTIONS,
            rejectUnauthorized: !insecure,
            ...(ca !== undefined && { ca }),
          })
        : new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS })
    this.#asking = agent()
    this.#doing = agent()
  }

  /** Its head; the body is yet to be read. Rejects with NoAnswer. `kept`: over a connection that is used again. */
  open({ method, path, body, accept = 'application/json', signal }: Asked, kept = true): Promise<IncomingMessage> {
    const { base, accessToken, tls } = this.#door
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(noAnswer(error, signal))
      try {
        const send = this.#secure ? httpsRequest : httpRequest
        const request = send(
          base + path,
          {
            method,
            signal,
            ...(kept ? { agent: ASKS.test(path) ? this.#asking : this.#doing } : {}),
            ...(this.#secure && tls?.insecure && { rejectUnauthorized: false }),
            ...(this.#secure && tls?.ca !== undefined && { ca: tls.ca }),
            headers: {
              Accept: accept,
              'User-Agent': 'perpetua',
              ...(body !== undefined && {
                'Content-Type': 'application/json',
                'Content-Length': String(Buffer.byteLength(body)),
              }),
              ...(accessToken !== '' && { Authorization: `Bearer ${accessToken}` }),
            },
          },
          (response) => {
            // Whoever reads it is told by reading; one that nobody reads any more is nobody's trouble.
            response.on('error', () => undefined)
            resolve(response)
          },
        )
        // Also what comes after the answer.
        request.on('error', fail)
        request.end(body)
      } catch (error) {
        // A token that no header can hold, an address that is none.
        fail(error instanceof Error ? error : new Error(String(error)))
      }
    })
  }

  /** The whole text; undefined: it is longer than `most` bytes. Rejects with NoAnswer. */
  async text(asked: Asked, most: number): Promise<{ status: number; text: string | undefined }> {
    const response = await this.open(asked)
    const { statusCode: status = 0 } = response
    const pieces: Uint8Array[] = []
    let size = 0
    try {
      for await (const piece of response as AsyncIterable<Uint8Array>) {
        size += piece.byteLength
        if (size > most) {
          response.destroy()
          return { status, text: undefined }
        }
        pieces.push(piece)
      }
    } catch (error) {
      throw noAnswer(error, asked.signal, true)
    }
    return { status, text: Buffer.concat(pieces).toString('utf8') }
  }

  close(): void {
    this.#asking.destroy()
    this.#doing.destroy()
  }
}

function noAnswer(error: unknown, signal: AbortSignal, begun = false): NoAnswer {
  if (signal.aborted) {
    const { reason } = signal
    return new NoAnswer(reason instanceof Error ? reason.message : String(reason), true, { cause: error })
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const words = error instanceof Error ? error.message : String(error)
  return new NoAnswer(words === '' ? code : words, begun || !NOT_SENT.has(code), { cause: error })
}
