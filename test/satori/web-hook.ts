// A program that Satori's events are posted to: it takes them or refuses them.

import { Inbox } from '../contract/witness.ts'
import type { Frame } from '../support/client.ts'
import { Receiver } from '../support/receiver.ts'

interface Posted {
  body: Frame
  headers: Headers
}

export class WebHook extends Receiver {
  readonly received = new Inbox<Posted>()
  /** When each came (ms). */
  readonly times: number[] = []
  /** Of the next answers; then `status`. */
  readonly answers: number[] = []
  status = 204
  /** Where set, in place of both. */
  answer: ((posted: Posted) => Response | Promise<Response>) | undefined

  protected async take(request: Request): Promise<Response> {
    const body: Frame = JSON.parse(await request.text())
    if (body['_type'] === 'onebot/notice.client_status') return new Response(null, { status: 204 })
    const posted = { body, headers: request.headers }
    this.times.push(performance.now())
    this.received.push(posted)
    if (this.answer !== undefined) return this.answer(posted)
    return new Response(null, { status: this.answers.shift() ?? this.status })
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
}
