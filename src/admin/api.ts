// The admin API: its routes behind one guard, with headers that give a browser no way to misuse it.

import { Hono, type MiddlewareHandler } from 'hono'
import { ownReply } from '../onebot/frame.ts'
import { ActionError } from '../onebot/retcode.ts'
import type { HostEnv } from '../runtime/host.ts'
import { openApi } from './openapi.ts'
import type { Asked, Route } from './route.ts'

export interface AdminApiOptions {
  readonly routes: readonly Route[]
  /** Lets nobody past who may not come in. */
  readonly guard: MiddlewareHandler<HostEnv>
  readonly version: string
}

/** Nothing that we answer here is a page: no browser shall make one of it, keep it, or tell others where it was. */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** The routes with the description of all of them, which is one, too. */
export function described(routes: readonly Route[], version: string): Route[] {
  const all: Route[] = [
    ...routes,
    {
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This description',
      answer: { media: 'application/json', means: 'OpenAPI 3.1' },
      handle: (c) => c.json(openApi(all, version)),
    },
  ]
  return all
}

export function adminApi({ routes, guard, version }: AdminApiOptions): Hono<HostEnv> {
  const app = new Hono<HostEnv>({ strict: false })
  for (const { method, path, open, handle } of described(routes, version)) {
    app.on(method.toUpperCase(), path, safe)
    app.on(method.toUpperCase(), path, (c, next) => (open?.() ? next() : guard(c, next)))
    app.on(method.toUpperCase(), path, (c) => answered(c, handle))
  }
  return app
}

const safe: MiddlewareHandler<HostEnv> = async (c, next) => {
  await next()
  for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value)
}

async function answered(c: Asked, handle: Route['handle']): Promise<Response> {
  try {
    return await handle(c)
  } catch (error) {
    if (!(error instanceof ActionError)) throw error
    const { retcode, message } = error
    // Ours are the HTTP statuses, and a thousand.
    const status = retcode >= 1_400 && retcode < 1_600 ? retcode - 1_000 : 500
    return new Response(ownReply({ status: 'failed', retcode, message }), {
      status,
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
    })
  }
}
