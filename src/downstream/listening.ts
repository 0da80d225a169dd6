// The main listener: where it listens, how it moves while its links live on, and how it ends.

import type { Hono } from 'hono'
import type { Host, HostEnv, Listener, ListenOptions } from '../runtime/host.ts'

/** Where to listen, as configured: port 0 is any. */
export type Address = Pick<ListenOptions, 'host' | 'port' | 'maxFrame' | 'tls'>

export class Listening {
  readonly #host: Host
  readonly #app: Hono<HostEnv>
  #now: { readonly listener: Listener; readonly address: Address } | undefined
  /** Listeners of earlier addresses, kept for the links they still hold. */
  readonly #retired: Listener[] = []

  constructor(host: Host, app: Hono<HostEnv>) {
    this.#host = host
    this.#app = app
  }

  /** Somebody could connect. */
  get open(): boolean {
    return this.#now !== undefined
  }

  /** `http://127.0.0.1:8080`; '' while it does not listen. */
  get url(): string {
    if (this.#now === undefined) return ''
    const { listener, address } = this.#now
    const name = listener.host.includes(':') ? `[${listener.host}]` : listener.host
    return `${address.tls === undefined ? 'http' : 'https'}://${name}:${listener.port}`
  }

  /**
   * Listens there from now on. The new address first, then the old one stops accepting, unless it is the same port;
   * links live on. Rejects with the system's error where it cannot be had: then it is as it was.
   */
  async move(address: Address): Promise<void> {
    const before = this.#now
    if (before === undefined || before.address.port !== address.port) {
      const listener = await this.#listen(address)
      await this.#retire()
      this.#now = { listener, address }
      return
    }
    await this.#retire()
    // Where any port will do, the one of now does.
    const { port } = before.listener
    try {
      this.#now = { listener: await this.#listen({ ...address, port }), address }
    } catch (error) {
      // As it was, also where its files have changed since.
      this.#now = { listener: await this.#listen({ ...before.address, port }), address: before.address }
      throw error
    }
  }

  /** Accepts nobody any more. */
  stop(): void {
    for (const listener of this.#all()) void listener.stop()
  }

  /** Drops what is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all()].map((listener) => listener[Symbol.asyncDispose]()))
  }

  *#all(): Iterable<Listener> {
    if (this.#now !== undefined) yield this.#now.listener
    yield* this.#retired
  }

  #listen(address: Address): Promise<Listener> {
    return this.#host.listen({ ...address, app: this.#app })
  }

  /** The address takes nobody any more; its links live on. */
  async #retire(): Promise<void> {
    if (this.#now === undefined) return
    const { listener } = this.#now
    this.#now = undefined
    this.#retired.push(listener)
    await listener.stop()
  }
}
