// Posts a JSON text over HTTP: signed where there is a secret, bounded in time and in what is read of the answer.

import { Buffer } from 'node:buffer'
import { createHmac } from 'node:crypto'

export interface Posting {
  readonly url: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Signs the body; empty: not signed. */
  readonly secret: string
  /** Milliseconds from the first byte sent to the last one read. */
  readonly timeout: number
  /** Gives up at once. */
  readonly signal: AbortSignal
}

/** `text`: the answer's body; undefined when it is longer than anybody should write. */
export type Posted =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string | undefined }
  | { readonly kind: 'failed'; readonly reason: string }

const LONGEST_ANSWER = 1024 * 1024

/** `X-Signature` as OneBot and GitHub's older hooks have it: HMAC-SHA1 of the body. */
const signature = (secret: string, body: string): string =>
  `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`

/** Never rejects. Redirects are not followed: the body would go to an address that nobody configured. */
export async function postJson({ url, body, headers, secret, timeout, signal }: Posting): Promise<Posted> {
  const attempt = new AbortController()
  const cut = () => attempt.abort(new Error('cut off: the gateway is stopping'))
  const timer = setTimeout(() => attempt.abort(new Error(`no answer in ${timeout} ms`)), timeout)
  signal.addEventListener('abort', cut)
  if (signal.aborted) cut()
  const { address, credentials } = target(url)
  const init: RequestInit & { proxy: unknown } = {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      // Answers are short, and only what is not packed can be bounded before it is in memory.
      'Accept-Encoding': 'identity',
      ...credentials,
      ...(secret === '' ? {} : { 'X-Signature': signature(secret, body) }),
      ...headers,
    },
    body,
    redirect: 'manual',
    signal: attempt.signal,
    // Bun would send even what is meant for this machine through HTTP_PROXY; other runtimes ignore the key.
    proxy: false,
  }
  try {
    const response = await fetch(address, init as RequestInit) // the cast: `proxy` is Bun's own
    return { kind: 'answered', status: response.status, text: await bounded(response) }
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(attempt.signal.aborted ? attempt.signal.reason : error) }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', cut)
  }
}

/** `fetch` refuses addresses that hold a user and a password: they go where they belong. */
function target(url: string): { address: string; credentials: Record<string, string> } {
  const address = new URL(url)
  const { username, password } = address
  if (username === '' && password === '') return { address: url, credentials: {} }
  address.username = ''
  address.password = ''
  const pair = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
  return { address: address.href, credentials: { Authorization: `Basic ${pair}` } }
}

/** A percent sign that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function bounded(response: Response): Promise<string | undefined> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.byteLength
    if (size > LONGEST_ANSWER) return undefined // leaving the loop cancels the rest
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Runtimes hide why a connection failed behind "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message
}
