// An operator at a gateway of the tests: asks the admin API, and listens to its streams.

import { Inbox } from '../contract/witness.ts'

export const ADMIN = 'admin-token-of-tests'

export interface Streamed {
  readonly event: string
  readonly data: Record<string, unknown>
}

export interface Stream extends AsyncDisposable {
  readonly inbox: Inbox<Streamed>
  /** The next of this kind; those before it are passed over. */
  next(event: string, wanted?: (data: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
  /** Resolves when the other side has ended it. */
  readonly ended: Promise<void>
}

export interface Operator {
  get(path: string): Promise<Response>
  post(path: string, body?: unknown): Promise<Response>
  /** The answer, which must be a success. */
  json<T = Record<string, unknown>>(path: string, body?: unknown): Promise<T>
  stream(path: string): Promise<Stream>
}

export function operator(address: string, token = ADMIN): Operator {
  const headers = { Authorization: `Bearer ${token}` }
  const get = (path: string) => fetch(`${address}${path}`, { headers })
  const post = (path: string, body?: unknown) =>
    fetch(`${address}${path}`, {
      method: 'POST',
      headers: { ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    get,
    post,
    async json<T>(path: string, body?: unknown) {
      const answer = await (body === undefined ? get(path) : post(path, body))
      const text = await answer.text()
      if (answer.status !== 200) throw new Error(`${path}: HTTP ${answer.status}: ${text}`)
      return JSON.parse(text) as T // what the test says it is
    },
    stream: (path) => listen(`${address}${path}`, headers),
  }
}

async function listen(url: string, headers: Record<string, string>): Promise<Stream> {
  const gone = new AbortController()
  const response = await fetch(url, { headers, signal: gone.signal })
  if (response.status !== 200) throw new Error(`${url}: HTTP ${response.status}: ${await response.text()}`)
  const inbox = new Inbox<Streamed>()
  const ended = read(response, inbox).catch(() => undefined) // ended by us
  return {
    inbox,
    ended,
    async next(event, wanted = () => true) {
      for (;;) {
        const one = await inbox.take()
        if (one.event === event && wanted(one.data)) return one.data
      }
    },
    async [Symbol.asyncDispose]() {
      gone.abort()
      await ended
    },
  }
}

async function read(response: Response, inbox: Inbox<Streamed>): Promise<void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const [, event = '', data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? []
      text = text.slice(end + 2)
      if (data !== undefined) inbox.push({ event, data: JSON.parse(data) })
    }
  }
}
