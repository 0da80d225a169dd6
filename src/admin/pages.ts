// The pages for a browser: served to anybody, since nothing stands in them; all that they show they ask the admin API for.

import { Buffer } from 'node:buffer'
import { gunzipSync } from 'node:zlib'
import type { Asked } from './route.ts'

/**
 * Nothing but what stands in the page itself runs, nobody else is asked for anything, and no text can become HTML.
 * Pictures and sounds are those that the page made of bytes it was given.
 */
const policy = ({ script, style }: { script: string; style: string }) =>
  [
    "default-src 'none'",
    `script-src '${script}'`,
    `style-src '${style}'`,
    "connect-src 'self'",
    'img-src data: blob:',
    'media-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')

export async function page(c: Asked): Promise<Response> {
  // Loaded when somebody looks: it is a hundred kilobytes that most processes never need.
  const { PAGE } = await import('./page-bundle.ts')
  const headers: Record<string, string> = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy(PAGE),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    // Another version may be running the next time.
    'Cache-Control': 'no-cache',
    Vary: 'Accept-Encoding',
    ETag: `W/"${PAGE.script}"`,
  }
  if (c.req.header('if-none-match') === headers['ETag']) return new Response(null, { status: 304, headers })
  const packed = Buffer.from(PAGE.gzip, 'base64')
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(c.req.header('accept-encoding') ?? '')
  return takesGzip
    ? new Response(packed, { headers: { ...headers, 'Content-Encoding': 'gzip' } })
    : new Response(gunzipSync(packed), { headers })
}
