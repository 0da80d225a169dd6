// A program that is posted to: it dies and comes back at the same address.

import { ownPort } from './port.ts'

export abstract class Receiver implements AsyncDisposable {
  readonly #port = ownPort()
  #server: Bun.Server<undefined> | undefined

  constructor() {
    this.start()
  }

  protected abstract take(request: Request): Promise<Response>

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`
  }
  /** Also again after `stop`. */
  start(): void {
    this.#server = Bun.serve({
      hostname: '127.0.0.1',
      port: this.#port,
      reusePort: false,
      idleTimeout: 0,
      fetch: (request) => this.take(request),
    })
  }
  stop(): Promise<void> {
    return this.#server?.stop(true) ?? Promise.resolve()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
