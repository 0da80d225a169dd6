// A test's implementation that speaks Milky: the test goes on telling and hearing everything as OneBot has it.

import { Event } from '@saltify/milky-types'
import { Inbox } from '../contract/witness.ts'
import type { Action, ImplementationOptions } from './implementation.ts'
import { actionOf, outputOf } from './milky-calls.ts'
import { milkyEvent } from './milky-events.ts'
import { type MilkyCall, MilkyServer, ok } from './milky-server.ts'
import { APIS, conforms } from './milky-stage.ts'

interface Reply {
  status: string
  retcode: number
  data?: unknown
  message?: string
  echo?: unknown
}

export class MilkyImplementation implements AsyncDisposable {
  selfId: number
  readonly actions = new Inbox<string>()
  readonly handshakes = new Inbox<Headers>()
  readonly ended: Inbox<number>
  answer: ImplementationOptions['answer']
  readonly #server: MilkyServer
  readonly #token: string | undefined
  /** Whom nobody has answered yet. */
  readonly #open = new Map<unknown, { api: string; resolve: (answer: Response) => void }>()
  /** Until it says its first word, it does not say who it is either. */
  readonly #named = Promise.withResolvers<void>()
  readonly #mute: boolean
  #asked = 0

  constructor({ selfId = 10001, token, port, tls, first, answer }: ImplementationOptions = {}) {
    if (first !== undefined && first.length > 0) throw new Error('over Milky nobody chooses what is said first')
    this.selfId = selfId
    this.answer = answer
    this.#token = token
    this.#mute = first !== undefined
    if (!this.#mute) this.#named.resolve()
    this.#server = new MilkyServer({
      ...(token !== undefined && { token }),
      ...(port !== undefined && { port }),
      ...(tls !== undefined && { tls }),
      answer: (call) => this.#answered(call),
      opened: (headers) => this.#mute || this.handshakes.push(headers),
    })
    this.ended = this.#server.ended
  }

  get url(): string {
    return this.#server.url
  }
  get own() {
    return { mode: 'milky' as const, milky: { url: this.url }, ...this.#shown('external-access-token') }
  }
  get entry() {
    return { kind: 'milky' as const, url: this.url, ...this.#shown('access-token') }
  }
  get links(): { readonly size: number } {
    return { size: this.#server.streams }
  }

  send(raw: string): void {
    const said: Record<string, unknown> = JSON.parse(raw)
    if (said['post_type'] === undefined) return this.#reply(said as unknown as Reply)
    const { event, bulk } = milkyEvent(said)
    // One of thousands of a kind is as good as the other.
    if (!bulk) conforms(Event, lifted(event), 'event')
    this.#server.say(JSON.stringify(event))
  }

  raw(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#server.say(frame)
  }

  becomes(selfId: number): void {
    this.selfId = selfId
    this.#named.resolve()
    this.#server.event('bot_offline', { reason: 'another account' }, selfId)
  }

  async next(): Promise<Action & { raw: string }> {
    const raw = await this.actions.take()
    return { ...JSON.parse(raw), raw }
  }

  drop(): void {
    this.#open.clear()
    this.#server.drop()
  }
  close(code: number, reason = ''): void {
    this.#server.close(code, reason)
  }
  start(): void {
    this.#server.start()
  }
  async stop(): Promise<void> {
    this.#open.clear()
    await this.#server.stop()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #shown<K extends string>(key: K) {
    return this.#token === undefined ? {} : ({ [key]: this.#token } as Record<K, string>)
  }

  async #answered({ api, input, headers }: MilkyCall): Promise<Response | undefined> {
    const { requestSchema } = APIS[api] ?? {}
    if (requestSchema) conforms(requestSchema, lifted(input), `input of ${api}`)
    if (this.#isProbe(api)) return await this.#introduced(api, headers)
    const echo = ++this.#asked
    const frame = { ...actionOf(api, input), echo }
    const raw = JSON.stringify(frame)
    const reply = this.answer?.(frame, raw)
    if (reply !== undefined) return response(api, JSON.parse(reply))
    const { promise, resolve } = Promise.withResolvers<Response>()
    this.#open.set(echo, { api, resolve })
    if (this.answer === undefined) this.actions.push(raw)
    return await promise
  }

  /** The gateway asks on its own account who it is, and before it opens a link also what it is. */
  #isProbe(api: string): boolean {
    return api === 'get_login_info' || (api === 'get_impl_info' && this.links.size === 0)
  }

  async #introduced(api: string, headers: Headers): Promise<Response> {
    if (this.#mute && api === 'get_impl_info') this.handshakes.push(headers)
    await this.#named.promise
    return ok(outputOf(api, { user_id: this.selfId }))
  }

  #reply(reply: Reply): void {
    const open = this.#open.get(reply.echo)
    if (open === undefined && this.#asked >= Number(reply.echo)) return // the connection is gone, and the call with it
    if (open === undefined) throw new Error(`over Milky nobody can reply to what was not asked: ${reply.echo}`)
    this.#open.delete(reply.echo)
    open.resolve(response(open.api, reply))
  }
}

/** Whether Milky has an event for this. */
export function canTell(said: Record<string, unknown>): boolean {
  try {
    return Event.safeParse(lifted(milkyEvent(said).event)).success
  } catch {
    return false
  }
}

function response(api: string, { status, retcode, data, message }: Reply): Response {
  if (status !== 'ok') return Response.json({ status: 'failed', retcode, message: message ?? 'it did not work' })
  const output = outputOf(api, data)
  const { responseSchema } = APIS[api] ?? {}
  if (responseSchema) conforms(responseSchema, lifted(output), `output of ${api}`)
  return ok(output)
}

/** Stories have short numbers for groups and people; QQ's are longer, and that is nothing they are about. */
const lifted = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, one) =>
    /(?:_id|uin)$/.test(key) && typeof one === 'number' && one < 10_001 ? one + 10_001 : one,
  )
