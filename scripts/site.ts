// Serves docs/ on this machine, as any static web server does: bun scripts/site.ts [--port 8000].

import { join, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = join(import.meta.dir, '../docs')

const { values: asked } = parseArgs({ options: { port: { type: 'string', default: '8000' } } })

try {
  console.log(Bun.serve({ hostname: '127.0.0.1', port: Number(asked.port), fetch: page }).url.href)
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : error
  console.error(`--port ${asked.port}: it cannot be had (${code}); name another`)
  process.exitCode = 1
}

async function page(request: Request): Promise<Response> {
  const path = decodeURIComponent(new URL(request.url).pathname)
  const file = resolve(ROOT, `.${path.endsWith('/') ? `${path}index.html` : path}`)
  const there = file.startsWith(ROOT + sep) && (await Bun.file(file).exists())
  return there ? new Response(Bun.file(file)) : new Response('not found', { status: 404 })
}
