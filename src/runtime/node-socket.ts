// One WebSocket of the `ws` package, accepted or dialled, as the `Socket` the rest of the gateway knows.

import type { RawData, WebSocket } from 'ws'
import { shortReason } from './frame.ts'
import type { Socket, SocketEvents } from './host.ts'

/**
 * `buffered` counts what the kernel may already have taken in this turn of the loop: Node reports a write as done only
 * in the next one.
 */
export class NodeSocket implements Socket {
  protected readonly raw: WebSocket
  readonly #drained: (() => void) | undefined
  #awaited = false

  /** `drained`: called each time everything handed over has left, after some of it had to wait. */
  constructor(raw: WebSocket, drained: (() => void) | undefined) {
    this.raw = raw
    this.#drained = drained
  }

  get buffered(): number {
    return this.raw.bufferedAmount
  }

  get open(): boolean {
    return this.raw.readyState === this.raw.OPEN
  }

  send(text: string): boolean {
    if (!this.open) return false
    this.raw.send(text, TEXT, this.leaving())
    return true
  }

  /** What is to be called once the frame that is written next has left; undefined: nobody asks. */
  protected leaving(): (() => void) | undefined {
    if (!this.#drained) return undefined
    this.#awaited = true
    return this.#flushed
  }

  ping(data?: string): void {
    if (this.open) this.raw.ping(data)
  }

  close(code: number, reason: string): void {
    this.raw.close(code, shortReason(reason))
  }

  terminate(): void {
    this.raw.terminate()
  }

  // Runs once for every frame that left. One function for all of them: frames are many.
  readonly #flushed = () => {
    if (!this.#awaited || this.raw.bufferedAmount > 0) return
    this.#awaited = false
    if (this.open) this.#drained?.()
  }
}

const TEXT = { binary: false }

/** Wires the owner's callbacks, except `open` and `drain`. */
export function bind<S extends Socket>(raw: WebSocket, socket: S, on: SocketEvents<S>): void {
  let tooLong = false
  raw.on('message', (data: RawData, binary: boolean) => {
    // Frames that were on their way when we closed are nobody's business any more.
    if (!socket.open) return
    // The cast: ws hands out one Buffer unless told otherwise by `binaryType`.
    const bytes = data as Buffer
    try {
      if (binary) on.binary?.(socket, bytes)
      else on.text(socket, bytes.toString())
    } catch (error) {
      // Thrown through ws, it would leave the socket deaf and without its 'close'.
      surface(error)
    }
  })
  raw.on('pong', (data: Buffer) => on.pong?.(socket, data.toString()))
  raw.on('error', (error: NodeJS.ErrnoException) => {
    tooLong = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  })
  // ws tells the peer 1009 and us 1006.
  raw.on('close', (code: number, reason: Buffer) => on.close(socket, tooLong ? 1009 : code, reason.toString()))
}

/** Makes what a callback threw an uncaught error, out of reach of the library that called it. */
export function surface(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
