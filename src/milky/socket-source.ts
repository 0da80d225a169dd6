// Events over a WebSocket that we dial.

import { DialError, type DialOptions, type Host, type Socket } from '../runtime/host.ts'
import { isRefusal, type OpenSource, type Source, SourceError, type SourceEvents } from './source.ts'

export interface SocketSourceOptions extends Pick<DialOptions, 'tls'> {
  /** http:// or https://, without a slash at the end. */
  readonly base: string
  readonly accessToken: string
  readonly maxFrame: () => number
  readonly host: Host
}

/** A handshake that is not answered for this long (ms) is given up. */
const HANDSHAKE = 15_000
/** After this (ms) a connection that was closed in order is dropped. */
const GOODBYE = 2_000
/** PINGs in a row that somebody leaves unanswered who has answered before. */
const MISSED = 3
const POLICY = 1008

export function socketSource({ base, accessToken, maxFrame, host, tls }: SocketSourceOptions): OpenSource {
  return async (on, signal) => {
    const decoder = new TextDecoder()
    let source: SocketSource | undefined
    try {
      await host.dial({
        url: `${base.replace(/^http/, 'ws')}/event`,
        headers: accessToken === '' ? {} : { Authorization: `Bearer ${accessToken}` },
        maxFrame: maxFrame(),
        tls,
        timeout: HANDSHAKE,
        signal,
        events: {
          open(socket) {
            source = new SocketSource(socket, on)
            on.opened()
          },
          text: (_socket, text) => source?.heard(text),
          // Nobody should, but what is in it is text all the same.
          binary: (_socket, bytes) => source?.heard(decoder.decode(bytes)),
          pong: () => source?.answered(),
          close: (_socket, code, reason) => source?.over(code, reason),
        },
      })
    } catch (error) {
      if (!(error instanceof DialError)) throw error
      throw new SourceError(error.message, isRefusal(error.status), { cause: error })
    }
    if (source === undefined) throw new SourceError('the connection was given up')
    return source
  }
}

class SocketSource implements Source {
  readonly #socket: Socket
  readonly #on: SourceEvents
  #over = false
  /** PINGs since the last answer; undefined: none was ever answered, and so silence means nothing. */
  #unanswered: number | undefined

  constructor(socket: Socket, on: SourceEvents) {
    this.#socket = socket
    this.#on = on
  }

  heard(text: string): void {
    if (this.#unanswered !== undefined) this.#unanswered = 0
    if (!this.#over) this.#on.heard(text)
  }

  answered(): void {
    this.#unanswered = 0
  }

  check(): void {
    if (this.#over) return
    if (this.#unanswered !== undefined && ++this.#unanswered > MISSED) {
      this.#socket.terminate()
      return this.over(1006, `it left ${MISSED} PINGs unanswered`)
    }
    this.#socket.ping()
  }

  over(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#on.ended({ code, reason: reason === '' ? `closed with ${code}` : reason, refused: code === POLICY })
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#socket.close(1000, 'the gateway is done with this link')
    setTimeout(() => this.#socket.terminate(), GOODBYE).unref?.()
  }
}
