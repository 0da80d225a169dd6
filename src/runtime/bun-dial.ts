// Dials WebSockets with Bun's own client.

import { fits, shortReason } from './frame.ts'
import { DialError, type DialOptions, type Socket, type SocketEvents } from './host.ts'

/** How often a dialled socket under pressure is asked whether it drained: Bun's client has no such event. */
const DRAIN_POLL_MS = 20

// The cast: with lib.dom loaded the global is typed as the browser's, which takes no headers.
const Client = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => Bun.WebSocket

class Dialled implements Socket {
  readonly #raw: Bun.WebSocket
  readonly #on: SocketEvents
  #poll: ReturnType<typeof setTimeout> | undefined

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
      clearTimeout(this.#poll)
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

/** The status is only in the text: "WebSocket connection to '...' failed: Expected 101 status code: 403". */
function refusal(message: string, cause: unknown): DialError {
  const status = /Expected 101 status code: (\d{3})$/.exec(message)?.[1]
  return new DialError(message, { status: status === undefined ? undefined : Number(status), cause })
}

export async function dial(options: DialOptions): Promise<Socket> {
  const { url, headers, tls, timeout, signal, events } = options
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const raw = new Client(url, {
    headers,
    perMessageDeflate: false,
    tls: { ...(tls?.ca !== undefined && { ca: tls.ca }), rejectUnauthorized: !tls?.insecure },
  })
  raw.binaryType = 'nodebuffer'
  const settled = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', aborted)
    raw.onerror = null
  }
  const giveUp = (error: DialError) => {
    settled()
    raw.onopen = null
    raw.terminate()
    reject(error)
  }
  const timer = setTimeout(() => giveUp(new DialError(`dial ${url}: no handshake within ${timeout} ms`)), timeout)
  const aborted = () => giveUp(new DialError(`dial ${url}: aborted`, { cause: signal?.reason }))
  signal?.addEventListener('abort', aborted, { once: true })
  raw.onerror = (event) => giveUp(refusal((event as ErrorEvent).message, (event as ErrorEvent).error))
  raw.onopen = () => {
    settled()
    const socket = new Dialled(raw, options)
    try {
      events.open?.(socket)
    } finally {
      resolve(socket)
    }
  }
  if (signal?.aborted) aborted()
  return promise
}
