// One bot's events on a Satori connection: a link of its own on a socket that it shares with the other bots.

import type { Closing } from '../broker/closing.ts'
import type { Channel, Link, Rules } from '../broker/ports.ts'
import type { AcceptedSocket } from '../runtime/host.ts'

export interface BotLinkOptions {
  readonly socket: AcceptedSocket
  readonly channel: Channel
  readonly peer: string
  readonly dress: (inner: Rules | undefined) => Rules
  /** Its events go out as they come, or wait in the journal. */
  readonly inStep: (now: boolean) => void
  /** The bot wants to be done with it. */
  readonly closed: (closing: Closing) => void
}

export class BotLink implements Link {
  readonly transport = 'satori'
  readonly whenBehind = 'close'
  /** By `sn`. */
  readonly ownReturn = true
  readonly peer: string
  readonly channel: Channel
  readonly dress: (inner: Rules | undefined) => Rules
  readonly #options: BotLinkOptions
  #over = false

  constructor(options: BotLinkOptions) {
    this.#options = options
    this.peer = options.peer
    this.channel = options.channel
    this.dress = options.dress
  }

  get buffered(): number {
    return this.#options.socket.buffered
  }
  get open(): boolean {
    return !this.#over && this.#options.socket.open
  }

  send(text: string): boolean {
    return this.open && this.#options.socket.send(text)
  }

  close(closing: Closing): void {
    if (this.#over) return
    this.#over = true
    this.#options.closed(closing)
  }

  subscribe(topic: string): void {
    this.#options.socket.subscribe(topic)
    if (!this.#over) this.#options.inStep(true)
  }
  unsubscribe(topic: string): void {
    this.#options.socket.unsubscribe(topic)
    if (!this.#over) this.#options.inStep(false)
  }
}
