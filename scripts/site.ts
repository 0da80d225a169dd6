// Makes dist/site out of docs/: the same pages, with docsify beside them, so that nothing is fetched from elsewhere;
// --serve shows it.

import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'

/** What the page needs, out of the package that package.json pins. */
const VENDOR = [
  'dist/docsify.min.js',
  'dist/plugins/search.min.js',
  'dist/themes/core.min.css',
  'dist/themes/addons/core-dark.min.css',
  'LICENSE',
]

const { values: asked } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist/site' },
    serve: { type: 'boolean', default: false },
    port: { type: 'string', default: '8000' },
  },
})
const root = join(import.meta.dir, '..')
const out = resolve(asked.out)
rmSync(out, { recursive: true, force: true })
mkdirSync(join(out, 'vendor'), { recursive: true })
cpSync(join(root, 'docs'), out, { recursive: true })
for (const file of VENDOR) cpSync(join(root, 'node_modules/docsify', file), join(out, 'vendor', basename(file)))
console.log(out)

if (asked.serve) serve(Number(asked.port))

function serve(port: number): void {
  try {
    console.log(Bun.serve({ hostname: '127.0.0.1', port, fetch: page }).url.href)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    console.error(`--port ${asked.port}: it cannot be had (${code}); name another`)
    process.exitCode = 1
  }
}

async function page(request: Request): Promise<Response> {
  const path = decodeURIComponent(new URL(request.url).pathname)
  const file = resolve(out, `.${path.endsWith('/') ? `${path}index.html` : path}`)
  const there = file.startsWith(out + sep) && (await Bun.file(file).exists())
  return there ? new Response(Bun.file(file)) : new Response('not found', { status: 404 })
}
