// Asks the admin API. The token goes in a header, never in an address, so no page of another site can ask in our name.

import { token } from './token.ts'

/** Where the gateway is: the page may stand below a path of a proxy. */
export const BASE = location.pathname.replace(/sandbox\/?$/, '').replace(/\/*$/, '/')

/** What was asked was refused, or nobody answered (status 0). */
export class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
  /** The token is missing or wrong. */
  get locked(): boolean {
    return this.status === 401 || this.status === 403
  }
}

/** @throws Refused unless the answer is a success; the caller's own abort passes through. */
export async function request(path: string, options: { body?: object; signal?: AbortSignal } = {}): Promise<Response> {
  const { body, signal } = options
  const headers: Record<string, string> = { Authorization: `Bearer ${token() ?? ''}` }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch(BASE + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      cache: 'no-store',
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Refused(0, error instanceof Error ? error.message : String(error))
  }
  if (!answer.ok) throw new Refused(answer.status, await reason(answer))
  return answer
}

/** The caller says what it is: both come from the same build. */
export async function ask<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
  const answer = await request(path, { ...(body && { body }), ...(signal && { signal }) })
  return (await answer.json()) as T // what the route's description says
}

/** Actions that take nothing still have to say that they come from a program and not from a form. */
export const act = <T = unknown>(path: string, body: object = {}): Promise<T> => ask<T>(path, body)

/** Whether a reply's retcode says that the action worked; 1: it goes on. */
export const worked = (retcode: number | null | undefined): boolean => retcode === 0 || retcode === 1

async function reason(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '')
  try {
    const { message } = JSON.parse(text)
    if (typeof message === 'string') return message
  } catch {
    // Not from the gateway, but from something between us.
  }
  return `HTTP ${answer.status}`
}
