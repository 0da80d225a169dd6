// A release host to download from: it answers as GitHub does, and fails in all the ways that hosts and mirrors fail.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface Asked {
  path: string
  range: string | undefined
  ifRange: string | undefined
}

export interface Release {
  file: string
  bytes: Uint8Array
  etag: string
  modified: string
  /** What the metadata says; a missing one is made from the bytes. */
  size?: number
  digest?: string | null
  id: number
  updatedAt: string
  /** What the metadata calls it; left out: it does not say. */
  tag?: string
}

export interface ReleaseHost extends AsyncDisposable {
  /** For `ntqq-impl.download.base`. */
  readonly url: string
  readonly asked: Asked[]
  release: Release
  /** What lies beside the file, by name; served whole. */
  others: Record<string, string>
  /** For the answers to come, one each; then all is well again. A number: bytes after which the line is cut. */
  faults: Fault[]
  /** The status with which metadata is refused; 0: it is given. */
  metadata: { status: number; headers?: Record<string, string>; body?: string }
  /** Sends files by way of another address first. */
  redirects: boolean
  ranges: boolean
  /** Resolves once the other side has so many bytes: a line that is cut may take what was not read along. */
  taken(bytes: number): Promise<void>
  /** Resolves once the line has gone silent. */
  readonly silent: Promise<void>
}

export type Fault = { status: number } | { cutAfter: number } | { silentAfter: number } | { range: string } | 'none'

export async function releaseHost(release: Partial<Release> & Pick<Release, 'file' | 'bytes'>): Promise<ReleaseHost> {
  const silent = Promise.withResolvers<void>()
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('release host: no address')
  const url = `http://127.0.0.1:${address.port}`
  const host: ReleaseHost = {
    url,
    asked: [],
    release: {
      etag: '"one"',
      modified: 'Fri, 12 Sep 2025 08:30:00 GMT',
      id: 42,
      updatedAt: '2025-09-12T08:30:00Z',
      ...release,
    },
    others: {},
    faults: [],
    metadata: { status: 0 },
    redirects: false,
    ranges: true,
    taken: async () => {},
    silent: silent.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const { range } = request.headers
    const ifRange = request.headers['if-range']?.toString()
    host.asked.push({ path, range, ifRange })
    if (path.startsWith('/repos/')) return metadata(response)
    const other = host.others[path.replace(/^.*\//, '')]
    if (other !== undefined) return void response.end(other)
    if (!path.endsWith(`/${host.release.file}`)) return void response.writeHead(404).end()
    if (host.redirects && !path.startsWith('/elsewhere/'))
      return void response.writeHead(302, { location: `${url}/elsewhere/${host.release.file}` }).end()
    const fault = host.faults.shift() ?? 'none'
    if (fault !== 'none' && 'status' in fault) return void response.writeHead(fault.status).end('no')
    await send(response, range, ifRange, fault)
  }

  function metadata(response: ServerResponse): void {
    const { status, headers = {}, body } = host.metadata
    if (status !== 0) return void response.writeHead(status, headers).end(body)
    const { file, bytes, size = bytes.length, digest = `sha256:${sha256(bytes)}`, id, updatedAt, tag } = host.release
    const address = `${url}/LagrangeDev/Lagrange.Core/releases/download/nightly/${file}`
    const asset = { name: file, size, digest, browser_download_url: address, updated_at: updatedAt }
    response.end(
      JSON.stringify({ id, tag_name: tag, published_at: updatedAt, assets: [{ ...asset, name: 'other.zip' }, asset] }),
    )
  }

  async function send(
    response: ServerResponse,
    range: string | undefined,
    ifRange: string | undefined,
    fault: Exclude<Fault, { status: number }>,
  ): Promise<void> {
    const { bytes, etag, modified } = host.release
    const same = ifRange === undefined || ifRange === etag || (ifRange === modified && !etag.startsWith('"'))
    const from = host.ranges && same ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0
    const headers = { ...(etag && { etag }), ...(modified && { 'last-modified': modified }) }
    if (from >= bytes.length && from > 0)
      return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
    const rest = bytes.subarray(from)
    const told =
      fault !== 'none' && 'range' in fault ? fault.range : `bytes ${from}-${bytes.length - 1}/${bytes.length}`
    response.writeHead(from > 0 ? 206 : 200, {
      ...headers,
      'content-length': rest.length,
      ...(from > 0 && { 'content-range': told }),
    })
    if (fault === 'none' || 'range' in fault) return void response.end(rest)
    const count = 'cutAfter' in fault ? fault.cutAfter : fault.silentAfter
    response.write(rest.subarray(0, count), () => {
      if ('cutAfter' in fault) void host.taken(from + count).then(() => response.destroy())
      else silent.resolve()
    })
  }
  return host
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
