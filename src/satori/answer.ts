// How Satori's requests are answered: JSON, files, and refusals.

import type { Context } from 'hono'
import type { HostEnv } from '../runtime/host.ts'
import type { Upload } from './uploads.ts'

/** What the status obliges us to say. */
const EXTRA: Readonly<Record<number, Record<string, string>>> = {
  405: { Allow: 'POST' },
  426: { Upgrade: 'websocket', Connection: 'Upgrade' },
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' }

export const answer = (value: unknown): Response => new Response(JSON.stringify(value ?? {}), { headers: JSON_TYPE })

export const jsonAnswer = (text: string, status = 200): Response => new Response(text, { status, headers: JSON_TYPE })

export const refuse = (status: number, message: string): Response =>
  new Response(JSON.stringify({ message }), { status, headers: { ...JSON_TYPE, ...EXTRA[status] } })

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
