// Dials WebSockets with Bun's own client.

import { attempt, unusable } from './attempt.ts'
import { fits, shortReason } from './frame.ts'
import type { DialOptions, Socket, SocketEvents } from './host.ts'

/** How often a dialled socket under pressure is asked whether it drained: Bun's client has no such event. */
const DRAIN_POLL_MS = 20

// The cast: with lib.dom loaded the global is typed as the browser's, which takes no headers.
const Client = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => Bun.WebSocket

class Dialled implements Socket {
  readonly #raw: Bun.WebSocket
  readonly #on: SocketEvents
  #poll: ReturnType<typeof setInterval> | undefined

  constructor(raw: Bun.WebSocket, { events, maxFrame }: DialOptions) {
    this.#raw = raw
    this.#on = events
    raw.onmessage = ({ data }: MessageEvent<string | Buffer>) => {
      if (!this.open) return
      if (!fits(data, maxFrame)) this.close(1009, 'frame too long')
      else if (typeof data === 'string') events.text(this, data)
      else events.binary?.(this, data)
    }
    raw.addEventListener('pong', (event) => events.pong?.(this, String((event as MessageEvent<Buffer>).data)))
    raw.onclose = ({ code, reason }) => {
      clearInterval(this.#poll)
      queueMicrotask(() => events.close(this, code, reason))
    }
  }

  get buffered(): number {
    return this.#raw.bufferedAmount
  }

  get open(): boolean {
    return this.#raw.readyState === WebSocket.OPEN
  }

  send(text: string): boolean {
    if (!this.open) return false
    this.#raw.send(text)
    if (this.#on.drain && this.#raw.bufferedAmount > 0) this.#awaitDrain()
    return true
  }

  ping(data?: string): void {
    if (this.open) this.#raw.ping(data)
  }

  close(code: number, reason: string): void {
    this.#raw.close(code, shortReason(reason))
  }

  terminate(): void {
    this.#raw.terminate()
  }

  #awaitDrain(): void {
    if (this.#poll !== undefined) return
    let before = this.#raw.bufferedAmount
    this.#poll = setInterval(() => {
      const now = this.#raw.bufferedAmount
      if (now === 0) {
        clearInterval(this.#poll)
        this.#poll = undefined
      }
      if (now < before) this.#on.drain?.(this)
      before = now
    }, DRAIN_POLL_MS)
  }
}

/**
 * Bun's client tells everything in words: "WebSocket connection to '...' failed: Expected 101 status code: 403".
 * The address in them, with its token, is left out.
 */
function failure({ message, error }: ErrorEvent): [string, { status?: number; cause?: unknown }] {
  const status = /Expected 101 status code: (\d{3})$/.exec(message)?.[1]
  if (status !== undefined) return [`the peer answered ${status}`, { status: Number(status) }]
  const reason = message.replace(/^.*? failed: /, '')
  const code: unknown = error?.code
  return code === undefined
    ? [reason, {}]
    : [`${reason} (${code})`, { cause: Object.assign(new Error(reason), { code }) }]
}

function connect({ url, headers, tls }: DialOptions): Bun.WebSocket {
  try {
    return new Client(url, {
      headers,
      perMessageDeflate: false,
      tls: { ...(tls?.ca !== undefined && { ca: tls.ca }), rejectUnauthorized: !tls?.insecure },
    })
  } catch {
    throw unusable(url)
  }
}

export async function dial(options: DialOptions): Promise<Socket> {
  const raw = connect(options)
  raw.binaryType = 'nodebuffer'
  const { verdict, opened, failed } = attempt(options, () => raw.terminate())
  raw.onerror = (event) => failed(...failure(event))
  raw.onclose = ({ code }) => failed(`closed during the handshake (${code})`)
  raw.onopen = () => opened(new Dialled(raw, options))
  return verdict
}
