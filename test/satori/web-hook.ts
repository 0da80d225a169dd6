// A program that Satori's events are posted to: it takes them, refuses them, dies and comes back at the same address.

import { Inbox } from '../contract/witness.ts'
import type { Frame } from '../support/client.ts'
import { ownPort } from '../support/port.ts'

interface Posted {
  body: Frame
  headers: Headers
}

export class WebHook implements AsyncDisposable {
  readonly received = new Inbox<Posted>()
  /** When each came (ms). */
  readonly times: number[] = []
  /** Of the next answers; then `status`. */
  readonly answers: number[] = []
  status = 204
  /** Where set, in place of both. */
  answer: ((posted: Posted) => Response | Promise<Response>) | undefined
  readonly #port = ownPort()
  #server: Bun.Server<undefined> | undefined

  constructor() {
    this.start()
  }

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
      fetch: async (request) => {
        const body: Frame = JSON.parse(await request.text())
        if (body['_type'] === 'onebot/notice.client_status') return new Response(null, { status: 204 })
        const posted = { body, headers: request.headers }
        this.times.push(performance.now())
        this.received.push(posted)
        if (this.answer !== undefined) return this.answer(posted)
        return new Response(null, { status: this.answers.shift() ?? this.status })
      },
    })
  }
  stop(): Promise<void> {
    return this.#server?.stop(true) ?? Promise.resolve()
  }
  /** The next event of this type. */
  async next(type: string, wanted: (body: Frame) => boolean = () => true): Promise<Posted> {
    for (;;) {
      const posted = await this.received.take()
      if (posted.body['type'] === type && wanted(posted.body)) return posted
    }
  }
  /** The next messages' contents. */
  async contents(count: number): Promise<unknown[]> {
    const found: unknown[] = []
    while (found.length < count) {
      const { body } = await this.next('message-created')
      found.push((body['message'] as Frame)['content'])
    }
    return found
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
