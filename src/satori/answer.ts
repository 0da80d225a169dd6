// How Satori's requests are answered: JSON, files, and refusals.

import type { Context } from 'hono'
import type { HostEnv } from '../runtime/host.ts'
import type { Upload } from './uploads.ts'

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' }

export const answer = (value: unknown): Response => new Response(JSON.stringify(value ?? {}), { headers: JSON_TYPE })

/** @param retryAfter seconds; the header has whole ones. */
export const jsonAnswer = (text: string, status = 200, retryAfter?: number): Response =>
  new Response(text, {
    status,
    headers: { ...JSON_TYPE, ...(retryAfter === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfter)) }) },
  })

export function refuse(status: number, message: string, retryAfter?: number): Response {
  const response = jsonAnswer(JSON.stringify({ message }), status, retryAfter)
  // The status obliges us to say what the path speaks.
  if (status === 426) response.headers.set('Upgrade', 'websocket')
  if (status === 426) response.headers.set('Connection', 'Upgrade')
  return response
}

export function refuseMethod(found: string, wanted = 'POST'): Response {
  const response = refuse(405, `method: found ${found}, want ${wanted}`)
  response.headers.set('Allow', wanted)
  return response
}

/** Files are only read. */
export const READING: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** As data only: whatever it says it is, it must not run in a page of ours. */
export function fileAnswer({ bytes, type, name }: Upload): Response {
  const disposition = /^(?:image|audio|video)\//.test(type) ? 'inline' : 'attachment'
  const called = name === undefined ? '' : `; filename*=UTF-8''${encodeURIComponent(name)}`
  return new Response(new Uint8Array(bytes), {
    headers: {
      'Content-Type': /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream',
      'Content-Disposition': disposition + called,
      'Content-Security-Policy': "sandbox; default-src 'none'",
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'private, max-age=600',
    },
  })
}

/** The body as text; undefined: it is not UTF-8, or has ended early. */
export async function bodyText(c: Context<HostEnv>): Promise<string | undefined> {
  try {
    return decoder.decode(await c.req.arrayBuffer()).trim()
  } catch {
    return undefined
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })
