// The WebSocket links that are open, in both directions: what they are told, and how far they are behind.

import type { AcceptedSocket, Listener, Socket, SocketEvents } from '../runtime/host.ts'

export interface Role {
  readonly events: boolean
  readonly calls: boolean
}

export interface LinkFact {
  readonly kind: 'link opened' | 'link closed'
  /** The peer's address, or the one we dialled. */
  readonly peer: string
  /** Why it closed. */
  readonly code?: number
}

export interface LinksOptions {
  /** The first frames of a link that hears events. */
  greeting(): readonly string[]
  called(frame: string, reply: (text: string) => void): void
  report(fact: LinkFact): void
}

const TOPIC = 'events'
/** Bytes waiting in a link from which on a burst waits for it. */
const HIGH_WATER = 4 * 1024 * 1024
/** Bytes at which a link is given up; nothing may be lost on a link that stays. */
const MOST_WAITING = 64 * 1024 * 1024

export class Links {
  readonly #options: LinksOptions
  readonly #open = new Set<Socket>()
  /** Those that hear events without a topic of the listener. */
  readonly #dialled = new Set<Socket>()
  readonly #waiting = new Set<() => void>()
  #listener: Listener | undefined
  #subscribed = 0

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** Whose topic it is that accepted links hear. */
  set listener(listener: Listener) {
    this.#listener = listener
  }

  get count(): number {
    return this.#open.size
  }

  accepted(role: Role, peer: string): SocketEvents<AcceptedSocket> {
    return {
      ...this.#common(role),
      open: (socket) => {
        this.#greet(socket, role, peer)
        if (!role.events) return
        socket.subscribe(TOPIC)
        this.#subscribed++
      },
      close: (socket, code) => {
        if (role.events) this.#subscribed--
        this.#gone(socket, peer, code)
      },
    }
  }

  dialled(peer: string, gone: () => void): SocketEvents {
    const role = { events: true, calls: true }
    return {
      ...this.#common(role),
      open: (socket) => {
        this.#greet(socket, role, peer)
        this.#dialled.add(socket)
      },
      close: (socket, code) => {
        this.#dialled.delete(socket)
        this.#gone(socket, peer, code)
        gone()
      },
    }
  }

  /** Sends this text to every link that hears events. */
  tell(raw: string): void {
    if (this.#subscribed > 0 && (this.#listener?.publish(TOPIC, raw) ?? 0) <= 0) this.#giveUp()
    for (const socket of this.#dialled) socket.send(raw)
    if (this.#dialled.size > 0) this.#giveUp()
  }

  /** Resolves once no link is far behind. */
  async room(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted && [...this.#open].some((socket) => socket.buffered > HIGH_WATER))
      await this.#change(signal)
  }

  /** Resolves once there are at least so many. */
  async atLeast(count: number): Promise<void> {
    while (this.#open.size < count) await this.#change()
  }

  /** With a code, in order; without one, as when the power fails. */
  drop(code?: number): void {
    for (const socket of [...this.#open]) code === undefined ? socket.terminate() : socket.close(code, '')
  }

  #common({ calls }: Role) {
    return {
      text: (socket: Socket, frame: string) => {
        if (calls) this.#options.called(frame, (text) => void socket.send(text))
      },
      drain: () => this.#changed(),
    }
  }

  #greet(socket: Socket, role: Role, peer: string): void {
    this.#open.add(socket)
    if (role.events) for (const frame of this.#options.greeting()) socket.send(frame)
    this.#options.report({ kind: 'link opened', peer })
    this.#changed()
  }

  #gone(socket: Socket, peer: string, code: number): void {
    this.#open.delete(socket)
    this.#options.report({ kind: 'link closed', peer, code })
    this.#changed()
  }

  #giveUp(): void {
    for (const socket of this.#open) if (socket.buffered > MOST_WAITING) socket.terminate()
  }

  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
