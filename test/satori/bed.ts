// A gateway that speaks Satori, an implementation behind it that answers by a table, and requests as Satori's clients make them.

import type { ConfigInput } from '../../src/config/schema.ts'
import { Client, type ClientOptions, type Frame } from '../support/client.ts'
import { type Action, ok } from '../support/implementation.ts'
import { type Bed, type BedOptions, testbed } from '../support/testbed.ts'

export const OP = { event: 0, ping: 1, pong: 2, identify: 3, ready: 4 } as const

export interface Asked extends Action {
  raw: string
}

export interface Answered {
  status: number
  /** Read as JSON, where it is. */
  body: unknown
  headers: Headers
}

export interface SatoriBed extends AsyncDisposable {
  readonly bed: Bed
  /** What the implementation was asked, but for what the gateway asks for itself. */
  readonly asked: Asked[]
  /** What the implementation answers, by action; the data, or the whole reply where it has a `status`. Default: null. */
  readonly replies: Record<string, unknown>
  call(method: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
  connect(query?: string, options?: ClientOptions): Promise<Client>
  /** Connected, identified, and told of itself: what comes next is news. */
  ready(identify?: Record<string, unknown>, query?: string): Promise<Client>
}

/** For every request unless it says otherwise. */
export const TOKEN = 'a token'

export async function satoriBed(options: BedOptions & { satori?: ConfigInput['satori'] } = {}): Promise<SatoriBed> {
  const { satori, config, ...rest } = options
  const bed = await testbed({
    ...rest,
    config: { http: { 'access-token': TOKEN }, ...config, satori: { enabled: true, ...satori } },
  })
  const asked: Asked[] = []
  const replies: Record<string, unknown> = { get_login_info: { user_id: 10001, nickname: 'bot' } }
  bed.bot.answer = (frame, raw) => {
    if (frame.action !== 'get_login_info') asked.push({ ...frame, raw })
    return replyTo(frame, Object.hasOwn(replies, frame.action) ? replies[frame.action] : null)
  }
  const { address, ws } = bed.gateway
  return {
    bed,
    asked,
    replies,
    async call(method, body = {}, headers = {}) {
      const response = await fetch(`${address}/satori/v1/${method}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
        body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
    },
    connect: (query = '', clientOptions) => Client.connect(`${ws}/satori/v1/events${query}`, clientOptions),
    async ready(identify = {}, query = '') {
      const client = await Client.connect(`${ws}/satori/v1/events${query}`)
      client.send({ op: OP.identify, body: { token: TOKEN, ...identify } })
      await client.next(({ op }) => op === OP.ready)
      return client
    },
    [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose](),
  }
}

/** A table's entry may be text: JSON with ids of any length in it. */
function replyTo(frame: Action, entry: unknown): string {
  if (typeof entry === 'function') return replyTo(frame, entry(frame))
  if (typeof entry === 'string')
    return `{"status":"ok","retcode":0,"data":${entry},"echo":${JSON.stringify(frame.echo)}}`
  if (typeof entry === 'object' && entry !== null && 'status' in entry)
    return JSON.stringify({ ...entry, echo: frame.echo })
  return ok(frame, entry)
}

/** What an event frame holds; undefined: it is none. */
export const bodyOf = (frame: Frame): Frame | undefined =>
  frame['op'] === OP.event ? (frame['body'] as Frame) : undefined

/** The next event of this type. */
export async function event(
  client: Client,
  type: string,
  wanted: (body: Frame) => boolean = () => true,
): Promise<Frame> {
  const frame = await client.next((one) => {
    const body = bodyOf(one)
    return body?.['type'] === type && wanted(body)
  })
  return bodyOf(frame) ?? {}
}
